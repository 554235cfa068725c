"""What several decisions check, and the clocks they start and stop."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import date, datetime
from typing import Any, NamedTuple
from uuid import UUID

from tongban.domain.aggregate import Circumstances
from tongban.domain.calendar.state import Calendar
from tongban.domain.case.commands import How, MaterialOffered
from tongban.domain.case.events import CaseClosed, CaseEvent, Result, Step
from tongban.domain.case.refusals import (
    AlreadyDecided,
    CaseClosedAlready,
    ClaimedByOther,
    GateClosed,
    HowNotAllowed,
    MaterialRepeated,
    NotAccepted,
    UnknownMaterial,
)
from tongban.domain.case.state import BEFORE_ACCEPTANCE, IN_REVIEW, OVER, Case, Fee
from tongban.domain.clock import Clock, Limit, Pause, Unit, recompute, start_clock, stop_clock
from tongban.domain.errors import EffectiveTimeBeforeCause
from tongban.domain.office_time import office_day
from tongban.domain.recorded import Evidence
from tongban.domain.rules import CORRECTION_BY_OFFICE, ON_THE_SPOT, Term

CORRECTION, APPLICANT_CORRECTION, TOLERATED = "CORRECTION", "APPLICANT_CORRECTION", "TOLERATED"
LEGAL, PROMISED, DELIVERY = "LEGAL", "PROMISED", "DELIVERY"
HEARING_REQUEST, HEARING = "HEARING_REQUEST", "HEARING"
DECISION_CLOCKS = (LEGAL, PROMISED)


class LicenceFacts(NamedTuple):
    """The number the licence will bear and how many whole years its type is valid (None: without end)."""

    number: str
    validity_years: int | None


class SourceFailure(NamedTuple):
    """A source that was asked for a material and did not give it; `source` is the department that owes it."""

    material: str
    source: str
    problem: str


class CaseFacts(NamedTuple):
    """What a decision on a case may look at besides the case.

    `evidence` is how the offered materials are met, as far as it was looked up; `covers` whether the officer stands in
    for an absent one; `revoked` whether the grant was revoked; `told_in_bundle` that the bundle
    has sent a notice, or taken a correction, that is on its way to this sub-case.
    """

    calendar: Calendar = Calendar()
    licence: LicenceFacts | None = None
    evidence: tuple[Evidence, ...] = ()
    failures: tuple[SourceFailure, ...] = ()
    covers: bool = False
    revoked: bool = False
    told_in_bundle: bool = False


def not_before(circumstances: Circumstances, cause: datetime | None) -> None:
    """A late entry must not take effect before what it rests on.

    What takes effect now always may: where the clock was set back, versions say what came first, not times.
    """
    effective_at = circumstances.effective_at
    if cause is not None and effective_at < cause and effective_at != circumstances.now:
        raise EffectiveTimeBeforeCause(effective_at=effective_at, not_before=cause)


def applicant_of(case: Case) -> UUID:
    """Who applied."""
    assert case.applicant is not None  # every filed case has one
    return case.applicant


def in_review(case: Case) -> None:
    """Refuse what is only done between acceptance and decision."""
    if case.status in IN_REVIEW:
        return
    if case.status in BEFORE_ACCEPTANCE:
        raise NotAccepted(number=case.number)
    if case.decided_at is None:
        raise CaseClosedAlready(number=case.number)
    raise AlreadyDecided(number=case.number)


def not_over(case: Case) -> None:
    """Refuse what is not done any more once the case is closed or about to be."""
    if case.status in OVER or (case.result is not None and not case.granted):
        raise CaseClosedAlready(number=case.number)


def not_claimed_by_other(case: Case, branch: str, circumstances: Circumstances, facts: CaseFacts) -> None:
    """Who claimed a branch works on it alone, unless the officer covers for the absent one."""
    officer = case.claims.get(branch)
    if officer is not None and officer != circumstances.actor.id and not facts.covers:
        raise ClaimedByOther(branch=branch, claimed_by=officer)


def gates_open(case: Case, step: Step) -> None:
    """Refuse a step of a sub-case that waits for another part of its bundle."""
    if waiting := case.waits_for(step):
        raise GateClosed(waits_for=waiting)


def ended(case: Case, result: Result) -> list[CaseEvent]:
    """The closing, unless a fee that was paid must go back first."""
    return [] if case.fee is Fee.PAID else [CaseClosed(result)]


def limit_of(terms: Mapping[str, Any], name: str, otherwise: Term) -> Term:
    """A limit that the terms name, else the one the law sets for every item."""
    return named_limit(terms, name, otherwise[1]) or otherwise


def answer_term(terms: Mapping[str, Any]) -> Term:
    """How long the office has to answer a receipt before the law accepts: on the spot where the item's law says so."""
    return ON_THE_SPOT if terms.get("accepted_on_filing") else limit_of(terms, "correction", CORRECTION_BY_OFFICE)


def named_limit(terms: Mapping[str, Any], name: str, basis: str = "") -> Term | None:
    """A limit that the terms name, with its basis, else the basis given; None where they name none."""
    found = terms.get(name)
    if not found:
        return None
    return Limit(found["value"], Unit(found["unit"])), found.get("basis") or basis


def clock(name: str, term: Term, start: date, facts: CaseFacts) -> Clock:
    """A clock that begins after `start`."""
    limit, basis = term
    return start_clock(name, basis, start, limit, facts.calendar)


def stopped(case: Case, day: date, *names: str) -> tuple[Clock, ...]:
    """Those of the named clocks that run, stopped on a day."""
    running = (case.clocks.get(name) for name in names)
    return tuple(stop_clock(found, day) for found in running if found is not None and found.stopped is None)


def running(case: Case, name: str) -> Clock | None:
    """A clock that runs."""
    found = case.clocks.get(name)
    return found if found is not None and found.stopped is None else None


def overdue(case: Case, name: str, day: date) -> bool:
    """Whether a running clock was due before a day."""
    found = running(case, name)
    return found is not None and found.due < day


def with_pauses(case: Case, pauses: Sequence[Pause], calendar: Calendar) -> tuple[Clock, ...]:
    """The decision clocks that run, with these pauses and no others."""
    clocks = (running(case, name) for name in DECISION_CLOCKS)
    return tuple(
        recompute(replace(found, pauses=tuple(p for p in pauses if p.end is None or p.end > found.start)), calendar)
        for found in clocks
        if found is not None
    )


def today(circumstances: Circumstances) -> date:
    """The office day on which the command takes effect."""
    return office_day(circumstances.effective_at)


def offered(terms: Mapping[str, Any], materials: Sequence[MaterialOffered], item: str) -> tuple[Evidence, ...]:
    """The evidence in what an applicant offers. Raises UnknownMaterial, MaterialRepeated, HowNotAllowed."""
    listed: Mapping[str, Any] = terms.get("materials", {})
    names = [material.material for material in materials]
    if unknown := sorted(set(names) - listed.keys()):
        raise UnknownMaterial(item=item, materials=unknown)
    if len(set(names)) != len(names):
        raise MaterialRepeated(item=item, materials=sorted({name for name in names if names.count(name) > 1}))
    for material in materials:
        if material.how is not How.UPLOAD and material.how != listed[material.material]["exempt_by"]:
            raise HowNotAllowed(
                material=material.material, how=material.how, allowed=listed[material.material]["exempt_by"]
            )
    return tuple(evidence_of(material) for material in materials)


_FROM_APPLICANT = frozenset({How.UPLOAD, How.FORM_PREFILL, How.COMMITMENT, How.ONLINE_AUTHORISATION})


def evidence_of(material: MaterialOffered) -> Evidence:
    """What an applicant's own word says of a material."""
    source = "applicant" if material.how in _FROM_APPLICANT else None
    return Evidence(material.material, material.how, source, None, material.ref)
