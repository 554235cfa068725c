"""What decisions need to know of a form opening's exchanges."""

from __future__ import annotations

from datetime import datetime
from typing import NamedTuple, get_args
from uuid import UUID

from tongban.domain.aggregate import Aggregate
from tongban.domain.sharing.events import ExchangeRecorded, SharingEvent


class Sharing(NamedTuple):
    """`recorded` are the questions that are written down."""

    recorded: frozenset[UUID] = frozenset()


def evolve(sharing: Sharing, event: SharingEvent, at: datetime) -> Sharing:
    """The log after an event."""
    if isinstance(event, ExchangeRecorded):
        return Sharing(sharing.recorded | {event.request_id})
    return sharing


SHARING = Aggregate(category="sharing", events=get_args(SharingEvent), initial=Sharing(), evolve=evolve)
