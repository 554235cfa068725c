"""Keeps servers and processes alive until a signal asks to stop.

In: things that can be started, one after the other, each once the one before is ready. Out: they run; what
dies is started again after a pause that doubles from 0.5 s to 30 s, and that is short again for what has
lived for a minute; what stops, stops in the reverse order of the start. All of it happens in the calling
thread.
"""

import signal
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

from tongban.infra.embedded.process import Child, StartError, last_lines

FIRST_PAUSE = 0.5
LONGEST_PAUSE = 30.0
STEADY_AFTER = 60.0
"""Seconds of life after which a process counts as healthy: its next death is met with the first pause."""
DEATHS_IN_START = 3
"""So many deaths of one process while the system comes up make the start fail."""
START_TIMEOUT = 120.0
TICK = 0.1


class Runnable(Protocol):
    """What the supervisor keeps alive: an embedded server, or one process of Tongban."""

    name: str
    log: Path
    child: Child | None

    def start(self) -> None:
        """Start it without waiting; StartError with what is missing."""

    def ready(self) -> bool:
        """Whether it can do its work now."""
        ...

    def stop(self, grace: float = ...) -> None:
        """Ask it to end; after `grace` seconds kill it."""


class StoppedError(Exception):
    """A signal asked us to stop."""


@dataclass
class _Kept:
    """A running thing and how often it died."""

    what: Runnable
    pause: float = FIRST_PAUSE
    restart_at: float | None = None
    deaths: int = 0


@dataclass
class Supervisor:
    """Keeps what it has started alive until it is told to stop.

    `say` gets a line whenever something dies or comes back. `coming_up` makes repeated deaths an error.
    """

    say: Callable[[str], None]
    stopping: bool = False
    hurried: bool = False
    coming_up: bool = True
    kept: list[_Kept] = field(default_factory=list)

    def start(self, what: Runnable) -> None:
        """Start it, wait until it is ready, and keep it alive from now on."""
        self.launch(what)
        self.wait_until(what.ready, f"{what.name} to be ready", what.log)

    def launch(self, what: Runnable) -> None:
        """Start it and keep it alive from now on, without waiting for it."""
        self.check()
        self.kept.append(_Kept(what))
        what.start()

    def wait_until(self, done: Callable[[], bool], awaited: str, log: Path) -> None:
        """Go on supervising until `done`; StartError when that takes too long."""
        deadline = time.monotonic() + START_TIMEOUT
        while True:
            self.tick()
            if done():
                return
            if time.monotonic() > deadline:
                raise StartError(f"Waited {START_TIMEOUT:.0f} s in vain for {awaited}; see {log}:\n{last_lines(log)}")

    def run(self, name: str, command: Sequence[str], env: Mapping[str, str], *, log: Path | None) -> None:
        """Run a command to its end while supervising; StartError when it fails."""
        self.check()
        child = Child(command, log=log, env=env)
        try:
            while child.alive:
                self.tick()
        finally:
            child.stop(0.0 if self.hurried else 5.0)
        if child.returncode != 0:
            where = "" if log is None else f"; see {log}:\n{child.last_lines()}"
            raise StartError(f"{name} failed ({child.how_it_ended()}){where}")

    def keep_alive(self) -> None:
        """Supervise until a signal asks to stop."""
        while True:
            self.tick()

    def tick(self) -> None:
        """Look after everything once, then rest a little. Raises StoppedError once a signal has come."""
        self.check()
        for kept in self.kept:
            self._look_after(kept)
        time.sleep(TICK)

    def check(self) -> None:
        """Raise StoppedError once a signal has come."""
        if self.stopping:
            raise StoppedError

    def stop_all(self) -> None:
        """Stop everything, last started first."""
        for kept in reversed(self.kept):
            kept.what.stop(0.0 if self.hurried else 10.0)
        self.kept.clear()

    def signalled(self, *_: object) -> None:
        """Handle a signal: the first asks for an orderly end, the second kills what is left."""
        self.hurried = self.stopping
        self.stopping = True
        if self.hurried:
            for kept in self.kept:
                if kept.what.child is not None:
                    kept.what.child.send(signal.SIGKILL)

    def _look_after(self, kept: _Kept) -> None:
        now = time.monotonic()
        child = kept.what.child
        if kept.restart_at is not None:
            if now >= kept.restart_at:
                kept.restart_at = None
                self._start_again(kept)
            return
        if child is None or child.alive:
            return
        if now - child.started_at >= STEADY_AFTER:
            kept.pause = FIRST_PAUSE
        self._put_off(kept, f"{kept.what.name} died ({child.how_it_ended()})")

    def _start_again(self, kept: _Kept) -> None:
        try:
            kept.what.start()
        except StartError as error:
            self._put_off(kept, str(error).splitlines()[0])
        else:
            self.say(f"{kept.what.name} was started again")

    def _put_off(self, kept: _Kept, reason: str) -> None:
        kept.deaths += 1
        if self.coming_up and kept.deaths >= DEATHS_IN_START:
            log = kept.what.log
            raise StartError(f"{reason}, {kept.deaths} times while starting; see {log}:\n{last_lines(log)}")
        self.say(f"{reason}; starting it again in {kept.pause:g} s (log: {kept.what.log})")
        kept.restart_at = time.monotonic() + kept.pause
        kept.pause = min(kept.pause * 2, LONGEST_PAUSE)
