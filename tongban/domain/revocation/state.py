"""What decisions need to know of a revocation."""

from __future__ import annotations

from datetime import datetime
from typing import NamedTuple

from tongban.domain.aggregate import Aggregate
from tongban.domain.revocation.events import DecisionRevoked, Ground


class Revocation(NamedTuple):
    """`ground` is None while the decision stands."""

    ground: Ground | None = None


def evolve(_: Revocation, event: DecisionRevoked, __: datetime) -> Revocation:
    """The revocation after an event."""
    return Revocation(event.ground)


REVOCATION = Aggregate(
    category="revocation", events=(DecisionRevoked,), initial=Revocation(), evolve=evolve, binding=True
)
