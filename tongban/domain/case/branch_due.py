"""When one branch is due: the promised deadline, stretched only by what stopped this branch or the whole case.

The case's own deadline is stretched by every branch's procedure; a department must not gain time by another's.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from tongban.domain.calendar.state import Calendar
from tongban.domain.case.deadlines import merged
from tongban.domain.case.state import Suspension
from tongban.domain.clock import Clock, recompute


def branch_clock(clock: Clock, branch: str, suspensions: Sequence[Suspension], calendar: Calendar) -> Clock:
    """A decision clock of the case as it runs for one branch; whether it was stopped stays."""
    own = tuple(found for found in suspensions if found.branch in (branch, None))
    pauses = tuple(p for p in merged(own, calendar) if p.end is None or p.end > clock.start)
    running = replace(clock, pauses=pauses, stopped=None)
    return replace(recompute(running, calendar), stopped=clock.stopped)
