"""Reference data through the command API: seeding, and calendars from a file."""

from __future__ import annotations

import json
from datetime import date
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from tests.api.serving import Tongban
from tongban.bootstrap.errors import NotConfigured
from tongban.bootstrap.loading import import_calendars, run_seed
from tongban.infra.reference import sample_bundles, sample_calendars, sample_items
from tongban.infra.settings import Settings

YEAR = {"year": 2031, "off": ["2031-01-01"], "worked": ["2031-01-04"], "source": "a notice"}


@pytest.fixture
def settings(system: Tongban) -> Settings:
    return system.settings.model_copy(update={"port": urlsplit(system.url).port})


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "calendar.json"


def write(file: Path, *calendars: object) -> None:
    file.write_text(json.dumps({"calendars": calendars}))


def test_seeding_twice_changes_nothing(system: Tongban, settings: Settings) -> None:
    first = run_seed(settings)
    assert sum(first.values()) == len(sample_items()) + len(sample_bundles()) + len(sample_calendars())
    before = system.events()
    assert run_seed(settings)["unchanged"] == sum(first.values())
    assert system.events() == before


def test_a_calendar_file_is_imported_once_and_can_be_taken_back(settings: Settings, file: Path) -> None:
    write(file, YEAR, {**YEAR, "year": 2032, "off": ["2032-01-01"], "worked": []})
    assert import_calendars(settings, file) == {"imported": 2, "unchanged": 0}
    assert import_calendars(settings, file) == {"imported": 0, "unchanged": 2}
    write(file, {**YEAR, "worked": []})
    assert import_calendars(settings, file) == {"imported": 1, "unchanged": 0}
    write(file, YEAR)
    assert import_calendars(settings, file) == {"imported": 1, "unchanged": 0}


@pytest.mark.parametrize(
    ("calendar", "said"),
    [
        ({**YEAR, "year": "soon"}, "/calendars/1/year"),
        ({**YEAR, "off": ["2031-02-30"]}, "/calendars/1/off/0"),
        ({**YEAR, "off": ["2030-01-01"]}, "/calendars/1/off/0: 2030-01-01 is not in 2031"),
        ({**YEAR, "worked": ["2031-01-06"]}, "/calendars/1/worked/0: 2031-01-06 is no weekend day"),
        ({"year": 2031}, "/calendars/1/off"),
        (7, "/calendars/1"),
    ],
)
def test_a_file_with_a_wrong_year_is_refused_whole(
    system: Tongban, settings: Settings, file: Path, calendar: object, said: str
) -> None:
    write(file, {**YEAR, "year": 2033, "off": ["2033-01-01"], "worked": []}, calendar)
    before = system.events()
    with pytest.raises(NotConfigured, match=said):
        import_calendars(settings, file)
    assert system.events() == before


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"calendar": []}', "\x00"])
def test_what_is_no_calendar_file_is_refused(settings: Settings, file: Path, text: str) -> None:
    file.write_text(text)
    with pytest.raises(NotConfigured, match=r"calendar\.json: "):
        import_calendars(settings, file)


def test_a_file_that_is_not_there_is_said_so(settings: Settings, file: Path) -> None:
    with pytest.raises(NotConfigured, match="cannot be read: No such file"):
        import_calendars(settings, file)


def test_the_calendars_that_come_along_are_those_of_two_years() -> None:
    assert [(calendar.year, len(calendar.off)) for calendar in sample_calendars()] == [(2025, 28), (2026, 33)]
    assert date(2026, 2, 14) in sample_calendars()[1].worked
