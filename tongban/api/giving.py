"""Giving commands to the bus and waiting for their outcomes, from the event loop."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Protocol

from tongban.api.delivery import Delivery, Done
from tongban.api.problems import DEADLINE_PASSED, Problem, retry_after
from tongban.commands.requests import Answer, KeyInFlight, Outcome, Request, Unavailable


class Bus(Protocol):
    """What takes the commands (`tongban.commands.bus.CommandBus`)."""

    def submit(self, request: Request, done: Done) -> None:
        """Queue; `done` is called with the outcome, from any thread. Raises Unavailable when the queue is full."""
        ...


class Giver:
    """Gives commands for whoever waits."""

    def __init__(self, bus: Bus, delivery: Delivery, deadline: float) -> None:
        """`deadline` in seconds: how long a caller waits for an answer at most."""
        self._bus = bus
        self._delivery = delivery
        self._deadline = deadline

    async def give_all(self, requests: Sequence[Request | Exception]) -> list[Outcome]:
        """The outcome of each, in order: given at once, so that they share commits. What is refused stays so."""
        loop = asyncio.get_running_loop()
        waiters: list[asyncio.Future[Outcome]] = []
        for request in requests:
            waiter: asyncio.Future[Outcome] = loop.create_future()
            waiters.append(waiter)
            if isinstance(request, Exception):
                waiter.set_result(request)
                continue
            try:
                self._bus.submit(request, self._delivery.into(waiter))
            except (Unavailable, KeyInFlight) as refused:
                waiter.set_result(refused)
        timers = [loop.call_later(self._deadline, _expire, waiter) for waiter in waiters if not waiter.done()]
        try:
            return [await waiter for waiter in waiters]
        finally:
            for timer in timers:
                timer.cancel()

    async def give(self, request: Request) -> Answer:
        """The answer, once it is durable. Raises what it was refused with, Unavailable, Problem (503)."""
        loop = asyncio.get_running_loop()
        waiter: asyncio.Future[Outcome] = loop.create_future()
        self._bus.submit(request, self._delivery.into(waiter))
        # Cheaper than asyncio.timeout, and the command itself is not cancelled: it may be in a commit already.
        timer = loop.call_later(self._deadline, _expire, waiter)
        try:
            outcome = await waiter
        finally:
            timer.cancel()
        if isinstance(outcome, Answer):
            return outcome
        raise outcome


def _expire(waiter: asyncio.Future[Outcome]) -> None:
    if not waiter.done():
        waiter.set_result(Problem(DEADLINE_PASSED, headers=retry_after(1)))
