"""A figure: what was measured, in which unit, and the peer or limit it is held against."""

from __future__ import annotations

import gc
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Figure:
    """`value` in `unit`; `compared_with` says what `reference` is; `ratio` is value / reference; `reached` the goal."""

    name: str
    value: float
    unit: str
    compared_with: str
    reference: float
    goal: str
    reached: bool

    def as_json(self) -> dict[str, Any]:
        """The figure as the report shows it."""
        shown = asdict(self)
        shown["ratio"] = round(self.value / self.reference, 3) if self.reference else None
        return shown


def at_least(name: str, value: float, unit: str, compared_with: str, reference: float, share: float = 1.0) -> Figure:
    """A figure that is to be `share` of the reference or more."""
    goal = f"≥ {share:g} × {reference:,.0f}" if share != 1.0 else f"≥ {reference:,.0f}"
    return Figure(name, round(value, 1), unit, compared_with, round(reference, 1), goal, value >= share * reference)


def at_most(name: str, value: float, unit: str, compared_with: str, limit: float) -> Figure:
    """A figure that is to stay at or under the limit."""
    return Figure(name, round(value, 1), unit, compared_with, limit, f"≤ {limit:g}", value <= limit)


def say(line: str) -> None:
    """Progress, on stderr: stdout is for the JSON."""
    print(line, file=sys.stderr, flush=True)


@contextmanager
def timed() -> Iterator[list[float]]:
    """Seconds of a block, after a collection of garbage, in the list's one element."""
    gc.collect()
    took = [0.0]
    started = time.perf_counter()
    yield took
    took[0] = time.perf_counter() - started
