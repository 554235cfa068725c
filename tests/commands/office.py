"""A write side for tests: everything real on one database, and words to ask it with."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import datetime
from hashlib import sha256
from queue import SimpleQueue
from typing import Any
from uuid import UUID, uuid4

from tests.examples import (
    ACCEPTOR,
    ADMIN,
    BRANCHES,
    CLERK,
    DECIDER,
    publish_item,
    register_party,
    reviewer,
    submit_application,
)
from tongban.commands.batch import Batch
from tongban.commands.bus import CommandBus
from tongban.commands.handling import Desk
from tongban.commands.ports import EventLog
from tongban.commands.requests import Answer, Outcome, Request
from tongban.domain.actor import Actor
from tongban.domain.case.commands import AcceptApplication, GrantApproval, IssueLicence, RecordOpinion
from tongban.domain.case.events import Opinion
from tongban.domain.errors import DomainError
from tongban.domain.party.events import IdentifierKind
from tongban.infra import event_codec, identifiers
from tongban.infra.database import DbRole, open_pool
from tongban.infra.event_store import EventStore
from tongban.infra.numbers import SerialNumbers
from tongban.infra.reference import load_reference
from tongban.infra.vault import Vault

PEPPER = b"p" * 32
KEK = b"k" * 32


class Peppered:
    """The identifiers port with a fixed pepper."""

    def normalise(self, identifier: str) -> str:
        return identifiers.normalise(identifier)

    def problem_with(self, kind: IdentifierKind, identifier: str) -> str | None:
        return identifiers.problem_with(kind, identifiers.normalise(identifier))

    def digest(self, kind: IdentifierKind, identifier: str) -> bytes:
        return identifiers.identifier_digest(PEPPER, kind, identifiers.normalise(identifier))


def ask(
    command: Any,
    by: Actor,
    *,
    key: UUID | None = None,
    expected_version: int | None = None,
    effective_at: datetime | None = None,
) -> Request:
    """A request for a command, with a new idempotency key unless one is given."""
    return Request(
        name=command.__class__.__name__,
        body=command,
        actor=by,
        idempotency_key=key or uuid4(),
        fingerprint=sha256(repr((command, expected_version, effective_at)).encode()).digest(),
        expected_version=expected_version,
        effective_at=effective_at,
        trace="00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
    )


@dataclass
class Office:
    """One process's write side. `do` is one batch in this thread; `bus` is made by `running`."""

    batch: Batch
    log: EventLog
    vault: Vault

    def do(self, *requests: Request) -> list[Outcome]:
        return self.batch.do(requests)

    def done(self, command: Any, by: Actor, **named: Any) -> Answer:
        """The answer to one command, which must be accepted."""
        [outcome] = self.do(ask(command, by, **named))
        return answered(outcome)

    def open_case(self, applicant: UUID | None = None) -> UUID:
        """File and return a case; item and applicant are published and registered first where they are not yet."""
        self.done(publish_item, ADMIN)
        self.done(register_party, CLERK)
        return self.done(replace(submit_application, applicant=applicant or submit_application.applicant), CLERK).id

    def granted_case(self) -> UUID:
        case = self.open_case()
        self.done(AcceptApplication(case), ACCEPTOR)
        for branch in BRANCHES:
            self.done(RecordOpinion(case, branch, Opinion.PASS, "t"), reviewer(branch))
        self.done(GrantApproval(case, "t"), DECIDER)
        return case

    def closed_case(self) -> UUID:
        case = self.granted_case()
        self.done(IssueLicence(case), DECIDER)
        return case


def answered(outcome: Outcome) -> Answer:
    """The outcome as the answer it must be."""
    if isinstance(outcome, Exception):
        raise AssertionError(f"not done: {outcome!r} {getattr(outcome, 'fields', '')}") from outcome  # noqa: TRY004 - a test fails
    return outcome


def refused(outcome: Outcome, rule: type[DomainError], **fields: object) -> DomainError:
    """The outcome as the refusal it must be, with (at least) these fields."""
    assert isinstance(outcome, rule), repr(outcome)
    assert type(outcome) is rule
    assert {name: outcome.fields.get(name) for name in fields} == fields
    return outcome


@contextmanager
def office(url: str, *, store_url: str | None = None) -> Iterator[Office]:
    """A write side on a migrated database; `store_url` is another way to it for the event store alone."""
    with open_pool(url, DbRole.KEYS, size=2) as keys, open_pool(url, DbRole.WRITER, size=1) as writers:
        store = EventStore(store_url or url)
        try:
            vault = Vault(keys, KEK)
            desk = Desk(identifiers=Peppered(), numbers=SerialNumbers(writers), licence_types=load_reference())
            yield Office(Batch(log=store, codec=event_codec, keyring=vault, desk=desk), store, vault)
        finally:
            store.close()


@contextmanager
def running(batch: Batch, **limits: Any) -> Iterator[CommandBus]:
    """A started bus, stopped at the end."""
    bus = CommandBus(batch, **limits)
    bus.start()
    try:
        yield bus
    finally:
        bus.stop()
        assert not bus.alive


def wait_for(bus: CommandBus, requests: Sequence[Request], timeout: float = 30) -> list[Outcome]:
    """Submit all, then wait for each outcome."""
    outcomes: SimpleQueue[tuple[int, Outcome]] = SimpleQueue()
    for place, request in enumerate(requests):
        bus.submit(request, lambda outcome, place=place: outcomes.put((place, outcome)))  # type: ignore[misc]
    found = dict(outcomes.get(timeout=timeout) for _ in requests)
    return [found[place] for place in range(len(requests))]
