"""Events → commands, by the policies. A command's id is made of event and policy, so a repeat repeats nothing.

In: messages. Out: commands given to the write side, and only then the progress. A command that can never succeed is
parked with its event; one that cannot be taken for the moment holds the reactor up until it can.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor, wait
from typing import Any
from uuid import UUID

import structlog
from psycopg import Cursor

from tongban.commands.batch import IdTaken
from tongban.commands.ports import LogUnavailable
from tongban.consumers.failures import TransientFailure
from tongban.consumers.feed import Message
from tongban.consumers.parked import Parking, StillPoisonous, park
from tongban.domain.errors import Conflict, DomainError
from tongban.domain.personal import Unsealer
from tongban.domain.policies import POLICIES, Policy
from tongban.domain.recorded import Recorded
from tongban.infra.event_codec import UnreadableEvent, decode
from tongban.infra.sealing import BrokenSeal

log = structlog.get_logger(__name__)

REACTOR = "reactor"
_AT_ONCE = 16

Give = Callable[[Any, str, Recorded], None]
"""Gives a command (command, policy name, event) to the write side and waits for its answer. Idempotent by
`policy_command(event id, policy name)`. Raises DomainError when it is refused, TransientFailure when the write side
cannot take it now. Called from several threads, never from two for events of one stream.
"""


class Reactor:
    """The handler of the consumer `reactor`. Never used by a rebuild or a replay: those must not act."""

    def __init__(self, give: Give, unsealer: Unsealer | None, policies: Mapping[str, Policy] = POLICIES) -> None:
        self._give = give
        self._unsealer = unsealer
        self._policies = policies
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
        """React to the events of one stream, in order. Each policy looks at one event, so the next need not wait."""
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
        """Give an event's commands. Returns why one can never succeed, None when all were taken."""
        try:
            recorded = decode(message.state, message.position, self._unsealer)
        except (UnreadableEvent, BrokenSeal) as unreadable:
            return str(unreadable)
        except LogUnavailable as unavailable:
            raise TransientFailure(str(unavailable)) from unavailable
        for name, policy in self._policies.items():
            command = policy(recorded)
            if command is None:
                continue
            try:
                self._give(command, name, recorded)
            except IdTaken as taken:
                # No other try can succeed, and holding up all others for it would be a way to stop them.
                return f"policy {name}: {taken.code}"
            except Conflict as conflict:
                raise TransientFailure(f"policy {name}: {conflict.code}") from conflict
            except DomainError as refused:
                return f"policy {name}: {refused.code}"
        return None
