"""One case: what was asked for, where it stands, who holds it, and every step of it."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from enum import Enum
from typing import TYPE_CHECKING, Annotated
from uuid import UUID

import strawberry
from strawberry.scalars import JSON

from tongban.graphql.catalogue import ServiceItem, service_item_of
from tongban.graphql.connection import After, First, Node
from tongban.graphql.context import Info, Lang, enum_value
from tongban.graphql.errors import NotYetProjected
from tongban.graphql.terms import Language
from tongban.graphql.timeline import EventConnection, resolve_timeline
from tongban.projections.cases import CaseRow, branch_states, case_by_id
from tongban.projections.ratings import RatingRow

if TYPE_CHECKING:
    from tongban.graphql.homepage import Licence, Party


@strawberry.enum(description="Where a case stands (办件状态).")
class CaseState(Enum):
    """The states of the domain."""

    SUBMITTED = enum_value("SUBMITTED", "申请已提交: filed by post, not arrived yet.")
    RECEIVED = enum_value("RECEIVED", "已收件: received, not accepted yet.")
    CORRECTING = enum_value("CORRECTING", "补正中: the applicant is to mend what the notice named.")
    ACCEPTED = enum_value("ACCEPTED", "已受理: accepted, the review begins.")
    REVIEWING = enum_value("REVIEWING", "审查中: under review.")
    GRANTED = enum_value("GRANTED", "准予: granted, not closed yet.")
    DENIED = enum_value("DENIED", "不予: denied, not closed yet.")
    ISSUING = enum_value("ISSUING", "制证、送达: the licence is made and on its way.")
    ENDING = enum_value("ENDING", "退费中: ended without a result; a fee goes back before it is closed.")
    CLOSED = enum_value("CLOSED", "已办结: closed; `result` says how.")
    ARCHIVED = enum_value("ARCHIVED", "已归档: closed and archived.")


@strawberry.enum(description="Where a branch of the review stands.")
class BranchState(Enum):
    """Derived from who holds it and whether it has spoken."""

    WAITING = enum_value("WAITING", "Not asked yet.")
    REVIEWING = enum_value("REVIEWING", "The department holds it now.")
    PASSED = enum_value("PASSED", "The opinion is: pass.")
    FAILED = enum_value("FAILED", "The opinion is: fail.")
    DROPPED = enum_value("DROPPED", "The case went on without its opinion.")


@strawberry.type(description="One department's part of the review (并联审查).")
class Branch:
    """A branch."""

    department: str = strawberry.field(description="The code of the department.")
    holder: str | None = strawberry.field(description="Who holds the branch now, such as `dept:fire`; null: nobody.")
    state: BranchState = strawberry.field(description="Where the branch stands.")
    opinion: str | None = strawberry.field(description="PASS, FAIL, or null while there is none.")
    at: datetime | None = strawberry.field(description="When the opinion took effect (UTC).")

    @strawberry.field(description="The name of the department.")
    def department_name(self, info: Info, lang: Language = Lang.ZH) -> str | None:
        """By the catalogue."""
        return info.context.names.department(self.department, lang.value)


@strawberry.type(description="Who holds a part of the case now (持有方).")
class Holder:
    """A holder."""

    branch: str = strawberry.field(description="The part: `main`, or the code of a branch's department.")
    holder: str = strawberry.field(description="Who holds it: `applicant`, `dept:CODE`, `none`.")
    since: datetime = strawberry.field(description="Since when (UTC).")


@strawberry.type(description="How one material was met.")
class Material:
    """A material."""

    material: str = strawberry.field(description="The material's id in the item.")
    how: str = strawberry.field(
        description="UPLOAD, E_LICENCE, DATA_SHARING, COMMITMENT, ONLINE_AUTHORISATION or FORM_PREFILL."
    )
    source: str | None = strawberry.field(description="From whom.")


@strawberry.type(description="What the applicant filled in. Personal: opened only for who may see the case.")
class Application:
    """The form and the answers."""

    form: JSON | None = strawberry.field(description="The form.")
    answers: JSON | None = strawberry.field(description="The answers to the guide's questions.")
    erased: bool = strawberry.field(description="Whether the personal data was erased for good.")


@strawberry.type(description="The rating of a case (好差评).")
class Rating:
    """A rating. An anonymous one is shown to its rater and to supervisors only."""

    row: strawberry.Private[RatingRow]
    id: strawberry.ID = strawberry.field(description="The id of the rating.")
    grade: int = strawberry.field(description="1 is best, 5 worst; 4 and 5 are bad.")
    options: list[str] = strawberry.field(description="The ready-made remarks that were chosen.")
    anonymous: bool = strawberry.field(description="Whether the rater asked not to be named.")
    rated_at: datetime = strawberry.field(description="When it was given (UTC).")

    @strawberry.field(description="The rater's own words; null if there are none or they were erased.")
    def text(self, info: Info) -> str | None:
        """Opened when asked for."""
        text = info.context.unsealed.open(self.row.sealed)[0].get("text")
        return None if text is None else str(text)

    @strawberry.field(description="Whether the rater's words were erased for good.")
    def erased(self, info: Info) -> bool:
        """Known once the box was opened."""
        return info.context.unsealed.open(self.row.sealed)[1]


@strawberry.type(description="A case (办件): one application, from filing to the closing of the file.")
class Case(Node):
    """A case."""

    row: strawberry.Private[CaseRow]
    number: str = strawberry.field(description="The human number (办件编号).")
    state: CaseState = strawberry.field(description="Where it stands.")
    result: str | None = strawberry.field(description="GRANTED or DENIED, once closed.")
    version: int = strawberry.field(description="The version of its stream: what If-Match and minVersion take.")
    channel: str = strawberry.field(description="How it was filed: COUNTER, WEB, APP, KIOSK or POST.")
    department: str = strawberry.field(description="The code of the department that decides.")
    submitted_at: datetime = strawberry.field(description="申请: when it was filed (UTC).")
    accepted_at: datetime | None = strawberry.field(description="受理: when it was accepted (UTC).")
    decided_at: datetime | None = strawberry.field(description="决定: when it was decided (UTC).")
    closed_at: datetime | None = strawberry.field(description="办结: when it was closed (UTC).")

    @strawberry.field(description="The service item, in the version the case was filed under.")
    def item(self, info: Info) -> ServiceItem | None:
        """Read together with its siblings'."""
        return service_item_of(info, (self.row.item_id, self.row.item_version))

    @strawberry.field(description="The applicant.")
    def applicant(self, info: Info) -> Annotated[Party, strawberry.lazy("tongban.graphql.homepage")] | None:
        """Read together with its siblings'."""
        from tongban.graphql.homepage import party_of

        return party_of(info, self.row.applicant)

    @strawberry.field(description="The parts of the review, side by side.")
    def branches(self) -> list[Branch]:
        """In the item's order."""
        return [
            Branch(
                department=branch.department,
                holder=branch.holder,
                state=BranchState[branch.state],
                opinion=branch.opinion,
                at=branch.at,
            )
            for branch in branch_states(self.row)
        ]

    @strawberry.field(description="Who holds the case now, part by part, and since when.")
    def holders(self) -> list[Holder]:
        """As the last event says."""
        return [
            Holder(branch=branch, holder=entry["holder"], since=datetime.fromisoformat(entry["since"]))
            for branch, entry in sorted(self.row.holders.items())
        ]

    @strawberry.field(description="How each material was met.")
    def materials(self, info: Info) -> list[Material]:
        """As filed."""
        line = info.context.applications.get(self.row.id)
        filed = line.data["evidence"] if line else ()
        return [Material(material=m["material"], how=m["how"], source=m["source"]) for m in filed]

    @strawberry.field(description="What the applicant filled in.")
    def application(self, info: Info) -> Application | None:
        """From the event that began the case, opened."""
        line = info.context.applications.get(self.row.id)
        if line is None:
            return None
        values, erased = info.context.unsealed.open(line.sealed)
        return Application(form=values.get("form"), answers=values.get("answers"), erased=erased)

    @strawberry.field(description="Every event of the case, in the order they were stored.")
    def timeline(self, info: Info, first: First = 20, after: After = None) -> EventConnection:
        """A page of events."""
        return resolve_timeline(info, self.row.id, first, after)

    @strawberry.field(description="The licence that was issued.")
    def licence(self, info: Info) -> Annotated[Licence, strawberry.lazy("tongban.graphql.homepage")] | None:
        """Once it is in the library."""
        from tongban.graphql.homepage import licence_of

        return licence_of(info, self.row.licence_id)

    @strawberry.field(description="The rating, if there is one that may be seen.")
    def rating(self, info: Info) -> Rating | None:
        """Read together with its siblings'."""
        row = info.context.ratings.get(self.row.id)
        return rating(row) if row else None


def rating(row: RatingRow) -> Rating:
    """The GraphQL object of a rating."""
    return Rating(
        row=row,
        id=strawberry.ID(str(row.id)),
        grade=row.grade,
        options=list(row.options),
        anonymous=row.anonymous,
        rated_at=row.rated_at,
    )


def case(row: CaseRow) -> Case:
    """The GraphQL object of a case."""
    return Case(
        id=strawberry.ID(str(row.id)),
        row=row,
        number=row.number,
        state=CaseState[row.status],
        result=row.result,
        version=row.version,
        channel=row.channel,
        department=row.lead,
        submitted_at=row.submitted_at,
        accepted_at=row.accepted_at,
        decided_at=row.decided_at,
        closed_at=row.closed_at,
    )


def announce(info: Info, rows: Sequence[CaseRow]) -> None:
    """What the cases of a page are likely to be asked for is then read once for all of them."""
    context = info.context
    context.items.want((row.item_id, row.item_version) for row in rows)
    context.parties.want(row.applicant for row in rows)
    context.ratings.want(row.id for row in rows)
    context.applications.want(row.id for row in rows)
    context.licences.want(row.licence_id for row in rows if row.licence_id is not None)


def find_case(info: Info, case_id: UUID, min_version: int | None = None) -> Case | None:
    """The case. Raises NotYetProjected when `min_version` cannot be seen yet, and notes what is to be waited for.

    A case that may not be seen is waited for just as one that does not exist.
    """
    context = info.context
    row = case_by_id(context.cursor, case_id)
    version = row.version if row else 0
    if min_version is not None and min_version > version:
        context.awaited[case_id] = max(min_version, context.awaited.get(case_id, 0))
        raise NotYetProjected(version)
    return case(row) if row else None
