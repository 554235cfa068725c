"""Stored events without a write side: what the relay and the consumers see of them, and nothing more."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from uuid import UUID, uuid4

import orjson
import psycopg

TYPES = ("case.ApplicationSubmitted", "case.OpinionRecorded", "licence.LicenceCollected", "rating.CaseRated")


def state_of(stream: UUID, version: int, event_type: str = TYPES[0], **extra: object) -> bytes:
    """Bytes that look like an event as far as relay and feeds look."""
    return orjson.dumps(
        {
            "id": str(uuid4()),
            "type": event_type,
            "schema": 1,
            "stream": str(stream),
            "version": version,
            "effective_at": "2026-03-02T01:00:00.000000Z",
            "recorded_at": "2026-03-02T01:00:00.000000Z",
            "trace": "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
            **extra,
        }
    )


def append(admin_url: str, events: Sequence[tuple[UUID, int, str, bytes]]) -> list[int]:
    """Append (stream, version, type, state) in one commit. Returns their positions."""
    with psycopg.connect(admin_url) as conn:
        conn.execute("SELECT pg_advisory_xact_lock(7301)")
        positions = [
            conn.execute(
                "INSERT INTO events.stored_events (originator_id, originator_version, topic, state)"
                " VALUES (%s, %s, %s, %s) RETURNING notification_id",
                event,
            ).fetchone()[0]  # type: ignore[index]
            for event in events
        ]
        conn.execute("NOTIFY stored_events")
    return positions


def some_events(streams: Sequence[UUID], versions: range) -> Iterator[tuple[UUID, int, str, bytes]]:
    """One event of each stream per version; each stream stays with one type, so with one topic."""
    for version in versions:
        for number, stream in enumerate(streams):
            event_type = TYPES[number % len(TYPES)]
            yield stream, version, event_type, state_of(stream, version, event_type)
