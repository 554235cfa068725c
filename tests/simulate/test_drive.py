"""The simulation against the real command API on a real database."""

import itertools
import os
import signal
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest

from tests.servers import Database
from tests.simulate.service import Service, running_service
from tongban.api.limits import Limits
from tongban.domain.case.events import Channel
from tongban.infra.embedded.ports import free_ports
from tongban.simulate import CannotSimulate, simulate
from tongban.simulate.client import IssueToken
from tongban.simulate.plan import plan_case
from tongban.simulate.shares import Ending

# The parts of a bundle are filed by the system.
FILED = (
    "SELECT count(*) FROM events.stored_events WHERE topic = 'bundle.BundleSubmitted' OR"
    " (topic = 'case.ApplicationSubmitted' AND convert_from(state, 'UTF8')::json #>> '{data,bundle}' IS NULL)"
)
CASES = 40
MANY = 2000
SIDE_PATHS = {
    *("by_agent", "pre_checked", "pre_check_returned", "corrected_on_spot", "correction_requested", "released"),
    *("correction_submitted", "material_obtained", "tolerated_and_supplemented", "deemed_accepted", "claimed"),
    *("reassigned", "consulted", "inspected", "suspended", "resumed", "hearing_offered", "extended", "fee_paid"),
    *("fee_refunded", "committed", "commitment_checked", "archived", "overdue", "bundle", "bundle_inspected_jointly"),
    "bundle_corrected",
}
# What sources were asked, and what the system does by itself, comes on top of what the simulation asked for.
OF_COMMANDS = (
    "SELECT count(*) FROM events.stored_events WHERE topic NOT LIKE 'sharing.%'"
    " AND convert_from(state, 'UTF8')::json #>> '{actor,role}' <> 'system'"
)


@pytest.fixture(scope="module")
def service(module_database: Database, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    """The service with the sample catalogue published."""
    with running_service(module_database.url, tmp_path_factory.mktemp("service")) as running:
        running.publish_catalogue()
        yield running


def stored(database: Database, query: str) -> list[tuple[Any, ...]]:
    """Rows of the event store."""
    with psycopg.connect(database.admin_url) as connection:
        return connection.execute(query.encode()).fetchall()


def after_tokens(number: int, issue: IssueToken, act: Callable[[], None]) -> IssueToken:
    """Issues tokens, and acts once when so many have been asked for: a moment that lies within the run."""
    asked = itertools.count(1)

    def token(role: str, subject: str, department: str | None) -> str:
        if next(asked) == number:
            act()
        return issue(role, subject, department)

    return token


def test_every_command_is_accepted_and_the_store_has_what_the_summary_says(
    service: Service, module_database: Database
) -> None:
    before = stored(module_database, OF_COMMANDS)[0][0]
    summary = simulate(service.url, service.token, CASES, seed=1)
    after = stored(module_database, OF_COMMANDS)[0][0]
    plans = [plan_case(1, index, 1) for index in range(CASES)]
    assert summary["commands"]["refused"] == {}
    assert summary["commands"]["sent"] >= sum(len(plan.steps) for plan in plans) + summary["parties"]
    assert summary["events"] == after - before
    assert summary["cases"] == CASES
    assert summary["by_channel"] == Counter(str(plan.channel) for plan in plans)
    assert summary["by_ending"] == Counter(str(plan.ending) for plan in plans)
    over = sum(plan.ending not in (Ending.OPEN, Ending.LAPSED) for plan in plans if not plan.bundle)
    assert summary["by_state"]["CLOSED"] + summary["by_state"]["ARCHIVED"] >= over
    assert "stopped" not in summary


@pytest.mark.parametrize("many", [pytest.param(600, id="600"), pytest.param(MANY, id="many", marks=pytest.mark.soak)])
def test_cases_go_every_way_and_no_rule_refuses_anything(database: Database, tmp_path: Path, many: int) -> None:
    with running_service(database.url, tmp_path) as here:
        here.publish_catalogue()
        summary = simulate(here.url, here.token, many, seed=2018, days=2)
    assert summary["commands"]["refused"] == {}
    assert summary["cases"] == many
    assert summary["commands"]["batches"] > 1
    assert {"GRANTED", "OPEN", "DENIED", "WITHDRAWN", "NOT_ACCEPTED", "LAPSED"} == set(summary["by_ending"])
    assert set(summary["side_paths"]) >= SIDE_PATHS
    unexpected = "SELECT kind, problem FROM consumers.due_timer WHERE problem IS NOT NULL"
    assert stored(database, unexpected) == []
    assert stored(database, "SELECT * FROM consumers.parked") == []


def test_papers_are_uploaded_and_those_that_a_source_does_not_have_after_all(
    service: Service, module_database: Database
) -> None:
    failed = "SELECT count(*) FROM events.stored_events WHERE topic = 'sharing.ExemptionFailed'"
    before = stored(module_database, failed)[0][0]
    summary = simulate(service.url, service.token, CASES, seed=12)
    assert not {"material-not-met", "upload-unknown"} & set(summary["commands"]["refused"])
    assert 0 < summary["exemptions_failed"] <= stored(module_database, failed)[0][0] - before
    named = stored(
        module_database,
        "SELECT DISTINCT c.event #>> '{data,applicant}', e.evidence ->> 'ref' FROM"
        " (SELECT convert_from(state, 'UTF8')::json AS event FROM events.stored_events"
        " WHERE topic = 'case.ApplicationSubmitted') AS c,"
        " json_array_elements(c.event -> 'evidence') AS e (evidence) WHERE e.evidence ->> 'how' = 'UPLOAD'",
    )
    kept = stored(module_database, "SELECT owner::text, 'sha256:' || encode(digest, 'hex') FROM materials.upload")
    assert named
    assert set(named) <= set(kept)


def test_simulating_again_repeats_nothing_and_more_cases_go_on_from_there(
    service: Service, module_database: Database
) -> None:
    count = OF_COMMANDS
    first = simulate(service.url, service.token, 20, seed=2, days=3)
    events = stored(module_database, count)
    again = simulate(service.url, service.token, 20, seed=2, days=3)
    assert stored(module_database, count) == events
    assert again["commands"] == {**first["commands"], "repeated": first["commands"]["accepted"]}
    assert (again["events"], first["commands"]["repeated"]) == (0, 0)
    more = simulate(service.url, service.token, 30, seed=2, days=3)
    assert more["commands"]["refused"] == {}
    assert stored(module_database, count)[0][0] - events[0][0] == more["events"]


def test_late_entries_take_effect_in_order_before_they_are_written_and_online_ones_at_once(
    service: Service, module_database: Database
) -> None:
    simulate(service.url, service.token, CASES, seed=3, days=5)
    rows = stored(
        module_database,
        "SELECT convert_from(state, 'UTF8')::json FROM events.stored_events"
        " WHERE topic LIKE 'case.%' ORDER BY notification_id",
    )
    channels: dict[str, str] = {}
    latest: dict[str, str] = {}
    for (event,) in rows:
        stream = event["stream"]
        channel = channels.setdefault(stream, event["data"].get("channel"))
        if event["actor"]["role"] == "system":
            continue  # what a bundle hands on takes effect when it did in the bundle
        assert latest.get(stream, "") <= event["effective_at"] <= event["recorded_at"]
        online = channel in (Channel.WEB, Channel.APP)
        if event["type"] != "case.CaseArchived":
            assert (event["effective_at"] == event["recorded_at"]) == online
        latest[stream] = event["effective_at"]


def test_a_service_that_says_slow_down_is_waited_for(module_database: Database, tmp_path: Path) -> None:
    limits = Limits(commands_per_second=5.0, commands_burst=2)
    with running_service(module_database.url, tmp_path, limits=limits) as slow:
        summary = simulate(slow.url, slow.token, 6, seed=4)
    assert set(summary["commands"]["refused"]) <= {"item-not-published"}
    assert summary["commands"]["retries"] > 0


def test_a_refusal_is_counted_by_its_code_and_ends_only_its_case(service: Service) -> None:
    def no_reviewers(role: str, subject: str, department: str | None) -> str:
        return service.token("inspector" if role == "reviewer" else role, subject, department)

    summary = simulate(service.url, no_reviewers, 10, seed=5)
    assert set(summary["commands"]["refused"]) == {"role-not-allowed"}
    assert summary["cases"] == 10
    assert summary["by_ending"]["CUT_SHORT"] == summary["commands"]["refused"]["role-not-allowed"]


def test_an_expired_token_is_asked_for_anew_once(service: Service) -> None:
    given: set[tuple[str, str]] = set()

    def short_lived(role: str, subject: str, department: str | None) -> str:
        if (role, subject) in given:
            return service.token(role, subject, department)
        given.add((role, subject))
        return service.expired(role, subject, department)

    assert simulate(service.url, short_lived, 5, seed=6)["commands"]["refused"] == {}


def test_ctrl_c_ends_it_with_the_summary_so_far(service: Service) -> None:
    interrupted = after_tokens(150, service.token, lambda: os.kill(os.getpid(), signal.SIGINT))
    summary = simulate(service.url, interrupted, 100_000, seed=7)
    assert summary["stopped"] == "interrupted"
    assert 0 < summary["cases"] < 100_000


def test_a_run_that_was_cut_off_is_resumed_without_repeating_anything(
    service: Service, module_database: Database
) -> None:
    before = stored(module_database, FILED)[0][0]
    interrupted = after_tokens(60, service.token, lambda: os.kill(os.getpid(), signal.SIGINT))
    cut_off = simulate(service.url, interrupted, 150, seed=8)
    assert cut_off["stopped"] == "interrupted"
    summary = simulate(service.url, service.token, 150, seed=8)
    assert summary["commands"]["refused"] == {}
    assert stored(module_database, FILED)[0][0] - before == summary["cases"] == 150


def test_a_service_that_restarts_in_the_middle_loses_nothing(database: Database, tmp_path: Path) -> None:
    summaries: list[dict[str, Any]] = []
    well_under_way = threading.Event()
    with running_service(database.url, tmp_path) as first:
        first.publish_catalogue()
        token = after_tokens(60, first.token, well_under_way.set)
        run = threading.Thread(target=lambda: summaries.append(simulate(first.url, token, 150, seed=9)), daemon=True)
        run.start()
        assert well_under_way.wait(30)
    with running_service(database.url, tmp_path, port=first.settings.port):
        run.join(60)
    assert summaries[0]["commands"]["refused"] == {}
    assert summaries[0]["commands"]["retries"] > 0
    assert stored(database, FILED) == [(150,)]


def test_a_service_that_is_gone_ends_it_and_the_summary_says_so() -> None:
    summary = simulate(f"http://127.0.0.1:{free_ports(1)[0]}", lambda *_: "token", 5, patience=0.3)
    assert "gave no answer" in summary["stopped"]
    assert summary["commands"]["sent"] == 0


def test_nothing_to_simulate_is_refused_before_anything_is_sent() -> None:
    def never(role: str, subject: str, department: str | None) -> str:
        raise AssertionError

    with pytest.raises(CannotSimulate):
        simulate("http://127.0.0.1:1", never, 5, days=0)
