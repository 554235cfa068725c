"""One case: what was asked for, where it stands, who holds it, and every step of it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, datetime
from enum import Enum
from typing import TYPE_CHECKING, Annotated, Any
from uuid import UUID

import strawberry
from strawberry.scalars import JSON

from tongban.commands.advice import allowed_commands
from tongban.domain.actor import PARTY_ROLES, Actor
from tongban.domain.mandate.state import Mandate
from tongban.domain.rating.state import Rating as RatingState
from tongban.graphql import parts
from tongban.graphql.catalogue import ServiceItem, service_item_of
from tongban.graphql.connection import After, First, Node
from tongban.graphql.context import Info, enum_value
from tongban.graphql.deadlines import Deadline, announce_calendars, deadline_of, deadlines_of
from tongban.graphql.effort import Reductions, Waiting, reductions, waiting
from tongban.graphql.errors import NotYetProjected
from tongban.graphql.ids import uuid_of
from tongban.graphql.parts import Branch, CaseFee, Claim, Commitment, Delivery, Material, Suspension
from tongban.graphql.timeline import EventConnection, resolve_timeline
from tongban.projections.cases import CaseRow, case_by_id
from tongban.projections.ratings import RatingRow
from tongban.projections.standing import mandate_standing, standing_of

if TYPE_CHECKING:
    from tongban.graphql.bundle import Bundle
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


@strawberry.type(description="Who holds a part of the case now (持有方).")
class Holder:
    """A holder."""

    branch: str = strawberry.field(description="The part: `main`, or the code of a branch's department.")
    holder: str = strawberry.field(description="Who holds it: `applicant`, `dept:CODE`, `none`.")
    since: datetime = strawberry.field(description="Since when (UTC).")


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
    result: str | None = strawberry.field(
        description="办结结果: GRANTED, DENIED, NOT_ACCEPTED, WITHDRAWN, LAPSED; in a bundle NOT_STARTED, "
        "NOT_EFFECTIVE; null while it is open."
    )
    version: int = strawberry.field(description="The version of its stream: what If-Match and minVersion take.")
    channel: str = strawberry.field(description="How it was filed: COUNTER, WEB, APP, KIOSK or POST.")
    department: str = strawberry.field(description="The code of the department that decides.")
    submitted_at: datetime = strawberry.field(description="申请: when it was filed (UTC).")
    accepted_at: datetime | None = strawberry.field(description="受理: when it was accepted (UTC).")
    decided_at: datetime | None = strawberry.field(description="决定: when it was decided (UTC).")
    closed_at: datetime | None = strawberry.field(description="办结: when it was closed (UTC).")
    district: str | None = strawberry.field(description="The code of the district it was filed in (GB/T 2260).")
    received_on: date | None = strawberry.field(description="收件: the office day of the receipt.")
    renews_until: date | None = strawberry.field(
        description="延续: the last valid day of the licence to be renewed; without a decision by then it is renewed "
        "by law."
    )
    asked: list[strawberry.ID] = strawberry.field(description="补正: the materials that the applicant is to mend now.")
    tolerated: list[strawberry.ID] = strawberry.field(description="容缺: the materials that may follow and are not in.")

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
        return parts.branches(self.row)

    @strawberry.field(description="法定办结期限: the statutory deadline of the decision; null before the acceptance.")
    def legal_due(self) -> Deadline | None:
        """The LEGAL clock."""
        return deadline_of(self.row, "LEGAL")

    @strawberry.field(description="承诺办结期限: the promised deadline of the decision; null before the acceptance.")
    def promised_due(self) -> Deadline | None:
        """The PROMISED clock."""
        return deadline_of(self.row, "PROMISED")

    @strawberry.field(
        description="补正期限: while corrections are asked for the applicant's, else the office's to ask for them, all "
        "at once."
    )
    def correction_due(self) -> Deadline | None:
        """The APPLICANT_CORRECTION clock if it runs, else the CORRECTION clock."""
        applicant = self.row.clocks.get("APPLICANT_CORRECTION")
        runs = applicant is not None and applicant["stopped"] is None
        return deadline_of(self.row, "APPLICANT_CORRECTION" if runs else "CORRECTION")

    @strawberry.field(description="颁发、送达期限: the deadline of issue and delivery; null before the decision.")
    def delivery_due(self) -> Deadline | None:
        """The DELIVERY clock."""
        return deadline_of(self.row, "DELIVERY")

    @strawberry.field(description="Every deadline of the case, the running ones first.")
    def deadlines(self) -> list[Deadline]:
        """As the last event says."""
        return deadlines_of(self.row)

    @strawberry.field(description="特别程序: what stopped the clock, in the order it began.")
    def suspensions(self) -> list[Suspension]:
        """As the last event says."""
        return parts.suspensions(self.row)

    @strawberry.field(description="领办: which officer works on which part.")
    def claims(self) -> list[Claim]:
        """By part."""
        return parts.claims(self.row)

    @strawberry.field(description="缴费: the fee, once it is asked for.")
    def fee(self) -> CaseFee | None:
        """As the last event says."""
        return parts.fee(self.row)

    @strawberry.field(description="告知承诺: the commitment, where the item offers one.")
    def commitment(self, info: Info) -> Commitment | None:
        """Offered with the filing."""
        terms = self._filing(info).get("terms") or {}
        return parts.commitment(self.row, terms, info.context.commitments.get(self.row.id))

    @strawberry.field(description="送达: how the result reaches the applicant.")
    def delivery(self) -> Delivery:
        """As the applicant chose."""
        return parts.delivery(self.row)

    @strawberry.field(description="What the item took before it was reformed, and what this case took.")
    def reductions(self, info: Info) -> Reductions:
        """By the version the case was filed under."""
        item = info.context.items.get((self.row.item_id, self.row.item_version))
        return reductions(info, self.row, (item.definition.get("before") if item else None) or {})

    @strawberry.field(description="Whose time the case's time was (谁的时间).")
    def waiting(self, info: Info) -> Waiting:
        """From its timeline."""
        return waiting(info, self.row)

    @strawberry.field(
        description="The commands that the caller may give to this case now, by name. Advice: each is decided when it "
        "is given. Cover for absent officers is not looked at."
    )
    def allowed_commands(self, info: Info) -> list[str]:
        """What the decisions themselves say to a likely command of each kind."""
        context = info.context
        filing = self._filing(info)
        if context.actor is None or not filing:
            return []
        rated = context.ratings.get(self.row.id)
        return allowed_commands(
            standing_of(self.row, filing),
            self.row.id,
            context.actor,
            context.now,
            context.calendar,
            rating=RatingState(rated.grade if rated else None),
            mandate=self._mandate(info, context.actor),
        )

    def _filing(self, info: Info) -> Mapping[str, Any]:
        """The data of the event that began the case."""
        line = info.context.applications.get(self.row.id)
        return line.data if line else {}

    def _mandate(self, info: Info, actor: Actor) -> tuple[UUID, Mandate] | None:
        """What lets the caller act for the applicant, if he is an agent with a mandate that was not revoked."""
        agent = uuid_of(actor.id) if actor.role in PARTY_ROLES else None
        if agent is None or agent == self.row.applicant:
            return None
        given = info.context.mandates.get(agent) or ()
        named = (row for row in given if row.principal == self.row.applicant and row.agent == agent)
        return next(((row.id, mandate_standing(row)) for row in named if row.revoked_at is None), None)

    @strawberry.field(description="Who holds the case now, part by part, and since when.")
    def holders(self) -> list[Holder]:
        """As the last event says."""
        return [
            Holder(branch=branch, holder=entry["holder"], since=datetime.fromisoformat(entry["since"]))
            for branch, entry in sorted(self.row.holders.items())
        ]

    @strawberry.field(description="申请材料: what this applicant needs, and how each is met.")
    def materials(self, info: Info) -> list[Material]:
        """In the item's order."""
        item = info.context.items.get((self.row.item_id, self.row.item_version))
        return parts.materials(self.row, item.definition if item else None)

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

    @strawberry.field(description="The bundle (一件事) it is a part of; null for a case of its own.")
    def bundle(self, info: Info) -> Annotated[Bundle, strawberry.lazy("tongban.graphql.bundle")] | None:
        """Read together with its siblings'."""
        from tongban.graphql.bundle import bundle_of

        return bundle_of(info, self.row.bundle)

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
        district=row.district,
        received_on=row.received_on,
        renews_until=row.renews_until,
        asked=[strawberry.ID(material) for material in row.asked],
        tolerated=[strawberry.ID(material) for material in row.tolerated],
    )


def announce(info: Info, rows: Sequence[CaseRow]) -> None:
    """What the cases of a page are likely to be asked for is then read once for all of them."""
    context = info.context
    context.items.want((row.item_id, row.item_version) for row in rows)
    context.parties.want(row.applicant for row in rows)
    context.ratings.want(row.id for row in rows)
    context.applications.want(row.id for row in rows)
    context.licences.want(row.licence_id for row in rows if row.licence_id is not None)
    context.holdings.want(row.id for row in rows)
    context.commitments.want(row.id for row in rows)
    announce_calendars(info, rows)


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
