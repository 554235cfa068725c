"""Which commands a caller may give to a case now. Advice for a screen: the command itself is decided when it is given.

No rule stands here a second time. For each command a likely one is made up, one that a careful officer would give, and
put to the real handler and its decision: what is neither refused nor already so is advised. Nothing is written.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from datetime import date, datetime, timedelta
from typing import Any, NamedTuple
from uuid import UUID

from tongban.commands.handlers import HANDLERS
from tongban.commands.handling import Asked, Desk, Handler
from tongban.domain.actor import Actor
from tongban.domain.aggregate import Aggregate, Circumstances
from tongban.domain.calendar.state import CALENDAR, Calendar
from tongban.domain.case import commands as c
from tongban.domain.case.acceptance import missing_materials
from tongban.domain.case.events import Opinion, Procedure
from tongban.domain.case.state import CASE, MAIN, Case
from tongban.domain.errors import DomainError
from tongban.domain.mandate.state import Mandate
from tongban.domain.office_time import office_day
from tongban.domain.rating.commands import RateCase
from tongban.domain.rating.state import RATING, Rating
from tongban.domain.recorded import Evidence

_ID = UUID(int=0)
_WORDS = "说明"
_TWO = ("…1", "…2")
_A_YEAR = timedelta(days=365)
_FROM_SOURCES = frozenset({"E_LICENCE", "DATA_SHARING"})


class At(NamedTuple):
    """A case, who would act on it, and on which office day."""

    case: Case
    case_id: UUID
    actor: Actor
    today: date


Sample = Callable[[At], Iterable[Any]]


def _simple(body: Callable[..., Any], **fields: Any) -> Sample:
    return lambda at: (body(case_id=at.case_id, **fields),)


def _per_branch(body: Callable[..., Any], **fields: Any) -> Sample:
    """For the caller's own part of the case: his department's branch, and the lead's part of it."""

    def make(at: At) -> Iterable[Any]:
        own = (branch for branch in at.case.branches if branch == at.actor.department)
        lead = (MAIN,) if at.actor.department == at.case.lead else ()
        return tuple(body(case_id=at.case_id, branch=branch, **fields) for branch in (*own, *lead))

    return make


def _procedure(at: At) -> Iterable[Any]:
    branches = (*(branch for branch in at.case.branches if branch == at.actor.department), None)
    return (
        c.StartSpecialProcedure(at.case_id, branch, Procedure.EXPERT_REVIEW, working_days=1, notice=_WORDS)
        for branch in branches
    )


def _procedure_end(at: At) -> Iterable[Any]:
    return (c.EndSpecialProcedure(at.case_id, found.branch) for found in at.case.suspended)


def _inspection(body: Callable[..., Any], **fields: Any) -> Sample:
    def make(at: At) -> Iterable[Any]:
        # The branches whose check has not passed: a check that is the same again is none.
        open_ones = tuple(b for b in at.case.branches if at.case.inspections.get(b) is not Opinion.PASS)
        own = (at.actor.department,) if at.actor.department in open_ones else ()
        named = own or (open_ones if at.actor.department == at.case.lead else ())
        day = {"day": at.today} if body is c.ScheduleInspection else {}
        return (body(case_id=at.case_id, branches=named, inspectors=_TWO, **day, **fields),) if named else ()

    return make


def _correction(at: At) -> Iterable[Any]:
    # One defect at a time, since one that must not be asked for would spoil the others.
    return (c.RequestCorrection(at.case_id, (c.Defect(material, _WORDS),)) for material in at.case.needed)


def _brought(body: Callable[..., Any], materials: Callable[[Case], Iterable[str]]) -> Sample:
    def make(at: At) -> Iterable[Any]:
        return (
            body(case_id=at.case_id, materials=tuple(c.MaterialOffered(m, c.How.UPLOAD) for m in materials(at.case))),
        )

    return make


def _obtain(at: At) -> Iterable[Any]:
    listed = at.case.terms.get("materials", {})
    wanted = (m for m in at.case.needed if m not in at.case.met and listed.get(m, {}).get("exempt_by") in _FROM_SOURCES)
    return (c.ObtainMaterial(at.case_id, material) for material in wanted)


def _acceptance(at: At) -> Iterable[Any]:
    missing = missing_materials(at.case)
    return (c.AcceptApplication(at.case_id), *((c.AcceptApplication(at.case_id, tolerate=missing),) if missing else ()))


def _consult(at: At) -> Iterable[Any]:
    return (c.RequestConsult(at.case_id, department=_WORDS, question=_WORDS),)


def _consult_answer(at: At) -> Iterable[Any]:
    return (c.AnswerConsult(at.case_id, at.actor.department, _WORDS),) if at.actor.department else ()


def _payment(at: At) -> Iterable[Any]:
    return (c.RecordPayment(at.case_id, at.case.fee_amount, _WORDS),)


def _licence(at: At) -> Iterable[Any]:
    return (c.IssueLicence(at.case_id, valid_from=at.today, valid_to=at.today + _A_YEAR),)


def _delivery(at: At) -> Iterable[Any]:
    return (c.ConfirmDelivery(at.case_id, at.case.delivery),)


_SAMPLES: Mapping[type, Sample] = {
    c.ReceiveMaterials: _simple(c.ReceiveMaterials),
    c.PassPreCheck: _simple(c.PassPreCheck),
    c.ReturnPreCheck: _simple(c.ReturnPreCheck, text=_WORDS),
    c.CorrectOnSpot: _brought(c.CorrectOnSpot, lambda _: ()),
    c.RequestCorrection: _correction,
    c.SubmitCorrection: _brought(c.SubmitCorrection, lambda case: case.asked),
    c.ObtainMaterial: _obtain,
    c.SupplementMaterial: _brought(c.SupplementMaterial, lambda case: case.tolerated),
    c.AcceptApplication: _acceptance,
    c.RefuseAcceptance: _simple(c.RefuseAcceptance, reason=_WORDS, remedy=_WORDS),
    c.ClaimCase: _per_branch(c.ClaimCase),
    c.ReleaseCase: _per_branch(c.ReleaseCase),
    c.ReassignCase: _per_branch(c.ReassignCase, officer=_WORDS),
    c.RecordOpinion: _per_branch(c.RecordOpinion, opinion=Opinion.PASS),
    c.RequestConsult: _consult,
    c.AnswerConsult: _consult_answer,
    c.ScheduleInspection: _inspection(c.ScheduleInspection),
    c.RecordInspection: _inspection(c.RecordInspection, result=Opinion.PASS),
    c.StartSpecialProcedure: _procedure,
    c.EndSpecialProcedure: _procedure_end,
    c.OfferHearing: _simple(c.OfferHearing),
    c.RequestHearing: _simple(c.RequestHearing),
    c.ExtendDeadline: _simple(c.ExtendDeadline, working_days=1, reason=_WORDS),
    c.RequestFee: _simple(c.RequestFee, amount="1.00"),
    c.RecordPayment: _payment,
    c.RecordRefund: _simple(c.RecordRefund, provider_ref=_WORDS),
    c.SignCommitment: _simple(c.SignCommitment),
    c.WithdrawCommitment: _simple(c.WithdrawCommitment),
    c.GrantApproval: _simple(c.GrantApproval),
    c.DenyApproval: _simple(c.DenyApproval, reason=_WORDS, remedy=_WORDS),
    c.IssueLicence: _licence,
    c.ConfirmDelivery: _delivery,
    c.WithdrawApplication: _simple(c.WithdrawApplication, reason=_WORDS),
    c.ArchiveCase: _simple(c.ArchiveCase),
    RateCase: _simple(RateCase, grade=1),
}


class _NoDesk:
    """Gives out nothing: no number is used up by advice, and nothing is looked up."""

    def next(self) -> int:
        return 0

    def licence_number(self, *_: object) -> str:
        return ""

    def validity_years(self, _: str) -> int | None:
        return None

    def digest(self, *_: object) -> bytes:
        return b""

    def problem_with(self, *_: object) -> str | None:
        return None


_DESK = Desk(identifiers=_NoDesk(), numbers=_NoDesk(), licence_types=_NoDesk())


def allowed_commands(
    case: Case,
    case_id: UUID,
    actor: Actor,
    now: datetime,
    calendar: Calendar,
    *,
    rating: Rating = RATING.initial,
    mandate: tuple[UUID, Mandate] | None = None,
) -> list[str]:
    """The names of the commands that `actor` could give to the case at `now`, in order of their names.

    `mandate` is what an agent acts by. Of absences nothing is known: who covers for somebody sees less than he may.
    """
    circumstances = Circumstances(actor=actor, now=now, effective_at=now, new_id=_ID)

    def other(stream: UUID, kind: Aggregate[Any]) -> Any:
        if mandate is not None and stream == mandate[0]:
            return mandate[1]
        known: Mapping[str, Any] = {CALENDAR.category: calendar, CASE.category: case}
        return known.get(kind.category, kind.initial)

    named = mandate[0] if mandate is not None and actor.id != str(case.applicant) else None

    allowed = []
    for body, samples in _SAMPLES.items():
        handler = HANDLERS.get(body.__name__)
        if handler is None or actor.role not in handler.roles:
            continue
        state = rating if handler.aggregate is RATING else case
        for command in samples(At(case, case_id, actor, office_day(now))):
            asked = Asked(
                command=_under(command, named),
                stream=case_id,
                circumstances=circumstances,
                state=state,
                other=other,
                holder=None,
                desk=_DESK,
                evidence=_as_obtained(command),
            )
            if _is_taken(handler, asked):
                allowed.append(body.__name__)
                break
    return sorted(allowed)


def _under(command: Any, mandate: UUID | None) -> Any:
    """The command, naming the mandate it is given by if it can."""
    return replace(command, mandate=mandate) if mandate is not None and hasattr(command, "mandate") else command


def _as_obtained(command: Any) -> tuple[Evidence, ...]:
    """What a source would give."""
    if isinstance(command, c.ObtainMaterial):
        return (Evidence(command.material, "DATA_SHARING", None, None, None),)
    return ()


def _is_taken(handler: Handler, asked: Asked) -> bool:
    try:
        if handler.acting is not None:
            asked = asked._replace(circumstances=asked.circumstances._replace(actor=handler.acting(asked)))
        return bool(handler.decide(asked))
    except DomainError:
        return False
