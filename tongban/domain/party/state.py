"""What decisions need to know of a party."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime
from types import MappingProxyType
from typing import NamedTuple, assert_never, get_args
from uuid import UUID

from tongban.domain.aggregate import Aggregate
from tongban.domain.party.events import (
    ApplicantBarred,
    PartyEvent,
    PartyKind,
    PartyRegistered,
    PromiseBroken,
    TrustRepaired,
)


class Party(NamedTuple):
    """`kind` is None until the party is registered.

    `bars` maps each item it may not file for to the last day of that; `broken` are the cases whose promises it broke.
    """

    kind: PartyKind | None = None
    bars: Mapping[str, date] = MappingProxyType({})
    broken: frozenset[UUID] = frozenset()


def evolve(party: Party, event: PartyEvent, at: datetime) -> Party:
    """The party after an event."""
    match event:
        case PartyRegistered():
            return party._replace(kind=event.kind)
        case ApplicantBarred():
            return party._replace(bars={**party.bars, event.item_id: event.until})
        case PromiseBroken():
            return party._replace(broken=party.broken | {event.case_id})
        case TrustRepaired():
            return party._replace(broken=frozenset())
        case _:
            assert_never(event)


PARTY = Aggregate(category="party", events=get_args(PartyEvent), initial=Party(), evolve=evolve)
