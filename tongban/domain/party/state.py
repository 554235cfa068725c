"""What decisions need to know of a party."""

from __future__ import annotations

from datetime import datetime
from typing import NamedTuple

from tongban.domain.aggregate import Aggregate
from tongban.domain.party.events import PartyKind, PartyRegistered


class Party(NamedTuple):
    """`kind` is None until the party is registered."""

    kind: PartyKind | None = None


def evolve(party: Party, event: PartyRegistered, at: datetime) -> Party:
    """The party after an event."""
    return Party(kind=event.kind)


PARTY = Aggregate(category="party", events=(PartyRegistered,), initial=Party(), evolve=evolve)
