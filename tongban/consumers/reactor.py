"""Events → commands, by the policies. A command's id is made of event and policy, so a repeat repeats nothing.

In: messages. Out: commands given to the write side, and only then the progress. A command that can never succeed is
parked with its event; one that cannot be taken for the moment holds the reactor up until it can.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor, wait
from typing import Any
from uuid import UUID

import structlog
from psycopg import Cursor

from tongban.commands.ports import LogUnavailable
from tongban.commands.requests import KeyInFlight
from tongban.consumers.failures import TransientFailure
from tongban.consumers.feed import Message
from tongban.consumers.orders import Give, Order
from tongban.consumers.parked import Parking, StillPoisonous, park
from tongban.domain.errors import DomainError, StaleVersion
from tongban.domain.ids import policy_command
from tongban.domain.personal import Unsealer
from tongban.domain.policies import POLICIES, Policy
from tongban.domain.policies.dated import Dated
from tongban.domain.policies.recalling import Recalling
from tongban.domain.recorded import Recorded
from tongban.infra.event_codec import UnreadableEvent, decode
from tongban.infra.sealing import BrokenSeal

log = structlog.get_logger(__name__)

Recall = Callable[[UUID, Sequence[int]], Sequence[Recorded]]
"""(stream, versions) → those events, unsealed, in order. Raises LogUnavailable."""

REACTOR = "reactor"
_AT_ONCE = 16


def _recalls_nothing(stream: UUID, versions: Sequence[int]) -> Sequence[Recorded]:
    raise LogUnavailable(f"nothing is recalled here, not {len(versions)} events of {stream}")


class Reactor:
    """The handler of the consumer `reactor`. Never used by a rebuild or a replay: those must not act.

    Orders are given from several threads, but those of one stream's events by one, each after the answer to the last.
    """

    def __init__(
        self,
        give: Give,
        unsealer: Unsealer | None,
        policies: Mapping[str, Policy] = POLICIES,
        *,
        recall: Recall = _recalls_nothing,
    ) -> None:
        self._give = give
        self._unsealer = unsealer
        self._policies = policies
        self._recall = recall
        self._pool = ThreadPoolExecutor(_AT_ONCE, "reactor")

    def prepare(self, messages: Sequence[Message]) -> list[Parking]:
        """Give every command that the events call for; streams side by side, so that their commands share commits.

        Raises TransientFailure when one could not be taken; then all are given again, which changes nothing.
        """
        streams: dict[UUID, list[Message]] = {}
        for message in messages:
            streams.setdefault(message.stream, []).append(message)
        reactions = [self._pool.submit(self._react_all, found) for found in streams.values()]
        # All end before any is looked at, so that a second try never runs beside the first.
        wait(reactions)
        return [parking for reaction in reactions for parking in reaction.result()]

    def lock(self, cursor: Cursor[tuple[Any, ...]]) -> None:
        """Nothing is written to the read tables."""

    def write(self, cursor: Cursor[tuple[Any, ...]], work: Sequence[Parking]) -> int:
        """Park the events whose commands can never succeed. Returns how many."""
        return park(cursor, REACTOR, work)

    def again(self, cursor: Cursor[tuple[Any, ...]], messages: Sequence[Message]) -> None:
        """React to parked events once more. Raises StillPoisonous."""
        del cursor
        for parking in self._react_all(messages):
            raise StillPoisonous(parking.problem)

    def close(self) -> None:
        """End the threads."""
        self._pool.shutdown(wait=False, cancel_futures=True)

    def _react_all(self, messages: Sequence[Message]) -> list[Parking]:
        """React to the events of one stream, in order: no command of an event is given before those of an earlier one.

        A command that is refused holds up none after it: each policy looks at one event.
        """
        parkings = []
        for message in messages:
            problem = self._react(message)
            if problem is not None:
                log.error(
                    "event_parked",
                    consumer=REACTOR,
                    stream=str(message.stream),
                    position=message.position,
                    problem=problem,
                )
                parkings.append(Parking(message, problem))
        return parkings

    def _react(self, message: Message) -> str | None:
        """Give an event's commands. Returns why one of them can never succeed, None when all were taken."""
        try:
            recorded = decode(message.state, message.position, self._unsealer)
        except (UnreadableEvent, BrokenSeal) as unreadable:
            return str(unreadable)
        except LogUnavailable as unavailable:
            raise TransientFailure(str(unavailable)) from unavailable
        try:
            problems = [problem for order in self._orders(recorded) if (problem := self._refusal(order)) is not None]
        except (UnreadableEvent, BrokenSeal) as unreadable:
            return str(unreadable)
        except LogUnavailable as unavailable:
            raise TransientFailure(str(unavailable)) from unavailable
        return problems[0] if problems else None

    def _orders(self, recorded: Recorded) -> Iterator[Order]:
        """What the policies ask for because of one event."""
        envelope = recorded.envelope
        for name, policy in self._policies.items():
            for place, asked in enumerate(policy(recorded), start=1):
                command, effective_at = asked if isinstance(asked, Dated) else (asked, envelope.effective_at)
                if isinstance(command, Recalling):
                    command = command.then(self._recall(command.stream, command.versions))
                yield Order(
                    command=command,
                    by=f"policy:{name}",
                    id=policy_command(envelope.id, name, place),
                    effective_at=effective_at,
                    trace=envelope.trace,
                    causation=envelope.id,
                )

    def _refusal(self, order: Order) -> str | None:
        """Give an order. Returns why it can never succeed, None when it was taken."""
        try:
            self._give(order)
        except (StaleVersion, KeyInFlight) as passing:
            raise TransientFailure(f"{order.by}: {passing.code}") from passing
        except DomainError as refused:
            # No other try can succeed, and holding up all others for it would be a way to stop them.
            return f"{order.by}: {refused.code}"
        return None
