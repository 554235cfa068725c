"""What the system itself asks of the write side, because of an event or because a time has come."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Any, NamedTuple
from uuid import UUID


class Order(NamedTuple):
    """A command with its id: however often it is given, it acts once.

    `by` says who asks (`policy:<name>`, `timer:<kind>`), `effective_at` since when it is in effect; None: the moment of
    the decision.
    """

    command: Any
    by: str
    id: UUID
    effective_at: datetime | None
    trace: str | None = None
    causation: UUID | None = None


Give = Callable[[Order], None]
"""Gives an order to the write side and waits for its answer. Raises DomainError when it is refused, TransientFailure
when the write side cannot take it now. May be called from several threads.
"""

GiveAll = Callable[[Sequence[Order]], Sequence[Exception | None]]
"""Gives orders side by side, so that they share commits, and waits for all answers: None where an order was taken, else
what `Give` would raise. In the order of the orders.
"""
