"""Plans of cases: what holds for every seed, and that a short day has something of everything."""

from collections import Counter
from datetime import UTC, date, datetime, timedelta
from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from tongban.domain.actor import OFFICER_ROLES, Role
from tongban.domain.case.events import Channel, Result
from tongban.domain.catalogue.item import ItemDefinition, read_item
from tongban.domain.office_time import OFFICE_TIME
from tongban.domain.party.events import PartyKind
from tongban.infra.reference import sample_items
from tongban.simulate.drive import DEFAULT_SEED
from tongban.simulate.office_hours import DAY, OfficeHours
from tongban.simulate.plan import CasePlan, plan_case

ITEMS: dict[str, ItemDefinition] = {entry["id"]: read_item(entry) for entry in sample_items()}
SEEDS = st.integers(-(2**31), 2**31)
MOMENTS = st.datetimes(datetime(2020, 1, 1), datetime(2035, 1, 1), timezones=st.just(UTC))  # noqa: DTZ001
PLANS = st.builds(plan_case, SEEDS, st.integers(0, 100_000), st.integers(1, 60))


@given(SEEDS, st.integers(0, 100_000), st.integers(1, 60))
def test_the_same_seed_gives_the_same_plan(seed: int, index: int, days: int) -> None:
    assert plan_case(seed, index, days) == plan_case(seed, index, days)


def test_another_seed_gives_another_plan() -> None:
    assert [plan_case(1, index, 1) for index in range(20)] != [plan_case(2, index, 1) for index in range(20)]


@given(PLANS)
def test_the_applicant_is_one_the_item_serves_and_every_material_is_in_its_guide(plan: CasePlan) -> None:
    item = ITEMS[plan.item]
    persons = {"NATURAL_PERSON"}
    assert item.serves & persons if plan.kind is PartyKind.PERSON else item.serves - persons
    offered = [material["material"] for material in plan.steps[0].body["materials"]]
    assert set(offered) <= item.materials
    assert len(set(offered)) == len(offered)


@given(PLANS)
def test_online_cases_are_filed_by_the_applicant_and_handled_now(plan: CasePlan) -> None:
    online = plan.channel in (Channel.WEB, Channel.APP)
    assert (plan.steps[0].by is None) == online
    for step in plan.steps:
        assert (step.second is None) == (online or step.command == "RateCase")
        assert (step.by is None) == (step.command == "RateCase" or (online and step is plan.steps[0]))


@given(SEEDS, st.integers(0, 100_000), st.integers(1, 60))
def test_late_entries_rise_within_the_simulated_days(seed: int, index: int, days: int) -> None:
    seconds = [step.second for step in plan_case(seed, index, days).steps if step.second is not None]
    assert seconds == sorted(seconds)
    assert all(0 <= second <= days * DAY for second in seconds)


@given(PLANS)
def test_each_step_is_taken_by_an_officer_who_may_and_who_accepts_never_decides(plan: CasePlan) -> None:
    item = ITEMS[plan.item]
    by = {step.command: step.by for step in plan.steps if step.by}
    for step in plan.steps:
        if step.by is not None:
            assert step.by.role in OFFICER_ROLES
            assert step.by.department == step.body.get("branch", item.lead)
    accepted = by.get("AcceptApplication")
    decided = by.get("GrantApproval") or by.get("DenyApproval")
    assert decided is None or (accepted is not None and decided.id != accepted.id)


@given(PLANS)
def test_a_plan_is_what_the_rules_of_a_case_allow(plan: CasePlan) -> None:
    item = ITEMS[plan.item]
    commands = [step.command for step in plan.steps]
    full = ["SubmitApplication", *["ReceiveMaterials"] * (plan.channel is Channel.POST), "AcceptApplication"]
    full += [*["RecordPayment"] * bool(item.terms["fee"]), *["RecordInspection"] * item.terms["inspection"]]
    full += ["RecordOpinion"] * len(item.branches)
    against = [step.body["branch"] for step in plan.steps if step.body.get("opinion") == "FAIL"]
    if plan.result is Result.DENIED:
        full += ["DenyApproval", *["RecordRefund"] * bool(item.terms["fee"])]
        assert len(against) == 1
    else:
        full += ["GrantApproval", *["IssueLicence"] * (item.licence_type is not None)]
        assert not against
    if plan.result is None:
        assert commands == full[: len(commands)]
        assert len(commands) < len(full)
    else:
        assert commands in (full, [*full, "RateCase"])
    opinions = [step.body["branch"] for step in plan.steps if step.command == "RecordOpinion"]
    assert set(opinions) <= set(item.branches)
    assert len(set(opinions)) == len(opinions)


@given(SEEDS)
def test_a_short_day_has_a_backlog_in_every_stage_a_few_denials_and_all_ways_of_filing(seed: int) -> None:
    plans = [plan_case(seed, index, 1) for index in range(300)]
    left = Counter(plan.steps[-1].command for plan in plans if plan.result is None)
    assert 0.15 <= left.total() / len(plans) <= 0.25
    assert {"SubmitApplication", "AcceptApplication", "RecordOpinion", "GrantApproval"} <= set(left)
    assert 0.02 <= sum(plan.result is Result.DENIED for plan in plans) / len(plans) <= 0.06
    assert {plan.channel for plan in plans} == set(Channel)
    online = sum(plan.channel in (Channel.WEB, Channel.APP) for plan in plans)
    assert 0.55 <= online / len(plans) <= 0.65


def test_the_default_day_has_the_items_people_come_for_most() -> None:
    asked = Counter(plan_case(DEFAULT_SEED, index, 1).item for index in range(300))
    assert {"property-transfer", "food-licence", "company-registration"} <= set(asked)
    assert len(asked) >= 30


def test_grades_are_mostly_good_and_about_one_in_a_hundred_is_bad() -> None:
    plans = [plan_case(DEFAULT_SEED, index, 1) for index in range(3000)]
    grades = Counter(s.body["grade"] for plan in plans for s in plan.steps if s.command == "RateCase")
    closed = sum(plan.result is not None for plan in plans)
    assert 0.87 <= grades.total() / closed <= 0.93
    assert 0.003 <= (grades[4] + grades[5]) / grades.total() <= 0.02
    assert (grades[1] + grades[2]) / grades.total() > 0.9


@given(MOMENTS, st.integers(1, 40))
def test_simulated_days_are_office_days_that_are_over(moment: datetime, days: int) -> None:
    hours = OfficeHours.before(moment, days)
    assert len(hours.days) == days
    assert all(day.weekday() < 5 for day in hours.days)
    assert all(earlier < later for earlier, later in pairwise(hours.days))
    assert hours.at(days * DAY) <= moment


@given(MOMENTS, st.integers(1, 5), st.data())
def test_later_working_seconds_are_never_earlier_moments(moment: datetime, days: int, data: st.DataObject) -> None:
    hours = OfficeHours.before(moment, days)
    seconds = sorted(data.draw(st.lists(st.integers(0, days * DAY), min_size=2)))
    moments = [hours.at(second) for second in seconds]
    assert moments == sorted(moments)
    assert all(9 <= at.hour < 18 for at in moments)


def test_working_time_goes_on_after_the_weekend() -> None:
    monday_evening = datetime(2026, 4, 20, 18, 0, tzinfo=OFFICE_TIME)
    hours = OfficeHours.before(monday_evening, 2)
    assert hours.days == (date(2026, 4, 17), date(2026, 4, 20))
    assert hours.at(DAY + 60) - hours.at(DAY - 60) == timedelta(days=2, hours=15, minutes=32)


def test_heads_decide_at_times() -> None:
    plans = [plan_case(DEFAULT_SEED, index, 1) for index in range(200)]
    deciders = {s.by.role for plan in plans for s in plan.steps if s.command == "GrantApproval" and s.by}
    assert deciders == {Role.DECIDER, Role.HEAD}
