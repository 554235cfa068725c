"""What decisions need to know of a licence."""

from __future__ import annotations

from datetime import date, datetime
from typing import NamedTuple
from uuid import UUID

from tongban.domain.aggregate import Aggregate
from tongban.domain.licence.events import LicenceCollected


class Licence(NamedTuple):
    """`holder` is None until the licence is in the library; `valid_to` is its last day, None without end."""

    holder: UUID | None = None
    licence_type: str | None = None
    valid_to: date | None = None


def evolve(licence: Licence, event: LicenceCollected, at: datetime) -> Licence:
    """The licence after an event."""
    return Licence(holder=event.holder, licence_type=event.licence_type, valid_to=event.valid_to)


LICENCE = Aggregate(category="licence", events=(LicenceCollected,), initial=Licence(), evolve=evolve)
