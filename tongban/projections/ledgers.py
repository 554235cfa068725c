"""Clocks in JSON, as read rows hold them: written as events hold them, read back by hand, which takes a few µs."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Any

import orjson

from tongban.domain.clock import Clock, Extension, Limit, Pause, Unit
from tongban.domain.lights import limit_in_working_days


def clock_as_json(clock: Clock) -> dict[str, Any]:
    """A clock with its whole ledger: the names of its fields, days as YYYY-MM-DD."""
    written: dict[str, Any] = orjson.loads(orjson.dumps(clock))
    return written


def clock_from_json(written: Mapping[str, Any]) -> Clock:
    """The clock that was written so."""
    stopped = written["stopped"]
    return Clock(
        name=written["name"],
        basis=written["basis"],
        start=date.fromisoformat(written["start"]),
        limit=_limit(written["limit"]),
        extensions=tuple(Extension(_limit(each["limit"]), each["basis"]) for each in written["extensions"]),
        pauses=tuple(map(_pause, written["pauses"])),
        due=date.fromisoformat(written["due"]),
        provisional=written["provisional"],
        stopped=None if stopped is None else date.fromisoformat(stopped),
        calendar=written.get("calendar"),
    )


def days_given(written: Mapping[str, Any]) -> int:
    """How many working days the limit and the extensions of a clock give (see `domain.lights`)."""
    limits = (written["limit"], *(each["limit"] for each in written["extensions"]))
    return sum(limit_in_working_days(_limit(limit)) for limit in limits)


def _limit(written: Mapping[str, Any]) -> Limit:
    return Limit(written["value"], Unit(written["unit"]))


def _pause(written: Mapping[str, Any]) -> Pause:
    end = written["end"]
    return Pause(
        kind=written["kind"],
        start=date.fromisoformat(written["start"]),
        end=None if end is None else date.fromisoformat(end),
        declared=written["declared"],
    )
