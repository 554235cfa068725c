"""What registering and ending an absence lead to."""

from __future__ import annotations

from tongban.domain.absence.commands import EndAbsence, RegisterAbsence
from tongban.domain.absence.events import AbsenceEnded, AbsenceRegistered
from tongban.domain.absence.refusals import AbsenceOverlaps, AbsenceTooLong, CoverIsAbsent, NotYourAbsence
from tongban.domain.absence.state import Absence, Absences
from tongban.domain.actor import Actor, Role
from tongban.domain.aggregate import Circumstances
from tongban.domain.mandate.refusals import PeriodOver, PeriodReversed
from tongban.domain.office_time import office_day


def register_absence(
    command: RegisterAbsence, circumstances: Circumstances, absences: Absences, *, longest_days: int
) -> list[AbsenceRegistered]:
    """登记缺勤及代岗人, in the department of who registers it. Of other departments' claims it gives nothing away."""
    department = _department(circumstances.actor, command.officer)
    if command.cover == command.officer:
        raise CoverIsAbsent
    if command.to < command.from_:
        raise PeriodReversed(valid_from=command.from_, valid_to=command.to)
    if command.to < office_day(circumstances.now):
        raise PeriodOver(valid_to=command.to)
    if (command.to - command.from_).days >= longest_days:
        raise AbsenceTooLong(longest_days=longest_days)
    wanted = Absence(command.cover, department, command.from_, command.to)
    if wanted in absences.standing:
        return []
    for other in absences.standing:
        if other.department == department and other.first <= command.to and command.from_ <= other.last:
            raise AbsenceOverlaps(first=other.first, last=other.last, cover=other.cover)
    return [AbsenceRegistered(command.officer, command.cover, department, command.from_, command.to)]


def end_absence(command: EndAbsence, circumstances: Circumstances, absences: Absences) -> list[AbsenceEnded]:
    """销假: whatever of it is not over yet."""
    department = _department(circumstances.actor, command.officer)
    today = office_day(circumstances.now)
    return [
        AbsenceEnded(command.officer, absence.cover, department, absence.first)
        for absence in absences.standing
        if absence.department == department and absence.last >= today
    ]


def _department(actor: Actor, officer: str) -> str:
    if actor.department is None or (actor.id != officer and actor.role is not Role.HEAD):
        raise NotYourAbsence(officer=officer)
    return actor.department
