"""What decisions need to know of a mandate."""

from __future__ import annotations

from datetime import date, datetime
from typing import NamedTuple, assert_never, get_args
from uuid import UUID

from tongban.domain.aggregate import Aggregate
from tongban.domain.mandate.events import MandateEvent, MandateGranted, MandateKind, MandateRevoked, Step


class Mandate(NamedTuple):
    """A mandate; `principal` is None until it is granted. `items` and `steps` None: all of them."""

    principal: UUID | None = None
    agent: UUID | None = None
    kind: MandateKind = MandateKind.AGENT
    items: frozenset[str] | None = None
    steps: frozenset[Step] | None = None
    valid_from: date = date.max
    valid_to: date = date.min
    granted_at: datetime | None = None
    revoked_at: datetime | None = None


def evolve(mandate: Mandate, event: MandateEvent, at: datetime) -> Mandate:
    """The mandate after an event that took effect at `at`."""
    match event:
        case MandateGranted():
            return Mandate(
                principal=event.principal,
                agent=event.agent,
                kind=event.kind,
                items=None if event.items is None else frozenset(event.items),
                steps=None if event.steps is None else frozenset(event.steps),
                valid_from=event.valid_from,
                valid_to=event.valid_to,
                granted_at=at,
            )
        case MandateRevoked():
            return mandate._replace(revoked_at=at)
        case _:
            assert_never(event)


MANDATE = Aggregate(category="mandate", events=get_args(MandateEvent), initial=Mandate(), evolve=evolve, binding=True)
