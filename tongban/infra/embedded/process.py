"""One child process whose life is tied to ours.

In: a command line, an environment, a log file. Out: a running `Child` that can be asked whether it lives,
and stopped. A child is in its own session (Ctrl-C on the terminal reaches only us, so that we can stop
children in order), and the kernel stops it when we are killed (see `exec_child.py`).
"""

import os
import queue
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future
from pathlib import Path

from tongban.infra.embedded import exec_child

LOG_LIMIT = 20_000_000
"""Bytes after which a log is moved aside (to `<name>.log.1`) at the next start of its process."""


class StartError(Exception):
    """A server cannot be started. The message is one line: what is missing and what to do about it."""


class Child:
    """A child process; made running.

    `command` is looked up on PATH and gets no shell. `log` is appended to (None: it writes where we do).
    `stop_signal` asks for an orderly end; `death_signal` is what the kernel sends if we die without asking.
    `user` makes the child run as that user (only when we are root). `env` replaces our environment.
    """

    def __init__(
        self,
        command: Sequence[str],
        *,
        log: Path | None = None,
        env: Mapping[str, str] | None = None,
        cwd: Path | None = None,
        user: str | None = None,
        stop_signal: signal.Signals = signal.SIGTERM,
        death_signal: signal.Signals = signal.SIGKILL,
    ) -> None:
        self.command = list(command)
        self.log = log
        self.stop_signal = stop_signal
        self.started_at = time.monotonic()
        wrapped = [
            *(sys.executable, "-I", "-S", exec_child.__file__),
            *(str(os.getpid()), str(int(death_signal)), user or "-"),
            *command,
        ]

        def spawn() -> subprocess.Popen[bytes]:
            out = None if log is None else _open_log(log)
            try:
                return subprocess.Popen(
                    wrapped,
                    stdin=subprocess.DEVNULL,
                    stdout=out,
                    stderr=out,
                    env=None if env is None else dict(env),
                    cwd=cwd,
                    start_new_session=True,
                )
            finally:
                if out is not None:
                    os.close(out)

        self._popen = _in_spawner(spawn)

    @property
    def pid(self) -> int:
        """Its process id, which is also the id of its process group."""
        return self._popen.pid

    @property
    def alive(self) -> bool:
        """Whether it still runs."""
        return self._popen.poll() is None

    @property
    def returncode(self) -> int | None:
        """Its exit code, minus the signal that ended it, or None while it runs."""
        return self._popen.poll()

    def how_it_ended(self) -> str:
        """A few words for a person: `exit code 3`, `killed by SIGKILL`, `running`."""
        code = self.returncode
        if code is None:
            return "running"
        if code >= 0:
            return f"exit code {code}"
        return f"killed by {signal.Signals(-code).name}"

    def wait(self, timeout: float) -> int | None:
        """Its exit code once it has ended, None if it still runs after `timeout` seconds."""
        try:
            return self._popen.wait(timeout)
        except subprocess.TimeoutExpired:
            return None

    def send(self, number: signal.Signals) -> None:
        """Send it a signal, if it still runs."""
        self._popen.send_signal(number)

    def stop(self, grace: float = 10.0) -> None:
        """Ask it to stop; after `grace` seconds kill it and what it started. Returns when it is gone."""
        self.send(self.stop_signal)
        if self.wait(grace) is None:
            self.kill()

    def kill(self) -> None:
        """End it at once (SIGKILL), with every process it started in its group. Returns when it is gone."""
        if self.alive:
            try:
                os.killpg(self.pid, signal.SIGKILL)
            except (ProcessLookupError, PermissionError):
                self._popen.kill()
        self._popen.wait()

    def last_lines(self, count: int = 15) -> str:
        """The end of its log, for the message of a failed start."""
        return "" if self.log is None else last_lines(self.log, count)


def last_lines(log: Path, count: int = 15) -> str:
    """The last `count` lines of a log file; empty if there is none."""
    try:
        with log.open("rb") as file:
            size = file.seek(0, os.SEEK_END)
            file.seek(max(0, size - 16_384))
            text = file.read().decode("utf-8", "replace")
    except OSError:
        return ""
    return "\n".join(text.splitlines()[-count:])


def _open_log(log: Path) -> int:
    log.parent.mkdir(parents=True, exist_ok=True)
    if log.exists() and log.stat().st_size > LOG_LIMIT:
        log.replace(log.with_name(log.name + ".1"))
    return os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o600)


# The kernel sends the death signal when the *thread* that forked ends, not the process. So all children of a
# process are forked by one thread that never ends before the process does.
_Task = tuple[Callable[[], subprocess.Popen[bytes]], "Future[subprocess.Popen[bytes]]"]
_tasks: "queue.SimpleQueue[_Task]" = queue.SimpleQueue()
_spawner: threading.Thread | None = None
_spawner_lock = threading.Lock()


def _in_spawner(spawn: Callable[[], subprocess.Popen[bytes]]) -> subprocess.Popen[bytes]:
    global _spawner
    with _spawner_lock:
        if _spawner is None or not _spawner.is_alive():
            _spawner = threading.Thread(target=_serve, name="spawner", daemon=True)
            _spawner.start()
    done: Future[subprocess.Popen[bytes]] = Future()
    _tasks.put((spawn, done))
    return done.result()


def _serve() -> None:
    while True:
        spawn, done = _tasks.get()
        try:
            done.set_result(spawn())
        except BaseException as error:  # noqa: BLE001 - whatever it is, it belongs to the caller
            done.set_exception(error)
