"""`tongban up`, for real: servers, stand-ins for Tongban's processes, kills, signals, what is left."""

import os
import queue
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.processes import eventually, only_linux, running
from tongban.infra.embedded import kafka_jars, ports

FAKE = Path(__file__).with_name("fake_tongban.py")
RUN = """
import pathlib, sys
from tongban.up import up
port, data, cases, broker, fake, cache = sys.argv[1:]
sys.exit(up(port=int(port), data=pathlib.Path(data), cases=int(cases), broker=broker,
            tongban=[sys.executable, fake], kafka_cache=pathlib.Path(cache)))
"""

pytestmark = only_linux


class Up:
    """A running `up`, the lines it has said so far, and the processes that belong to it."""

    def __init__(
        self,
        data: Path,
        *,
        port: int = 0,
        cases: int = 0,
        broker: str = "none",
        cache: Path | None = None,
        **env: str,
    ) -> None:
        self.data = data
        [free] = ports.free_ports(1)
        self.port = port or free
        arguments = [str(self.port), str(data), str(cases), broker, str(FAKE)]
        arguments.append(str(cache or kafka_jars.shared_cache()))
        inherited = {name: value for name, value in os.environ.items() if not name.startswith("TONGBAN_")}
        self.process = subprocess.Popen(
            [sys.executable, "-c", RUN, *arguments],
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            env=inherited | env,
        )
        self.lines: list[str] = []
        self._incoming: queue.SimpleQueue[str] = queue.SimpleQueue()
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def _read(self) -> None:
        assert self.process.stdout is not None
        with self.process.stdout as said:
            for line in said:
                self._incoming.put(line.rstrip("\n"))

    def until(self, words: str, timeout: float = 60.0) -> str:
        """The next line that contains the words."""
        deadline = time.monotonic() + timeout
        while True:
            try:
                line = self._incoming.get(timeout=max(0.0, deadline - time.monotonic()))
            except queue.Empty:
                pytest.fail(f"`{words}` was not said within {timeout} s. Said: {self.lines}")
            self.lines.append(line)
            if words in line:
                return line

    def ready(self) -> "Up":
        """Return once it tells what to try."""
        self.until("Ctrl-C stops all of it")
        return self

    def ended(self, timeout: float = 30.0) -> int:
        """Its exit code; reads what it still had to say."""
        code = self.process.wait(timeout)
        self._reader.join(timeout)
        while not self._incoming.empty():
            self.lines.append(self._incoming.get())
        return code

    def stop(self, number: signal.Signals = signal.SIGINT) -> int:
        """Send the signal and wait for the end; the exit code."""
        self.process.send_signal(number)
        return self.ended()

    def children(self) -> dict[int, str]:
        """Everything that runs on this data directory but `up` itself."""
        found = running(str(self.data))
        found.pop(self.process.pid, None)
        return found

    def pid_of(self, words: str) -> int:
        """The one process whose command line ends with the words or contains them."""
        [pid] = [pid for pid, command in self.children().items() if words in command]
        return pid


@pytest.fixture
def data() -> Iterator[Path]:
    """A data directory; after the test nothing may run on it any more."""
    directory = Path(tempfile.mkdtemp(prefix="tongban-up-"))
    yield directory
    left = running(str(directory))
    for pid in left:
        os.kill(pid, signal.SIGKILL)
    shutil.rmtree(directory, ignore_errors=True)
    assert not left


def test_it_starts_all_in_order_and_ctrl_c_leaves_nothing(data: Path) -> None:
    system = Up(data, cases=5).ready()
    ran = [line.split() for line in (data / "ran").read_text().splitlines()]
    assert ran[0] == ["migrate", "as", "admin"]
    assert sorted(ran[1:4]) == [["api"], ["project"], ["react"]]  # no broker, no relay; no superuser
    assert ran[4:] == [["seed"], ["simulate", "--cases", "5", "--seed", "2018"]]
    addresses = (data / "up.env").read_text()
    assert f"TONGBAN_PORT={system.port}" in addresses
    assert "TONGBAN_DATABASE_URL=postgresql://tongban@/tongban?host=" in addresses
    assert any("topics are off" in line for line in system.lines)
    assert system.stop() == 0
    assert system.lines[-2:] == ["tongban up: stopping …", "tongban up: stopped"]
    assert not system.children()
    assert not (data / "up.env").exists()


def test_a_second_start_goes_on_with_the_same_data_and_simulates_nothing(data: Path) -> None:
    for _ in range(2):
        assert Up(data, cases=5).ready().stop(signal.SIGTERM) == 0
    ran = (data / "ran").read_text()
    assert ran.count("simulate") == 1
    assert ran.count("\nseed") == 2


def test_a_process_that_is_killed_is_started_again_and_that_is_said(data: Path) -> None:
    system = Up(data).ready()
    first = system.pid_of("fake_tongban.py project")
    os.kill(first, signal.SIGKILL)
    assert "project died (killed by SIGKILL); starting it again in 0.5 s" in system.until("project died")
    system.until("project was started again")
    assert system.pid_of("fake_tongban.py project") != first
    os.kill(system.pid_of("fake_tongban.py project"), signal.SIGKILL)
    assert "in 1 s" in system.until("project died")
    assert system.stop() == 0


def test_a_killed_database_is_started_again(data: Path) -> None:
    system = Up(data).ready()
    os.kill(system.pid_of("/postgres -D"), signal.SIGKILL)
    system.until("postgres died (killed by SIGKILL)")
    system.until("postgres was started again")
    assert eventually(lambda: "ready to accept connections" in (data / "logs/postgres.log").read_text()[-300:])
    assert system.stop() == 0


@pytest.mark.usefixtures("local_kafka")
def test_a_killed_broker_is_started_again_at_the_same_address(data: Path) -> None:
    system = Up(data, broker="local").ready()
    assert "relay" in (data / "ran").read_text()
    [address] = [line.split()[-1] for line in system.lines if "Kafka: embedded on" in line]
    os.kill(system.pid_of("kafka.Kafka"), signal.SIGKILL)
    system.until("kafka was started again")
    host, port = address.split(":")

    def answers() -> bool:
        with socket.socket() as probe:
            return probe.connect_ex((host, int(port))) == 0

    assert eventually(answers, 30)
    assert system.stop() == 0
    assert not system.children()


def test_nothing_is_left_when_the_supervisor_is_killed(data: Path) -> None:
    system = Up(data).ready()
    assert len(system.children()) >= 4
    system.process.kill()
    assert system.ended() == -signal.SIGKILL
    assert eventually(lambda: not system.children()), system.children()
    assert Up(data).ready().stop() == 0  # and the data are fine


def test_nothing_is_left_when_make_is_killed(data: Path) -> None:
    [port] = ports.free_ports(1)
    arguments = [str(port), str(data), "0", "none", str(FAKE), "no-cache"]
    make = subprocess.Popen(
        ["sh", "-c", '"$0" "$@"; true', sys.executable, "-c", RUN, *arguments],
        env=os.environ | {"TONGBAN_FOLLOW_PARENT": "1"},
        stdout=subprocess.DEVNULL,
    )
    assert eventually(lambda: len(running(str(data))) > 6)
    make.kill()
    make.wait()
    assert eventually(lambda: not running(str(data))), running(str(data))


def test_a_signal_in_the_middle_of_the_start_leaves_nothing(data: Path) -> None:
    system = Up(data)
    assert eventually((data / "postgres").exists)
    assert system.stop(signal.SIGTERM) == 0
    assert not system.children()


def test_a_taken_port_is_said_in_one_line(data: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        system = Up(data, port=port)
        assert system.ended() == 1
    assert system.lines == [f"tongban up: Port {port} is taken; choose another with PORT or --port."]


def test_a_second_up_on_the_same_data_is_refused_in_one_line(data: Path) -> None:
    first = Up(data).ready()
    second = Up(data)
    assert second.ended() == 1
    assert second.lines == [
        (f"tongban up: Tongban already runs on {data} (process {first.process.pid}); stop it or choose another DATA.")
    ]
    assert first.stop() == 0


def test_a_data_directory_that_cannot_be_written_is_said_in_one_line(data: Path) -> None:
    (data / "file").touch()
    system = Up(data / "file" / "below")
    assert system.ended() == 1
    assert len(system.lines) == 1
    assert "cannot be written (Not a directory); choose another" in system.lines[0]


def test_a_failed_migration_shows_its_last_lines_and_leaves_nothing(data: Path) -> None:
    (data / "fail-migrate").touch()
    system = Up(data)
    assert system.ended() == 1
    assert system.lines[-1] == "migrate cannot work: the test wants it so"
    assert not system.children()


def test_a_process_that_cannot_start_ends_the_start_with_its_last_lines(data: Path) -> None:
    (data / "fail-api").touch()
    system = Up(data)
    assert system.ended() == 1
    assert any("api died (exit code 1), 3 times while starting" in line for line in system.lines)
    assert system.lines[-1] == "api cannot work: the test wants it so"
    assert not system.children()


def test_a_failed_simulation_is_said_and_does_not_end_the_system(data: Path) -> None:
    (data / "fail-simulate").touch()
    system = Up(data, cases=3).ready()
    assert any("simulate failed (exit code 1); the system runs all the same" in line for line in system.lines)
    assert system.stop() == 0
    assert not (data / "simulated").exists()


def test_missing_java_is_said_in_one_line_and_the_system_runs_without_topics(data: Path) -> None:
    system = Up(data, broker="auto", PATH="/usr/sbin:/sbin").ready()
    assert [line for line in system.lines if "Kafka" in line] == [
        (
            "tongban up: Kafka: no Java found (Java 17 or newer is needed);"
            " topics are off, read tables follow the event store directly"
        )
    ]
    assert system.stop() == 0


def test_a_local_broker_that_is_asked_for_but_cannot_be_had_is_an_error(data: Path) -> None:
    system = Up(data, broker="local", PATH="/usr/sbin:/sbin")
    assert system.ended() == 1
    assert system.lines[-1].startswith("tongban up: Apache Kafka cannot run here: no Java found")
    assert not system.children()


def test_a_download_that_fails_is_said_in_one_line_and_the_system_runs_without_topics(
    data: Path, tmp_path: Path
) -> None:
    for name, does in {
        "java": "echo 'openjdk version \"21.0.2\" 2024-01-16' >&2",
        "mvn": "echo '[ERROR] no way to the repository' >&2; exit 1",
    }.items():
        (tmp_path / name).write_text(f"#!/bin/sh\n{does}\n")
        (tmp_path / name).chmod(0o755)
    path = f"{tmp_path}:/usr/sbin:/usr/bin:/sbin:/bin"
    system = Up(data, broker="auto", cache=data / "cache", PATH=path).ready()
    said = [line for line in system.lines if "Kafka:" in line]
    assert said[1].endswith(
        "(exit code 1). [ERROR] no way to the repository; topics are off, read tables follow the event store directly"
    )
    assert not list((data / "cache").iterdir())
    assert system.stop() == 0
