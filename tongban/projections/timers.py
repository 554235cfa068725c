"""What is to be done, and when, unless something is done before? One row per case and kind (`timer`), by its clocks."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import date, datetime
from typing import Any, NamedTuple
from uuid import UUID

from tongban.domain.case.state import IN_REVIEW
from tongban.domain.timers import CLOCK_TIMERS, RENEWAL, after
from tongban.projections.cases import CASES, CaseRow
from tongban.projections.projection import DerivedTable


class TimerRow(NamedTuple):
    """At `due_at` (UTC) the command of this kind is given to the stream."""

    stream: UUID
    kind: str
    due_at: datetime


def timers_of(stream: UUID, clocks: Mapping[str, Mapping[str, Any]], kinds: Iterable[str]) -> Iterable[TimerRow]:
    """The timers of running clocks. One that is paused has none until it is resumed, as its day is not known.

    `clocks`: name → clock as JSON: `due` (YYYY-MM-DD), `stopped` or null, `pauses` with `end` or null.
    """
    for kind in kinds:
        clock = clocks.get(kind)
        if clock is None or clock["stopped"] is not None or any(pause["end"] is None for pause in clock["pauses"]):
            continue
        yield TimerRow(stream, kind, after(date.fromisoformat(clock["due"])))


def timer_rows(case: CaseRow) -> Iterable[TimerRow]:
    """The timers of one case: of its clocks, and of a renewal that is not decided when the licence expires."""
    yield from timers_of(case.id, case.clocks, CLOCK_TIMERS)
    if case.renews_until is not None and case.status in IN_REVIEW:
        yield TimerRow(case.id, RENEWAL, after(case.renews_until))


CASE_TIMERS = DerivedTable(name="timer", row=TimerRow, key=("stream", "kind"), source=CASES, rows=timer_rows)
