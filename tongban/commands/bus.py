"""The command bus: all commands wait in one bounded queue, and one thread does all that wait in one commit."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from queue import Empty, SimpleQueue
from threading import Lock, Thread
from time import monotonic
from typing import Protocol
from uuid import UUID

from tongban.commands.batch import Batch
from tongban.commands.requests import KeyInFlight, Outcome, Request, Unavailable

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
        done(outcome)


class CommandBus:
    """Group commit. One writer thread per process; further processes are kept apart by the store's version check."""

    def __init__(
        self,
        batch: Batch,
        *,
        batch_limit: int = 256,
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
        self._queue: SimpleQueue[tuple[Request, Done, float] | None] = SimpleQueue()
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
        self._stopping = True
        self._queue.put(None)
        if self._thread.is_alive():
            self._thread.join()

    def submit(self, request: Request, done: Done) -> None:
        """Queue a command; `done` is called with its outcome. Raises Unavailable (full, stopping), KeyInFlight."""
        if self._stopping or self._queue.qsize() >= self._queue_limit:
            raise Unavailable(waiting=self._queue.qsize())
        key = (request.principal, request.idempotency_key)
        with self._lock:
            if key in self._in_flight:
                raise KeyInFlight(idempotency_key=request.idempotency_key)
            self._in_flight.add(key)
        self._queue.put((request, done, monotonic()))

    def _run(self) -> None:
        while True:
            waiting = [self._queue.get()]
            try:
                while len(waiting) < self._batch_limit:
                    waiting.append(self._queue.get_nowait())
            except Empty:
                pass
            self._do([entry for entry in waiting if entry is not None])
            if None in waiting:
                break
        self._do_rest()

    def _do_rest(self) -> None:
        rest = []
        while not self._queue.empty():
            if (entry := self._queue.get()) is not None:
                rest.append(entry)
        self._do(rest)

    def _do(self, waiting: Sequence[tuple[Request, Done, float]]) -> None:
        started = monotonic()
        fresh = [entry for entry in waiting if started - entry[2] <= self._deadline]
        late = [entry for entry in waiting if started - entry[2] > self._deadline]
        requests = [request for request, _, _ in fresh]
        try:
            outcomes: list[Outcome] = self._batch.do(requests) if requests else []
        except Exception as error:  # noqa: BLE001 - the thread must live: whoever waits is told, and the API logs the defect
            outcomes = [error] * len(requests)
        with self._lock:
            self._in_flight.difference_update((r.principal, r.idempotency_key) for r, _, _ in waiting)
        results = [(done, outcome) for (_, done, _), outcome in zip(fresh, outcomes, strict=True)]
        results += [(done, Unavailable(reason="waited too long in the queue")) for _, done, _ in late]
        if self._observer and requests:
            self._observer.batch_done(requests, outcomes, monotonic() - started)
        if results:
            self._deliver(results)
