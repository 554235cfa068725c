"""Fewer runs of Python's cycle collector, for processes that make many short-lived objects and no cycles of them.

Measured on the projector: a quarter of its processor time went into looking for cycles that were not there.
"""

from __future__ import annotations

import gc


def collect_rarely() -> None:
    """Let the youngest generation grow to 50,000 objects. Of the whole process; doing it twice changes nothing."""
    gc.set_threshold(50_000, 20, 100)
