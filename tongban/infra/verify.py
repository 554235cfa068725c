"""Verifying the hash chains: every event names the SHA-256 of the one before it in its stream."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from hashlib import sha256
from uuid import UUID

import orjson


@dataclass(slots=True)
class ChainReport:
    """What a verification found. `problems` names position, stream and version of each break."""

    events: int = 0
    streams: int = 0
    problems: list[str] = field(default_factory=list)


def verify_chains(
    events: Iterable[tuple[int, UUID, int, str, bytes]], progress: Callable[[int], None] = lambda _: None
) -> ChainReport:
    """Check the chain of every stream in events (as `history.all_events` gives them: all of a stream, in order)."""
    report = ChainReport()
    tips: dict[UUID, tuple[int, str]] = {}
    for position, stream, version, topic, state in events:
        last_version, tip = tips.get(stream, (0, None))
        where = f"position {position}: stream {stream} version {version}"
        try:
            envelope = orjson.loads(state)
            told = (UUID(envelope["stream"]), envelope["version"], envelope["type"], envelope["prev"])
        except (ValueError, KeyError, TypeError):
            report.problems.append(f"{where}: the bytes are not an event")
        else:
            if version != last_version + 1:
                report.problems.append(f"{where}: version {last_version + 1} was expected: events are missing")
            if told[:3] != (stream, version, topic):
                report.problems.append(f"{where}: the envelope speaks of another stream, version or type")
            if told[3] != tip:
                report.problems.append(
                    f"{where}: prev is not the hash of version {last_version}: a change came between"
                )
        tips[stream] = version, sha256(state).hexdigest()
        report.events += 1
        progress(report.events)
    report.streams = len(tips)
    return report
