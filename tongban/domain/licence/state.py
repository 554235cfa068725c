"""What decisions need to know of a licence."""

from __future__ import annotations

from datetime import date, datetime
from enum import StrEnum
from typing import NamedTuple, assert_never, get_args
from uuid import UUID

from tongban.domain.aggregate import Aggregate
from tongban.domain.licence.events import LicenceCollected, LicenceEvent, LicenceRevoked


class LicenceStatus(StrEnum):
    """证照状态."""

    VALID = "VALID"
    REVOKED = "REVOKED"


class Licence(NamedTuple):
    """`holder` is None until the licence is in the library; `valid_to` is its last day, None without end."""

    holder: UUID | None = None
    licence_type: str | None = None
    valid_to: date | None = None
    status: LicenceStatus = LicenceStatus.VALID


def evolve(licence: Licence, event: LicenceEvent, at: datetime) -> Licence:
    """The licence after an event."""
    match event:
        case LicenceCollected():
            return Licence(holder=event.holder, licence_type=event.licence_type, valid_to=event.valid_to)
        case LicenceRevoked():
            return licence._replace(status=LicenceStatus.REVOKED)
        case _:
            assert_never(event)


LICENCE = Aggregate(category="licence", events=get_args(LicenceEvent), initial=Licence(), evolve=evolve)
