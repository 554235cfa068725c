"""What decisions need to know of a rating."""

from __future__ import annotations

from datetime import datetime
from typing import NamedTuple

from tongban.domain.aggregate import Aggregate
from tongban.domain.rating.events import CaseRated


class Rating(NamedTuple):
    """`grade` is None until the case is rated."""

    grade: int | None = None


def evolve(rating: Rating, event: CaseRated, at: datetime) -> Rating:
    """The rating after an event."""
    return Rating(grade=event.grade)


RATING = Aggregate(category="rating", events=(CaseRated,), initial=Rating(), evolve=evolve)
