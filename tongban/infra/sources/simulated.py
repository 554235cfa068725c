"""A data source that makes up its answers, the same for the same question: for the embedded stack and for tests.

In: a question. Out: mostly a VALID answer; in settable shares nothing, an error, or an answer that comes too late.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from hashlib import sha256

from tongban.infra.sources.protocol import Answer, Question, SourceFailed

_EPOCH = datetime(2025, 1, 1, tzinfo=UTC)
_DAYS = 365


@dataclass(frozen=True, slots=True)
class Shares:
    """How often a question ends otherwise than with a valid answer; the three together are 1 at most."""

    missing: float = 0.0
    failing: float = 0.0
    slow: float = 0.0


class SimulatedSource:
    """Answers by (seed, holder, kind, what is asked for)."""

    def __init__(self, shares: Shares, *, seed: str = "tongban", slow_seconds: float = 5.0) -> None:
        """`slow_seconds` is what a slow answer takes."""
        self._shares = shares
        self._seed = seed
        self._slow_seconds = slow_seconds

    async def ask(self, question: Question) -> Answer:
        """See `protocol.Source`."""
        asked_for = question.licence_type or question.material
        digest = sha256(f"{self._seed}|{question.subject}|{question.kind}|{asked_for}".encode()).digest()
        drawn = int.from_bytes(digest[:8], "big") / 2**64
        shares = self._shares
        evidence = f"{question.source}:{digest[8:16].hex()}"
        as_of = _EPOCH + timedelta(days=digest[17] / 256 * _DAYS)
        version = str(1 + digest[16] % 9)
        if drawn < shares.missing:
            return Answer(found=False, status="NONE", version=version, as_of=as_of, evidence_id=evidence)
        if drawn < shares.missing + shares.failing:
            raise SourceFailed("simulated failure")
        if drawn < shares.missing + shares.failing + shares.slow:
            await asyncio.sleep(self._slow_seconds)
        return Answer(found=True, status="VALID", version=version, as_of=as_of, evidence_id=evidence)

    async def close(self) -> None:
        """Nothing is held open."""
