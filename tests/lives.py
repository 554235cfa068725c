"""Cases that live by real decisions: commands go through the real handlers, events through the real codec.

In memory, at any time one likes; what the store, the bus and the API do besides is not here.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from tests.story import Story
from tongban.commands.handlers import HANDLERS
from tongban.commands.handling import Asked, Desk
from tongban.domain.actor import Actor, Role
from tongban.domain.aggregate import Aggregate, Circumstances
from tongban.domain.calendar.events import CalendarImported
from tongban.domain.case.commands import How, MaterialOffered, SubmitApplication
from tongban.domain.case.events import Channel
from tongban.domain.case.state import CASE, Case
from tongban.domain.catalogue.events import ItemPublished
from tongban.domain.ids import calendar_stream, item_stream
from tongban.domain.party.events import PartyKind
from tongban.domain.recorded import Evidence, Recorded
from tongban.domain.registry import AGGREGATES
from tongban.infra.reference import load_reference, sample_calendars, sample_items

ADMIN = Actor("admin", Role.ADMIN)
SYSTEM = Actor("system", Role.SYSTEM)
MONDAY = datetime(2026, 3, 2, 1, 0, tzinfo=UTC)
"""A Monday morning."""


def entry(item: str, **changes: Any) -> dict[str, Any]:
    """An item of the sample catalogue, with some members replaced."""
    found = next(each for each in sample_items() if each["id"] == item)
    return {**found, **changes}


def staff(department: str, role: Role, number: int = 1) -> Actor:
    """An officer of a department."""
    return Actor(f"{department}-{role}-{number}", role, department, "310101")


class _Desk:
    def __init__(self) -> None:
        self.serial = 0

    def next(self) -> int:
        self.serial += 1
        return self.serial

    def digest(self, *_: object) -> bytes:
        return b""

    def problem_with(self, *_: object) -> str | None:
        return None


@dataclass
class Town:
    """The rules and the people that cases live by."""

    story: Story = field(default_factory=lambda: Story(seed=1))
    states: dict[UUID, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """Begin with a desk and nothing else."""
        numbers = _Desk()
        self.desk = Desk(identifiers=numbers, numbers=numbers, licence_types=load_reference())

    def append(self, stream: UUID, event: Any, *, actor: Actor, at: datetime) -> Recorded:
        """Store an event, and fold it."""
        recorded = self.story.append(stream, event, actor=actor, at=at)
        kind = AGGREGATES[recorded.envelope.type.partition(".")[0]]
        self.states[stream] = kind.evolve(self.states.get(stream, kind.initial), event, at)
        return recorded

    def publish(self, definition: dict[str, Any], version: int = 1) -> None:
        """Publish an item without a beginning."""
        event = ItemPublished(definition["id"], version, definition, None)
        self.append(item_stream(definition["id"]), event, actor=ADMIN, at=MONDAY - timedelta(days=400))

    def import_calendars(self, years: Sequence[int] = (2025, 2026)) -> None:
        """Import the published calendars of some years."""
        before = self.states[calendar_stream()].version if calendar_stream() in self.states else 0
        known = [calendar for calendar in sample_calendars() if calendar.year in years]
        for version, year in enumerate(known, before + 1):
            event = CalendarImported(version, year.year, year.off, year.worked, year.source)
            self.append(calendar_stream(), event, actor=ADMIN, at=MONDAY - timedelta(days=400))

    def register(self, name: str, kind: PartyKind = PartyKind.ORGANISATION) -> UUID:
        """Register a party."""
        party = self.story.register(name, kind)
        registered = self.story.events[-1]
        self.states[party] = AGGREGATES["party"].evolve(AGGREGATES["party"].initial, registered.event, MONDAY)
        return party

    def other(self, stream: UUID, kind: Aggregate[Any]) -> Any:
        """The state of a stream."""
        return self.states.get(stream, kind.initial)

    def give(
        self, command: Any, stream: UUID, actor: Actor, at: datetime, evidence: tuple[Evidence, ...] = ()
    ) -> list[Recorded]:
        """What a command leads to, stored. Raises DomainError."""
        handler = HANDLERS[command.__class__.__name__]
        assert actor.role in handler.roles, f"{actor.role} may not give {command.__class__.__name__}"
        asked = Asked(
            command=command,
            stream=stream,
            circumstances=Circumstances(actor, at, at, self.story.uuid()),
            state=self.other(stream, handler.aggregate),
            other=self.other,
            holder=None,
            desk=self.desk,
            evidence=evidence,
        )
        if handler.effective is not None and (effective := handler.effective(asked)) is not None:
            asked = asked._replace(circumstances=asked.circumstances._replace(effective_at=effective))
        if handler.acting is not None:
            asked = asked._replace(circumstances=asked.circumstances._replace(actor=handler.acting(asked)))
        in_force = asked.circumstances
        return [
            self.append(stream, event, actor=in_force.actor, at=in_force.effective_at)
            for event in handler.decide(asked)
        ]

    def file(
        self,
        item: str,
        applicant: UUID,
        *,
        at: datetime = MONDAY,
        channel: Channel = Channel.WEB,
        without: Sequence[str] = (),
        uploads: Sequence[str] = (),
        **more: Any,
    ) -> Life:
        """File an application with all its materials but some; those in `uploads` on paper."""
        definition = self.states[item_stream(item)].as_of(at.date()).read
        assert definition is not None
        offered: list[MaterialOffered] = []
        for material, terms in definition.terms["materials"].items():
            if material in without:
                continue
            exempt = terms["exempt_by"]
            how = How.UPLOAD if material in uploads or exempt == "NONE" else How(exempt)
            offered.append(MaterialOffered(material, how, "sha256:" + "0" * 64 if how is How.UPLOAD else None))
        command = SubmitApplication(
            item=item, applicant=applicant, channel=channel, materials=tuple(offered), form={"name": "某某"}, **more
        )
        citizen = Actor(str(applicant), Role.ENTERPRISE)
        by_clerk = channel in (Channel.COUNTER, Channel.POST)
        lead = definition.lead
        case_id = self.story.uuid()
        self.give(command, case_id, staff(lead, Role.CLERK) if by_clerk else citizen, at)
        return Life(self, case_id, lead, citizen)


@dataclass
class Life:
    """One case and its people; `at` is when the next command is given."""

    town: Town
    id: UUID
    lead: str
    applicant: Actor
    at: datetime = MONDAY

    @property
    def case(self) -> Case:
        """Its state."""
        state: Case = self.town.other(self.id, CASE)
        return state

    @property
    def events(self) -> list[Recorded]:
        """Its own events."""
        return [recorded for recorded in self.town.story.events if recorded.envelope.stream == self.id]

    def on(self, month: int, day: int, year: int = 2026) -> Life:
        """At nine in the morning of a day."""
        self.at = datetime(year, month, day, 1, 0, tzinfo=UTC)
        return self

    def by(self, role: Role, command: Any, department: str | None = None, **more: Any) -> Life:
        """A command of an officer (number one of his role), the applicant or the system."""
        if role in (Role.CITIZEN, Role.ENTERPRISE):
            actor = self.applicant
        elif role is Role.SYSTEM:
            actor = SYSTEM
        else:
            actor = staff(department or self.lead, role)
        self.town.give(command, self.id, actor, self.at, **more)
        self.at += timedelta(minutes=10)
        return self


def named(events: Sequence[Recorded]) -> list[str]:
    """The names of events without their category."""
    return [recorded.envelope.type.partition(".")[2] for recorded in events]


Fields = Mapping[str, Any]
