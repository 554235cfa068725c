"""Plans of cases: what holds for every seed, and that a short day has something of everything."""

from collections import Counter
from datetime import UTC, date, datetime, timedelta
from itertools import pairwise

from hypothesis import given, settings
from hypothesis import strategies as st

from tongban.domain.actor import OFFICER_ROLES, Role
from tongban.domain.case.events import Channel
from tongban.domain.catalogue.guide import needed_materials
from tongban.domain.catalogue.item import ItemDefinition, read_item
from tongban.domain.catalogue.questions import check_answers
from tongban.domain.office_time import OFFICE_TIME
from tongban.domain.party.events import PartyKind
from tongban.infra.reference import sample_bundles, sample_items
from tongban.simulate.bundles import BundleCourse, choose_bundle
from tongban.simulate.drive import DEFAULT_SEED
from tongban.simulate.office_hours import DAY, OfficeHours, calendar
from tongban.simulate.people import applicant
from tongban.simulate.plan import HISTORY, CasePlan, is_untrusted, plan_case
from tongban.simulate.randomness import seeded
from tongban.simulate.script import Step
from tongban.simulate.shares import Ending

ITEMS: dict[str, ItemDefinition] = {entry["id"]: read_item(entry) for entry in sample_items()}
SEEDS = st.integers(-(2**31), 2**31)
MOMENTS = st.datetimes(datetime(2020, 1, 1), datetime(2035, 1, 1), timezones=st.just(UTC))  # noqa: DTZ001
NOW = {"RateCase", "ArchiveCase", "RecordCommitmentCheck", "RevokeDecision"}
EVERY_WAY = {
    *("SubmitApplication", "ReceiveMaterials", "PassPreCheck", "ReturnPreCheck", "CorrectOnSpot", "RequestCorrection"),
    *("SubmitCorrection", "ObtainMaterial", "SupplementMaterial", "AcceptApplication", "RefuseAcceptance", "ClaimCase"),
    *("ReleaseCase", "ReassignCase", "RecordOpinion", "RequestConsult", "AnswerConsult", "ScheduleInspection"),
    *("RecordInspection", "StartSpecialProcedure", "EndSpecialProcedure", "OfferHearing", "RequestHearing"),
    *("ExtendDeadline", "RecordPayment", "RecordRefund", "SignCommitment", "GrantApproval", "DenyApproval"),
    *("IssueLicence", "ConfirmDelivery", "WithdrawApplication", "ArchiveCase", "RecordCommitmentCheck"),
    *("RevokeDecision", "RateCase", "GrantMandate", "SubmitBundle", "SubmitBundleCorrection", "WithdrawBundle"),
    "RecordBundleInspection",
}
EVERY_PLAN = st.builds(plan_case, SEEDS, st.integers(0, 100_000), st.integers(1, 60))
PLANS = EVERY_PLAN.filter(lambda plan: not plan.bundle)


@given(SEEDS, st.integers(0, 100_000), st.integers(1, 60))
def test_the_same_seed_gives_the_same_plan(seed: int, index: int, days: int) -> None:
    assert plan_case(seed, index, days) == plan_case(seed, index, days)


def test_another_seed_gives_another_plan() -> None:
    assert [plan_case(1, index, 1) for index in range(20)] != [plan_case(2, index, 1) for index in range(20)]


def filing(plan: CasePlan) -> Step:
    return next(step for step in plan.steps if step.command == "SubmitApplication")


@given(PLANS)
def test_the_applicant_is_one_the_item_serves_and_every_material_is_in_its_guide(plan: CasePlan) -> None:
    item = ITEMS[plan.item]
    persons = {"NATURAL_PERSON"}
    assert item.serves & persons if plan.kind is PartyKind.PERSON else item.serves - persons
    body = filing(plan).body
    offered = [material["material"] for material in body["materials"]]
    assert set(offered) <= needed_materials(item, body["answers"])
    assert len(set(offered)) == len(offered)
    check_answers(item.questions, body["answers"])
    assert body["delivery"] in item.terms["delivery"]


@given(PLANS)
def test_online_cases_are_filed_by_the_applicant_or_an_agent_and_handled_now(plan: CasePlan) -> None:
    online = plan.channel in (Channel.WEB, Channel.APP)
    assert (filing(plan).by is None) == online
    assert filing(plan).mandated == (plan.agent is not None) == (plan.steps[0].command == "GrantMandate")
    for step in plan.steps:
        assert (step.second is None) == (online or step.command in NOW)
        assert step.by is not None or online or step.command == "RateCase"
        assert not (online and step.slow)


@given(SEEDS, st.integers(0, 100_000), st.integers(1, 60))
def test_late_entries_rise_up_to_the_last_simulated_day(seed: int, index: int, days: int) -> None:
    seconds = [step.second for step in plan_case(seed, index, days).steps if step.second is not None]
    assert seconds == sorted(seconds)
    assert all(0 <= second <= (HISTORY + days) * DAY for second in seconds)


@given(PLANS)
def test_each_step_is_taken_by_an_officer_and_who_accepts_never_decides(plan: CasePlan) -> None:
    by = {step.command: step.by for step in plan.steps if step.by}
    assert all(officer.role in OFFICER_ROLES for officer in by.values())
    accepted = by.get("AcceptApplication")
    decided = by.get("GrantApproval") or by.get("DenyApproval")
    assert decided is None or (accepted is not None and decided.id != accepted.id)


@given(PLANS)
def test_a_plan_ends_as_it_says(plan: CasePlan) -> None:
    item = ITEMS[plan.item]
    commands = [step.command for step in plan.steps]
    paid = "RecordPayment" in commands
    opinions = [step.body["branch"] for step in plan.steps if step.command == "RecordOpinion"]
    against = [step.body["branch"] for step in plan.steps if step.body.get("opinion") == "FAIL"]
    assert set(opinions) <= set(item.branches)
    assert len(set(opinions)) == len(opinions)
    assert bool(against) <= (plan.ending in (Ending.DENIED, Ending.OPEN))
    match plan.ending:
        case Ending.GRANTED:
            assert "GrantApproval" in commands
            assert ("IssueLicence" in commands) == (item.licence_type is not None)
            assert paid == bool(item.terms["fee"])
            assert "SignCommitment" in commands or set(opinions) == set(item.branches)
        case Ending.DENIED:
            assert len(against) == 1
            assert ("RecordRefund" in commands) == paid
        case Ending.NOT_ACCEPTED:
            assert "AcceptApplication" not in commands
        case Ending.WITHDRAWN:
            assert "WithdrawApplication" in commands
            assert ("RecordRefund" in commands) == paid
        case Ending.LAPSED:
            assert commands[-1] in ("RequestCorrection", "AcceptApplication")
    over = plan.ending not in (Ending.OPEN, Ending.LAPSED)
    assert ("RateCase" in commands or "ArchiveCase" in commands) <= over


@given(PLANS)
def test_the_limits_of_the_law_are_kept_unless_they_are_broken_on_purpose(plan: CasePlan) -> None:
    at = {step.command: (step.second or 0) // DAY for step in reversed(plan.steps)}
    received = at.get("ReceiveMaterials", at["SubmitApplication"])
    for answer in ("RequestCorrection", "RefuseAcceptance", "AcceptApplication"):
        step = next((step for step in plan.steps if step.command == answer), None)
        if step is not None and not step.slow and "SubmitCorrection" not in at:
            in_review = answer == "RequestCorrection" and at.get("AcceptApplication", at[answer]) < at[answer]
            on_the_spot = ITEMS[plan.item].terms["accepted_on_filing"]
            assert in_review or at[answer] - received <= (0 if on_the_spot else 5)
    assert at.get("SupplementMaterial", 0) - at.get("AcceptApplication", 0) <= 10
    assert at.get("RequestHearing", 0) - at.get("OfferHearing", 0) <= 5


@settings(max_examples=20, deadline=None)
@given(SEEDS)
def test_a_short_day_has_a_backlog_every_ending_and_all_ways_of_filing(seed: int) -> None:
    plans = [plan_case(seed, index, 1) for index in range(300)]
    endings = Counter(plan.ending for plan in plans)
    assert 0.1 <= endings[Ending.OPEN] / len(plans) <= 0.3
    left = {plan.steps[-1].command for plan in plans if plan.ending is Ending.OPEN and not plan.bundle}
    assert {"SubmitApplication", "AcceptApplication", "RecordOpinion"} <= left
    assert 0.01 <= endings[Ending.DENIED] / len(plans) <= 0.05
    assert {Ending.GRANTED, Ending.NOT_ACCEPTED, Ending.WITHDRAWN} <= set(endings)
    assert {plan.channel for plan in plans} == set(Channel)
    online = sum(plan.channel in (Channel.WEB, Channel.APP) for plan in plans)
    assert 0.55 <= online / len(plans) <= 0.65


def test_a_few_thousand_cases_go_every_way_there_is() -> None:
    plans = [plan_case(DEFAULT_SEED, index, 1) for index in range(4000)]
    steps = [step for plan in plans for step in plan.steps]
    given = Counter(step.command for step in steps)
    assert set(given) >= EVERY_WAY
    kinds = {step.body["kind"] for step in steps if step.command == "StartSpecialProcedure"}
    assert {"HEARING", "EXPERT_REVIEW", "INSPECTION_TEST", "PUBLIC_ANNOUNCEMENT"} <= kinds
    assert {"PASS", "BREACH"} == {step.body["result"] for step in steps if step.command == "RecordCommitmentCheck"}
    assert {"PASS", "FAIL"} == {step.body["result"] for step in steps if step.command == "RecordInspection"}
    assert {"COUNTER", "COURIER"} == {step.body["means"] for step in steps if step.command == "ConfirmDelivery"}
    assert {plan.item for plan in plans if plan.bundle} == {entry["id"] for entry in sample_bundles()}
    assert any(step.covers for step in steps)
    assert any(step.piled for step in steps)
    assert any(plan.lapsing for plan in plans)
    assert any(plan.overdue for plan in plans)


@given(SEEDS, st.integers(0, 3000))
def test_whom_a_broken_promise_is_held_against_files_nothing_else(seed: int, index: int) -> None:
    plan = plan_case(seed, index, 1)
    if plan.party != index:
        assert not is_untrusted(seed, plan.party)
    if any(step.body.get("result") == "BREACH" or step.command == "RevokeDecision" for step in plan.steps):
        assert is_untrusted(seed, plan.party)
        assert plan.party == index


@given(SEEDS, st.integers(0, 100_000), st.sampled_from(PartyKind))
def test_a_bundle_asks_each_part_in_its_turn_and_decides_all_or_is_left(seed: int, index: int, kind: PartyKind) -> None:
    random = seeded(seed, index)
    who = applicant(seed, kind, index)
    definition = choose_bundle(random, who)
    course = BundleCourse(random, definition, who, Channel.WEB)
    decided = [step.part for step in course.steps if step.command in ("GrantApproval", "DenyApproval")]
    accepted = [step.part for step in course.steps if step.command == "AcceptApplication"]
    assert course.steps[0].command == "SubmitBundle"
    assert len(set(accepted)) == len(accepted)
    assert set(decided) <= set(accepted) <= set(definition.names)
    assert all(step.awaits for step in course.steps if step.command in ("AcceptApplication", "GrantApproval"))
    if course.ending is Ending.GRANTED:
        assert sorted(map(str, decided)) == sorted(definition.names)
    if course.ending is Ending.WITHDRAWN:
        assert course.steps[-1].command == "WithdrawBundle"


def test_the_default_day_has_the_items_people_come_for_most() -> None:
    asked = Counter(plan_case(DEFAULT_SEED, index, 1).item for index in range(300))
    assert {"property-transfer", "food-licence", "company-registration"} <= set(asked)
    assert len(asked) >= 30


def test_grades_are_mostly_good_and_about_one_in_a_hundred_is_bad() -> None:
    plans = [plan for index in range(3000) if not (plan := plan_case(DEFAULT_SEED, index, 1)).bundle]
    grades = Counter(s.body["grade"] for plan in plans for s in plan.steps if s.command == "RateCase")
    closed = sum(plan.ending not in (Ending.OPEN, Ending.LAPSED) for plan in plans if not plan.bundle)
    assert 0.87 <= grades.total() / closed <= 0.93
    assert 0.003 <= (grades[4] + grades[5]) / grades.total() <= 0.02
    assert (grades[1] + grades[2]) / grades.total() > 0.9


@given(MOMENTS, st.integers(1, 40))
def test_simulated_days_are_office_days_that_are_over(moment: datetime, days: int) -> None:
    hours = OfficeHours.before(moment, days)
    assert len(hours.days) == days
    assert all(calendar().is_working(day) for day in hours.days)
    assert all(earlier < later for earlier, later in pairwise(hours.days))
    assert hours.at(days * DAY) <= moment


@given(MOMENTS, st.integers(1, 5), st.data())
def test_later_working_seconds_are_never_earlier_moments(moment: datetime, days: int, data: st.DataObject) -> None:
    hours = OfficeHours.before(moment, days)
    seconds = sorted(data.draw(st.lists(st.integers(0, days * DAY), min_size=2)))
    moments = [hours.at(second) for second in seconds]
    assert moments == sorted(moments)
    assert all(9 <= at.hour < 18 for at in moments)


def test_holidays_and_swapped_weekends_count_as_the_calendar_says() -> None:
    hours = OfficeHours.before(datetime(2026, 10, 12, 18, 0, tzinfo=OFFICE_TIME), 4)
    assert hours.days == tuple(date(2026, 10, day) for day in (8, 9, 10, 12))


def test_working_time_goes_on_after_the_weekend() -> None:
    monday_evening = datetime(2026, 4, 20, 18, 0, tzinfo=OFFICE_TIME)
    hours = OfficeHours.before(monday_evening, 2)
    assert hours.days == (date(2026, 4, 17), date(2026, 4, 20))
    assert hours.at(DAY + 60) - hours.at(DAY - 60) == timedelta(days=2, hours=15, minutes=32)


def test_heads_decide_at_times() -> None:
    plans = [plan_case(DEFAULT_SEED, index, 1) for index in range(200)]
    deciders = {s.by.role for plan in plans for s in plan.steps if s.command == "GrantApproval" and s.by}
    assert deciders == {Role.DECIDER, Role.HEAD}
