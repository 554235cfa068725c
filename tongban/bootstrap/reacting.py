"""How the system's own orders reach the write side: through a command bus of their own."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from functools import partial
from hashlib import sha256
from queue import Empty, SimpleQueue
from time import monotonic
from uuid import UUID

from tongban.commands.bus import CommandBus
from tongban.commands.ports import EventLog, LogUnavailable
from tongban.commands.requests import Answer, KeyInFlight, Outcome, Request, Unavailable
from tongban.consumers.failures import TransientFailure
from tongban.consumers.orders import GiveAll, Order
from tongban.consumers.reactor import Reactor, Recall
from tongban.domain.actor import Actor, Role
from tongban.domain.personal import Unsealer
from tongban.domain.recorded import Recorded
from tongban.infra.event_codec import decode
from tongban.infra.settings import Settings
from tongban.infra.vault import Vault
from tongban.infra.write_side import open_write_side

REACTED_AT_ONCE = 200
"""Events of one poll: their commands must be answered before the reactor's session counts as silent."""

_COMMAND_PATIENCE = 30.0


@dataclass(frozen=True, slots=True)
class OwnWriteSide:
    """A write side of this process for the system's own orders."""

    give_all: GiveAll
    vault: Vault
    log: EventLog

    def give(self, order: Order) -> None:
        """See `orders.Give`."""
        [problem] = self.give_all([order])
        if problem is not None:
            raise problem


@contextmanager
def own_write_side(settings: Settings) -> Iterator[OwnWriteSide]:
    """Open a write side, and close it at the end."""
    write_side = open_write_side(settings)
    bus = CommandBus(write_side.batch, batch_limit=settings.batch_limit, queue_limit=settings.queue_limit)
    bus.start()
    try:
        yield OwnWriteSide(give_all_to(bus), write_side.vault, write_side.store)
    finally:
        bus.stop()
        write_side.close()


@contextmanager
def open_reactor(own: OwnWriteSide) -> Iterator[Reactor]:
    """A reactor, closed at the end."""
    reactor = Reactor(own.give, own.vault, recall=recalling(own.log, own.vault))
    try:
        yield reactor
    finally:
        reactor.close()


def recalling(log: EventLog, unsealer: Unsealer) -> Recall:
    """How events are read again for a policy that needs what an applicant told before."""

    def recall(stream: UUID, versions: Sequence[int]) -> Sequence[Recorded]:
        tails = log.read(after={stream: min(versions) - 1}, commands=(), identifiers=()).tails
        wanted = frozenset(versions)
        return [decode(stored.state, stored.position, unsealer) for stored in tails if stored.version in wanted]

    return recall


def give_all_to(bus: CommandBus) -> GiveAll:
    """How orders reach the write side: as the system."""

    def give_all(orders: Sequence[Order]) -> list[Exception | None]:
        outcomes: SimpleQueue[tuple[int, Outcome]] = SimpleQueue()
        problems: list[Exception | None] = [TransientFailure("no answer from the write side")] * len(orders)
        waiting = 0
        for place, order in enumerate(orders):
            try:
                bus.submit(request_of(order), partial(_answered, outcomes, place))
            except (Unavailable, KeyInFlight) as busy:
                problems[place] = TransientFailure(busy.code)
            else:
                waiting += 1
        deadline = monotonic() + _COMMAND_PATIENCE
        with suppress(Empty):
            for _ in range(waiting):
                place, outcome = outcomes.get(timeout=max(0.0, deadline - monotonic()))
                problems[place] = _problem(outcome)
        return problems

    return give_all


def _answered(outcomes: SimpleQueue[tuple[int, Outcome]], place: int, outcome: Outcome) -> None:
    outcomes.put((place, outcome))


def _problem(outcome: Outcome) -> Exception | None:
    if isinstance(outcome, Answer):
        return None
    if isinstance(outcome, Unavailable | LogUnavailable):
        return TransientFailure(str(outcome))
    return outcome


def request_of(order: Order) -> Request:
    """The order as a request by the system; its id is what makes a repeat change nothing."""
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
