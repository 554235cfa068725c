"""After an import of the calendar every open case that it may move is asked once per look, whatever dies meanwhile."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from typing import Any, NamedTuple
from uuid import UUID, uuid4

import psycopg
import pytest
from prometheus_client import CollectorRegistry
from psycopg import Connection
from psycopg.types.json import Jsonb

from tests.servers import Database
from tongban.consumers.failures import TransientFailure
from tongban.consumers.metrics import TimerMetrics
from tongban.consumers.orders import GiveAll, Order
from tongban.consumers.recomputing import Recomputing
from tongban.domain.timers import recomputation
from tongban.infra.database import DbRole, connect

NOW = datetime(2026, 11, 20, tzinfo=UTC)


class Ask(NamedTuple):
    """Stands for the command, whatever it is."""

    case_id: UUID


class Taking:
    """A write side that takes everything, but for the first page after `full_after` pages."""

    def __init__(self, full_after: int | None = None) -> None:
        self.pages: list[list[Order]] = []
        self.full_after = full_after

    def __call__(self, orders: Sequence[Order]) -> list[Exception | None]:
        if self.full_after == len(self.pages):
            self.full_after = None
            return [TransientFailure("full") for _ in orders]
        self.pages.append(list(orders))
        return [None for _ in orders]

    @property
    def cases(self) -> list[UUID]:
        return [order.command.case_id for page in self.pages for order in page]


@pytest.fixture
def conn(database: Database) -> Iterator[Connection[tuple[Any, ...]]]:
    with connect(database.url, DbRole.PROJECTOR) as opened:
        yield opened


def recomputing(give: GiveAll, page: int = 100) -> Recomputing:
    return Recomputing(give, TimerMetrics(CollectorRegistry()), Ask, page=page)


def until_nothing(conn: Connection[tuple[Any, ...]], worker: Recomputing) -> None:
    while worker.turn(conn) >= 0:
        pass


def clock(start: str, due: str, **changes: Any) -> dict[str, Any]:
    return {"start": start, "due": due, "stopped": None, "provisional": False, **changes}


def has_case(conn: Connection[tuple[Any, ...]], clocks: Any, **changes: Any) -> UUID:
    """A row of the read table with these clocks; what is not named is anything."""
    case = uuid4()
    anything = {
        "uuid": case,
        "text": str(case),
        "integer": 1,
        "bigint": 1,
        "ARRAY": [],
        "jsonb": Jsonb({}),
        "timestamp with time zone": NOW,
        "boolean": False,
    }
    needed = conn.execute(
        "SELECT column_name, data_type FROM information_schema.columns"
        " WHERE table_schema = 'read' AND table_name = 'case_view' AND is_nullable = 'NO'"
    )
    row = {name: anything[kind] for name, kind in needed} | {"id": case, "clocks": Jsonb(clocks)} | changes
    names = psycopg.sql.SQL(", ").join(map(psycopg.sql.Identifier, row))
    values = psycopg.sql.SQL(", ").join([psycopg.sql.Placeholder()] * len(row))
    statement = psycopg.sql.SQL("INSERT INTO read.case_view ({}) VALUES ({})").format(names, values)
    conn.execute(statement, list(row.values()))
    return case


def imports(conn: Connection[tuple[Any, ...]], version: int, year: int) -> None:
    conn.execute(
        "INSERT INTO read.calendar_version_view VALUES (%s, %s, '{}', '{}', 'notice', %s, %s, 1)",
        (version, year, NOW, version),
    )


def a_minute_later(conn: Connection[tuple[Any, ...]]) -> None:
    conn.execute("UPDATE consumers.recomputation SET not_before = not_before - interval '61 seconds'")


def test_open_cases_whose_clocks_the_year_may_move_are_asked_and_asked_again_a_while_later(
    conn: Connection[tuple[Any, ...]],
) -> None:
    touched = has_case(conn, {"LEGAL": clock("2026-12-28", "2027-01-22")})
    provisional = has_case(conn, {"LEGAL": clock("2028-01-03", "2028-02-01", provisional=True)})
    second = has_case(conn, {"A": clock("2026-01-05", "2026-02-02"), "B": clock("2027-03-01", "2027-03-05")})
    has_case(conn, {"LEGAL": clock("2026-01-05", "2026-02-02")})
    has_case(conn, {"LEGAL": clock("2026-12-28", "2027-01-22", stopped="2027-01-05")})
    has_case(conn, {"LEGAL": clock("2026-12-28", "2027-01-22")}, closed_at=NOW)
    has_case(conn, {})
    imports(conn, 1, 2027)
    give = Taking()
    worker = recomputing(give)
    until_nothing(conn, worker)
    assert give.cases == sorted([touched, provisional, second])
    a_minute_later(conn)
    until_nothing(conn, worker)
    assert give.cases == 2 * sorted([touched, provisional, second])
    ids = [order.id for page in give.pages for order in page]
    assert len(set(ids)) == len(ids)
    assert ids[0] == recomputation(give.cases[0], 1, 1)
    until_nothing(conn, worker)
    assert len(give.cases) == 6


def test_a_page_that_is_not_taken_is_given_again_and_those_before_it_are_not(conn: Connection[tuple[Any, ...]]) -> None:
    cases = sorted(has_case(conn, {"LEGAL": clock("2027-03-01", "2027-03-26")}) for _ in range(10))
    imports(conn, 1, 2027)
    give = Taking(full_after=2)
    assert [recomputing(give, page=3).turn(conn) for _ in range(2)] == [3, 3]
    with pytest.raises(TransientFailure):
        recomputing(give, page=3).turn(conn)
    until_nothing(conn, recomputing(give, page=3))  # another process, after a restart
    assert give.cases == cases
    row = conn.execute("SELECT cases, done FROM consumers.recomputation WHERE turn = 1").fetchone()
    assert row == (10, True)


def test_a_page_is_given_by_one_process_at_a_time(database: Database, conn: Connection[tuple[Any, ...]]) -> None:
    has_case(conn, {"LEGAL": clock("2027-03-01", "2027-03-26")})
    imports(conn, 1, 2027)
    found = []

    def meanwhile(orders: Sequence[Order]) -> list[Exception | None]:
        with connect(database.url, DbRole.PROJECTOR) as other:
            found.append(recomputing(Taking()).turn(other))
        return [None for _ in orders]

    assert recomputing(meanwhile).turn(conn) == 1
    assert found == [-1]


def test_each_import_is_a_reason_of_its_own(conn: Connection[tuple[Any, ...]]) -> None:
    case = has_case(conn, {"LEGAL": clock("2026-12-28", "2027-01-22")})
    give = Taking()
    for version, year in ((1, 2026), (2, 2027), (3, 2028)):
        imports(conn, version, year)
        until_nothing(conn, recomputing(give))
    assert give.cases == [case, case]
    assert {order.id for page in give.pages for order in page} == {
        recomputation(case, 1, 1),
        recomputation(case, 2, 1),
    }
