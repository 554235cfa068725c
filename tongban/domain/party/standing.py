"""What a party did before and what it may therefore not do now: bars (行政许可法 art. 78, 79) and broken promises."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import NamedTuple

from tongban.domain.aggregate import Circumstances
from tongban.domain.case.refusals import UnknownCase
from tongban.domain.case.state import Case
from tongban.domain.errors import NotFound, OtherDepartment
from tongban.domain.office_time import office_day
from tongban.domain.party.commands import BarApplicant, HoldPromiseAgainst, RepairTrust
from tongban.domain.party.events import ApplicantBarred, BarGround, PartyEvent, PromiseBroken, TrustRepaired
from tongban.domain.party.state import Party
from tongban.domain.rules import BAN_FOR_FALSE_PAPERS, BAN_FOR_FRAUD, Term

_MONTHS = 12
_BANS: Mapping[BarGround, Term] = {BarGround.FALSE_PAPERS: BAN_FOR_FALSE_PAPERS, BarGround.FRAUD: BAN_FOR_FRAUD}


class UnknownParty(NotFound):
    """There is no party with this id."""

    zh = "没有该主体。"


class BarFacts(NamedTuple):
    """The case in which the papers were false, or the fraud was found."""

    case: Case


def bar_applicant(
    command: BarApplicant, circumstances: Circumstances, party: Party, facts: BarFacts
) -> list[PartyEvent]:
    """限制申请, from this day on, by the department that had the case. A longer bar stands."""
    _known(command.party, party)
    case = facts.case
    if case.item is None or case.applicant != command.party or case.item.id != command.item:
        raise UnknownCase(case_id=command.case_id)
    actor = circumstances.actor
    if actor.department is not None and actor.department != case.lead:
        raise OtherDepartment(department=case.lead)
    limit, _ = _BANS[command.ground]
    until = _months_later(office_day(circumstances.effective_at), limit.value)
    if party.bars.get(command.item, date.min) >= until:
        return []
    return [ApplicantBarred(item_id=command.item, ground=command.ground, case_id=command.case_id, until=until)]


def hold_promise_against(command: HoldPromiseAgainst, party: Party) -> list[PartyEvent]:
    """失信承诺, once for each case."""
    if command.case_id in party.broken:
        return []
    return [PromiseBroken(case_id=command.case_id, item_id=command.item_id)]


def repair_trust(command: RepairTrust, circumstances: Circumstances, party: Party) -> list[PartyEvent]:
    """信用修复, or nothing where nothing is held against the party."""
    _known(command.party, party)
    return [TrustRepaired(repaired_by=circumstances.actor.id)] if party.broken else []


def _known(identity: object, party: Party) -> None:
    if party.kind is None:
        raise UnknownParty(party=identity)


def _months_later(day: date, months: int) -> date:
    """The same date so many months on; the last of the month where that one is shorter (whole years only)."""
    year = day.year + months // _MONTHS
    try:
        return day.replace(year=year)
    except ValueError:  # 29 February
        return date(year, 2, 28)
