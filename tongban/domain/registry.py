"""Every aggregate and every event type, by its stable name (`case.ApplicationSubmitted`). Names are never reused."""

from __future__ import annotations

from functools import cache
from typing import Any

from tongban.domain.absence.state import ABSENCE
from tongban.domain.aggregate import Aggregate
from tongban.domain.bundle.publishing import BUNDLE_DEFINITION
from tongban.domain.bundle.state import BUNDLE
from tongban.domain.calendar.state import CALENDAR
from tongban.domain.case.state import CASE
from tongban.domain.catalogue.state import ITEM
from tongban.domain.commitment.state import COMMITMENT
from tongban.domain.licence.state import LICENCE
from tongban.domain.mandate.state import MANDATE
from tongban.domain.party.state import PARTY
from tongban.domain.rating.state import RATING
from tongban.domain.revocation.state import REVOCATION
from tongban.domain.sharing.state import SHARING

_ALL: tuple[Aggregate[Any], ...] = (
    BUNDLE,
    BUNDLE_DEFINITION,
    CALENDAR,
    CASE,
    ITEM,
    LICENCE,
    PARTY,
    RATING,
    SHARING,
    MANDATE,
    ABSENCE,
    COMMITMENT,
    REVOCATION,
)

AGGREGATES: dict[str, Aggregate[Any]] = {aggregate.category: aggregate for aggregate in _ALL}

EVENT_TYPES: dict[str, type] = {
    f"{aggregate.category}.{event.__name__}": event for aggregate in AGGREGATES.values() for event in aggregate.events
}

EVENT_NAMES: dict[type, str] = {event: name for name, event in EVENT_TYPES.items()}


@cache
def schema_of(event_type: type) -> int:
    """The current schema version of an event class: its `SCHEMA`, else 1."""
    return int(getattr(event_type, "SCHEMA", 1))
