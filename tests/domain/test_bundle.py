"""A filed bundle: what each command leads to, what it is refused with, and where it stays quiet."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest

from tests.bundles import COMPANY, SHOP, SHOP_BUNDLE, an_item, in_force
from tests.calendars import CALENDAR
from tests.examples import CLERK, HEAD, NEW_ID, PERSON_ID, SYSTEM
from tongban.domain.aggregate import Circumstances
from tongban.domain.bundle import commands as c
from tongban.domain.bundle import events as e
from tongban.domain.bundle.decide import Facts, decide
from tongban.domain.bundle.definition import read_bundle
from tongban.domain.bundle.events import Noted
from tongban.domain.bundle.filing import BundleFacts, submit_bundle
from tongban.domain.bundle.publishing import BundleVersion
from tongban.domain.bundle.refusals import (
    AnswersOpen,
    BundleNotPublished,
    NoDefectsNoted,
    NothingChosen,
    NothingToWithdraw,
    PreconditionNotMet,
    TaskDone,
    TaskNotReady,
    UnknownBundle,
    UnknownTask,
)
from tongban.domain.bundle.state import Bundle, evolve_all
from tongban.domain.case.commands import How, MaterialOffered
from tongban.domain.case.events import Channel, Opinion, Result
from tongban.domain.case.refusals import (
    AlreadyExtended,
    ApplicantNotRegistered,
    ApplicantNotServed,
    CorrectionTooLate,
    DefectsRemain,
    ExtensionNotAllowed,
    HowNotAllowed,
    ItemNotPublished,
    MaterialRepeated,
    NoCorrectionAsked,
    NotAccepted,
    TooLateToExtend,
    TwoInspectors,
    UnknownMaterial,
)
from tongban.domain.catalogue.state import Item
from tongban.domain.errors import EffectiveTimeBeforeCause
from tongban.domain.office_time import office_day
from tongban.domain.party.events import PartyKind
from tongban.domain.party.state import Party
from tongban.domain.recorded import Evidence
from tongban.infra.event_codec import subjects_of

NOW = datetime(2026, 4, 20, 1, 0, tzinfo=UTC)
STREAM = UUID("0191d6a0-0000-7000-8000-0000000000b1")
BUSINESS = Evidence("copy-lt-business", "E_LICENCE", "samr", "1", "x")
PAPER = MaterialOffered("paper", How.UPLOAD, "sha256:ab")
SUBMIT = c.SubmitBundle("a-shop", PERSON_ID, Channel.WEB, answers={"sells": True}, materials=(PAPER,))
VISIT = c.RecordBundleInspection(STREAM, "visit", ("甲", "乙"), Opinion.PASS)
FACTS = Facts(calendar=CALENDAR)


def at(when: datetime, by: Any = SYSTEM) -> Circumstances:
    return Circumstances(by, when, when, NEW_ID)


def submitted(
    command: c.SubmitBundle = SUBMIT,
    *,
    entry: dict[str, Any] = SHOP_BUNDLE,
    evidence: tuple[Evidence, ...] = (BUSINESS,),
    kind: PartyKind | None = PartyKind.ORGANISATION,
    items: dict[str, Item] | None = None,
    version: bool = True,
) -> list[Any]:
    facts = BundleFacts(
        version=BundleVersion(1, "2026", entry, read_bundle(entry), NOW.date()) if version else None,
        items=items or in_force(*SHOP, COMPANY),
        applicant=Party(kind=kind),
        stream=STREAM,
        number="YJS-20260420-0000001",
        calendar=CALENDAR,
        evidence=evidence,
    )
    return submit_bundle(command, at(NOW, CLERK), facts)


class Told:
    """A bundle in a moment of its life."""

    def __init__(self) -> None:
        self.events = submitted()
        self.bundle = evolve_all(Bundle(), self.events, NOW)

    def ask(self, command: Any, when: datetime = NOW) -> list[Any]:
        events = decide(command, at(when, HEAD), self.bundle, FACTS)
        self.bundle = evolve_all(self.bundle, events, when)
        self.events += events
        return events

    def note(self, item: str, *what: Noted, when: datetime = NOW, **told: Any) -> list[Any]:
        events: list[Any] = []
        for each in what:
            events += self.ask(c.NoteSubCase(STREAM, self.bundle.parts[item].plan.case_id, each, **told), when)
        return events

    def accepted(self) -> Told:
        for item in ("permit", "sale", "bins"):
            self.note(item, Noted.FILED, Noted.ACCEPTED)
        return self


@pytest.fixture
def told() -> Told:
    return Told()


# ── filing ───────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_the_plan_is_carried_along_and_what_waits_for_nothing_begins() -> None:
    first, *begun = submitted()
    assert [event.item for event in begun] == ["permit", "sale", "bins"]
    permit, sale, bins = first.items
    assert {gate.name: gate.holds for gate in permit.gates} == {"visit": "DECIDE", "ALL_DECIDED": "ISSUE"}
    assert {gate.name: gate.holds for gate in sale.gates} == {"permit": "ISSUE", "ALL_DECIDED": "ISSUE"}
    assert [gate.name for gate in bins.gates] == ["visit"]  # nothing is issued, so nothing is held back there
    assert first.tasks == (e.SharedTask("visit", ("dept-permit", "dept-bins"), ("permit", "bins"), 5),)
    assert first.limit.value == 10
    assert {found.material: found.asked_as for found in sale.materials}["copy-lt-permit"] is None


def test_a_sister_that_is_not_chosen_gives_nothing_so_its_result_is_asked_for() -> None:
    entry = SHOP_BUNDLE | {
        "subItems": [{"itemId": "permit", "when": {"question": "sells", "is": False}}, {"itemId": "sale"}],
        "sharedTasks": [],
        "dependencies": [],
        "droppedMaterials": SHOP_BUNDLE["droppedMaterials"],
    }
    [first, *_] = submitted(entry=entry)
    [sale] = first.items
    assert {found.material: found.asked_as for found in sale.materials}["copy-lt-permit"] == "copy-lt-permit"


def test_an_inspection_is_left_out_where_the_item_needs_none_for_this_applicant() -> None:
    no_visit = {"not": {"question": "small", "is": True}}
    question = {"id": "small", "zh": "是否小店?", "en": "Is it small?", "kind": "boolean"}
    permit = SHOP[0] | {"inspectionCondition": no_visit, "questions": [question]}
    command = replace(SUBMIT, answers={"sells": True, "small": True})
    [first, *_] = submitted(command, items=in_force(permit, *SHOP[1:], COMPANY))
    assert [gate.name for gate in first.items[0].gates] == ["ALL_DECIDED"]
    assert first.tasks[0].serves == ("bins",)
    assert first.items[0].questions == ("small",)


def test_a_filing_that_cannot_be_is_refused() -> None:
    with pytest.raises(AnswersOpen):
        submitted(replace(SUBMIT, answers={}))
    with pytest.raises(MaterialRepeated):
        submitted(replace(SUBMIT, materials=(PAPER, PAPER)))
    with pytest.raises(UnknownMaterial):
        submitted(replace(SUBMIT, materials=(MaterialOffered("form", How.UPLOAD),)))
    with pytest.raises(HowNotAllowed):
        submitted(replace(SUBMIT, materials=(MaterialOffered("paper", How.E_LICENCE),)))


def test_a_filing_by_who_cannot_have_it_is_refused() -> None:
    with pytest.raises(ApplicantNotRegistered):
        submitted(kind=None)
    people_only = in_force(*(SHOP[0], SHOP[1], SHOP[2] | {"serviceObjects": ["NATURAL_PERSON"]}, COMPANY))
    with pytest.raises(ApplicantNotServed):
        submitted(items=people_only)
    with pytest.raises(BundleNotPublished):
        submitted(version=False)
    with pytest.raises(ItemNotPublished):
        submitted(items=in_force(*SHOP, COMPANY) | {"bins": Item()})


def test_answers_that_choose_nothing_are_refused() -> None:
    entry = SHOP_BUNDLE | {"subItems": [{"itemId": "sale", "when": {"question": "sells", "is": True}}]}
    entry |= {"sharedTasks": [], "dependencies": [], "mergedMaterials": [], "droppedMaterials": []}
    with pytest.raises(NothingChosen):
        submitted(replace(SUBMIT, answers={"sells": False}), entry=entry)


def test_the_licence_it_builds_on_is_vouched_for_or_shown_on_paper() -> None:
    claimed = replace(SUBMIT, materials=(MaterialOffered("copy-lt-business", How.E_LICENCE),))
    with pytest.raises(PreconditionNotMet):
        submitted(claimed, evidence=())  # nobody but the applicant says so
    submitted(replace(SUBMIT, materials=(MaterialOffered("copy-lt-business", How.UPLOAD, "sha256:ab"),)), evidence=())


# ── what becomes of the parts ────────────────────────────────────────────────────────────────────────────────────────


def test_the_joint_clock_runs_from_the_first_acceptance_and_stops_with_the_last_decision(told: Told) -> None:
    events = told.note("bins", Noted.FILED, Noted.ACCEPTED)
    [accepted] = [event for event in events if isinstance(event, e.BundleAccepted)]
    dues = {clock.name: clock.due for clock in accepted.clocks}
    assert dues["PROMISED"] == date(2026, 5, 7)  # 10 working days over the holidays of May
    assert told.bundle.clocks["JOINT"].limit.value == 45
    told.accepted()
    for item in ("permit", "sale"):
        told.note(item, Noted.DENIED)
    assert told.bundle.clocks["JOINT"].stopped is None
    told.note("bins", Noted.GRANTED)
    assert told.bundle.clocks["JOINT"].stopped == date(2026, 4, 20)


def test_a_part_that_the_law_accepted_earlier_moves_the_joint_clock_back(told: Told) -> None:
    later = NOW + timedelta(days=3)
    told.note("permit", Noted.FILED)
    told.note("permit", Noted.ACCEPTED, when=later)
    assert told.bundle.clocks["JOINT"].start == date(2026, 4, 23)
    told.note("bins", Noted.FILED, Noted.ACCEPTED)
    assert told.bundle.clocks["JOINT"].start == date(2026, 4, 20)


def test_what_is_noted_already_or_is_no_part_changes_nothing(told: Told) -> None:
    told.accepted()
    for what in (Noted.FILED, Noted.ACCEPTED, Noted.CORRECTED):
        assert told.note("permit", what) == []
    assert told.ask(c.NoteSubCase(STREAM, NEW_ID, Noted.FILED)) == []
    told.note("permit", Noted.COMMITTED, Noted.GRANTED)
    assert told.note("permit", Noted.COMMITTED, Noted.GRANTED) == []
    told.note("permit", Noted.ISSUED, licence_id=NEW_ID)
    assert told.note("permit", Noted.ISSUED, licence_id=NEW_ID) == []
    told.note("permit", Noted.CLOSED, result=Result.GRANTED)
    assert told.note("permit", Noted.CLOSED, result=Result.GRANTED) == []


def test_who_commits_himself_is_not_held_up_by_the_inspection(told: Told) -> None:
    events = told.note("permit", Noted.FILED, Noted.COMMITTED)
    assert [event.gate for event in events if isinstance(event, e.GateReached)] == ["visit"]


# ── the joint inspection ─────────────────────────────────────────────────────────────────────────────────────────────


def test_an_inspection_opens_the_gates_when_it_is_passed_and_can_be_made_again_when_not(told: Told) -> None:
    told.accepted()
    [failed] = told.ask(replace(VISIT, result=Opinion.FAIL))
    assert isinstance(failed, e.JointInspectionDone)
    done, *gates = told.ask(VISIT)
    assert {gate.item for gate in gates} == {"permit", "bins"}
    assert {clock.stopped for clock in done.clocks} == {NOW.date()}
    assert told.ask(VISIT) == []
    with pytest.raises(TaskDone):
        told.ask(replace(VISIT, result=Opinion.FAIL))


def test_an_inspection_is_refused_too_early_alone_or_for_nobody(told: Told) -> None:
    with pytest.raises(TaskNotReady):
        told.ask(VISIT)
    told.accepted()
    with pytest.raises(UnknownTask):
        told.ask(replace(VISIT, task="tea"))
    with pytest.raises(TwoInspectors):
        told.ask(replace(VISIT, inspectors=("甲", " 甲 ")))
    early = Circumstances(HEAD, NOW, NOW - timedelta(hours=1), NEW_ID)
    with pytest.raises(EffectiveTimeBeforeCause):
        decide(VISIT, early, told.bundle, FACTS)
    for item in ("permit", "bins"):
        told.note(item, Noted.DENIED)
    with pytest.raises(TaskDone):
        told.ask(VISIT)


# ── the one notice ───────────────────────────────────────────────────────────────────────────────────────────────────


def asked(told: Told) -> Told:
    told.note("permit", Noted.FILED, Noted.DEFECTS, materials=("paper",), problems={"paper": "missing"})
    told.note("sale", Noted.FILED, Noted.ACCEPTED)
    told.note("bins", Noted.FILED, Noted.DEFECTS, materials=("form", "paper"), problems={})
    return told


def test_the_notice_goes_out_when_the_last_part_was_looked_at(told: Told) -> None:
    asked(told)
    *_, notice = told.events
    assert isinstance(notice, e.BundleCorrectionRequested)
    assert notice.materials == (
        e.AskedMaterial("paper", (e.OwnMaterials("permit", ("paper",)), e.OwnMaterials("bins", ("paper",)))),
        e.AskedMaterial("one-form", (e.OwnMaterials("bins", ("form",)),)),
    )
    assert told.bundle.asked


def test_a_correction_brings_everything_and_gives_each_part_its_share(told: Told) -> None:
    asked(told)
    form = MaterialOffered("one-form", How.FORM_PREFILL)
    with pytest.raises(DefectsRemain) as refused:
        told.ask(c.SubmitBundleCorrection(STREAM, (PAPER,)))
    assert refused.value.fields["materials"] == ["one-form"]
    with pytest.raises(UnknownMaterial):
        told.ask(c.SubmitBundleCorrection(STREAM, (MaterialOffered("x", How.UPLOAD),)))
    with pytest.raises(MaterialRepeated):
        told.ask(c.SubmitBundleCorrection(STREAM, (PAPER, PAPER)))
    [corrected] = told.ask(c.SubmitBundleCorrection(STREAM, (PAPER, form)))
    shares = {part.case_id: {found.material for found in part.evidence} for part in corrected.parts}
    cases = {item: told.bundle.parts[item].plan.case_id for item in ("permit", "bins")}
    assert shares == {cases["permit"]: {"paper"}, cases["bins"]: {"form", "paper"}}
    assert not told.bundle.asked
    with pytest.raises(NoCorrectionAsked):
        told.ask(c.SubmitBundleCorrection(STREAM, (PAPER, form)))


def test_the_notice_can_be_sent_before_but_only_with_something_to_tell(told: Told) -> None:
    send = c.SendCorrectionNotice(STREAM)
    with pytest.raises(NoDefectsNoted):
        told.ask(send)
    told.note("permit", Noted.FILED, Noted.DEFECTS, materials=("paper",))
    [notice] = told.ask(send)
    assert isinstance(notice, e.BundleCorrectionRequested)
    assert told.ask(send) == []


def test_the_notice_is_due_in_time_for_the_first_part_and_asked_for_by_a_timer(told: Told) -> None:
    due = c.SendDueNotice(STREAM)
    assert told.ask(due) == []
    told.note("permit", Noted.FILED)
    told.note("bins", Noted.FILED, when=NOW + timedelta(days=1))
    told.note("bins", Noted.DEFECTS, materials=("paper",), when=NOW + timedelta(days=1))
    assert told.bundle.clocks["NOTICE"].due == date(2026, 4, 28)
    told.note("permit", Noted.DEFECTS, materials=("paper",), when=NOW + timedelta(days=1))
    assert told.bundle.clocks["NOTICE"].due == date(2026, 4, 27)
    [notice] = told.ask(due, NOW + timedelta(days=7))
    assert set(notice.cases) == {told.bundle.parts[item].plan.case_id for item in ("permit", "bins")}
    assert told.bundle.clocks["NOTICE"].stopped == date(2026, 4, 27)
    assert told.ask(due) == []


def test_the_notice_is_due_by_the_law_of_each_item() -> None:
    """Where who is not refused on the spot is accepted, a notice after five days would come after the acceptance."""
    rules = {"acceptedOnFiling": True, "basis": "上海市不动产登记若干规定 art. 12"}
    permit, sale, _ = SHOP
    entries = in_force(permit, sale, COMPANY, an_item("bins", clockRules=rules))
    events = submitted(items=entries)
    bundle = evolve_all(Bundle(), events, NOW)
    for what in (Noted.FILED, Noted.DEFECTS):
        note = c.NoteSubCase(STREAM, bundle.parts["bins"].plan.case_id, what, materials=("paper",))
        bundle = evolve_all(bundle, decide(note, at(NOW), bundle, FACTS), NOW)
    assert bundle.clocks["NOTICE"].due == office_day(NOW)


def test_what_became_of_a_case_is_noted_with_nothing_personal_unless_there_are_defects(told: Told) -> None:
    """Of somebody whose data was erased only what is not personal can be written, and a bundle must still end."""
    [filed] = told.note("permit", Noted.FILED)
    assert subjects_of(filed) == set()
    [defects] = told.note("permit", Noted.DEFECTS, materials=("paper",), problems={"paper": "missing"})
    assert subjects_of(defects) == {PERSON_ID}


def test_a_correction_after_its_time_is_refused(told: Told) -> None:
    asked(told)
    with pytest.raises(CorrectionTooLate):
        told.ask(c.SubmitBundleCorrection(STREAM, (PAPER,)), NOW + timedelta(days=60))


# ── time, withdrawal ─────────────────────────────────────────────────────────────────────────────────────────────────


def test_the_joint_clock_is_extended_once_and_in_time(told: Told) -> None:
    extend = c.ExtendBundleDeadline(STREAM, 15, "complex")
    with pytest.raises(NotAccepted):
        told.ask(extend)
    told.accepted()
    for wrong in (replace(extend, working_days=16), replace(extend, working_days=0), replace(extend, reason=" ")):
        with pytest.raises(ExtensionNotAllowed):
            told.ask(wrong)
    with pytest.raises(TooLateToExtend):
        told.ask(extend, NOW + timedelta(days=200))
    [extended] = told.ask(extend)
    [clock] = extended.clocks
    assert (clock.name, len(clock.extensions)) == ("JOINT", 1)
    with pytest.raises(AlreadyExtended):
        told.ask(extend)


def test_deadlines_are_reckoned_again_only_by_another_calendar(told: Told) -> None:
    told.accepted()
    recompute = c.RecomputeBundleDeadlines(STREAM)
    assert told.ask(recompute) == []
    [recomputed] = decide(recompute, at(NOW), told.bundle, Facts())
    assert isinstance(recomputed, e.BundleDeadlinesRecomputed)
    assert all(clock.provisional for clock in recomputed.clocks)


def test_withdrawing_ends_what_is_not_decided_and_waits_for_what_is_not_filed_yet(told: Told) -> None:
    told.note("permit", Noted.FILED, Noted.ACCEPTED)
    told.note("sale", Noted.FILED, Noted.ACCEPTED, Noted.GRANTED)
    events = told.ask(c.WithdrawBundle(STREAM, "r"))
    assert [event.item for event in events if isinstance(event, e.SubItemWithdrawn)] == ["permit"]
    events = told.note("bins", Noted.FILED)
    assert [event.item for event in events if isinstance(event, e.SubItemWithdrawn)] == ["bins"]
    assert told.ask(c.WithdrawBundle(STREAM, "r")) == []


def test_what_is_decided_is_not_withdrawn(told: Told) -> None:
    told.accepted()
    for item in ("permit", "sale", "bins"):
        told.note(item, Noted.DENIED)
    with pytest.raises(NothingToWithdraw):
        told.ask(c.WithdrawBundle(STREAM, "r"))


def test_what_was_not_filed_cannot_be_asked_anything() -> None:
    with pytest.raises(UnknownBundle):
        decide(c.WithdrawBundle(STREAM, "r"), at(NOW), Bundle(), FACTS)


def test_a_refusal_cancels_what_has_not_begun(told: Told) -> None:
    entry = SHOP_BUNDLE | {"dependencies": [{"before": "permit", "type": "FINISH_TO_START", "after": "sale"}]}
    events = submitted(entry=entry)
    assert [event.item for event in events if isinstance(event, e.SubItemStarted)] == ["permit", "bins"]
    told.bundle = evolve_all(Bundle(), events, NOW)
    events = told.note("permit", Noted.FILED, Noted.NOT_ACCEPTED)
    assert e.SubItemCancelled("sale", e.Ground.NOT_STARTED, "permit") in events
    assert told.bundle.parts["sale"].result is Result.NOT_STARTED


def test_a_result_is_the_evidence_of_what_comes_next(told: Told) -> None:
    entry = SHOP_BUNDLE | {"dependencies": [{"before": "permit", "type": "FINISH_TO_START", "after": "sale"}]}
    told.bundle = evolve_all(Bundle(), submitted(entry=entry), NOW)
    told.note("permit", Noted.FILED, Noted.ACCEPTED, Noted.GRANTED)
    events = told.note("permit", Noted.ISSUED, licence_id=NEW_ID)
    [started] = [event for event in events if isinstance(event, e.SubItemStarted)]
    assert Evidence("copy-lt-permit", "E_LICENCE", "dept-permit", None, str(NEW_ID)) in started.evidence


def test_an_item_without_a_licence_waits_with_its_decision() -> None:
    entry = SHOP_BUNDLE | {"dependencies": [{"before": "permit", "type": "EFFECTIVE_AFTER", "after": "bins"}]}
    entry |= {"sharedTasks": []}
    [first, *_] = submitted(entry=entry)
    assert {(gate.name, gate.holds) for plan in first.items for gate in plan.gates} == {("permit", "DECIDE")}


def test_a_limit_that_nobody_states_is_the_longest_way() -> None:
    [first, *_] = submitted(items=in_force(*SHOP[:2], an_item("bins", promisedTimeLimit=None), COMPANY))
    assert first.limit.value == 20  # the law's own for the bins
