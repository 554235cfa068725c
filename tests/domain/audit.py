"""What holds of every case, whatever was asked: each check reads the events alone, as an auditor would.

`I1` … `I10` are the invariants of the procedure; the law behind each stands beside it. A check raises AssertionError.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from datetime import date, timedelta
from itertools import pairwise
from typing import Any, NamedTuple, Protocol
from uuid import UUID

from tests.domain.one_case import Fact
from tests.examples import PERSON_ID, envelope
from tongban.domain.calendar.state import Calendar
from tongban.domain.case import events as e
from tongban.domain.case.state import CASE, MAIN, NOBODY, Case
from tongban.domain.clock import Clock
from tongban.domain.explanation import due_of, explain
from tongban.domain.office_time import office_day
from tongban.domain.rules import ART_45
from tongban.infra.event_codec import decode, encode
from tongban.infra.sealing import unseal

ACCEPTANCES = (e.ApplicationAccepted, e.CaseDeemedAccepted)
DECISIONS = (e.ApprovalGranted, e.ApprovalDeemedGranted, e.ApprovalDenied)
GRANTS = (e.ApprovalGranted, e.ApprovalDeemedGranted)
ENDINGS = (e.ApplicationWithdrawn, e.CaseLapsed, e.ConditionFailed)
_DAY = timedelta(days=1)
_KEY = (UUID(int=1), bytes(range(32)))


class Story(Protocol):
    """What an auditor gets: the events, the live case, and the calendar in each of its versions."""

    log: list[Fact]
    case: Case
    calendars: dict[str | None, Calendar]


class Placed(NamedTuple):
    """A fact and its place in the stream."""

    place: int
    fact: Fact

    @property
    def event(self) -> Any:
        """What happened."""
        return self.fact.event


def _of(log: Sequence[Fact], *kinds: type) -> list[Placed]:
    return [Placed(place, fact) for place, fact in enumerate(log) if isinstance(fact.event, kinds)]


def _only(found: Sequence[Placed]) -> Placed | None:
    assert len(found) <= 1
    return found[0] if found else None


def _clocks(log: Sequence[Fact]) -> Iterator[tuple[int, Clock]]:
    for place, fact in enumerate(log):
        for clock in getattr(fact.event, "clocks", ()):
            yield place, clock


def _clock(log: Sequence[Fact], name: str) -> Clock | None:
    """The clock of this name as it stands at the end of these facts."""
    found = [clock for _, clock in _clocks(log) if clock.name == name]
    return found[-1] if found else None


def i1_no_review_and_no_decision_without_acceptance(story: Story) -> None:
    """行政许可法 art. 32, 34, 38."""
    log = story.log
    accepted = _only(_of(log, *ACCEPTANCES))
    later = (
        e.OpinionRecorded, e.ConsultRequested, e.InspectionScheduled, e.InspectionDone, e.SpecialProcedureStarted,
        e.HearingOffered, e.DeadlineExtended, e.FeeRequested, e.MaterialSupplemented, *DECISIONS,
    )  # fmt: skip
    for found in _of(log, *later):
        assert accepted is not None
        assert accepted.place < found.place
        assert accepted.fact.at <= found.fact.at
    assert _only(_of(log, *DECISIONS)) is None or accepted is not None


def i2_one_correction_notice_before_acceptance(story: Story) -> None:
    """行政许可法 art. 32(4): once, within 5 working days; in review only on other grounds, and flagged as such."""
    log = story.log
    accepted = _only(_of(log, *ACCEPTANCES))
    notices = _of(log, e.CorrectionRequested)
    first = [found for found in notices if not found.event.in_review]
    assert len(first) <= 1
    for notice in notices:
        assert notice.event.in_review == (accepted is not None and accepted.place < notice.place)
    asked: set[str] = set()
    for notice in notices:
        assert asked.isdisjoint(notice.event.materials)
        asked.update(notice.event.materials)
    for notice in first:
        running = _clock(log[: notice.place], "CORRECTION")
        assert running is not None
        assert notice.fact.day <= running.due


def i3_suspensions_do_not_overlap_and_each_has_a_lawful_kind(story: Story) -> None:
    """行政许可法 art. 45; a suspension of the whole case is one of each branch."""
    log = story.log
    filed = log[0].event
    for branch in filed.branches:
        spans = sorted(_suspensions(log, branch), key=lambda span: (span[0], span[1] or date.max))
        for (_, end), (start, _) in pairwise(spans):
            assert end is not None
            assert end <= start
    for found in _of(log, e.SpecialProcedureStarted):
        assert found.event.kind in ART_45 or found.event.kind in filed.terms["procedures"]
        assert found.event.notice.strip()
        assert found.event.working_days > 0


def _suspensions(log: Sequence[Fact], branch: str) -> list[tuple[date, date | None]]:
    """From when to when a branch was stopped, itself or with the whole case."""
    spans: list[tuple[date, date | None]] = []
    running: dict[str | None, int] = {}
    for fact in log:
        match fact.event:
            case e.SpecialProcedureStarted() as started if started.branch in (branch, None):
                running[started.branch] = len(spans)
                spans.append((started.on, None))
            case e.SpecialProcedureEnded() as ended if ended.branch in running:
                place = running.pop(ended.branch)
                spans[place] = (spans[place][0], ended.on)
                assert spans[place][0] <= ended.on
    return spans


def only_suspensions_stop_the_decision_clock(story: Story) -> None:
    """Exactly the days of special procedures are left out; an on-site check leaves out none (trap 3)."""
    started = _of(story.log, e.SpecialProcedureStarted)
    excluded: set[date] = set()
    for branch in story.log[0].event.branches:
        for start, end in _suspensions(story.log, branch):
            if end is None:
                return  # what is announced is told in the clock
            excluded.update(start + _DAY * number for number in range((end - start).days))
    for name in ("LEGAL", "PROMISED"):
        clock = _clock(story.log, name)
        if clock is None:
            continue
        paused: set[date] = set()
        for pause in clock.pauses:
            assert pause.end is not None
            days = {pause.start + _DAY * number for number in range((pause.end - pause.start).days)}
            assert paused.isdisjoint(days)
            paused |= days
        assert {day for day in paused if day > clock.start} == {day for day in excluded if day > clock.start}
        assert not paused or started


def i4_one_extension_in_time_with_a_reason(story: Story) -> None:
    """行政许可法 art. 42(1)."""
    found = _only(_of(story.log, e.DeadlineExtended))
    if found is None:
        return
    assert found.event.reason.strip()
    assert found.event.working_days <= story.log[0].event.terms["extension"]["value"]
    for clock in found.event.clocks:
        before = _clock(story.log[: found.place], clock.name)
        assert before is not None
        assert found.fact.day <= before.due <= clock.due


def i5_the_promise_is_within_the_legal_limit_when_it_is_carried(story: Story) -> None:
    """What publishing refuses is tested there; here: both clocks start on one day, and stop on one."""
    for fact in story.log:
        clocks = {clock.name: clock for clock in getattr(fact.event, "clocks", ())}
        if {"LEGAL", "PROMISED"} <= clocks.keys():
            assert clocks["LEGAL"].start == clocks["PROMISED"].start
            assert clocks["LEGAL"].stopped == clocks["PROMISED"].stopped


def i6_every_refusal_has_reason_and_remedy(story: Story) -> None:
    """行政许可法 art. 32, 38."""
    for found in _of(story.log, e.ApprovalDenied, e.AcceptanceRefused):
        assert found.event.reason.strip()
        assert found.event.remedy.strip()


def i7_one_licence_for_one_grant(story: Story) -> None:
    """行政许可法 art. 39, 44; paid for, if there is a fee."""
    issued = _only(_of(story.log, e.LicenceIssued))
    if issued is None:
        return
    granted = _only(_of(story.log, *GRANTS))
    assert granted is not None
    assert granted.place < issued.place
    assert granted.fact.at <= issued.fact.at
    assert issued.event.valid_to is None or issued.event.valid_from <= issued.event.valid_to


def nothing_is_issued_unpaid(story: Story) -> None:
    """What costs something is paid before it is handed out, and what was paid for nothing goes back."""
    log = story.log
    fee = log[0].event.terms["fee"]
    asked, paid = _only(_of(log, e.FeeRequested)), _only(_of(log, e.FeePaid))
    refunded, closed = _only(_of(log, e.FeeRefunded)), _only(_of(log, e.CaseClosed))
    assert fee or not asked
    if paid is not None:
        assert asked is not None
        assert asked.place < paid.place
        assert paid.event.amount == asked.event.amount
    for issued in _of(log, e.LicenceIssued):
        assert not fee or (paid is not None and paid.place < issued.place)
        assert refunded is None
    if closed is not None and paid is not None:
        assert (closed.event.result is e.Result.GRANTED) == (refunded is None)


def i8_who_accepted_a_promised_item_did_not_decide_it(story: Story) -> None:
    """The one who accepts and the one who decides are two."""
    if story.log[0].event.promised:
        accepted = {found.event.accepted_by for found in _of(story.log, e.ApplicationAccepted)}
        decided = {found.event.decided_by for found in _of(story.log, e.ApprovalGranted, e.ApprovalDenied)}
        assert accepted.isdisjoint(decided)


def i9_nothing_follows_the_closing_but_the_archive(story: Story) -> None:
    """Rating, commitment check and revocation are streams of their own."""
    closed = _only(_of(story.log, e.CaseClosed))
    archived = _only(_of(story.log, e.CaseArchived))
    after = [] if closed is None else [fact.event for fact in story.log[closed.place + 1 :]]
    assert after == ([] if archived is None else [archived.event])
    assert archived is None or closed is not None


def i10_the_events_alone_give_the_live_case(story: Story) -> None:
    """State, deadlines and holders: replayed from what was stored, they are what they were when it was decided."""
    folded = CASE.initial
    for fact in story.log:
        folded = CASE.evolve(folded, fact.event, fact.at)
        assert CASE.holders(folded) == fact.holders
        assert CASE.rules(folded) == fact.rules
    assert folded == story.case
    for _, clock in _clocks(story.log):
        assert due_of(explain(clock, story.calendars[clock.calendar])) == clock.due


def clocks_start_when_the_law_says(story: Story) -> None:
    """Traps 1 and 2: from the acceptance, or from the receipt where the law accepted; never from the filing alone."""
    log = story.log
    for found in _of(log, e.ApplicationAccepted):
        for clock in found.event.clocks:
            assert found.fact.day in (clock.start, clock.stopped)
    for found in _of(log, e.CaseDeemedAccepted):
        receipts = _of(log[: found.place], e.MaterialsReceived, e.CorrectionSubmitted)
        receipt = receipts[-1]
        assert found.fact.at == receipt.fact.at
        missed = _clock(log[: found.place], "CORRECTION")
        assert missed is not None
        assert missed.due < office_day(found.fact.recorded_at)
        for clock in found.event.clocks:
            if clock.name != "CORRECTION":
                assert clock.start == missed.start
    for found in _of(log, *DECISIONS):
        for clock in found.event.clocks:
            assert clock.stopped == found.fact.day or (clock.name, clock.start) == ("DELIVERY", found.fact.day)


def nothing_takes_effect_before_its_cause_or_in_the_future(story: Story) -> None:
    """A late entry is late, never early; a decision comes after all it rests on."""
    filed = story.log[0].at
    assert all(filed <= fact.at <= fact.recorded_at for fact in story.log)
    resting = (e.OpinionRecorded, e.InspectionDone, e.SpecialProcedureEnded, e.CorrectionSubmitted, e.ConsultAnswered)
    for found in _of(story.log, *DECISIONS):
        for cause in _of(story.log[: found.place], *resting):
            assert cause.fact.at <= found.fact.at


def what_is_needed_is_there(story: Story) -> None:
    """容缺: accepted with all but what may follow, and not granted before that came."""
    filed = story.log[0].event
    met: set[str] = set()
    committed = False
    tolerated: tuple[str, ...] = ()
    listed = filed.terms["materials"]
    for fact in story.log:
        event = fact.event
        met.update(found.material for found in getattr(event, "evidence", ()))
        match event:
            case e.CommitmentSigned() | e.CommitmentWithdrawn():
                committed = isinstance(event, e.CommitmentSigned)
            case e.ApplicationAccepted():
                tolerated = event.tolerated
            case e.MaterialSupplemented():
                tolerated = event.outstanding
            case _:
                pass
        missing = {
            name
            for name in filed.needed
            if name not in met and not (committed and listed[name]["exempt_by"] == "COMMITMENT")
        }
        if isinstance(event, e.ApplicationAccepted):
            assert missing == set(tolerated)
            assert all(listed[name]["necessity"] == "TOLERABLE" for name in tolerated)
        if isinstance(event, e.ApprovalGranted):
            assert not missing
            assert not tolerated


def a_grant_has_every_branch_behind_it(story: Story) -> None:
    """Nobody is against it; and without a promise everyone has spoken, and what is to be inspected was."""
    log = story.log
    filed = log[0].event
    said = _of(log, e.OpinionRecorded)
    assert len({found.event.branch for found in said}) == len(said)
    for granted in _of(log, e.ApprovalGranted):
        opinions = {found.event.branch: found.event.opinion for found in said if found.place < granted.place}
        assert e.Opinion.FAIL not in opinions.values()
        promises = _of(log[: granted.place], e.CommitmentSigned, e.CommitmentWithdrawn)
        if not promises or not isinstance(promises[-1].event, e.CommitmentSigned):
            assert opinions.keys() == set(filed.branches)
            seen: dict[str, e.Opinion] = {}
            for found in _of(log[: granted.place], e.InspectionDone):
                assert len(set(found.event.inspectors)) > 1
                seen |= dict.fromkeys(found.event.branches, found.event.result)
            if filed.inspection:
                assert e.Opinion.PASS in seen.values()
                assert e.Opinion.FAIL not in seen.values()
    chairs = {found.event.chair for found in _of(log, e.SpecialProcedureStarted) if found.event.chair}
    assert chairs.isdisjoint(found.event.given_by for found in said)


def somebody_holds_every_open_branch_and_nobody_a_closed_case(story: Story) -> None:
    """持有方: at all times somebody must act."""
    log = story.log
    for place, fact in enumerate(log):
        past = log[: place + 1]
        held = fact.holders
        if _of(past, e.CaseClosed):
            assert held == {MAIN: NOBODY}
            continue
        assert held
        assert NOBODY not in held.values()
        assert all(held.values())
        if _of(past, *ACCEPTANCES) and not _of(past, *DECISIONS, *ENDINGS):
            said = {found.event.branch for found in _of(past, e.OpinionRecorded)}
            assert set(log[0].event.branches) - said <= held.keys()
        else:
            assert held.keys() == {MAIN}


def a_lapse_comes_after_the_day_the_applicant_had(story: Story) -> None:
    """视为撤回, never a day too early; deemed renewal, never before the licence expired."""
    for found in _of(story.log, e.CaseLapsed):
        clock = _clock(story.log[: found.place], found.event.clock)
        assert clock is not None
        assert clock.stopped is None
        assert clock.due < office_day(found.fact.recorded_at)
    for found in _of(story.log, e.ApprovalDeemedGranted):
        until = story.log[0].event.renews_until
        assert until is not None
        assert until < found.fact.day


def what_is_stored_is_what_happened(story: Story) -> None:
    """Encoded as the store does and read again, every event is the same, and so is the case."""
    folded = CASE.initial
    for place, fact in enumerate(story.log, start=1):
        around = envelope(fact.event, version=place, effective_at=fact.at, evidence=getattr(fact.event, "evidence", ()))
        state = encode(around, fact.event, {PERSON_ID: _KEY}, nonce=bytes(12))
        read = decode(state, place, _Opener())
        assert read.event == fact.event
        folded = CASE.evolve(folded, read.event, read.envelope.effective_at)
    assert folded == story.case


class _Opener:
    def unseal(self, boxes: Sequence[Any]) -> list[dict[str, Any] | None]:
        return [unseal(box, person_key=_KEY[1]) for box in boxes]


Check = Callable[[Story], None]
CHECKS: tuple[Check, ...] = (
    i1_no_review_and_no_decision_without_acceptance,
    i2_one_correction_notice_before_acceptance,
    i3_suspensions_do_not_overlap_and_each_has_a_lawful_kind,
    only_suspensions_stop_the_decision_clock,
    i4_one_extension_in_time_with_a_reason,
    i5_the_promise_is_within_the_legal_limit_when_it_is_carried,
    i6_every_refusal_has_reason_and_remedy,
    i7_one_licence_for_one_grant,
    nothing_is_issued_unpaid,
    i8_who_accepted_a_promised_item_did_not_decide_it,
    i9_nothing_follows_the_closing_but_the_archive,
    i10_the_events_alone_give_the_live_case,
    clocks_start_when_the_law_says,
    nothing_takes_effect_before_its_cause_or_in_the_future,
    what_is_needed_is_there,
    a_grant_has_every_branch_behind_it,
    somebody_holds_every_open_branch_and_nobody_a_closed_case,
    a_lapse_comes_after_the_day_the_applicant_had,
)
