"""The command bus: all commands wait in one bounded queue, and one thread does all that wait in one commit."""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from queue import Empty, SimpleQueue
from threading import Lock, Thread
from time import monotonic
from typing import NamedTuple, Protocol
from uuid import UUID

from tongban.commands.batch import Batch
from tongban.commands.ports import PendingAppend
from tongban.commands.requests import KeyInFlight, Outcome, Request, Unavailable
from tongban.commands.work import Decided

Done = Callable[[Outcome], None]
Deliver = Callable[[list[tuple[Done, Outcome]]], None]


class Observer(Protocol):
    """Told of each batch; for metrics and logs."""

    def batch_done(self, requests: Sequence[Request], outcomes: Sequence[Outcome], seconds: float) -> None:
        """A batch took `seconds`; outcomes are in the order of the requests."""
        ...


def deliver_here(outcomes: list[tuple[Done, Outcome]]) -> None:
    """Call every `done` in the writer thread."""
    for done, outcome in outcomes:
        try:
            done(outcome)
        except Exception:
            logging.getLogger(__name__).exception("a caller failed on its outcome")


class Waiting(NamedTuple):
    """A command in the queue, since when (monotonic seconds)."""

    request: Request
    done: Done
    since: float


class Appending(NamedTuple):
    """A decided batch that is on its way to the disk."""

    waiting: Sequence[Waiting]
    decided: Decided
    pending: PendingAppend
    started: float


class CommandBus:
    """Group commit by one thread: while PostgreSQL appends one batch, the next is decided.

    Other processes are kept apart by the store's version check.
    """

    def __init__(
        self,
        batch: Batch,
        *,
        batch_limit: int = 384,
        queue_limit: int = 4096,
        deadline: float = 5.0,
        deliver: Deliver = deliver_here,
        observer: Observer | None = None,
    ) -> None:
        """`deadline` is how many seconds a command may wait before it is turned away undone."""
        self._batch = batch
        self._batch_limit = batch_limit
        self._queue_limit = queue_limit
        self._deadline = deadline
        self._deliver = deliver
        self._observer = observer
        self._queue: SimpleQueue[Waiting | None] = SimpleQueue()
        self._in_flight: set[tuple[str, UUID]] = set()
        self._lock = Lock()
        self._thread = Thread(target=self._run, name="command-writer", daemon=True)
        self._stopping = False

    @property
    def depth(self) -> int:
        """How many commands wait."""
        return self._queue.qsize()

    @property
    def alive(self) -> bool:
        """Whether the writer thread runs."""
        return self._thread.is_alive()

    def start(self) -> None:
        """Start the writer thread."""
        self._thread.start()

    def stop(self) -> None:
        """Do what waits, then stop. New commands are turned away."""
        with self._lock:
            self._stopping = True
            self._queue.put(None)
        if self._thread.is_alive():
            self._thread.join()

    def submit(self, request: Request, done: Done) -> None:
        """Queue a command; `done` is called with its outcome. Raises Unavailable (full, stopping), KeyInFlight."""
        key = (request.principal, request.idempotency_key)
        with self._lock:  # so that nothing is queued behind the last look of a writer that stops
            if self._stopping or self._queue.qsize() >= self._queue_limit:
                raise Unavailable(waiting=self._queue.qsize())
            if key in self._in_flight:
                raise KeyInFlight(idempotency_key=request.idempotency_key)
            self._in_flight.add(key)
            self._queue.put(Waiting(request, done, monotonic()))

    def _run(self) -> None:
        """Decide what waits while what was decided before is appended."""
        appending: Appending | None = None
        while True:
            # Asked to stop, it waits for nobody: the word to stop may have been taken with other commands.
            waiting = self._take(wait=appending is None and not self._stopping)
            if waiting is None and self._stopping and appending is None:
                return
            appending = self._turn(waiting or [], appending)

    def _take(self, *, wait: bool) -> list[Waiting] | None:
        """What waits, up to the limit; None when nothing does (with `wait`: when asked to stop)."""
        try:
            first = self._queue.get(block=wait)
        except Empty:
            return None
        taken = [first]
        while first is not None and len(taken) < self._batch_limit:
            try:
                taken.append(self._queue.get_nowait())
            except Empty:
                break
        return [entry for entry in taken if entry is not None] or None

    def _turn(self, waiting: list[Waiting], appending: Appending | None) -> Appending | None:
        """Decide `waiting` ahead of what is being appended, see that through, then have `waiting` appended."""
        started = monotonic()
        late = [entry for entry in waiting if started - entry.since > self._deadline]
        fresh = [entry for entry in waiting if started - entry.since <= self._deadline]
        requests = [entry.request for entry in fresh]
        decided = self._decide(requests) if fresh else None
        if appending is not None and not self._finish(appending) and fresh:
            decided = self._decide(requests)  # it was decided on what did not come to be
        self._answer(late, [Unavailable(reason="waited too long in the queue")] * len(late))
        if decided is None:
            return None
        begun = self._begin(fresh, decided, started)
        if isinstance(begun, Appending):
            return begun
        self._answer(fresh, self._batch.after_failure(requests, begun), started)
        return None

    def _decide(self, requests: Sequence[Request]) -> Decided | Exception:
        """The decided batch, or what stopped it."""
        try:
            return self._batch.decide(requests)
        except Exception as error:  # noqa: BLE001 - the thread must live; whoever waits is told
            return error

    def _begin(self, waiting: Sequence[Waiting], decided: Decided | Exception, started: float) -> Appending | Exception:
        """The batch on its way to the disk, or what stopped it."""
        if isinstance(decided, Exception):
            return decided
        try:
            return Appending(waiting, decided, self._batch.start_append(decided), started)
        except Exception as error:  # noqa: BLE001 - the thread must live; whoever waits is told
            return error

    def _finish(self, appending: Appending) -> bool:
        """Answer a batch that was being appended. Whether it came to be as it was decided."""
        try:
            outcomes = self._batch.conclude(appending.decided, appending.pending.wait())
        except Exception as error:  # noqa: BLE001 - the thread must live; whoever waits is told
            outcomes = self._batch.after_failure(appending.decided.requests, error)
            self._answer(appending.waiting, outcomes, appending.started)
            return False
        self._answer(appending.waiting, outcomes, appending.started)
        return True

    def _answer(self, waiting: Sequence[Waiting], outcomes: Sequence[Outcome], started: float | None = None) -> None:
        if not waiting:
            return
        with self._lock:
            self._in_flight.difference_update((e.request.principal, e.request.idempotency_key) for e in waiting)
        try:
            self._deliver([(entry.done, outcome) for entry, outcome in zip(waiting, outcomes, strict=True)])
            if self._observer and started is not None:
                self._observer.batch_done([entry.request for entry in waiting], outcomes, monotonic() - started)
        except Exception:
            # The commands are done; who cannot take the answer must not stop the writing of all others.
            logging.getLogger(__name__).exception("an outcome could not be delivered")
