"""A catalogue goes out of one system as a file and into another, each entry judged alone."""

from __future__ import annotations

import json
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from typer.testing import CliRunner

from tests.api.serving import Tongban
from tongban import cli
from tongban.bootstrap.catalogue import Judged, check_items, export_items, import_items
from tongban.bootstrap.errors import NotConfigured
from tongban.domain.office_time import office_day
from tongban.infra import history
from tongban.infra.database import DbRole, connect
from tongban.infra.event_codec import decode
from tongban.infra.reference import sample_items
from tongban.infra.settings import Settings
from tongban.projections.registry import apply_batch

ENTRIES = sample_items()
UNLAWFUL: dict[str, Any] = ENTRIES[3] | {
    "promisedTimeLimit": {"value": 99, "unit": "WORKING_DAY"},
    "legalTimeLimit": None,
}


@pytest.fixture
def settings(system: Tongban) -> Settings:
    return system.settings.model_copy(update={"port": urlsplit(system.url).port})


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "items.json"


def write(file: Path, *entries: Any) -> None:
    file.write_text(json.dumps({"items": entries}, ensure_ascii=False), "utf-8")


def project(settings: Settings) -> None:
    """Bring the read tables up to date, as the projector does."""
    with connect(settings.database_url, DbRole.PROJECTOR) as conn, conn.transaction(), conn.cursor() as cursor:
        events = [decode(state, position) for position, _, _, _, state in history.all_events(conn)]
        cursor.execute("SET LOCAL search_path TO read")
        apply_batch(cursor, events)


def results(judged: list[Judged]) -> list[str]:
    return [entry.result for entry in judged]


def test_what_is_exported_is_imported_without_a_change(system: Tongban, settings: Settings, file: Path) -> None:
    write(file, *ENTRIES)
    assert set(results(import_items(settings, file))) <= {"published", "unchanged"}
    project(settings)
    exported = [row.definition for row in export_items(settings)]
    assert {entry["id"]: entry for entry in ENTRIES}.items() <= {entry["id"]: entry for entry in exported}.items()
    write(file, *exported)
    before = system.events()
    assert set(results(import_items(settings, file))) == {"unchanged"}
    assert set(results(check_items(settings, file))) == {"unchanged"}
    assert system.events() == before


def test_each_entry_is_judged_alone(settings: Settings, file: Path) -> None:
    broken = ENTRIES[0] | {"visits": "many"}
    named = ENTRIES[1] | {"nameEn": "birth certificate, anew"}
    write(file, broken, "no entry", named, ENTRIES[2] | {"materialsBasis": None})
    judged = import_items(settings, file)
    assert [(entry.result, entry.code, entry.at) for entry in judged] == [
        ("refused", "invalid-item", "/visits"),
        ("refused", "invalid-body", "/item"),
        ("published", None, None),
        ("refused", "material-without-basis", "/materials/0/basis"),
    ]
    write(file, ENTRIES[1])
    assert results(import_items(settings, file)) == ["published"]


def test_a_file_may_be_for_a_later_day(settings: Settings, file: Path) -> None:
    write(file, ENTRIES[5] | {"nameEn": "later"})
    later = office_day(datetime.now(UTC)) + timedelta(days=40)
    assert results(import_items(settings, file, later)) == ["published"]
    assert results(import_items(settings, file, later)) == ["unchanged"]
    refused = import_items(settings, file, date(2020, 1, 1))
    assert [entry.code for entry in refused] == ["effective-from-in-past"]


def test_a_check_publishes_nothing(system: Tongban, settings: Settings, file: Path) -> None:
    new = ENTRIES[6] | {"nameEn": "something new"}
    write(file, new, new, UNLAWFUL | {"caseType": {"code": "1"}}, 7)
    before = system.events()
    assert [(entry.id, entry.result, entry.code, entry.at) for entry in check_items(settings, file)] == [
        (new["id"], "lawful", None, None),
        (new["id"], "refused", "invalid-item", "/id"),
        (UNLAWFUL["id"], "refused", "invalid-item", "/promisedTimeLimit"),
        (None, "refused", "invalid-item", ""),
    ]
    assert system.events() == before


@pytest.mark.parametrize("text", ["", "{}", "[]", '{"items": 7}', "7"])
def test_a_file_without_entries_is_refused(settings: Settings, file: Path, text: str) -> None:
    file.write_text(text)
    with pytest.raises(NotConfigured, match=r"items\.json"):
        import_items(settings, file)


def test_a_file_that_is_not_there_is_named(settings: Settings, file: Path) -> None:
    with pytest.raises(NotConfigured, match="cannot be read"):
        check_items(settings, file)


def test_the_command_line_says_what_became_of_each(
    settings: Settings, file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(cli, "load_settings", lambda: settings)
    run = CliRunner().invoke
    write(file, *ENTRIES)
    assert run(cli.app, ["catalogue", "import", str(file)]).exit_code == 0
    project(settings)
    exported = run(cli.app, ["catalogue", "export", "--json"])
    file.write_text(exported.stdout, "utf-8")
    assert (
        f"{len(json.loads(exported.stdout)['items'])} unchanged"
        in run(cli.app, ["catalogue", "import", str(file)]).stdout
    )
    assert "food-licence" in run(cli.app, ["catalogue", "export"]).stdout
    write(file, ENTRIES[0] | {"visits": -1})
    for arguments in (["--check"], [], ["--json"]):
        refused = run(cli.app, ["catalogue", "import", str(file), *arguments])
        assert refused.exit_code == 1
        assert "/visits" in refused.stdout
