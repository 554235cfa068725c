"""Bundles in, rows out: progress, states of the parts, the one notice, who sees what."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import psycopg
import pytest

from tests.bundles import SHOP_BUNDLE
from tests.commands.office import Office, office
from tests.commands.together import COMPANY, COMPANY_ID, Together, officer, shop, town_of
from tests.projections.conftest import ReadTables
from tests.servers import Database
from tongban.domain.actor import Actor, Role
from tongban.domain.bundle import commands as b
from tongban.domain.case import commands as c
from tongban.domain.case.commands import Defect
from tongban.domain.case.events import Opinion
from tongban.domain.office_time import office_day
from tongban.domain.recorded import Recorded
from tongban.infra.event_codec import decode
from tongban.infra.read_access import ReadAccess
from tongban.projections.bundle_definitions import bundle_in_force, bundle_version, bundle_versions_by_names
from tongban.projections.bundles import (
    BundleRow,
    bundle_by_number,
    bundles_by_ids,
    bundles_of,
    progress_of,
    waits_of,
)


@pytest.fixture
def here(database: Database) -> Iterator[Office]:
    with office(database.url) as opened:
        yield opened


@pytest.fixture
def town(here: Office, database: Database) -> Iterator[Together]:
    with town_of(here, database) as found:
        yield found


def everything(database: Database) -> list[Recorded]:
    with psycopg.connect(database.admin_url) as conn:
        rows = conn.execute("SELECT notification_id, state FROM events.stored_events ORDER BY 1").fetchall()
    return [decode(bytes(state), position) for position, state in rows]


def projected(tables: ReadTables, bundle: UUID) -> BundleRow:
    tables.apply(everything(tables.database))
    with tables.selecting() as cursor:
        return bundles_by_ids(cursor, [bundle])[bundle]


def states(row: BundleRow) -> dict[str, tuple[str, Any]]:
    return {part["item"]: (part["state"], part["result"]) for part in row.parts}


def test_progress_follows_the_parts_from_filing_to_completion(town: Together, tables: ReadTables) -> None:
    bundle, cases = shop(town)
    row = projected(tables, bundle)
    assert (row.state, row.label, row.departments) == (
        "SUBMITTED",
        "2026",
        ["dept-bins", "dept-permit", "dept-sale", "samr"],
    )
    assert progress_of(row) == (0, 3, ("dept:dept-permit", "dept:dept-sale", "dept:dept-bins"))
    for name, case in cases.items():
        town.accept(case, f"dept-{name}")
        town.review(case, [f"dept-{name}"])
    row = projected(tables, bundle)
    assert row.state == "ACCEPTED"
    assert progress_of(row).waiting_for[0] == "task:visit"
    assert {part["item"]: waits_of(row, part) for part in row.parts} == {
        "permit": ("visit", "ALL_DECIDED"),
        "sale": ("permit", "ALL_DECIDED"),
        "bins": ("visit",),
    }
    town.done(
        b.RecordBundleInspection(bundle, "visit", ("甲", "乙"), Opinion.PASS), officer("dept-bins", Role.INSPECTOR)
    )
    for name, case in cases.items():
        town.grant(case, f"dept-{name}")
    row = projected(tables, bundle)
    assert (row.state, progress_of(row).done) == ("DECIDED", 1)
    town.issue(cases["permit"], "dept-permit")
    town.issue(cases["sale"], "dept-sale")
    row = projected(tables, bundle)
    assert (row.state, progress_of(row)) == ("COMPLETED", (3, 3, ()))
    assert states(row) == dict.fromkeys(cases, ("OVER", "GRANTED"))
    assert all(clock["stopped"] for clock in row.clocks.values())


def test_the_one_notice_shows_until_it_is_answered(town: Together, tables: ReadTables) -> None:
    bundle, cases = shop(town)
    town.done(c.RequestCorrection(cases["bins"], (Defect("paper", "unreadable"),)), officer("dept-bins", Role.ACCEPTOR))
    row = projected(tables, bundle)
    assert (row.correction, states(row)["bins"]) == ([], ("BEGUN", None))
    [(due_at,)] = tables.conn.execute("SELECT due_at FROM read.bundle_timer").fetchall()
    assert due_at.astimezone(UTC) > datetime.now(UTC) + timedelta(days=3)
    town.done(b.SendCorrectionNotice(bundle), officer("samr", Role.ACCEPTOR))
    row = projected(tables, bundle)
    assert row.correction == [{"material": "paper", "parts": [{"item": "bins", "materials": ["paper"]}]}]
    assert (states(row)["bins"][0], progress_of(row).waiting_for[0]) == ("CORRECTING", "applicant")
    assert tables.rows("bundle_timer") == []
    [opened] = town.office.vault.unseal(row.sealed["bins"])
    assert opened is not None
    assert opened["problems"] == {"paper": "unreadable"}
    town.done(c.WithdrawApplication(cases["bins"], "r"), COMPANY)
    row = projected(tables, bundle)
    assert (row.correction, row.sealed) == ([], {})


def test_bundles_and_definitions_are_found_by_what_they_are_called(town: Together, tables: ReadTables) -> None:
    bundle, _ = shop(town)
    row = projected(tables, bundle)
    today = office_day(datetime.now(UTC))
    with tables.selecting() as cursor:
        assert bundle_by_number(cursor, row.number) == row
        [(_, found)] = bundles_of(cursor, COMPANY_ID, first=10).rows
        assert found == row
        version = bundle_in_force(cursor, "a-shop", today=today)
        assert version is not None
        assert (version.label, version.definition) == ("2026", SHOP_BUNDLE)
        assert bundle_in_force(cursor, "a-shop", today=today, label="1999") is None
        assert bundle_version(cursor, "a-shop", 1) == version
        assert bundle_versions_by_names(cursor, [("a-shop", 1), ("none", 1)]) == {("a-shop", 1): version}


def test_who_takes_part_sees_the_bundle_and_the_lead_sees_every_case(
    town: Together, tables: ReadTables, access: ReadAccess
) -> None:
    bundle, cases = shop(town)
    projected(tables, bundle)

    def seen(actor: Actor | None) -> tuple[bool, set[str]]:
        with access.reading(actor) as cursor:
            found = {row[0] for row in cursor.execute("SELECT id FROM case_view").fetchall()}
            whole = {row[0] for row in cursor.execute("SELECT id FROM bundle_view").fetchall()}
            return whole == {bundle}, {name for name, case in cases.items() if case in found}

    assert seen(None) == (False, set())
    assert seen(COMPANY) == (True, {"permit", "sale", "bins"})
    assert seen(officer("samr", Role.ACCEPTOR)) == (True, {"permit", "sale", "bins"})
    assert seen(officer("dept-sale", Role.REVIEWER)) == (True, {"sale"})
    assert seen(officer("fire", Role.REVIEWER)) == (False, set())
    assert seen(Actor("x", Role.SUPERVISOR)) == (True, {"permit", "sale", "bins"})
