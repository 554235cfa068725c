"""Threads that each take the next case until there are none, one of them fails, or someone presses Ctrl-C."""

from __future__ import annotations

from collections.abc import Callable
from threading import Event, Lock, Thread

_LOOK_EVERY = 0.2


class Crew:
    """Works on numbers 0 … count-1, each once, in order of taking. `stop` ends it after what is under way."""

    def __init__(self, size: int, count: int, stop: Event) -> None:
        """`size` threads at most."""
        self._numbers = iter(range(count))
        self._size = min(size, count)
        self._lock = Lock()
        self._stop = stop
        self._failures: list[BaseException] = []

    def work(self, job: Callable[[Callable[[], int | None]], None]) -> None:
        """Run `job(take)` in every thread; `take()` gives the next number, None for no more.

        Raises what the first failing job raised, and KeyboardInterrupt; in both cases only when all have ended.
        """
        threads = [Thread(target=self._guarded, args=(job,), daemon=True) for _ in range(self._size)]
        for thread in threads:
            thread.start()
        try:
            for thread in threads:
                while thread.is_alive():
                    thread.join(_LOOK_EVERY)
        finally:
            self._stop.set()
            for thread in threads:
                thread.join()
        if self._failures:
            raise self._failures[0]

    def _take(self) -> int | None:
        with self._lock:
            return None if self._stop.is_set() else next(self._numbers, None)

    def _guarded(self, job: Callable[[Callable[[], int | None]], None]) -> None:
        try:
            job(self._take)
        except BaseException as failure:  # noqa: BLE001 - told by `work`, in the thread that asked for it
            self._failures.append(failure)
            self._stop.set()
