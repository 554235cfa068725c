"""How outcomes come back from the writer thread to the event loop: once per batch, not once per command."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Sequence

from tongban.commands.requests import Outcome

Done = Callable[[Outcome], None]


class Delivery:
    """Given to the bus as its `deliver`; the application attaches the loop it serves on."""

    def __init__(self) -> None:
        """No loop yet: nothing is delivered before one is attached."""
        self._loop: asyncio.AbstractEventLoop | None = None
        self._thread = 0

    def attach(self) -> None:
        """Deliver to the running loop of this thread from now on."""
        self._loop = asyncio.get_running_loop()
        self._thread = threading.get_ident()

    def __call__(self, batch: Sequence[tuple[Done, Outcome]]) -> None:
        """Hand over one batch (from any thread). A loop that is gone has nobody left who waits."""
        loop = self._loop
        if loop is None or loop.is_closed():
            return
        if threading.get_ident() == self._thread:
            _hand_over(batch)
        else:
            loop.call_soon_threadsafe(_hand_over, batch)

    def into(self, waiter: asyncio.Future[Outcome]) -> Done:
        """What to give the bus so that `waiter` gets the outcome, whichever thread calls it."""

        def done(outcome: Outcome) -> None:
            # Not by calling itself: what refers to itself is only freed by the collector, which runs rarely.
            if threading.get_ident() == self._thread:
                _settle(waiter, outcome)
            elif self._loop is not None and not self._loop.is_closed():
                self._loop.call_soon_threadsafe(_settle, waiter, outcome)

        return done


def _settle(waiter: asyncio.Future[Outcome], outcome: Outcome) -> None:
    if not waiter.done():
        waiter.set_result(outcome)


def _hand_over(batch: Sequence[tuple[Done, Outcome]]) -> None:
    for done, outcome in batch:
        done(outcome)
