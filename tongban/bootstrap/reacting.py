"""How policies reach the write side: a reactor whose commands go through a command bus of its own."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from hashlib import sha256
from typing import Any

from tongban.commands.bus import CommandBus
from tongban.commands.ports import LogUnavailable
from tongban.commands.requests import Answer, Outcome, Request, Unavailable
from tongban.consumers.failures import TransientFailure
from tongban.consumers.reactor import Reactor
from tongban.domain.actor import Actor, Role
from tongban.domain.ids import policy_command
from tongban.domain.recorded import Recorded
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


def _give_to(bus: CommandBus) -> Callable[[Any, str, Recorded], None]:
    """How a policy's command reaches the write side: as the system, caused by the event, in effect when it was."""

    def give(command: Any, policy: str, recorded: Recorded) -> None:
        answered = threading.Event()
        outcomes: list[Outcome] = []

        def done(outcome: Outcome) -> None:
            outcomes.append(outcome)
            answered.set()

        envelope = recorded.envelope
        request = Request(
            name=type(command).__name__,
            body=command,
            actor=Actor(id=f"policy:{policy}", role=Role.SYSTEM),
            idempotency_key=policy_command(envelope.id, policy),
            fingerprint=sha256(f"{policy} {envelope.id}".encode()).digest(),
            effective_at=envelope.effective_at,
            trace=envelope.trace,
            causation=envelope.id,
        )
        try:
            bus.submit(request, done)
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
