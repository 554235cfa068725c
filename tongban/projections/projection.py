"""What a projection is. One module = one question: its rows, how events change them (pure), and its selects.

Three kinds. A *stream table* has one row per stream and is folded from that stream's events alone. A *derived table* is
a function of a stream table's row. A *log table* gets one row per event and never changes it. All three are written
set-wise by `apply`; none reads a clock, draws an id or stores prose, so the same events always give the same rows.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any, Generic, Protocol, TypeVar
from uuid import UUID

from tongban.domain.recorded import Recorded


class PoisonEvent(Exception):
    """An event that can never be applied as it is: its stream is to be parked from here on. Shows no values."""

    def __init__(self, stream: UUID, position: int, problem: str) -> None:
        """`problem` names types and places only, since it is logged and stored."""
        self.stream = stream
        self.position = position
        self.problem = problem
        super().__init__(f"position {position} of stream {stream}: {problem}")


class StreamRow(Protocol):
    """A row of a stream table: keyed by its stream, it says up to which event it has been folded."""

    @property
    def id(self) -> UUID:
        """The stream."""
        ...

    @property
    def version(self) -> int:
        """The version of the last event in it."""
        ...

    @property
    def position(self) -> int:
        """The position of the last event in it."""
        ...


Row = TypeVar("Row", bound=StreamRow)
AnyRow = TypeVar("AnyRow")


@dataclass(frozen=True, slots=True, eq=False)
class StreamTable(Generic[Row]):
    """One row per stream, keyed by `id`. `row` is a NamedTuple whose fields are the table's columns, in its own order.

    `fold(row or None, recorded)` is pure and only assigns; the machine has checked that the version is the next one.
    """

    name: str
    row: type[Row]
    events: tuple[type, ...]
    fold: Callable[[Row | None, Recorded], Row]


@dataclass(frozen=True, slots=True, eq=False)
class DerivedTable(Generic[Row, AnyRow]):
    """The rows that a stream table's row gives rise to. Rows that it no longer gives rise to are deleted."""

    name: str
    row: type[AnyRow]
    key: tuple[str, ...]
    source: StreamTable[Row]
    rows: Callable[[Row], Iterable[AnyRow]]


@dataclass(frozen=True, slots=True, eq=False)
class LogTable(Generic[AnyRow]):
    """One row per event, never changed. It relies on a stream table that wants the same events to drop repeats."""

    name: str
    row: type[AnyRow]
    events: tuple[type, ...]
    entry: Callable[[Recorded], AnyRow]


Projection = StreamTable[Any] | DerivedTable[Any, Any] | LogTable[Any]
