"""What decisions need to know of an officer's absences."""

from __future__ import annotations

from datetime import date, datetime
from typing import NamedTuple, assert_never, get_args

from tongban.domain.absence.events import AbsenceEnded, AbsenceEvent, AbsenceRegistered
from tongban.domain.actor import Actor
from tongban.domain.aggregate import Aggregate
from tongban.domain.office_time import office_day


class Absence(NamedTuple):
    """One absence; both days count in full, in office time."""

    cover: str
    department: str
    first: date
    last: date


class Absences(NamedTuple):
    """The absences of one officer that were not ended, oldest registration first."""

    standing: tuple[Absence, ...] = ()

    def covered_by(self, actor: Actor, *, department: str, now: datetime) -> bool:
        """Whether the actor covers for the officer in this department today. He keeps the bounds of his own role."""
        today = office_day(now)
        return any(
            absence.cover == actor.id
            and absence.department == department == actor.department
            and absence.first <= today <= absence.last
            for absence in self.standing
        )


def evolve(absences: Absences, event: AbsenceEvent, at: datetime) -> Absences:
    """The absences after an event."""
    match event:
        case AbsenceRegistered():
            # What is long over decides nothing any more: the day it took effect is the day it was registered on.
            kept = (absence for absence in absences.standing if absence.last >= office_day(at))
            return Absences((*kept, Absence(event.cover, event.department, event.first, event.last)))
        case AbsenceEnded():
            ended = (event.department, event.first)
            return Absences(tuple(a for a in absences.standing if (a.department, a.first) != ended))
        case _:
            assert_never(event)


ABSENCE = Aggregate(category="absence", events=get_args(AbsenceEvent), initial=Absences(), evolve=evolve, binding=True)
