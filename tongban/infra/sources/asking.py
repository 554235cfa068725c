"""Asking a data source with patience that ends: a time-out per try, few tries, and a rest after failures in a row."""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import Callable
from dataclasses import dataclass, field

import structlog

from tongban.domain.sharing.events import ExchangeResult
from tongban.infra.sources.protocol import Answer, Question, Source, SourceFailed

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Patience:
    """Seconds per try, tries, the first pause between them (doubled each time), and when a source is left alone.

    After `failures` questions in a row that came to nothing a source rests for `rest` seconds; then one question tries
    it again while the others still pass it by.
    """

    timeout: float = 1.0
    attempts: int = 2
    pause: float = 0.05
    failures: int = 5
    rest: float = 10.0


@dataclass(frozen=True, slots=True)
class Exchange:
    """What came of a question; `answer` is None unless the source spoke. `attempts` 0: it was not asked at all."""

    question: Question
    result: ExchangeResult
    answer: Answer | None
    latency_ms: int
    attempts: int


NOT_ASKED = 0


@dataclass(slots=True)
class _Health:
    """How one source has been doing; used by one event loop."""

    failures: int = 0
    rests_until: float = 0.0
    tried: bool = False


@dataclass(slots=True)
class Asker:
    """Asks, and remembers which sources fail."""

    patience: Patience
    clock: Callable[[], float] = time.monotonic
    _health: dict[str, _Health] = field(default_factory=dict)

    async def ask(self, source: Source, question: Question) -> Exchange:
        """Never raises for what a source does."""
        health = self._health.setdefault(question.source, _Health())
        if health.failures >= self.patience.failures and (self.clock() < health.rests_until or health.tried):
            return Exchange(question, ExchangeResult.ERROR, None, 0, NOT_ASKED)
        health.tried = health.failures >= self.patience.failures
        try:
            asked = await self._try(source, question)
        finally:
            health.tried = False
        if asked.result in (ExchangeResult.FOUND, ExchangeResult.EMPTY):
            health.failures = 0
        else:
            health.failures += 1
            health.rests_until = self.clock() + self.patience.rest
        return asked

    async def _try(self, source: Source, question: Question) -> Exchange:
        started = time.perf_counter()
        result = ExchangeResult.ERROR
        answer: Answer | None = None
        attempt = 0
        while attempt < self.patience.attempts:
            if attempt:
                # Spread, so that many who failed together do not come back together.
                await asyncio.sleep(self.patience.pause * 2 ** (attempt - 1) * random.uniform(0.5, 1.5))  # noqa: S311
            attempt += 1
            try:
                async with asyncio.timeout(self.patience.timeout):
                    answer = await source.ask(question)
            except TimeoutError:
                result = ExchangeResult.TIMEOUT
            except SourceFailed as failed:
                result = ExchangeResult.ERROR
                log.info("source_failed", source=question.source, reason=str(failed), attempt=attempt)
                if not failed.passing:
                    break
            except Exception as defect:  # noqa: BLE001 - an adapter's defect must cost an exemption, not an application
                result = ExchangeResult.ERROR
                log.error("source_adapter_failed", source=question.source, error=type(defect).__name__)
                break
            else:
                result = ExchangeResult.FOUND if answer.found else ExchangeResult.EMPTY
                break
        milliseconds = round((time.perf_counter() - started) * 1000)
        return Exchange(question, result, answer, milliseconds, attempt)
