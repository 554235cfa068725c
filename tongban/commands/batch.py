"""One batch of commands: read once, decide each in turn against what those before it decided, append all in one commit.

A command that is refused leaves no trace in the batch. When the append clashes with another process, each command of
the batch is done again alone on streams read afresh: no answer ever rests on a state that did not come to be.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from hashlib import sha256
from typing import Any
from uuid import UUID

from uuid_utils.compat import uuid7

from tongban.commands.handlers import HANDLERS, Asked, Desk, Handler
from tongban.commands.ports import (
    Codec,
    EventLog,
    KeyRing,
    LoggedAnswer,
    LogUnavailable,
    NewEvent,
    PersonKeys,
    Reading,
    StaleStream,
)
from tongban.commands.requests import Answer, KeyReused, Outcome, Request, Unavailable
from tongban.commands.streams import Stream, Streams
from tongban.domain.aggregate import Aggregate, Circumstances, effective_time
from tongban.domain.errors import DomainError, RoleNotAllowed, RuleBroken, StaleVersion
from tongban.domain.party.commands import RegisterParty
from tongban.domain.party.events import PartyRegistered
from tongban.domain.party.state import PARTY
from tongban.domain.recorded import Envelope, Rules
from tongban.domain.registry import EVENT_NAMES, schema_of

_ATTEMPTS_ALONE = 5


class PersonErased(RuleBroken):
    """This person's data was erased: nothing more can be recorded about them."""

    zh = "该主体的个人信息已删除, 不能再记录其信息。"


@dataclass(frozen=True, slots=True)
class Draft:
    """An event that is decided; its place in the hash chain is found when the batch is encoded, in order."""

    version: int
    event: Any
    holders: Mapping[str, str]
    rules: Rules


@dataclass(slots=True)
class Work:
    """One command on its way through a batch. `version` is the stream's version after it."""

    request: Request
    handler: Handler
    body: Any
    stream: UUID
    digest: bytes | None = None
    effective_at: datetime | None = None
    version: int = 0
    drafts: list[Draft] = field(default_factory=list)
    outcome: Outcome | None = None


class Batch:
    """Does batches of commands. Used by one thread."""

    def __init__(self, *, log: EventLog, codec: Codec, keyring: KeyRing, desk: Desk) -> None:
        """Everything outside comes in by protocol; see `commands.ports`."""
        self._log = log
        self._codec = codec
        self._keyring = keyring
        self._desk = desk
        self._streams = Streams(codec)

    def do(self, requests: Sequence[Request]) -> list[Outcome]:
        """The outcome of each request, in order. Answers are durable when this returns."""
        try:
            return self._attempt(requests)
        except StaleStream:
            return [self._alone(request) for request in requests]
        except LogUnavailable as error:
            return [Unavailable(reason=str(error)) for _ in requests]

    def _alone(self, request: Request) -> Outcome:
        for _ in range(_ATTEMPTS_ALONE):
            try:
                return self._attempt([request])[0]
            except StaleStream:
                continue
            except LogUnavailable as error:
                return Unavailable(reason=str(error))
        return Unavailable(reason="others change this stream all the time")

    def _attempt(self, requests: Sequence[Request]) -> list[Outcome]:
        works = [self._prepare(request) for request in requests]
        reading, streams = self._load(works)
        try:
            current = dict(streams)
            parties = dict(reading.parties)
            for work in works:
                if work.outcome is None:
                    self._decide(work, reading, current, parties)
            self._append(works, reading.now, streams, current)
        except (StaleStream, LogUnavailable):
            self._streams.forget(streams)
            raise
        return [work.outcome or Unavailable() for work in works]

    def _prepare(self, request: Request) -> Work:
        """Find the handler and the streams; what is refused before any stream is read gets its outcome here."""
        handler = HANDLERS[request.name]
        body = request.body
        work = Work(request=request, handler=handler, body=body, stream=uuid7())
        try:
            if request.actor.role not in handler.roles:
                raise RoleNotAllowed(role=request.actor.role, allowed=sorted(handler.roles))
            if isinstance(body, RegisterParty):
                work.digest = self._desk.identifiers.digest(body.identifier_kind, body.identifier)
            work.stream = handler.stream(body, work.stream)
        except DomainError as refusal:
            work.outcome = refusal
        return work

    def _load(self, works: Sequence[Work]) -> tuple[Reading, dict[UUID, Stream]]:
        wanted: dict[UUID, Aggregate[Any]] = {}
        for work in works:
            if work.outcome is None:
                wanted[work.stream] = work.handler.aggregate
                wanted.update(work.handler.reads(work.body))
        reading = self._log.read(
            after=self._streams.versions(wanted),
            commands=[(work.request.principal, work.request.idempotency_key) for work in works],
            identifiers=[work.digest for work in works if work.digest is not None],
        )
        tails = list(reading.tails)
        # Who registers a known identifier is answered with the party that has it, so that stream is needed too.
        holders = {party: PARTY for party in reading.parties.values() if party not in wanted}
        if holders:
            tails += self._log.read(after=self._streams.versions(holders), commands=(), identifiers=()).tails
            wanted.update(holders)
        return reading, self._streams.take(wanted, tails)

    def _decide(self, work: Work, reading: Reading, current: dict[UUID, Stream], parties: dict[bytes, UUID]) -> None:
        request = work.request
        logged = reading.answers.get((request.principal, request.idempotency_key))
        if logged is not None:
            work.outcome = _replayed(logged, request)
            return
        try:
            holder = parties.get(work.digest) if work.digest else None
            if holder is not None:
                work.stream = holder
            before = current[work.stream]
            _check_version(request.expected_version, before.version)
            work.effective_at = effective_time(request.effective_at, reading.now, request.actor)
            asked = Asked(
                command=work.body,
                stream=work.stream,
                circumstances=Circumstances(request.actor, reading.now, work.effective_at, uuid7()),
                state=before.state,
                other=lambda stream: current[stream].state,
                holder=holder,
                desk=self._desk,
            )
            events = work.handler.decide(asked)
        except Exception as refusal:  # noqa: BLE001 - a defect in one decision must not take the other commands down with it
            work.outcome = refusal
            return
        self._draft(work, before, events, current)
        if work.digest is not None and work.drafts:
            parties[work.digest] = work.stream

    def _draft(self, work: Work, before: Stream, events: Sequence[Any], current: dict[UUID, Stream]) -> None:
        assert work.effective_at is not None
        aggregate = work.handler.aggregate
        state, version = before.state, before.version
        for event in events:
            version += 1
            state = aggregate.evolve(state, event, work.effective_at)
            work.drafts.append(Draft(version, event, aggregate.holders(state), aggregate.rules(state)))
        work.version = version
        if events:
            current[work.stream] = Stream(version, before.position, before.tip, state)

    def _append(
        self, works: Sequence[Work], now: datetime, before: Mapping[UUID, Stream], after: Mapping[UUID, Stream]
    ) -> None:
        keys = self._keys(works)
        done = [work for work in works if work.outcome is None]
        tips = {stream: known.tip for stream, known in before.items()}
        rows = [row for work in done for row in self._encode(work, now, tips, keys)]
        positions: Sequence[int] = ()
        if done:
            positions = self._log.append(
                rows,
                [_to_log(work) for work in done],
                [(work.digest, work.stream) for work in done if work.digest is not None and work.drafts],
            )
        last = {stream: known.position for stream, known in before.items()}
        numbered = iter(positions)
        for work in done:
            for _ in work.drafts:
                last[work.stream] = next(numbered)
            work.outcome = Answer(
                id=work.stream,
                number=_number(work),
                version=work.version,
                position=last[work.stream],
                events=_types(work),
                created=bool(work.drafts) and work.drafts[0].version == 1,
            )
        self._streams.keep(
            {stream: Stream(known.version, last[stream], tips[stream], known.state) for stream, known in after.items()}
        )

    def _keys(self, works: Sequence[Work]) -> PersonKeys:
        """The keys of everyone the batch speaks of. A new party's key is made, and durable, before its first event."""
        known: set[UUID] = set()
        new: set[UUID] = set()
        for work in works:
            for draft in work.drafts:
                people = self._codec.subjects_of(draft.event)
                (new if isinstance(draft.event, PartyRegistered) else known).update(people)
        keys = {**self._keyring.keys(known - new), **self._keyring.keys(new, create=True)}
        if len(keys) < len(known | new):
            if len(works) > 1:
                raise StaleStream  # what others decided in this batch may rest on it: each alone
            works[0].outcome = PersonErased()
            works[0].drafts.clear()
        return keys

    def _encode(self, work: Work, now: datetime, tips: dict[UUID, str | None], keys: PersonKeys) -> list[NewEvent]:
        rows: list[NewEvent] = []
        request, stream = work.request, work.stream
        correlation = work.handler.correlation(work.body, stream)
        for draft in work.drafts:
            event_type = draft.event.__class__
            name = EVENT_NAMES[event_type]
            envelope = Envelope(
                id=uuid7(),
                type=name,
                schema=schema_of(event_type),
                stream=stream,
                version=draft.version,
                effective_at=work.effective_at or now,
                recorded_at=now,
                actor=request.actor,
                command=request.idempotency_key,
                causation=request.causation,
                correlation=correlation,
                rules=draft.rules,
                holders=draft.holders,
                evidence=getattr(draft.event, "evidence", ()),
                trace=request.trace,
                prev=tips.get(stream),
            )
            state = self._codec.encode(envelope, draft.event, keys)
            tips[stream] = sha256(state).hexdigest()
            rows.append(NewEvent(stream, draft.version, name, state))
        return rows


def _check_version(expected: int | None, current: int) -> None:
    if expected is not None and expected != current:
        raise StaleVersion(expected=expected, current=current)


def _replayed(logged: LoggedAnswer, request: Request) -> Outcome:
    if logged.fingerprint != request.fingerprint:
        return KeyReused(idempotency_key=request.idempotency_key)
    created = bool(logged.events) and logged.version == len(logged.events)
    return Answer(logged.stream, logged.number, logged.version, logged.position, logged.events, created)


def _to_log(work: Work) -> LoggedAnswer:
    request = work.request
    return LoggedAnswer(
        principal=request.principal,
        idempotency_key=request.idempotency_key,
        fingerprint=request.fingerprint,
        stream=work.stream,
        version=work.version,
        number=_number(work),
        events=_types(work),
    )


def _types(work: Work) -> tuple[str, ...]:
    return tuple(EVENT_NAMES[draft.event.__class__] for draft in work.drafts)


def _number(work: Work) -> str | None:
    """The human number that the command's first event gave, if it gave one."""
    return getattr(work.drafts[0].event, "number", None) if work.drafts else None
