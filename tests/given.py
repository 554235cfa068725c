"""given(events).when(command).then(events): the words in which decisions are tested, on the pure functions alone.

Events given are facts of one case's world: they are folded by kind, each taking effect an hour after the one before,
the first at `START`; what comes of the same command as the one before takes effect with it. A `datetime` among them
says when the next takes effect. Everything in the examples happens on one office day, that of `START` and `NOW`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Any
from uuid import UUID

import pytest

from tests.examples import ADMIN, CASE_NUMBER, LICENCE_NUMBER, NEW_ID
from tongban.domain.absence.commands import EndAbsence, RegisterAbsence
from tongban.domain.absence.decide import end_absence, register_absence
from tongban.domain.actor import Actor
from tongban.domain.aggregate import Circumstances, effective_time
from tongban.domain.calendar.commands import ImportCalendar
from tongban.domain.calendar.decide import import_calendar
from tongban.domain.case.commands import FileSubCase, SubmitApplication
from tongban.domain.case.decide import decide
from tongban.domain.case.events import CommitmentOffered, FeeRequested, LicenceDelivered, MaterialsReceived
from tongban.domain.case.filing import FilingFacts, file_sub_case, submit_application
from tongban.domain.case.guards import CaseFacts, LicenceFacts
from tongban.domain.catalogue.commands import DraftItem, PublishItem, WithdrawItem
from tongban.domain.catalogue.decide import draft_item, item_for_filing, publish_item, withdraw_item
from tongban.domain.catalogue.events import ItemPublished
from tongban.domain.catalogue.item import read_item
from tongban.domain.commitment.commands import OpenCommitmentCheck, RecordCommitmentCheck
from tongban.domain.commitment.decide import open_commitment_check, record_commitment_check
from tongban.domain.errors import DomainError
from tongban.domain.licence.commands import CollectLicence, RevokeIssuedLicence
from tongban.domain.licence.decide import collect_licence, revoke_issued_licence
from tongban.domain.mandate.commands import GrantMandate, RevokeMandate
from tongban.domain.mandate.decide import GrantFacts, grant_mandate, revoke_mandate
from tongban.domain.office_time import OFFICE_TIME, office_day
from tongban.domain.party.commands import BarApplicant, HoldPromiseAgainst, RegisterParty, RepairTrust
from tongban.domain.party.decide import RegistrationFacts, register_party
from tongban.domain.party.events import PartyRegistered
from tongban.domain.party.standing import BarFacts, bar_applicant, hold_promise_against, repair_trust
from tongban.domain.party.state import Party
from tongban.domain.rating.commands import RateCase
from tongban.domain.rating.decide import rate_case
from tongban.domain.registry import AGGREGATES, EVENT_NAMES
from tongban.domain.revocation.commands import RevokeDecision
from tongban.domain.revocation.decide import revoke_decision
from tongban.domain.sharing.commands import RecordExchanges
from tongban.domain.sharing.decide import record_exchanges

START = datetime(2026, 3, 2, 1, 0, tzinfo=UTC)
NOW = START + timedelta(hours=12)
_WITH_THE_ONE_BEFORE = (MaterialsReceived, CommitmentOffered, FeeRequested, LicenceDelivered)

Command = Any
"""Whatever may be asked of one of the streams."""


_DECISIONS: Mapping[type, Callable[[Any, Circumstances, Mapping[str, Any]], Sequence[Any]]] = {
    PublishItem: lambda command, circumstances, states: publish_item(command, circumstances, states["catalogue"]),
    DraftItem: lambda command, _, states: draft_item(command, states["catalogue"]),
    WithdrawItem: lambda command, circumstances, states: withdraw_item(command, circumstances, states["catalogue"]),
    ImportCalendar: lambda command, _, states: import_calendar(command, states["calendar"]),
    CollectLicence: lambda command, _, states: collect_licence(command, states["licence"]),
    RevokeIssuedLicence: lambda command, _, states: revoke_issued_licence(command, states["licence"]),
    RecordExchanges: lambda command, _, states: record_exchanges(command, states["sharing"]),
    RateCase: lambda command, circumstances, states: rate_case(
        command, circumstances, states["rating"], states["case"]
    ),
    RevokeMandate: lambda command, circumstances, states: revoke_mandate(command, circumstances, states["mandate"]),
    RegisterAbsence: lambda command, circumstances, states: register_absence(
        command, circumstances, states["absence"], longest_days=366
    ),
    EndAbsence: lambda command, circumstances, states: end_absence(command, circumstances, states["absence"]),
    OpenCommitmentCheck: lambda command, _, states: open_commitment_check(
        command, states["commitment"], states["calendar"]
    ),
    RecordCommitmentCheck: lambda command, circumstances, states: record_commitment_check(
        command, circumstances, states["commitment"]
    ),
    RevokeDecision: lambda command, circumstances, states: revoke_decision(
        command, circumstances, states["revocation"], states["case"]
    ),
    BarApplicant: lambda command, circumstances, states: bar_applicant(
        command, circumstances, states["party"], BarFacts(states["case"])
    ),
    HoldPromiseAgainst: lambda command, _, states: hold_promise_against(command, states["party"]),
    RepairTrust: lambda command, circumstances, states: repair_trust(command, circumstances, states["party"]),
}


def office(day: date | str, hour: int = 10, minute: int = 0) -> datetime:
    """A moment of a day in the offices."""
    day = date.fromisoformat(day) if isinstance(day, str) else day
    return datetime.combine(day, time(hour, minute), OFFICE_TIME).astimezone(UTC)


@dataclass(frozen=True)
class Given:
    """Facts, and what they make of each kind of stream."""

    events: tuple[Any, ...]

    def timed(self) -> list[tuple[Any, datetime]]:
        """Each event with when it took effect."""
        timed: list[tuple[Any, datetime]] = []
        at, told = START, True
        for event in self.events:
            if isinstance(event, datetime):
                at, told = event, True
                continue
            if timed and not told and not isinstance(event, _WITH_THE_ONE_BEFORE):
                at += timedelta(hours=1)
            timed.append((event, at))
            told = False
        return timed

    def states(self) -> dict[str, Any]:
        """Category → state after the given events."""
        states = {category: aggregate.initial for category, aggregate in AGGREGATES.items()}
        for event, at in self.timed():
            category = EVENT_NAMES[event.__class__].split(".")[0]
            states[category] = AGGREGATES[category].evolve(states[category], event, at)
        return states

    def when(
        self,
        command: Command,
        *,
        by: Actor = ADMIN,
        at: datetime | None = None,
        now: datetime = NOW,
        problem: str | None = None,
        validity_years: int | None = None,
        **facts: Any,
    ) -> Asked:
        """A command, by whom, taking effect `at` (default now).

        `problem` is what is wrong with an identifier, `validity_years` how long the licence type is valid; `facts` are
        those of `CaseFacts` or `FilingFacts`. The calendar is the one of the given events.
        """
        return Asked(self, command, by, at, now, problem, validity_years, facts)


def given(*events: Any) -> Given:
    """These events have happened, in this order."""
    return Given(events)


@dataclass(frozen=True)
class Asked:
    """A command that is put to the decision; nothing is decided before one of the `then`s."""

    world: Given
    command: Command
    by: Actor
    at: datetime | None
    now: datetime
    problem: str | None
    validity_years: int | None
    facts: Mapping[str, Any]

    def decided(self) -> list[Any]:
        """The events the command leads to. Raises DomainError."""
        circumstances = Circumstances(
            actor=self.by, now=self.now, effective_at=effective_time(self.at, self.now, self.by), new_id=NEW_ID
        )
        return self._decide(circumstances, self.world.states())

    def _decide(self, circumstances: Circumstances, states: Mapping[str, Any]) -> list[Any]:
        decision = _DECISIONS.get(self.command.__class__)
        if decision is not None:
            return list(decision(self.command, circumstances, states))
        match self.command:
            case RegisterParty() as command:
                return list(register_party(command, circumstances, states["party"], self._registration(command)))
            case SubmitApplication() | FileSubCase() as command:
                return self._file(command, circumstances, states)
            case GrantMandate() as command:
                return list(grant_mandate(command, circumstances, self._grant(command)))
            case command:
                licence = LicenceFacts(LICENCE_NUMBER, self.validity_years)
                known = CaseFacts(**{"calendar": states["calendar"], "licence": licence, **self.facts})
                return list(decide(command, circumstances, states["case"], known))

    def _file(
        self, command: SubmitApplication | FileSubCase, circumstances: Circumstances, states: Mapping[str, Any]
    ) -> list[Any]:
        item = item_for_filing(states["catalogue"], command.item, office_day(circumstances.effective_at))
        licence = states["licence"] if getattr(command, "renews", None) is not None else None
        known = {"calendar": states["calendar"], "renews": licence, **self.facts}
        facts = FilingFacts(item, states["party"], CASE_NUMBER, **known)
        if isinstance(command, FileSubCase):
            return list(file_sub_case(command, circumstances, states["case"], facts))
        return list(submit_application(command, circumstances, states["case"], facts))

    def _grant(self, command: GrantMandate) -> GrantFacts:
        kinds = {e.party_id: e.kind for e in self.world.events if isinstance(e, PartyRegistered)}
        items = {e.item_id: read_item(e.definition) for e in self.world.events if isinstance(e, ItemPublished)}
        return GrantFacts(
            principal=Party(kinds.get(command.principal)),
            agent=Party(kinds.get(command.agent)),
            known=frozenset(items),
            in_person=frozenset(name for name, item in items.items() if item.in_person),
            longest_years=5,
        )

    def _registration(self, command: RegisterParty) -> RegistrationFacts:
        registered = {e.identifier: e.party_id for e in self.world.events if isinstance(e, PartyRegistered)}
        holder: UUID | None = registered.get(command.identifier)
        return RegistrationFacts(party_id=holder or command.id or NEW_ID, holder=holder, problem=self.problem)

    def then(self, *events: Any) -> None:
        """The command leads to exactly these events."""
        assert self.decided() == list(events)

    def then_nothing(self) -> None:
        """It is so already: no event, no refusal."""
        assert self.decided() == []

    def then_refuses(self, rule: type[DomainError], **fields: object) -> None:
        """The command is refused by this very rule, whose refusal has (at least) these fields."""
        with pytest.raises(DomainError) as refused:
            self.decided()
        assert refused.type is rule
        assert {name: refused.value.fields.get(name) for name in fields} == fields
