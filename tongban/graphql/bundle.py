"""A bundle (一件事): one number and one progress over cases that stay acts of their own."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from enum import Enum
from typing import TYPE_CHECKING, Annotated, Any
from uuid import UUID

import strawberry

from tongban.graphql.catalogue import ServiceItem, service_item_of
from tongban.graphql.connection import Node
from tongban.graphql.context import Info, Lang, enum_value
from tongban.graphql.deadlines import Deadline, deadline_of
from tongban.graphql.terms import Language
from tongban.projections.bundle_definitions import BundleVersionRow
from tongban.projections.bundles import BundleRow, bundle_by_number, progress_of, waits_of

if TYPE_CHECKING:
    from tongban.graphql.case import Case
    from tongban.graphql.homepage import Licence, Party


@strawberry.enum(description="How far a bundle is as a whole.")
class BundleState(Enum):
    """The states of the row."""

    SUBMITTED = enum_value("SUBMITTED", "已提交: no part is accepted yet.")
    ACCEPTED = enum_value("ACCEPTED", "已受理: a part is accepted, the joint clock runs.")
    DECIDED = enum_value("DECIDED", "已决定: every part is decided or ended; results are on their way.")
    COMPLETED = enum_value("COMPLETED", "已办结: every part is over.")


@strawberry.enum(description="How far one part of a bundle is.")
class SubCaseState(Enum):
    """The states of a part."""

    WAITING = enum_value("WAITING", "待启动: not filed yet, it waits for another part.")
    BEGUN = enum_value("BEGUN", "已启动: filed, not accepted yet.")
    CORRECTING = enum_value("CORRECTING", "补正中: the one notice asks something for it.")
    ACCEPTED = enum_value("ACCEPTED", "已受理: under review.")
    DECIDED = enum_value("DECIDED", "已决定: decided or ended, not closed yet.")
    OVER = enum_value("OVER", "已办结: over; `result` says how.")


@strawberry.type(description="The definition a bundle was filed under.")
class BundleDefinition:
    """A version."""

    row: strawberry.Private[BundleVersionRow]
    id: str = strawberry.field(description="The bundle's id in the catalogue.")
    version: int = strawberry.field(description="Which of its published versions.")
    label: str = strawberry.field(description="What the version is called, such as `2019`.")

    @strawberry.field(description="The name.")
    def name(self, lang: Language = Lang.ZH) -> str:
        """By the language asked for."""
        return self.row.name_en if lang is Lang.EN else self.row.name_zh


@strawberry.type(description="One progress over all parts (一体管理).")
class BundleProgress:
    """Progress."""

    done: int = strawberry.field(description="How many parts are over.")
    total: int = strawberry.field(description="How many parts there are.")
    waiting_for: list[str] = strawberry.field(
        description="`applicant`, `task:ID` of a shared task that can be done, `dept:CODE` of departments at work."
    )


@strawberry.type(description="One part of a bundle: an item, and its case once it is filed.")
class SubCase:
    """A part."""

    part: strawberry.Private[Mapping[str, Any]]
    state: SubCaseState = strawberry.field(description="How far it is.")
    result: str | None = strawberry.field(
        description="GRANTED, DENIED, NOT_ACCEPTED, WITHDRAWN, LAPSED, NOT_STARTED or NOT_EFFECTIVE; null while open."
    )
    department: str = strawberry.field(description="The code of the department that decides.")
    waits_for: list[str] = strawberry.field(
        description="What it waits for now: ids of items, ids of shared tasks, or ALL_DECIDED."
    )

    @strawberry.field(description="The service item, in the version of the day the bundle was filed.")
    def item(self, info: Info) -> ServiceItem | None:
        """Read together with its siblings'."""
        return service_item_of(info, (self.part["item"], self.part["version"]))

    @strawberry.field(description="Its case; null before it is filed, and for who may not see it.")
    def case(self, info: Info) -> Annotated[Case, strawberry.lazy("tongban.graphql.case")] | None:
        """Read together with its siblings'."""
        from tongban.graphql.case import case

        row = info.context.cases.get(UUID(self.part["case_id"]))
        return case(row) if row else None

    @strawberry.field(description="Its licence, once it is in the library.")
    def licence(self, info: Info) -> Annotated[Licence, strawberry.lazy("tongban.graphql.homepage")] | None:
        """Read together with its siblings'."""
        from tongban.graphql.homepage import licence_of

        found = self.part["licence_id"]
        return licence_of(info, UUID(found)) if found else None


@strawberry.type(description="What is done once for several parts, such as one joint inspection (联合核查).")
class SharedTask:
    """A task."""

    id: str = strawberry.field(description="Its id in the definition.")
    departments: list[str] = strawberry.field(description="The codes of the departments that take part.")
    serves: list[str] = strawberry.field(description="The ids of the items it is done for.")
    ready: bool = strawberry.field(description="Whether all it serves is accepted, so that it can be done.")
    result: str | None = strawberry.field(description="PASS, FAIL (it can be done again), or null.")
    due: Deadline | None = strawberry.field(description="Until when it is to be done.")


@strawberry.type(description="What is wrong with one material in one part.")
class BundleDefect:
    """A defect."""

    item: str = strawberry.field(description="The id of the item.")
    problem: str | None = strawberry.field(description="What is wrong; null if it was erased.")


@strawberry.type(description="One material that the one notice asks for.")
class CorrectedMaterial:
    """A material."""

    material: str = strawberry.field(description="Its id in the bundle.")
    defects: list[BundleDefect] = strawberry.field(description="What is wrong, part by part.")


@strawberry.type(description="The one notice of the defects of all parts (合并补正告知), until it is answered.")
class BundleCorrection:
    """The notice."""

    materials: list[CorrectedMaterial] = strawberry.field(description="What is to be mended, all at once.")
    due: Deadline | None = strawberry.field(description="Until when.")


@strawberry.type(description="One thing (一件事): one application for several items under one number.")
class Bundle(Node):
    """A bundle."""

    row: strawberry.Private[BundleRow]
    number: str = strawberry.field(description="The one number of it (一件事编号).")
    state: BundleState = strawberry.field(description="How far it is.")
    version: int = strawberry.field(description="The version of its stream: what If-Match takes.")
    channel: str = strawberry.field(description="How it was filed: COUNTER, WEB, APP, KIOSK or POST.")
    department: str = strawberry.field(description="The code of the lead department.")
    withdrawn: bool = strawberry.field(description="Whether the applicant withdrew what was not decided.")
    submitted_at: datetime = strawberry.field(description="When it was filed (UTC).")
    accepted_at: datetime | None = strawberry.field(description="When its first part was accepted (UTC).")
    decided_at: datetime | None = strawberry.field(description="When its last part was decided (UTC).")
    completed_at: datetime | None = strawberry.field(description="When its last part was over (UTC).")

    @strawberry.field(description="The definition, in the version it was filed under.")
    def definition(self, info: Info) -> BundleDefinition | None:
        """Read together with its siblings'."""
        row = info.context.bundle_versions.get((self.row.bundle_id, self.row.bundle_version))
        return definition(row) if row else None

    @strawberry.field(description="The applicant.")
    def applicant(self, info: Info) -> Annotated[Party, strawberry.lazy("tongban.graphql.homepage")] | None:
        """Read together with its siblings'."""
        from tongban.graphql.homepage import party_of

        return party_of(info, self.row.applicant)

    @strawberry.field(description="One progress over all parts.")
    def progress(self) -> BundleProgress:
        """As the last event says."""
        found = progress_of(self.row)
        return BundleProgress(done=found.done, total=found.total, waiting_for=list(found.waiting_for))

    @strawberry.field(description="The parts, in the definition's order.")
    def sub_cases(self, info: Info) -> list[SubCase]:
        """As the last event says."""
        info.context.cases.want(UUID(part["case_id"]) for part in self.row.parts)
        info.context.items.want((part["item"], part["version"]) for part in self.row.parts)
        return [
            SubCase(
                part=part,
                state=SubCaseState[part["state"]],
                result=part["result"],
                department=part["lead"],
                waits_for=list(waits_of(self.row, part)),
            )
            for part in self.row.parts
        ]

    @strawberry.field(description="What is done once for several parts.")
    def tasks(self) -> list[SharedTask]:
        """As the last event says."""
        return [
            SharedTask(
                id=task["id"],
                departments=task["participants"],
                serves=task["serves"],
                ready=task["ready"],
                result=task["result"],
                due=deadline_of(self.row, f"TASK:{task['id']}"),
            )
            for task in self.row.tasks
        ]

    @strawberry.field(description="The promise for the whole: when the last part is to be decided; null before.")
    def due(self) -> Deadline | None:
        """The PROMISED clock."""
        return deadline_of(self.row, "PROMISED")

    @strawberry.field(description="联合办理期限: 45 working days, 15 more once (行政许可法 art. 42); null before.")
    def joint_due(self) -> Deadline | None:
        """The JOINT clock."""
        return deadline_of(self.row, "JOINT")

    @strawberry.field(description="The one notice of corrections; null while there is none to answer.")
    def correction(self, info: Info) -> BundleCorrection | None:
        """What is wrong is opened only for who may see the bundle."""
        if not self.row.correction:
            return None
        problems = {
            item: info.context.unsealed.open(boxes)[0].get("problems") or {} for item, boxes in self.row.sealed.items()
        }
        return BundleCorrection(
            materials=[
                CorrectedMaterial(
                    material=asked["material"],
                    defects=[
                        BundleDefect(item=own["item"], problem=_problem(problems, own["item"], material))
                        for own in asked["parts"]
                        for material in own["materials"]
                    ],
                )
                for asked in self.row.correction
            ],
            due=deadline_of(self.row, "APPLICANT_CORRECTION"),
        )


def _problem(told: Mapping[str, Mapping[str, Any]], item: str, material: str) -> str | None:
    problem = told.get(item, {}).get(material)
    return None if problem is None else str(problem)


def definition(row: BundleVersionRow) -> BundleDefinition:
    """The GraphQL object of a published version."""
    return BundleDefinition(row=row, id=row.bundle_id, version=row.bundle_version, label=row.label)


def bundle(row: BundleRow) -> Bundle:
    """The GraphQL object of a bundle."""
    return Bundle(
        row=row,
        id=strawberry.ID(str(row.id)),
        number=row.number,
        state=BundleState[row.state],
        version=row.version,
        channel=row.channel,
        department=row.lead,
        withdrawn=row.withdrawn,
        submitted_at=row.submitted_at,
        accepted_at=row.accepted_at,
        decided_at=row.decided_at,
        completed_at=row.completed_at,
    )


def bundle_of(info: Info, key: UUID | None) -> Bundle | None:
    """A bundle, if the reader may see it."""
    row = info.context.bundles.get(key) if key is not None else None
    return bundle(row) if row else None


def find_by_number(info: Info, number: str) -> Bundle | None:
    """A bundle by its one number."""
    row = bundle_by_number(info.context.cursor, number)
    return bundle(row) if row else None
