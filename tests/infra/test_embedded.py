"""The embedded servers and child processes, for real: started, killed, started again, gone with us."""

import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from tests.processes import eventually, only_linux, running
from tongban.infra.embedded import kafka_jars, ports
from tongban.infra.embedded.kafka import Kafka, answers
from tongban.infra.embedded.postgres import Postgres
from tongban.infra.embedded.process import Child, StartError


@pytest.fixture
def postgres() -> Iterator[Postgres]:
    """A server of its own, which the test starts."""
    with tempfile.TemporaryDirectory(prefix="tongban-") as directory:
        server = Postgres(Path(directory))
        try:
            yield server
        finally:
            server.stop(grace=5)


def one(url: str, statement: str) -> object:
    """The one value that the statement gives."""
    with psycopg.connect(url, autocommit=True) as connection:
        row = connection.execute(statement.encode()).fetchone()
    return None if row is None else row[0]


class TestPostgres:
    def test_it_is_version_18_on_a_socket_only_and_sorts_alike_everywhere(self, postgres: Postgres) -> None:
        postgres.start()
        postgres.wait_ready()
        postgres.ensure_database("tongban")
        postgres.ensure_database("tongban")
        url = postgres.url(dbname="tongban")
        assert str(one(url, "SHOW server_version")).startswith("18")
        assert one(url, "SHOW listen_addresses") == ""
        assert one(url, "SHOW synchronous_commit") == "on"
        assert one(url, "SELECT datlocale FROM pg_database WHERE datname = 'tongban'") == "C.UTF-8"
        assert one(url, "SELECT upper('ä通')") == "Ä通"
        assert one(url, "SELECT count(*) FROM pg_available_extensions WHERE name = 'btree_gist'") == 1

    def test_only_its_own_user_may_open_the_socket(self, postgres: Postgres) -> None:
        postgres.start()
        postgres.wait_ready()
        assert (postgres.directory / "socket").stat().st_mode & 0o077 == 0

    def test_what_was_committed_before_a_kill_is_there_after_the_next_start(self, postgres: Postgres) -> None:
        postgres.start()
        postgres.wait_ready()
        with psycopg.connect(postgres.url(), autocommit=True) as connection:
            connection.execute("CREATE TABLE kept AS SELECT 7 AS n")
        assert postgres.child is not None
        postgres.child.kill()
        assert not postgres.ready()
        postgres.start()
        postgres.wait_ready()
        assert one(postgres.url(), "SELECT n FROM kept") == 7

    def test_a_deep_directory_gets_its_socket_elsewhere(self) -> None:
        with tempfile.TemporaryDirectory(prefix="tongban-") as directory:
            server = Postgres(Path(directory) / ("deep" * 20) / ("deeper" * 15))
            try:
                server.start()
                server.wait_ready()
                assert one(server.url(), "SELECT 1") == 1
            finally:
                server.stop(grace=5)

    def test_a_directory_that_cannot_be_written_is_said_in_one_line(self, tmp_path: Path) -> None:
        (tmp_path / "file").touch()
        with pytest.raises(StartError) as caught:
            Postgres(tmp_path / "file" / "data").start()
        assert "Choose another directory" in str(caught.value)
        assert "\n" not in str(caught.value)

    @only_linux
    def test_it_stops_when_whoever_started_it_is_killed(self) -> None:
        with tempfile.TemporaryDirectory(prefix="tongban-") as directory:
            program = (
                "import sys, time, pathlib; from tongban.infra.embedded.postgres import Postgres\n"
                "server = Postgres(pathlib.Path(sys.argv[1])); server.start(); server.wait_ready()\n"
                "print('ready', flush=True); time.sleep(600)"
            )
            with subprocess.Popen(
                [sys.executable, "-c", program, directory], stdout=subprocess.PIPE, text=True
            ) as starter:
                assert starter.stdout is not None
                assert starter.stdout.readline() == "ready\n"
                pgdata = f"{directory}/pgdata"
                assert running(pgdata)
                starter.kill()
            assert eventually(lambda: not running(pgdata)), running(pgdata)


class TestKafka:
    def test_it_keeps_its_address_and_topics_across_a_kill_and_loses_them_when_wiped(self, kafka_broker: Kafka) -> None:
        from kafka.admin import KafkaAdminClient

        def topics() -> set[str]:
            admin = KafkaAdminClient(bootstrap_servers=kafka_broker.bootstrap)
            try:
                return set(admin.list_topics())
            finally:
                admin.close()

        admin = KafkaAdminClient(bootstrap_servers=kafka_broker.bootstrap)
        admin.create_topics({"tongban.case.v1": {"num_partitions": 6, "replication_factor": 1}})
        admin.close()
        before = kafka_broker.bootstrap
        assert kafka_broker.child is not None
        kafka_broker.child.kill()
        assert not kafka_broker.ready()
        kafka_broker.start()
        kafka_broker.wait_ready()
        assert kafka_broker.bootstrap == before
        assert topics() == {"tongban.case.v1"}

        kafka_broker.stop(grace=5)
        kafka_broker.wipe()
        kafka_broker.start()
        kafka_broker.wait_ready()
        assert kafka_broker.bootstrap == before
        assert topics() == set()

    def test_the_shared_broker_answers(self, kafka_bootstrap: str) -> None:
        assert answers(kafka_bootstrap)

    def test_without_java_it_says_so_in_one_line(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("PATH", str(tmp_path))
        broker = Kafka(tmp_path)
        assert broker.why_unavailable() == "no Java found (Java 17 or newer is needed)"
        with pytest.raises(StartError, match=r"no Java found .* use --broker none"):
            broker.start()

    def test_a_java_that_is_too_old_is_said_in_one_line(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        java = tmp_path / "java"
        java.write_text("#!/bin/sh\necho 'openjdk version \"11.0.2\" 2019-01-15' >&2\n")
        java.chmod(0o755)
        monkeypatch.setenv("PATH", str(tmp_path), prepend=":")
        assert kafka_jars.why_unavailable(tmp_path) == "Java 11 found, 17 or newer is needed"

    def test_the_pom_names_a_version_newer_than_those_with_known_faults(self) -> None:
        assert tuple(int(part) for part in kafka_jars.version().split(".")) > (4, 3, 1)


class TestChild:
    def test_one_that_ignores_the_stop_signal_is_killed_after_the_grace(self, tmp_path: Path) -> None:
        child = Child(["sh", "-c", "trap '' TERM; echo on; while :; do sleep 0.1; done"], log=tmp_path / "log")
        assert eventually(lambda: child.last_lines() == "on")
        started = time.monotonic()
        child.stop(grace=0.3)
        assert not child.alive
        assert child.how_it_ended() == "killed by SIGKILL"
        assert time.monotonic() - started < 5

    def test_a_program_that_is_not_there_ends_with_a_line_in_the_log(self, tmp_path: Path) -> None:
        child = Child(["no-such-program"], log=tmp_path / "log")
        assert child.wait(10) == 1
        assert child.last_lines() == "no-such-program: No such file or directory"

    @only_linux
    def test_it_dies_with_a_killed_parent_even_when_a_thread_that_is_gone_started_it(self) -> None:
        program = (
            "import threading, time; from tongban.infra.embedded.process import Child\n"
            "made = []\n"
            "thread = threading.Thread(target=lambda: made.append(Child(['sleep', '600'])))\n"
            "thread.start(); thread.join(); time.sleep(0.5)\n"
            "print(made[0].pid if made[0].alive else 'dead', flush=True); time.sleep(600)"
        )
        with subprocess.Popen([sys.executable, "-c", program], stdout=subprocess.PIPE, text=True) as parent:
            assert parent.stdout is not None
            pid = int(parent.stdout.readline())
            parent.kill()
        assert eventually(lambda: not Path(f"/proc/{pid}").exists() or _is_zombie(pid))

    @only_linux
    @pytest.mark.skipif(os.geteuid() != 0, reason="only root can become another user")
    def test_the_death_signal_survives_the_change_of_user(self) -> None:
        program = (
            "import signal, time; from tongban.infra.embedded.process import Child\n"
            "child = Child(['sleep', '600'], user='nobody', death_signal=signal.SIGINT)\n"
            "time.sleep(0.5); print(child.pid, flush=True); time.sleep(600)"
        )
        with subprocess.Popen([sys.executable, "-c", program], stdout=subprocess.PIPE, text=True) as parent:
            assert parent.stdout is not None
            pid = int(parent.stdout.readline())
            assert Path(f"/proc/{pid}").stat().st_uid != 0
            parent.send_signal(signal.SIGKILL)
        assert eventually(lambda: not Path(f"/proc/{pid}").exists() or _is_zombie(pid))


class TestPorts:
    def test_free_ports_are_different_free_and_below_the_outgoing_range(self) -> None:
        chosen = ports.free_ports(3)
        assert len(set(chosen)) == 3
        assert all(ports.is_free(port) and port < 32_768 for port in chosen)


def _is_zombie(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "Z"
    except OSError:
        return True
