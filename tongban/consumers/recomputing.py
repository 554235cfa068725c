"""A calendar was imported → the deadlines of the open cases that it may move are reckoned anew.

In: the read tables of the calendar and of cases. Out: one command per case, page by page; how far it came is kept, so
that a process that dies loses nothing and two share nothing but the pages. A second look a while later takes in the
cases that were decided by the old calendar and still on their way into the read tables.
"""

from __future__ import annotations

from typing import Any
from uuid import UUID

import structlog
from psycopg import Connection

from tongban.consumers.failures import TransientFailure
from tongban.consumers.metrics import TimerMetrics
from tongban.consumers.orders import GiveAll, Order
from tongban.domain.bundle.commands import RecomputeBundleDeadlines
from tongban.domain.timers import CommandOf, recomputation

log = structlog.get_logger(__name__)

_PAGE = 384
_LATER = "60 seconds"

_BEGIN = """
INSERT INTO consumers.recomputation (calendar_version, turn, year, not_before)
SELECT calendar_version, turn, year, clock_timestamp() + (turn - 1) * %s::interval
FROM read.calendar_version_view CROSS JOIN generate_series(1, 2) AS turn
WHERE NOT EXISTS (
    SELECT FROM consumers.recomputation AS begun WHERE begun.calendar_version = calendar_version_view.calendar_version
)
ON CONFLICT DO NOTHING
"""
_NEXT = """
SELECT calendar_version, turn, year, after FROM consumers.recomputation
WHERE NOT done AND not_before <= clock_timestamp()
ORDER BY calendar_version, turn LIMIT 1 FOR UPDATE SKIP LOCKED
"""
_CASES = """
SELECT id, whole FROM (
    SELECT id, clocks, false FROM read.case_view WHERE id > %(after)s AND closed_at IS NULL
    UNION ALL SELECT id, clocks, true FROM read.bundle_view WHERE id > %(after)s AND completed_at IS NULL
) AS open (id, clocks, whole)
WHERE EXISTS (
    SELECT FROM jsonb_each(clocks) AS running (name, clock)
    WHERE clock ->> 'stopped' IS NULL AND (
        (clock ->> 'provisional')::boolean
        OR %(year)s BETWEEN left(clock ->> 'start', 4)::int AND left(clock ->> 'due', 4)::int
    )
)
ORDER BY id LIMIT %(page)s
"""
_MOVE = """
UPDATE consumers.recomputation SET after = %s, cases = cases + %s, done = %s WHERE (calendar_version, turn) = (%s, %s)
"""


class Recomputing:
    """Does one page at a time, when there is one to do."""

    def __init__(self, give: GiveAll, metrics: TimerMetrics, command: CommandOf, *, page: int = _PAGE) -> None:
        """`command` makes the command that has one case's deadlines reckoned anew."""
        self._give = give
        self._metrics = metrics
        self._command = command
        self._page = page

    def turn(self, conn: Connection[tuple[Any, ...]]) -> int:
        """Do the next page of the oldest import that is not done. Returns how many cases; -1: nothing to do."""
        conn.execute(_BEGIN, (_LATER,))
        with conn.transaction():
            job = conn.execute(_NEXT).fetchone()
            if job is None:
                return -1
            version, turn, year, after = job
            found = conn.execute(_CASES, {"after": after, "year": year, "page": self._page}).fetchall()
            cases: list[UUID] = [case for case, _ in found]
            orders = [self._order(case, version, turn, whole=whole) for case, whole in found]
            for case, outcome in zip(cases, self._give(orders), strict=True):
                if isinstance(outcome, TransientFailure):
                    raise outcome
                if outcome is not None:
                    log.error("case_not_recomputed", case=str(case), problem=type(outcome).__name__)
            done = len(cases) < self._page
            conn.execute(_MOVE, (cases[-1] if cases else after, len(cases), done, version, turn))
        self._metrics.recomputed.inc(len(cases))
        if done:
            log.info("deadlines_recomputed", calendar_version=version, turn=turn)
        return len(cases)

    def _order(self, case: UUID, version: int, turn: int, *, whole: bool) -> Order:
        command = RecomputeBundleDeadlines(case) if whole else self._command(case)
        return Order(command=command, by="timer:calendar", id=recomputation(case, version, turn), effective_at=None)
