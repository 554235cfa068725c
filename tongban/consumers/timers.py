"""Time → commands: whatever is due is given to the write side, by however many processes, and acts once.

In: the read tables `timer` and `bundle_timer`, which follow the events. Out: commands. What is found due is noted in
`consumers.due_timer`, taken from there with SKIP LOCKED, and stays noted with its answer, so that nothing is given
twice for one moment. A process that dies between the answer and its note leaves the note open: the command is given
again under the same id, and has been done already.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from threading import Event
from time import monotonic
from typing import Any, NamedTuple
from uuid import UUID

import psycopg
import structlog
from psycopg import Connection

from tongban.commands.requests import KeyInFlight
from tongban.consumers.failures import PAUSE, TransientFailure
from tongban.consumers.metrics import TimerMetrics
from tongban.consumers.orders import GiveAll, Order
from tongban.consumers.recomputing import Recomputing
from tongban.domain.errors import DomainError, EffectiveTimeBeforeCause, EffectiveTimeInFuture, StaleVersion
from tongban.domain.timers import BUNDLE_TIMERS, TIMERS, CommandOf, timer_command
from tongban.infra.database import DbRole, connect
from tongban.infra.session_lock import end_when_silent

log = structlog.get_logger(__name__)

NAME = "timers"
POLL_SECONDS = 1.0
SILENCE = 60
"""Seconds after which what a stopped process has taken passes on."""
_KEPT = "30 days"
_FORGET_EVERY = 3600.0
# What another try can mend; a clock of the database that was set back is one.
_PASSING = (TransientFailure, StaleVersion, KeyInFlight, EffectiveTimeInFuture)

_FIND = """
INSERT INTO consumers.due_timer (stream, kind, due_at)
SELECT stream, kind, due_at FROM (TABLE read.timer UNION ALL TABLE read.bundle_timer) AS timer
WHERE due_at <= coalesce(%(now)s, statement_timestamp()) AND kind = ANY(%(kinds)s)
  AND NOT EXISTS (
      SELECT FROM consumers.due_timer AS noted
      WHERE (noted.stream, noted.kind, noted.due_at) = (timer.stream, timer.kind, timer.due_at)
  )
ORDER BY due_at LIMIT %(limit)s
ON CONFLICT DO NOTHING
"""
# What was done meanwhile, or moved, is due no more.
_DROP = """
DELETE FROM consumers.due_timer WHERE (stream, kind, due_at) IN (
    SELECT stream, kind, due_at FROM consumers.due_timer AS noted
    WHERE answered_at IS NULL AND NOT EXISTS (
        SELECT FROM (TABLE read.timer UNION ALL TABLE read.bundle_timer) AS timer
    WHERE (timer.stream, timer.kind, timer.due_at) = (noted.stream, noted.kind, noted.due_at)
    )
    FOR UPDATE SKIP LOCKED
)
"""
_TAKE = """
SELECT stream, kind, due_at FROM consumers.due_timer
WHERE answered_at IS NULL AND kind = ANY(%s) AND found_at <= clock_timestamp() - make_interval(secs => %s)
ORDER BY due_at LIMIT %s FOR UPDATE SKIP LOCKED
"""
_NOTE = """
UPDATE consumers.due_timer AS noted SET answered_at = clock_timestamp(), problem = answered.problem
FROM unnest(%s::uuid[], %s::text[], %s::timestamptz[], %s::text[]) AS answered (stream, kind, due_at, problem)
WHERE (noted.stream, noted.kind, noted.due_at) = (answered.stream, answered.kind, answered.due_at)
"""
_FORGET = """
DELETE FROM consumers.due_timer AS noted
WHERE answered_at < clock_timestamp() - %s::interval AND problem IS NULL AND NOT EXISTS (
    SELECT FROM (TABLE read.timer UNION ALL TABLE read.bundle_timer) AS timer
    WHERE (timer.stream, timer.kind, timer.due_at) = (noted.stream, noted.kind, noted.due_at)
)
"""
_OPEN = """
SELECT count(*), coalesce(extract(epoch FROM statement_timestamp() - min(due_at)), 0)
FROM consumers.due_timer WHERE answered_at IS NULL
"""


class DueTimer(NamedTuple):
    """A timer whose time has come."""

    stream: UUID
    kind: str
    due_at: datetime


class RefusedTimer(NamedTuple):
    """A timer whose command was refused, and why."""

    stream: UUID
    kind: str
    due_at: datetime
    problem: str
    answered_at: datetime


class Timers:
    """One worker; any number may run beside each other."""

    def __init__(
        self,
        *,
        database_url: str,
        give: GiveAll,
        metrics: TimerMetrics,
        timers: Mapping[str, CommandOf] = TIMERS,
        now: Callable[[], datetime] | None = None,
        grace: float = 0.0,
        recomputing: Recomputing | None = None,
        at_once: int = 200,
        poll: float = POLL_SECONDS,
    ) -> None:
        """`at_once` commands are given together; `now` stands in for the database's clock in tests.

        `grace`: seconds that what is found due waits, so that what is being entered late can still be entered whole.
        """
        self._grace = grace
        self._recomputing = recomputing
        self._url = database_url
        self._give = give
        self._metrics = metrics
        self._timers = timers
        self._now = now
        self._at_once = at_once
        self._poll = poll

    def run(self, stop: Event) -> None:
        """Give what is due until `stop` is set; waits for a database that is not there."""
        while not stop.is_set():
            try:
                with contextlib.closing(connect(self._url, DbRole.PROJECTOR)) as conn:
                    end_when_silent(conn, SILENCE)
                    self._follow(conn, stop)
            except psycopg.OperationalError as lost:
                log.warning("timers_wait", error=type(lost).__name__)
                stop.wait(PAUSE)

    def _follow(self, conn: Connection[tuple[Any, ...]], stop: Event) -> None:
        forget_at = 0.0
        while not stop.is_set():
            if monotonic() >= forget_at:
                conn.execute(_FORGET, (_KEPT,))
                forget_at = monotonic() + _FORGET_EVERY
            more = self.turn(conn) >= self._at_once
            if not (self._recompute(conn) or more):
                stop.wait(self._poll)

    def _recompute(self, conn: Connection[tuple[Any, ...]]) -> bool:
        """Do a page of what an import of the calendar asks for. Whether there may be more."""
        try:
            return self._recomputing is not None and self._recomputing.turn(conn) >= 0
        except TransientFailure as waits:
            log.warning("recomputation_waits", problem=str(waits))
            return False

    def turn(self, conn: Connection[tuple[Any, ...]]) -> int:
        """Find what is due and give some of it. Returns how many were answered."""
        kinds = list(self._timers)
        now = self._now() if self._now is not None else None
        conn.execute(_FIND, {"now": now, "kinds": kinds, "limit": self._at_once})
        conn.execute(_DROP)
        with conn.transaction():
            due = [DueTimer(*row) for row in conn.execute(_TAKE, (kinds, self._grace, self._at_once))]
            answers = self._answers(due)
            if answers:
                streams, names, moments = zip(*answers, strict=True)
                conn.execute(_NOTE, (list(streams), list(names), list(moments), list(answers.values())))
        self._tell(conn, answers)
        return len(answers)

    def _answers(self, due: Sequence[DueTimer]) -> dict[DueTimer, str | None]:
        """What was answered, with why it was refused; not in it: what is to be given again."""
        outcomes = dict(zip(due, self._give([self._order(timer) for timer in due]), strict=True))
        # Someone acted in between, late: then it takes effect now, not when it was due.
        late = [timer for timer, outcome in outcomes.items() if isinstance(outcome, EffectiveTimeBeforeCause)]
        again = self._give([self._order(timer)._replace(effective_at=None) for timer in late])
        outcomes.update(zip(late, again, strict=True))
        answers: dict[DueTimer, str | None] = {}
        for timer, outcome in outcomes.items():
            if isinstance(outcome, _PASSING):
                log.warning("timer_waits", stream=str(timer.stream), kind=timer.kind, problem=_name(outcome))
                continue
            answers[timer] = None if outcome is None else _name(outcome)
            if outcome is not None:
                log.error("timer_refused", stream=str(timer.stream), kind=timer.kind, problem=_name(outcome))
        return answers

    def _order(self, timer: DueTimer) -> Order:
        return Order(
            command=self._timers[timer.kind](timer.stream),
            by=f"timer:{timer.kind}",
            id=timer_command(*timer),
            # A notice is sent when it is sent, on the last day for it or, after an outage, too late.
            effective_at=None if timer.kind in BUNDLE_TIMERS else timer.due_at,
        )

    def _tell(self, conn: Connection[tuple[Any, ...]], answers: Mapping[DueTimer, str | None]) -> None:
        for timer, problem in answers.items():
            self._metrics.fired.labels(timer.kind, "refused" if problem else "done").inc()
        row = conn.execute(_OPEN).fetchone()
        assert row is not None
        self._metrics.due.set(row[0])
        self._metrics.lag_seconds.set(max(0.0, float(row[1])))


def list_refused(conn: Connection[tuple[Any, ...]], *, limit: int = 1000) -> list[RefusedTimer]:
    """The timers whose command was refused, oldest first, at most `limit`."""
    rows = conn.execute(
        "SELECT stream, kind, due_at, problem, answered_at FROM consumers.due_timer"
        " WHERE problem IS NOT NULL ORDER BY answered_at LIMIT %s",
        (limit,),
    )
    return [RefusedTimer(*row) for row in rows]


def retry_timers(conn: Connection[tuple[Any, ...]], stream: UUID) -> int:
    """Have the refused timers of a stream given again. Returns how many."""
    return conn.execute(
        "UPDATE consumers.due_timer SET answered_at = NULL, problem = NULL WHERE stream = %s AND problem IS NOT NULL",
        (stream,),
    ).rowcount


def _name(outcome: Exception) -> str:
    """What is kept of a refusal: never its text, which may repeat a value."""
    return outcome.code if isinstance(outcome, DomainError) else type(outcome).__name__
