"""What is seen of the whole case: deadlines with their reasons, branches, materials, lights, and what may be done."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Any
from uuid import UUID

import pytest

from tests.graphql.conftest import SUPERVISOR, World, citizen, reader_of
from tests.lives import Life, Town, entry, staff
from tests.projections.conftest import ReadTables
from tests.servers import Database
from tongban.domain.actor import Actor, Role
from tongban.domain.calendar.state import CALENDAR
from tongban.domain.case import commands as c
from tongban.domain.case.events import Channel, Means, Opinion, Procedure
from tongban.domain.clock import Unit
from tongban.domain.explanation import Step, StepKind, due_of
from tongban.domain.ids import calendar_stream
from tongban.domain.party.events import PartyKind

TODAY = datetime(2026, 5, 18, 3, 0, tzinfo=UTC)  # a Monday
DEADLINE = """due remainingWorkingDays light provisional clock stoppedOn start
    limit { value unit } extensions { value unit basis } pauses { kind start end declared }
    explanation { kind basis first last days unit off worked provisional zh: text en: text(lang: EN) }"""


@dataclass
class Whole:
    """A town whose cases stand where the examples need them, seen on `TODAY`."""

    world: World
    town: Town
    paused: Life
    fresh: Life
    corrected: Life
    done: Life
    year_end: Life
    late: Life

    def case(self, actor: Actor | None, life: Life, fields: str) -> Any:
        """Some fields of a case, as somebody."""
        query = f"query($id: ID!) {{ case(id: $id) {{ {fields} }} }}"
        return self.world.ask(actor, query, {"id": str(life.id)}).data["case"]

    def queue(self, actor: Actor, department: str, **arguments: str) -> list[dict[str, Any]]:
        """The places of a queue; arguments as they stand in a query."""
        told = "".join(f", {name}: {value}" for name, value in arguments.items())
        query = f"""{{ department(code: "{department}") {{ queue(first: 50{told}) {{
            edges {{ claimedBy branches node {{ id state }} due {{ due light clock }} }} }} }} }}"""
        edges: list[dict[str, Any]] = self.world.ask(actor, query).data["department"]["queue"]["edges"]
        return edges


def _accepted(town: Town, shop: UUID, month: int, day: int, year: int = 2026, **more: Any) -> Life:
    at = datetime(year, month, day, 1, 0, tzinfo=UTC)
    life = town.file("food-licence", shop, at=at, **more).on(month, day, year)
    return life.by(Role.ACCEPTOR, c.AcceptApplication(life.id))


@pytest.fixture(scope="module")
def whole(module_database: Database) -> Iterator[Whole]:
    """Food licences with two branches, samr and fire, in the calendars of 2025 and 2026."""
    town = Town()
    town.import_calendars()
    before = {"materials": 10, "workingDays": 20, "visits": 1, "steps": 7}
    fee = {"charged": True, "amount": "80.00", "currency": "CNY", "basis": "样例"}
    branches = {"departments": ["samr", "fire"]}
    definition = entry("food-licence", reviewBranches=branches, before=before, fee=fee, onSiteInspection=False)
    town.publish(definition)
    shop = town.register("好味饭店", PartyKind.ORGANISATION)

    # Accepted on 20 April with 10 working days; fire's expert review from 24 April to 12 May; extended by five days.
    paused = _accepted(town, shop, 4, 20).on(4, 24)
    paused.by(Role.REVIEWER, c.StartSpecialProcedure(paused.id, "fire", Procedure.EXPERT_REVIEW, 10, "告知"), "fire")
    paused.on(5, 12).by(Role.REVIEWER, c.EndSpecialProcedure(paused.id, "fire"), "fire")
    paused.on(5, 13).by(Role.HEAD, c.ExtendDeadline(paused.id, 5, "案情复杂"))
    paused.by(Role.REVIEWER, c.ClaimCase(paused.id, "fire"), "fire")

    fresh = town.file("food-licence", shop, at=datetime(2026, 5, 15, 1, 0, tzinfo=UTC)).on(5, 15)
    corrected = town.file("food-licence", shop, at=datetime(2026, 5, 12, 1, 0, tzinfo=UTC), uploads=("form",)).on(5, 13)
    defect = c.Defect("premises", "缺第二页")
    corrected.by(Role.ACCEPTOR, c.RequestCorrection(corrected.id, (defect,)))

    done = _accepted(town, shop, 3, 2, channel=Channel.COUNTER, delivery=Means.COURIER, district="310101")
    for branch in ("samr", "fire"):
        done.by(Role.REVIEWER, c.RecordOpinion(done.id, branch, Opinion.PASS), branch)
    done.on(3, 5).by(Role.DECIDER, c.GrantApproval(done.id))
    done.by(Role.CLERK, c.RecordPayment(done.id, "80.00", "支付宝1"))
    done.by(Role.DECIDER, c.IssueLicence(done.id)).on(3, 9).by(Role.CLERK, c.ConfirmDelivery(done.id, Means.COURIER))

    year_end = _accepted(town, shop, 12, 28)
    late = _accepted(town, shop, 4, 28)
    with reader_of(module_database, town.story, now=lambda: TODAY) as view:
        tables: ReadTables = view.tables
        tables.apply(town.story.events)
        yield Whole(view, town, paused, fresh, corrected, done, year_end, late)


def _steps(told: list[dict[str, Any]]) -> list[Step]:
    def day(text: str) -> date:
        return date.fromisoformat(text)

    return [
        Step(
            StepKind(line["kind"]), line["basis"], day(line["first"]), day(line["last"]), line["days"],
            Unit(line["unit"]), tuple(map(day, line["off"])), tuple(map(day, line["worked"])), line["provisional"],
        )
        for line in told
    ]  # fmt: skip


@pytest.mark.parametrize("name", ["paused", "year_end", "late", "done"])
@pytest.mark.parametrize("which", ["legalDue", "promisedDue", "correctionDue"])
def test_explanation_alone_counts_the_deadline_again(whole: Whole, name: str, which: str) -> None:
    told = whole.case(SUPERVISOR, getattr(whole, name), f"{which} {{ {DEADLINE} }}")[which]
    lines = told["explanation"]
    assert due_of(_steps(lines)).isoformat() == told["due"]
    assert lines[-1]["last"] == told["due"]
    assert all(line["zh"] and line["en"] and line["zh"] != line["en"] for line in lines)


def test_deadline_with_suspension_and_extension_says_why(whole: Whole) -> None:
    told = whole.case(
        staff("samr", Role.REVIEWER), whole.paused, f"promisedDue {{ {DEADLINE} name legal: name(lang: EN) }}"
    )
    due = told["promisedDue"]
    assert due["due"] == "2026-05-27"  # 20 May, and five working days more
    assert (due["remainingWorkingDays"], due["light"], due["provisional"]) == (7, "GREEN", False)
    assert (due["name"], due["legal"]) == ("承诺办结时限", "promised limit")
    assert due["limit"] == {"value": 10, "unit": "WORKING_DAY"}
    assert [found["value"] for found in due["extensions"]] == [5]
    assert due["pauses"] == [{"kind": "EXPERT_REVIEW", "start": "2026-04-24", "end": "2026-05-12", "declared": 10}]
    left_out = next(line for line in due["explanation"] if line["kind"] == "PAUSED")
    assert left_out["zh"] == "2026-04-24至2026-05-11因专家评审不计入"
    assert left_out["en"] == "2026-04-24 to 2026-05-11 does not count: expert review"


def test_branch_gains_no_time_by_the_procedure_of_another(whole: Whole) -> None:
    fields = "branches { department holder state due claimedBy suspended departmentName deadline { light } }"
    samr, fire = whole.case(SUPERVISOR, whole.paused, fields)["branches"]
    # Five days more than 7 May, without the days of the fire department's review.
    assert (samr["department"], samr["due"], samr["claimedBy"]) == ("samr", "2026-05-13", None)
    assert samr["deadline"] == {"light": "RED"}
    assert (fire["department"], fire["due"], fire["claimedBy"]) == ("fire", "2026-05-27", "fire-reviewer-1")
    assert fire["suspended"] is None


def test_deadline_across_the_year_end_is_provisional(whole: Whole) -> None:
    due = whole.case(SUPERVISOR, whole.year_end, f"promisedDue {{ {DEADLINE} }}")["promisedDue"]
    assert due["due"].startswith("2027-01")
    assert due["provisional"]
    assert due["explanation"][-1]["provisional"]


def test_stopped_deadlines_show_how_they_ended(whole: Whole) -> None:
    told = whole.case(SUPERVISOR, whole.done, f"promisedDue {{ {DEADLINE} }} deliveryDue {{ {DEADLINE} }}")
    promised, delivery = told["promisedDue"], told["deliveryDue"]
    assert (promised["stoppedOn"], promised["remainingWorkingDays"], promised["light"]) == ("2026-03-05", 7, "GREEN")
    assert (delivery["stoppedOn"], delivery["light"]) == ("2026-03-09", "GREEN")


def test_deadlines_come_with_the_running_ones_first(whole: Whole) -> None:
    deadlines = whole.case(SUPERVISOR, whole.corrected, "deadlines { clock stoppedOn } correctionDue { clock due }")
    assert deadlines["deadlines"] == [
        {"clock": "APPLICANT_CORRECTION", "stoppedOn": None},
        {"clock": "CORRECTION", "stoppedOn": "2026-05-13"},
    ]
    assert deadlines["correctionDue"]["clock"] == "APPLICANT_CORRECTION"
    fresh = whole.case(SUPERVISOR, whole.fresh, "correctionDue { clock light } legalDue { due } deliveryDue { due }")
    assert fresh == {"correctionDue": {"clock": "CORRECTION", "light": "GREEN"}, "legalDue": None, "deliveryDue": None}


def test_materials_say_how_each_is_met_and_what_is_asked(whole: Whole) -> None:
    fields = "asked tolerated materials { material name en: name(lang: EN) how exempt needed asked tolerated }"
    told = whole.case(citizen(UUID(whole.corrected.applicant.id)), whole.corrected, fields)
    found = {each["material"]: each for each in told["materials"]}
    assert told["asked"] == ["premises"]
    assert list(found)[:3] == ["form", "licence-biz", "id-card"]
    assert (found["form"]["how"], found["form"]["exempt"], found["form"]["name"]) == ("UPLOAD", False, "申请表")
    assert (found["licence-biz"]["how"], found["licence-biz"]["exempt"]) == ("E_LICENCE", True)
    assert found["licence-biz"]["en"] == "business licence"
    assert found["premises"]["asked"]
    assert not found["premises"]["tolerated"]


def test_case_shows_its_procedures_claims_fee_and_delivery(whole: Whole) -> None:
    fields = """suspensions { branch kind name start end declared } claims { branch officer }
        fee { amount currency state } commitment { signed checkWithin unit checkDue { due } result }
        delivery { means deliveredOn } district receivedOn"""
    paused = whole.case(SUPERVISOR, whole.paused, fields)
    assert paused["suspensions"] == [
        {
            "branch": "fire", "kind": "EXPERT_REVIEW", "name": "专家评审", "start": "2026-04-24", "end": "2026-05-12",
            "declared": 10,
        }
    ]  # fmt: skip
    assert paused["claims"] == [{"branch": "fire", "officer": "fire-reviewer-1"}]
    assert paused["fee"] == {"amount": "80.00", "currency": "CNY", "state": "ASKED"}
    assert paused["commitment"] == {
        "signed": False,
        "checkWithin": 1,
        "unit": "MONTH",
        "checkDue": None,
        "result": None,
    }
    done = whole.case(SUPERVISOR, whole.done, fields)
    assert done["fee"]["state"] == "PAID"
    assert done["delivery"] == {"means": "COURIER", "deliveredOn": "2026-03-09"}
    assert (done["district"], done["receivedOn"]) == ("310101", "2026-03-02")
    assert whole.case(SUPERVISOR, whole.fresh, "fee { state }")["fee"] is None


def test_reductions_compare_with_what_the_item_took_before(whole: Whole) -> None:
    fields = """reductions { materials { baseline actual } steps { baseline actual }
        workingDays { baseline actual } visits { baseline actual } }"""
    done = whole.case(SUPERVISOR, whole.done, fields)["reductions"]
    assert done["materials"] == {"baseline": 10, "actual": 3}
    assert done["steps"] == {"baseline": 7, "actual": 2}  # filed, paid
    assert done["workingDays"] == {"baseline": 20, "actual": 3}
    assert done["visits"] == {"baseline": 1, "actual": 1}
    fresh = whole.case(SUPERVISOR, whole.fresh, fields)["reductions"]
    assert fresh["workingDays"]["actual"] is None
    assert fresh["visits"]["actual"] == 0


@pytest.mark.parametrize("name", ["paused", "fresh", "corrected", "done", "late"])
def test_critical_minutes_of_all_holders_are_the_time_of_the_case(whole: Whole, name: str) -> None:
    """Invariant 6."""
    life = getattr(whole, name)
    fields = "submittedAt waiting { totalMinutes entries { holder branch minutes workingMinutes critical } }"
    told = whole.case(SUPERVISOR, life, fields)
    entries = told["waiting"]["entries"]
    end = TODAY if name != "done" else life.events[-1].envelope.effective_at
    begun = datetime.fromisoformat(told["submittedAt"])
    assert told["waiting"]["totalMinutes"] == (end - begun).total_seconds() // 60
    assert sum(e["minutes"] for e in entries if e["critical"]) == told["waiting"]["totalMinutes"]
    assert all(0 <= e["workingMinutes"] <= e["minutes"] for e in entries)
    if name == "paused":
        assert any(e["holder"] == "suspended:EXPERT_REVIEW" and e["branch"] == "fire" for e in entries)


def test_queue_is_read_by_deadline_light_state_and_claim(whole: Whole) -> None:
    reviewer = staff("samr", Role.REVIEWER)
    everything = whole.queue(reviewer, "samr")
    ids = [edge["node"]["id"] for edge in everything]
    assert set(ids) == {str(life.id) for life in (whole.paused, whole.fresh, whole.year_end, whole.late)}
    by_due = whole.queue(reviewer, "samr", orderBy="DUE")
    assert [edge["due"]["due"] for edge in by_due] == sorted(edge["due"]["due"] for edge in by_due)
    for light in ("GREEN", "YELLOW", "RED"):
        shown = [edge["node"]["id"] for edge in whole.queue(reviewer, "samr", light=light)]
        assert sorted(shown) == sorted(e["node"]["id"] for e in everything if e["due"]["light"] == light), light
    (fresh,) = whole.queue(reviewer, "samr", state="RECEIVED")
    assert fresh["due"] == {"due": "2026-05-22", "light": "GREEN", "clock": "CORRECTION"}
    fire = staff("fire", Role.REVIEWER)
    assert [edge["claimedBy"] for edge in whole.queue(fire, "fire", claim="ME")] == ["fire-reviewer-1"]
    assert whole.queue(staff("fire", Role.REVIEWER, 2), "fire", claim="ME") == []
    assert len(whole.queue(staff("fire", Role.REVIEWER, 2), "fire", claim="OTHERS")) == 1
    assert len(whole.queue(fire, "fire", claim="NOBODY")) == 2


def test_late_case_is_red_on_the_day_after_even_on_a_rest_day(whole: Whole) -> None:
    due = whole.case(SUPERVISOR, whole.late, "promisedDue { due light remainingWorkingDays }")["promisedDue"]
    assert due == {"due": "2026-05-14", "light": "RED", "remainingWorkingDays": -2}


@pytest.mark.parametrize("order", ["SINCE", "DUE"])
def test_pages_of_a_queue_follow_each_other(whole: Whole, order: str) -> None:
    query = f"""query($after: String) {{ department(code: "samr") {{ queue(first: 1, after: $after, orderBy: {order}) {{
        edges {{ node {{ id }} }} pageInfo {{ endCursor hasNextPage }} }} }} }}"""
    seen, after, more = [], None, True
    while more:
        page = whole.world.ask(SUPERVISOR, query, {"after": after}).data["department"]["queue"]
        seen += [edge["node"]["id"] for edge in page["edges"]]
        after, more = page["pageInfo"]["endCursor"], page["pageInfo"]["hasNextPage"]
    assert seen == [edge["node"]["id"] for edge in whole.queue(SUPERVISOR, "samr", orderBy=order)]
    other = "DUE" if order == "SINCE" else "SINCE"
    foreign = whole.world.ask(SUPERVISOR, query.replace(f"orderBy: {order}", f"orderBy: {other}"), {"after": after})
    assert foreign.response.json()["errors"]


def test_counters_agree_with_the_queue(whole: Whole) -> None:
    query = '{ department(code: "samr") { counters { state light count } } }'
    counters = whole.world.ask(staff("samr", Role.CLERK), query).data["department"]["counters"]
    queue = whole.queue(SUPERVISOR, "samr")
    told = sorted((edge["node"]["state"], edge["due"]["light"]) for edge in queue)
    assert sorted((n["state"], n["light"]) for n in counters for _ in range(n["count"])) == told
    assert whole.world.ask(staff("fire", Role.CLERK), query).data["department"]["counters"] == []


def test_strangers_see_nothing_and_branches_see_the_case(whole: Whole) -> None:
    fields = "number deadlines { due } allowedCommands"
    for actor in (None, staff("tax", Role.REVIEWER), citizen(UUID(int=7)), Actor("i", Role.INTEGRATOR)):
        assert whole.case(actor, whole.paused, fields) is None
        query = '{ department(code: "samr") { counters { count } queue(first: 5, orderBy: DUE) { edges { cursor } } } }'
        seen = whole.world.ask(actor, query).data["department"]
        assert seen == {"counters": [], "queue": {"edges": []}}
    for actor in (staff("fire", Role.REVIEWER), staff("samr", Role.CLERK), whole.paused.applicant):
        assert whole.case(actor, whole.paused, fields)["deadlines"]


def test_allowed_commands_are_those_the_caller_may_give_now(whole: Whole) -> None:
    def allowed(actor: Actor, life: Life) -> set[str]:
        return set(whole.case(actor, life, "allowedCommands")["allowedCommands"])

    acceptor = staff("samr", Role.ACCEPTOR)
    assert allowed(acceptor, whole.fresh) == {
        "AcceptApplication", "ClaimCase", "CorrectOnSpot", "PassPreCheck", "RefuseAcceptance", "RequestCorrection",
        "ReturnPreCheck",
    }  # fmt: skip
    assert allowed(staff("fire", Role.ACCEPTOR), whole.fresh) == {"ClaimCase", "CorrectOnSpot", "RequestCorrection"}
    applicant = whole.fresh.applicant
    assert allowed(applicant, whole.fresh) == {"SignCommitment", "WithdrawApplication"}
    assert allowed(applicant, whole.corrected) == {"SignCommitment", "SubmitCorrection", "WithdrawApplication"}
    assert allowed(applicant, whole.done) == {"RateCase"}
    assert "RecordOpinion" in allowed(staff("fire", Role.REVIEWER), whole.paused)
    # Claimed by another, and no branch of the lead's either.
    assert "RecordOpinion" not in allowed(staff("fire", Role.REVIEWER, 2), whole.paused)
    assert "GrantApproval" not in allowed(staff("samr", Role.DECIDER), whole.paused)
    assert allowed(SUPERVISOR, whole.paused) == set()


def test_page_of_cases_reads_calendars_once(whole: Whole, monkeypatch: pytest.MonkeyPatch) -> None:
    from tongban.graphql import context
    from tongban.projections.calendars import calendars_at

    asked: list[Any] = []

    def counted(cursor: Any, versions: Any) -> Any:
        asked.append(versions)
        return calendars_at(cursor, versions)

    monkeypatch.setattr(context, "calendars_at", counted)
    query = """{ me { cases(first: 20) { edges { node { deadlines { light explanation { last } }
        branches { due } reductions { workingDays { actual } } waiting { totalMinutes } allowedCommands } } } } }"""
    cases = whole.world.ask(whole.fresh.applicant, query).data["me"]["cases"]["edges"]
    assert len(cases) == 6
    assert len(asked) == 1
    assert whole.town.other(calendar_stream(), CALENDAR).version in asked[0]


def test_events_have_titles(whole: Whole) -> None:
    fields = "timeline(first: 50) { edges { node { type title en: title(lang: EN) } } }"
    lines = [edge["node"] for edge in whole.case(SUPERVISOR, whole.paused, fields)["timeline"]["edges"]]
    assert {"type": "case.SpecialProcedureStarted", "title": "特别程序开始",
            "en": "special procedure begun: the clock stops"} in lines  # fmt: skip
