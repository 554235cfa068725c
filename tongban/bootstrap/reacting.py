"""How the system's own orders reach the write side: through a command bus of their own."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from hashlib import sha256

from tongban.commands.bus import CommandBus
from tongban.commands.ports import LogUnavailable
from tongban.commands.requests import Answer, Outcome, Request, Unavailable
from tongban.consumers.failures import TransientFailure
from tongban.consumers.orders import Give, Order
from tongban.consumers.reactor import Reactor
from tongban.domain.actor import Actor, Role
from tongban.infra.settings import Settings
from tongban.infra.write_side import open_write_side

REACTED_AT_ONCE = 200
"""Events of one poll: their commands must be answered before the reactor's session counts as silent."""

_COMMAND_PATIENCE = 30.0


@contextmanager
def open_reactor(settings: Settings) -> Iterator[Reactor]:
    """A reactor with a write side of its own, closed at the end."""
    write_side = open_write_side(settings)
    bus = CommandBus(write_side.batch, batch_limit=settings.batch_limit, queue_limit=settings.queue_limit)
    bus.start()
    reactor = Reactor(_give_to(bus), write_side.vault)
    try:
        yield reactor
    finally:
        reactor.close()
        bus.stop()
        write_side.close()


def _give_to(bus: CommandBus) -> Give:
    """How an order reaches the write side: as the system."""

    def give(order: Order) -> None:
        answered = threading.Event()
        outcomes: list[Outcome] = []

        def done(outcome: Outcome) -> None:
            outcomes.append(outcome)
            answered.set()

        try:
            bus.submit(_request(order), done)
        except Unavailable as busy:
            raise TransientFailure(busy.code) from busy
        if not answered.wait(_COMMAND_PATIENCE):
            raise TransientFailure("no answer from the write side")
        outcome = outcomes[0]
        if isinstance(outcome, Unavailable | LogUnavailable):
            raise TransientFailure(str(outcome)) from outcome
        if not isinstance(outcome, Answer):
            raise outcome

    return give


def _request(order: Order) -> Request:
    named = order.by.partition(":")[2]
    return Request(
        name=type(order.command).__name__,
        body=order.command,
        actor=Actor(id=order.by, role=Role.SYSTEM),
        idempotency_key=order.id,
        fingerprint=sha256(f"{named} {order.causation or order.id}".encode()).digest(),
        effective_at=order.effective_at,
        trace=order.trace,
        causation=order.causation,
    )
