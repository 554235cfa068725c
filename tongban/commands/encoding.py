"""Decided events become bytes: in order, each with the hash of the one before it in its stream."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from hashlib import sha256
from uuid import UUID

from uuid_utils.compat import uuid7

from tongban.commands.ports import Codec, KeyRing, NewEvent, PersonKeys
from tongban.commands.work import Work
from tongban.domain.errors import RuleBroken
from tongban.domain.party.events import PartyRegistered
from tongban.domain.recorded import Envelope
from tongban.domain.registry import schema_of

LARGEST_EVENT = 512 * 1024
"""Bytes; the store checks the same."""


class PersonErased(RuleBroken):
    """This person's data was erased: nothing more can be recorded about them."""

    zh = "该主体的个人信息已删除, 不能再记录其信息。"


class EventTooLarge(RuleBroken):
    """What this command would record is too large: shorten its texts and lists."""

    zh = "记录内容过大, 请精简后重试。"


class Encoder:
    """Encodes the events of a batch."""

    def __init__(self, codec: Codec, keyring: KeyRing) -> None:
        """See `commands.ports`."""
        self._codec = codec
        self._keyring = keyring

    def encode(self, works: Sequence[Work], now: datetime, tips: dict[UUID, str | None]) -> list[NewEvent]:
        """The events of all works, in order; `tips` (stream → hash of its last event) moves on with them.

        Raises PersonErased, EventTooLarge, LogUnavailable.
        """
        keys = self._keys(works)
        return [row for work in works for row in self._encode(work, now, tips, keys)]

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
            raise PersonErased
        return keys

    def _encode(self, work: Work, now: datetime, tips: dict[UUID, str | None], keys: PersonKeys) -> list[NewEvent]:
        rows: list[NewEvent] = []
        request, stream = work.request, work.stream
        for draft in work.drafts:
            envelope = Envelope(
                id=uuid7(),
                type=draft.type,
                schema=schema_of(draft.event.__class__),
                stream=stream,
                version=draft.version,
                effective_at=work.effective_at or now,
                recorded_at=now,
                actor=work.actor,
                command=request.idempotency_key,
                causation=request.causation,
                correlation=draft.correlation,
                rules=draft.rules,
                holders=draft.holders,
                evidence=getattr(draft.event, "evidence", ()),
                trace=request.trace,
                prev=tips.get(stream),
            )
            state = self._codec.encode(envelope, draft.event, keys)
            if len(state) > LARGEST_EVENT:
                raise EventTooLarge(bytes=len(state), most=LARGEST_EVENT)
            tips[stream] = sha256(state).hexdigest()
            rows.append(NewEvent(stream, draft.version, draft.type, state))
        return rows
