"""What one request carries: who asks, the transaction it reads in, and what it has gathered so far."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from enum import Enum
from functools import cached_property
from typing import Any, Generic, Protocol, TypeVar
from uuid import UUID

import strawberry
from psycopg import Cursor

from tongban.domain.actor import Actor
from tongban.domain.calendar.state import Calendar
from tongban.domain.lights import Thresholds, first_green_days
from tongban.domain.office_time import office_day
from tongban.domain.personal import Unsealer
from tongban.domain.waiting import OfficeHours
from tongban.projections.bundle_definitions import bundle_versions_by_names
from tongban.projections.bundles import bundles_by_ids
from tongban.projections.calendars import calendars_at
from tongban.projections.cases import cases_by_ids
from tongban.projections.commitments import commitments_of
from tongban.projections.items import items_by_names, schedules_of
from tongban.projections.licences import licences_by_ids
from tongban.projections.mandates import mandates_of
from tongban.projections.parties import parties_by_ids
from tongban.projections.queue import Lights
from tongban.projections.ratings import ratings_of
from tongban.projections.timeline import applications_of, holdings_of

Key = TypeVar("Key")
Value = TypeVar("Value")
Box = Mapping[str, Any]


def enum_value(value: str, description: str) -> Any:
    """One described value of an enum; Any, since Strawberry puts the plain value in its place."""
    return strawberry.enum_value(value, description=description)


@strawberry.enum(description="The language of a name.")
class Lang(Enum):
    """Chinese is the source; English where the catalogue has it."""

    ZH = enum_value("zh-Hans", "简体中文")
    EN = enum_value("en", "English")


class Names(Protocol):
    """Names of what the catalogue calls by a code."""

    def department(self, code: str, lang: str) -> str | None:
        """The name of a department in `zh-Hans` or `en`; None if there is none."""
        ...

    def licence_type(self, code: str, lang: str) -> str | None:
        """The name of a type of licence in `zh-Hans` or `en`; None if there is none."""
        ...


class Gathered(Generic[Key, Value]):
    """Rows by key, read together: the first that is needed fetches all that were announced with `want`."""

    def __init__(self, load: Callable[[Sequence[Key]], Mapping[Key, Value]]) -> None:
        """`load` reads many at once; what it leaves out does not exist for this reader."""
        self._load = load
        self._wanted: dict[Key, None] = {}
        self._found: dict[Key, Value | None] = {}

    def want(self, keys: Iterable[Key]) -> None:
        """Announce keys that are likely to be asked for."""
        self._wanted.update(dict.fromkeys(keys))

    def get(self, key: Key) -> Value | None:
        """The value of a key, or None."""
        if key not in self._found:
            self._wanted[key] = None
            keys = [wanted for wanted in self._wanted if wanted not in self._found]
            self._wanted.clear()
            found = self._load(keys)
            self._found.update((wanted, found.get(wanted)) for wanted in keys)
        return self._found[key]


class Unsealed:
    """Personal fields, opened when they are asked for and together."""

    def __init__(self, unsealer: Unsealer) -> None:
        """`unsealer` opens boxes for this reader."""
        self._boxes: dict[tuple[str, str], Box] = {}

        def load(keys: Sequence[tuple[str, str]]) -> dict[tuple[str, str], Mapping[str, Any]]:
            opened = unsealer.unseal([self._boxes[key] for key in keys])
            return {key: values for key, values in zip(keys, opened, strict=True) if values is not None}

        self._opened: Gathered[tuple[str, str], Mapping[str, Any]] = Gathered(load)

    def want(self, boxes: Iterable[Box]) -> None:
        """Announce boxes that are likely to be asked for."""
        for box in boxes:
            self._boxes[_name(box)] = box
        self._opened.want(map(_name, boxes))

    def open(self, boxes: Sequence[Box]) -> tuple[dict[str, Any], bool]:
        """The fields in the boxes of one event, and whether any is erased for good."""
        self.want(boxes)
        values: dict[str, Any] = {}
        erased = False
        for box in boxes:
            opened = self._opened.get(_name(box))
            erased = erased or opened is None
            values.update(opened or {})
        return values, erased


def _name(box: Box) -> tuple[str, str]:
    return box["event"], box["subject"]


NORMAL_LIGHTS, NORMAL_HOURS = Thresholds(), OfficeHours()


@dataclass(frozen=True, slots=True)
class Measures:
    """By what deadlines and waiting are measured; settings."""

    lights: Thresholds = NORMAL_LIGHTS
    hours: OfficeHours = NORMAL_HOURS


NORMAL = Measures()


@dataclass
class Reading:
    """The context of one request. `cursor` stands in a transaction that is told who asks; `now` is one moment for all.

    `calendars` are those of the versions that clocks name; None names the newest.
    """

    actor: Actor | None
    cursor: Cursor[Any]
    unsealer: Unsealer
    names: Names
    now: datetime
    measures: Measures = NORMAL
    may_introspect: bool = False
    awaited: dict[UUID, int] = field(default_factory=dict)  # case → the version that has to be seen first

    def __post_init__(self) -> None:
        """Make the places where rows are gathered."""
        self.unsealed = Unsealed(self.unsealer)
        self.cases = Gathered(lambda ids: cases_by_ids(self.cursor, ids))
        self.bundles = Gathered(lambda ids: bundles_by_ids(self.cursor, ids))
        self.bundle_versions = Gathered(lambda names: bundle_versions_by_names(self.cursor, names))
        self.parties = Gathered(lambda ids: parties_by_ids(self.cursor, ids))
        self.mandates = Gathered(lambda ids: mandates_of(self.cursor, ids))
        self.licences = Gathered(lambda ids: licences_by_ids(self.cursor, ids))
        self.ratings = Gathered(lambda ids: ratings_of(self.cursor, ids))
        self.applications = Gathered(lambda ids: applications_of(self.cursor, ids))
        self.items = Gathered(lambda names: items_by_names(self.cursor, names))
        self.schedules = Gathered(lambda names: schedules_of(self.cursor, names))
        self.commitments = Gathered(lambda ids: commitments_of(self.cursor, ids))
        self.holdings = Gathered(lambda ids: holdings_of(self.cursor, ids))
        self.calendars: Gathered[int | None, Calendar] = Gathered(lambda asked: calendars_at(self.cursor, asked))

    @property
    def today(self) -> date:
        """The office day on which is read."""
        return office_day(self.now)

    @property
    def calendar(self) -> Calendar:
        """The newest working-day calendar."""
        return self.calendars.get(None) or Calendar()

    @cached_property
    def lights(self) -> Lights:
        """By which days a queue's lights are told."""
        return Lights(self.today, first_green_days(self.today, self.calendar), self.measures.lights)


Info = strawberry.Info[Reading, None]
