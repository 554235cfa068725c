"""A relay or a consumer in a thread of the test, and waiting for what it does."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager


class Running:
    """Something with `run(stop)` that runs beside the test."""

    def __init__(self, run: Callable[[threading.Event], None]) -> None:
        self.error: BaseException | None = None
        self.stop = threading.Event()
        self._run = run
        self._thread = threading.Thread(target=self._main, daemon=True)
        self._thread.start()

    def _main(self) -> None:
        try:
            self._run(self.stop)
        except BaseException as error:  # noqa: BLE001 - the test looks at whatever it was
            self.error = error

    @property
    def alive(self) -> bool:
        return self._thread.is_alive()

    def end(self, timeout: float = 30) -> None:
        self.stop.set()
        self._thread.join(timeout)
        assert not self._thread.is_alive()


@contextmanager
def running(run: Callable[[threading.Event], None]) -> Iterator[Running]:
    """Run beside the block; what it raised is raised at the end, unless the test took it away."""
    it = Running(run)
    try:
        yield it
    finally:
        it.end()
    if it.error is not None:
        raise it.error


def eventually(condition: Callable[[], bool], *, seconds: float = 30) -> None:
    """Wait until `condition` holds; fail after `seconds`."""
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "it did not happen in time"
        time.sleep(0.02)
