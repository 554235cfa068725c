"""The table of limits, and the sample catalogue's agreement with it."""

from __future__ import annotations

import re
from datetime import date
from typing import Any

import pytest

from tests.calendars import CALENDAR
from tongban.domain.clock import Limit, Unit, extend_clock, start_clock
from tongban.domain.rules import (
    ART_45,
    DECISION,
    DECISION_EXTENSION,
    JOINT_DECISION,
    JOINT_EXTENSION,
    OVERRIDES,
    RENEWAL_IN_TIME,
    RULES,
)
from tongban.infra.reference import sample_items

ITEMS = {item["id"]: item for item in sample_items()}


def limit_of(told: dict[str, Any]) -> Limit:
    return Limit(told["value"], Unit(told["unit"]))


def test_every_rule_of_the_law_is_in_the_table_in_order() -> None:
    numbers = [int(rule.number[1:]) for rule in RULES.values()]
    assert numbers == sorted(numbers)
    assert set(numbers) == set(range(1, 14))


def test_every_limit_has_a_basis_or_is_a_choice_of_this_project() -> None:
    assert {rule.name for rule in RULES.values() if not re.search(r"art\. \d", rule.basis)} == {
        "correction-by-applicant",
        "tolerated-material",
    }


def test_days_of_the_licensing_law_are_working_days() -> None:
    units = {rule.limit.unit for rule in RULES.values() if rule.limit is not None and rule.number != "R12"}
    assert units == {Unit.WORKING_DAY}


def test_an_on_site_check_does_not_stop_the_clock() -> None:
    assert "INSPECTION_TEST" in ART_45
    assert not ART_45 & {"ON_SITE_INSPECTION", "INSPECTION", "PUBLIC_ANNOUNCEMENT"}


def test_a_decision_takes_twenty_days_and_ten_more_a_joint_one_forty_five_and_fifteen() -> None:
    start = date(2026, 3, 2)
    for (limit, basis), extension, days in ((DECISION, DECISION_EXTENSION, 30), (JOINT_DECISION, JOINT_EXTENSION, 60)):
        clock = extend_clock(start_clock("LEGAL", basis, start, limit, CALENDAR), extension, CALENDAR)
        assert clock.due == CALENDAR.add_working_days(start, days)


def test_a_renewal_is_in_time_until_thirty_working_days_before_the_expiry() -> None:
    expiry = date(2026, 6, 30)
    last = CALENDAR.add_working_days(expiry, -RENEWAL_IN_TIME)
    assert last == date(2026, 5, 18)
    assert CALENDAR.working_days_between(last, expiry) == RENEWAL_IN_TIME


@pytest.mark.parametrize(
    ("item", "kind"),
    [
        ("property-transfer", "real-estate-registration"),
        ("mortgage-registration", "real-estate-registration"),
        ("mortgage-cancel", "real-estate-mortgage-cancellation"),
        ("inheritance-transfer", "real-estate-inheritance-without-deed"),
        ("company-registration", "company-registration"),
    ],
)
def test_items_with_a_law_of_their_own_have_its_limit(item: str, kind: str) -> None:
    entry, override = ITEMS[item], OVERRIDES[kind]
    assert limit_of(entry["legalTimeLimit"]) == override.limit
    extension = entry["extension"]
    added = Limit(extension["maxDays"], Unit(extension["unit"])) if extension["allowed"] else None
    assert added == override.extension


def test_what_stops_the_clock_of_an_item_is_in_art_45_or_in_its_own_law() -> None:
    own = {"inheritance-transfer": OVERRIDES["real-estate-inheritance-without-deed"].stops}
    for item in ITEMS.values():
        stopping = {procedure["type"] for procedure in item["specialProcedures"] if procedure["stopsClock"]}
        assert stopping <= ART_45 | own.get(item["id"], frozenset()), item["id"]


@pytest.mark.parametrize("item", ["company-registration", "seal-filing", "invoice", "employer-social-insurance"])
def test_starting_a_company_is_promised_within_its_law(item: str) -> None:
    assert limit_of(ITEMS[item]["promisedTimeLimit"]) == OVERRIDES["company-start"].limit
