"""Comparing limits in different units, without a calendar: whether one can never be later than another.

A promise is compared at its longest with the law at its shortest, over ordinary weeks of five working days and real
months. Public holidays are left out: they move with the year, and what they do to one case shows in its own clocks,
which run side by side. So 5 working days are within 7 days, 20 working days within 30 days, 10 not within 12.
"""

from __future__ import annotations

from collections.abc import Mapping
from itertools import accumulate, cycle, islice
from typing import Any

WORKING_DAY, CALENDAR_DAY, MONTH = "WORKING_DAY", "CALENDAR_DAY", "MONTH"
UNITS = frozenset({WORKING_DAY, CALENDAR_DAY, MONTH})

_WEEK = 5
_WEEKEND = 2
_YEAR = (31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31)
_MONTHS = (*_YEAR * 3, 31, 29, *_YEAR[2:])  # four years, the last a leap year


def within(promise: Mapping[str, Any], law: Mapping[str, Any]) -> bool:
    """Whether a promise (value, unit) is kept within a limit of law whatever day it starts on."""
    if promise["unit"] == law["unit"]:
        return bool(promise["value"] <= law["value"])
    return longest(promise) <= shortest(law)


def longest(limit: Mapping[str, Any]) -> int:
    """The most calendar days a limit can last. 5 working days from a Friday end on the next Friday: 7."""
    value: int = limit["value"]
    match limit["unit"]:
        case "WORKING_DAY":
            return value + _WEEKEND * -(-value // _WEEK)
        case "MONTH":
            return max(_spans(value))
        case _:
            return value


def shortest(limit: Mapping[str, Any]) -> int:
    """The fewest calendar days a limit can last. 5 working days from a Sunday end on the Friday: 5."""
    value: int = limit["value"]
    match limit["unit"]:
        case "WORKING_DAY":
            return value + _WEEKEND * ((value - 1) // _WEEK)
        case "MONTH":
            return min(_spans(value))
        case _:
            return value


def _spans(months: int) -> list[int]:
    days = list(islice(accumulate(cycle(_MONTHS), initial=0), months + len(_MONTHS) + 1))
    return [days[start + months] - days[start] for start in range(len(_MONTHS))]
