"""Events that were set aside because they cannot be handled, and everything after them in their streams.

They are kept as they were published (personal fields sealed), shown by `tongban parked list`, and handled by
`tongban parked retry` once the fault is mended.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import groupby
from typing import Any, Protocol
from uuid import UUID

import orjson
from psycopg import Connection, Cursor, sql

from tongban.consumers.failures import describe, is_poisonous
from tongban.consumers.feed import Message
from tongban.infra.session_lock import READ_TABLES


class StillPoisonous(Exception):
    """An event that was parked still cannot be handled; the message says which and why, without values."""


class Retrier(Protocol):
    """What handles parked events again: a handler of the consumer that parked them."""

    def again(self, cursor: Cursor[tuple[Any, ...]], messages: Sequence[Message]) -> None:
        """Handle all parked events of one stream, in order. Raises StillPoisonous, or a poisonous database error."""
        ...


@dataclass(frozen=True, slots=True)
class Parking:
    """An event to be set aside and the reason, which shows no values."""

    message: Message
    problem: str


@dataclass(frozen=True, slots=True)
class Parked:
    """A row of `consumers.parked`, without the event's bytes."""

    consumer: str
    stream: UUID
    version: int
    position: int
    topic: str
    problem: str
    parked_at: datetime


@dataclass(frozen=True, slots=True)
class Retried:
    """What became of one stream: how many events were handled (0 when it stays parked), and why it stays."""

    stream: UUID
    handled: int
    problem: str | None


def parked_streams(cursor: Cursor[tuple[Any, ...]], consumer: str, streams: Sequence[UUID]) -> set[UUID]:
    """Those of `streams` that have parked events."""
    rows = cursor.execute(
        "SELECT DISTINCT stream FROM consumers.parked WHERE consumer = %s AND stream = ANY(%s)",
        (consumer, list(streams)),
    )
    return {row[0] for row in rows}


def park(cursor: Cursor[tuple[Any, ...]], consumer: str, parkings: Sequence[Parking]) -> int:
    """Set events aside in the caller's transaction. Returns how many were new."""
    if not parkings:
        return 0
    cursor.execute(
        "INSERT INTO consumers.parked (consumer, stream, version, position, topic, state, error)"
        " SELECT %s, * FROM unnest(%s::uuid[], %s::bigint[], %s::bigint[], %s::text[], %s::bytea[], %s::text[])"
        " ON CONFLICT (consumer, position) DO NOTHING",
        (
            consumer,
            [parking.message.stream for parking in parkings],
            [parking.message.version for parking in parkings],
            [parking.message.position for parking in parkings],
            [parking.message.topic for parking in parkings],
            [parking.message.state for parking in parkings],
            [parking.problem for parking in parkings],
        ),
    )
    return cursor.rowcount


def list_parked(conn: Connection[tuple[Any, ...]], *, limit: int = 1000) -> list[Parked]:
    """The parked events of all consumers, oldest first, at most `limit`."""
    rows = conn.execute(
        "SELECT consumer, stream, version, position, topic, error, parked_at FROM consumers.parked"
        " ORDER BY position, consumer LIMIT %s",
        (limit,),
    )
    return [Parked(*row) for row in rows]


def retry(
    conn: Connection[tuple[Any, ...]], consumer: str, retrier: Retrier, *, case: UUID | None = None
) -> list[Retried]:
    """Handle parked events again: those of one stream or case, or all. Each stream succeeds or stays parked whole.

    One transaction that keeps the projector out; `conn` is a projector's connection in autocommit mode.
    """
    with conn.transaction(), conn.cursor() as cursor:
        cursor.execute("SET LOCAL search_path TO read")
        cursor.execute("SET LOCAL lock_timeout = '30s'")
        cursor.execute("SELECT pg_advisory_xact_lock(%s)", (READ_TABLES,))
        rows = cursor.execute(
            "SELECT stream, version, position, topic, state FROM consumers.parked WHERE consumer = %s"
            " ORDER BY stream, position FOR UPDATE",
            (consumer,),
        ).fetchall()
        messages = [
            Message(topic, 0, position, position, None, stream, version, state)
            for stream, version, position, topic, state in rows
            if case is None or stream == case or _is_of(state, str(case))
        ]
        streams = [(stream, list(found)) for stream, found in groupby(messages, key=lambda m: m.stream)]
        # A case before what follows from it: by the first event that was parked.
        streams.sort(key=lambda pair: pair[1][0].position)
        return [_retry_stream(cursor, consumer, retrier, stream, found) for stream, found in streams]


def _retry_stream(
    cursor: Cursor[tuple[Any, ...]],
    consumer: str,
    retrier: Retrier,
    stream: UUID,
    messages: Sequence[Message],
) -> Retried:
    try:
        with cursor.connection.transaction():
            retrier.again(cursor, messages)
            cursor.execute(
                sql.SQL("DELETE FROM consumers.parked WHERE consumer = %s AND stream = %s"), (consumer, stream)
            )
    except StillPoisonous as still:
        return Retried(stream, 0, str(still))
    except Exception as error:
        if not is_poisonous(error):
            raise
        return Retried(stream, 0, describe(error))
    return Retried(stream, len(messages), None)


def _is_of(state: bytes, case: str) -> bool:
    """Whether an event outside the case's own stream belongs to it: those of its licence and its rating name it."""
    try:
        found = orjson.loads(state)
    except orjson.JSONDecodeError:
        return False
    if not isinstance(found, dict):
        return False
    data = found.get("data")
    return found.get("correlation") == case or (isinstance(data, dict) and data.get("case_id") == case)
