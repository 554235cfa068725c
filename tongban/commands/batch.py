"""One batch of commands: read once, decide each in turn against what those before it decided, append all in one commit.

A command that is refused leaves no trace in the batch. When the append clashes with another process, each command of
the batch is done again alone on streams read afresh: no answer ever rests on a state that did not come to be.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import suppress
from typing import Any
from uuid import UUID

from uuid_utils.compat import uuid7

from tongban.commands.encoding import Encoder
from tongban.commands.handlers import HANDLERS
from tongban.commands.handling import Asked, Desk
from tongban.commands.ports import (
    Codec,
    EventLog,
    KeyRing,
    LogUnavailable,
    PendingAppend,
    Reading,
    StaleStream,
)
from tongban.commands.requests import Outcome, Request, Unavailable
from tongban.commands.streams import Stream, Streams
from tongban.commands.work import Decided, Draft, Work, answer_again
from tongban.domain.aggregate import Aggregate, Circumstances, effective_time
from tongban.domain.errors import Conflict, DomainError, RoleNotAllowed, RuleBroken, StaleVersion
from tongban.domain.party.commands import RegisterParty
from tongban.domain.registry import EVENT_NAMES

_ATTEMPTS_ALONE = 5


class IdTaken(Conflict):
    """This id already belongs to something of another kind."""

    zh = "该标识已属于其他类型的对象。"


class _NotRead(Exception):
    """A decision needs a stream that was not read: what names it changed within the batch. The batch is taken apart."""


class _NothingToAppend:
    """The append of a batch in which everything was refused."""

    def wait(self) -> Sequence[int]:
        """Nothing to wait for."""
        return ()


class Batch:
    """Does batches of commands, in three steps: `decide`, `start_append`, `conclude`; `do` is all three.

    The next batch may be decided while this one is appended: it is then decided on streams as they will be, and is
    decided anew if this one fails.
    """

    def __init__(self, *, log: EventLog, codec: Codec, keyring: KeyRing, desk: Desk) -> None:
        """Everything outside comes in by protocol; see `commands.ports`."""
        self._log = log
        self._encoder = Encoder(codec, keyring)
        self._desk = desk
        self._streams = Streams(codec)
        self._registering: dict[bytes, UUID] = {}

    def do(self, requests: Sequence[Request]) -> list[Outcome]:
        """The outcome of each request, in order. Answers are durable when this returns."""
        try:
            decided = self.decide(requests)
            return self.conclude(decided, self.start_append(decided).wait())
        except Exception as failure:  # noqa: BLE001 - whatever it was, every request gets its outcome
            return self.after_failure(requests, failure)

    def after_failure(self, requests: Sequence[Request], failure: Exception) -> list[Outcome]:
        """The outcomes of a batch that did not come to be: turned away, or each command alone.

        A defect (a stream that cannot be read, say) thus reaches only the commands that meet it, and so does a refusal
        that was found when the batch was encoded.
        """
        self._forget()
        if isinstance(failure, LogUnavailable):
            return [Unavailable(reason=str(failure)) for _ in requests]
        return [self._alone(request) for request in requests]

    def _alone(self, request: Request) -> Outcome:
        for _ in range(_ATTEMPTS_ALONE):
            try:
                decided = self.decide([request])
                return self.conclude(decided, self.start_append(decided).wait())[0]
            except StaleStream:
                self._forget()
            except LogUnavailable as error:
                self._forget()
                return Unavailable(reason=str(error))
            except Exception as defect:  # noqa: BLE001 - the caller reports it
                self._forget()
                return defect
        return Unavailable(reason="others change this stream all the time")

    def _forget(self) -> None:
        """Nothing that was decided ahead came to be: start from what the log says."""
        self._streams.clear()
        self._registering.clear()

    def decide(self, requests: Sequence[Request]) -> Decided:
        """Read, decide and encode. Whatever it raises, `after_failure` has the answers.

        What one command cannot record (PersonErased, EventTooLarge) takes the batch apart, because others of the batch
        may have been decided on it.
        """
        works = [self._prepare(request) for request in requests]
        reading, before = self._load(works)
        after = dict(before)
        parties = {**reading.parties, **self._registering}
        relied: set[UUID] = set()
        for work in works:
            if work.outcome is None:
                self._decide(work, reading, after, parties, relied)
        tips = {stream: known.tip for stream, known in before.items()}
        done = [work for work in works if work.outcome is None]
        rows = self._encoder.encode(done, reading.now, tips)
        identifiers = [(work.digest, work.stream) for work in done if work.digest is not None and work.drafts]
        self._registering.update(identifiers)
        self._streams.keep(after, tips)
        unchanged = {stream: before[stream].version for stream in relied}
        return Decided(works, rows, [work.for_log() for work in done], identifiers, unchanged)

    def start_append(self, decided: Decided) -> PendingAppend:
        """Send a decided batch to the log; its `wait` gives the positions of its events. Raises LogUnavailable."""
        if not decided.answers:
            return _NothingToAppend()
        return self._log.start_append(decided.rows, decided.answers, decided.identifiers, decided.unchanged)

    def conclude(self, decided: Decided, positions: Sequence[int]) -> list[Outcome]:
        """The outcomes of a batch that is durable now, in order."""
        numbered = iter(positions)
        for work in decided.works:
            if work.outcome is not None:
                continue
            for _ in work.drafts:
                self._streams.settle(work.stream, next(numbered))
            work.outcome = work.answer(self._streams.position(work.stream))
        for digest, _ in decided.identifiers:
            self._registering.pop(digest, None)
        return [work.outcome or Unavailable() for work in decided.works]

    def _prepare(self, request: Request) -> Work:
        """Find the handler and the streams; what is refused before any stream is read gets its outcome here."""
        handler = HANDLERS[request.name]
        body = request.body
        new_id = uuid7()
        work = Work(request, handler, new_id, stream=new_id, actor=request.actor)
        try:
            if request.actor.role not in handler.roles:
                raise RoleNotAllowed(role=request.actor.role, allowed=sorted(handler.roles))
            if isinstance(body, RegisterParty):
                work.digest = self._desk.identifiers.digest(body.identifier_kind, body.identifier)
            work.stream = handler.stream(body, new_id)
        except DomainError as refusal:
            work.outcome = _told(refusal)
        return work

    def _load(self, works: Sequence[Work]) -> tuple[Reading, dict[UUID, Stream]]:
        wanted: set[UUID] = set()
        for work in works:
            if work.outcome is None:
                wanted.update((work.stream, *work.handler.reads(work.request.body)))
        reading = self._log.read(
            after=self._streams.versions(wanted),
            commands=[(work.request.principal, work.request.idempotency_key) for work in works],
            identifiers=[work.digest for work in works if work.digest is not None],
        )
        tails = list(reading.tails)
        # Who registers a known identifier is answered with the party that has it, so that stream is needed too.
        named = {work.digest for work in works if work.digest is not None}
        registering = [party for digest, party in self._registering.items() if digest in named]
        holders = {*reading.parties.values(), *registering} - wanted
        if holders:
            tails += self._log.read(after=self._streams.versions(holders), commands=(), identifiers=()).tails
            wanted.update(holders)
        current = self._streams.take(wanted, tails)
        # What only a loaded state names (whose work it is, say) is read in a second round, where there is such a thing.
        more = {
            stream
            for work in works
            if work.outcome is None and work.handler.more is not None
            for stream in work.handler.more(
                work.request.body, current[work.stream].state_as(work.handler.aggregate), work.request.actor
            )
        }
        more |= {
            stream
            for work in works
            if work.outcome is None and work.handler.follows is not None
            for stream in work.handler.follows(work.request.body, _Others(current, set()))
        }
        if more := more - wanted:
            tails = list(self._log.read(after=self._streams.versions(more), commands=(), identifiers=()).tails)
            current.update(self._streams.take(more, tails))
        return reading, current

    def _decide(
        self,
        work: Work,
        reading: Reading,
        current: dict[UUID, Stream],
        parties: dict[bytes, UUID],
        relied: set[UUID],
    ) -> None:
        request = work.request
        logged = reading.answers.get((request.principal, request.idempotency_key))
        if logged is not None:
            work.outcome = answer_again(logged, request)
            return
        try:
            holder = parties.get(work.digest) if work.digest else None
            if holder is not None:
                work.stream = holder
            before = current[work.stream]
            aggregate = work.handler.aggregate
            work.effective_at = effective_time(request.effective_at, reading.now, request.actor)
            asked = Asked(
                command=request.body,
                stream=work.stream,
                circumstances=Circumstances(request.actor, reading.now, work.effective_at, work.new_id),
                state=before.state_as(aggregate),
                other=_Others(current, relied),
                holder=holder,
                desk=self._desk,
                evidence=request.evidence,
                failures=request.failures,
            )
            asked = _as_the_law_says(work, asked)
            if (acting := work.handler.acting) is not None:
                work.actor = acting(asked)
                asked = asked._replace(circumstances=asked.circumstances._replace(actor=work.actor))
            events = _judge(work, asked, before.version)
            if events:
                _check_kind(work.stream, before, aggregate)
        except (LogUnavailable, _NotRead):
            raise
        except Exception as refusal:  # noqa: BLE001 - a defect in one decision must not take the other commands down with it
            work.outcome = _told(refusal)
            return
        self._draft(work, asked, events, current)
        if work.digest is not None and work.drafts:
            parties[work.digest] = work.stream

    def _draft(self, work: Work, asked: Asked, events: Sequence[Any], current: dict[UUID, Stream]) -> None:
        aggregate = work.handler.aggregate
        before, effective_at = current[work.stream], asked.circumstances.effective_at
        state, version = asked.state, before.version
        for event in events:
            version += 1
            state = aggregate.evolve(state, event, effective_at)
            name = EVENT_NAMES[event.__class__]
            correlation = aggregate.correlation(state) or work.handler.correlation(asked)
            work.drafts.append(
                Draft(version, name, event, aggregate.holders(state), aggregate.rules(state), correlation)
            )
            work.types += (name,)
        work.version = version
        work.number = getattr(state, "number", None) or None
        if events:
            current[work.stream] = Stream(version, before.position, before.tip, aggregate.category, state)


class _Others:
    """The other streams that a decision looks at; notes those that its right rests on (`relied`)."""

    __slots__ = ("_current", "_relied")

    def __init__(self, current: Mapping[UUID, Stream], relied: set[UUID]) -> None:
        self._current = current
        self._relied = relied

    def __call__(self, stream: UUID, kind: Aggregate[Any]) -> Any:
        """The state of a stream that was read. Raises _NotRead."""
        known = self._current.get(stream)
        if known is None:
            raise _NotRead
        if kind.binding:
            self._relied.add(stream)
        return known.state_as(kind)


def _told(refusal: Exception) -> Exception:
    """The refusal without its frames, which hold the whole batch; a defect keeps them, for the log."""
    return refusal.with_traceback(None) if isinstance(refusal, DomainError) else refusal


def _as_the_law_says(work: Work, asked: Asked) -> Asked:
    """The command in effect when the law says it is, where it does."""
    effective = work.handler.effective
    at = effective(asked) if effective is not None else None
    if at is None:
        return asked
    work.effective_at = at
    return asked._replace(circumstances=asked.circumstances._replace(effective_at=at, by_law=True))


def _check_kind(identity: UUID, stream: Stream, aggregate: Aggregate[Any]) -> None:
    if stream.version and stream.category != aggregate.category:
        raise IdTaken(id=identity)


def _judge(work: Work, asked: Asked, version: int) -> list[Any]:
    """What the decision says, unless the caller saw another version of the stream.

    It is asked even then: who may not act on the stream is told that, and nothing of what others did to it.
    """
    expected = work.request.expected_version
    if expected is None or expected == version:
        return work.handler.decide(asked)
    with suppress(RuleBroken, Conflict):
        work.handler.decide(asked)
    raise StaleVersion(id=work.stream, expected=expected, current=version)
