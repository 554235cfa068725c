"""A real Apache Kafka of our own: one node that is broker and controller (KRaft), on loopback ports.

In: a directory. Out: a running broker and its bootstrap address, which stays the same across restarts.
"""

import base64
import json
import logging
import shutil
import subprocess
import time
import uuid
from collections.abc import Callable
from pathlib import Path

from tongban.infra.embedded import kafka_jars, ports
from tongban.infra.embedded.process import Child, StartError

HEAP = ("-Xms128m", "-Xmx512m")


class Kafka:
    """One embedded broker whose topics lie in `directory`/data and whose log is `log`.

    Jars come from `cache` (default: `directory`) and are fetched there when missing. Call `start`, then
    `wait_ready`; after it has died `start` may be called again. `wipe` makes the next start an empty cluster.
    """

    name = "kafka"

    def __init__(
        self,
        directory: Path,
        *,
        log: Path | None = None,
        cache: Path | None = None,
        stopping: Callable[[], bool] = lambda: False,
    ) -> None:
        self.directory = directory.absolute()
        self.log = log or self.directory / "kafka.log"
        self.cache = cache or self.directory
        self.child: Child | None = None
        self._stopping = stopping
        self._data = self.directory / "data"
        self._ports: tuple[int, int] | None = None

    def why_unavailable(self) -> str | None:
        """None when a broker can be started here, else what is missing, as one line."""
        return kafka_jars.why_unavailable(self.cache)

    def must_fetch(self) -> bool:
        """Whether the jars are not here yet."""
        return not kafka_jars.jars_directory(self.cache).is_dir()

    def fetch(self) -> Path:
        """The directory of jars, fetched now if they are not here yet. StartError when that fails."""
        return kafka_jars.fetch(self.cache, stopping=self._stopping)

    @property
    def pid(self) -> int | None:
        """The process id of the running broker, None when there is none."""
        return self.child.pid if self.child is not None and self.child.alive else None

    @property
    def bootstrap(self) -> str:
        """The address for clients, `127.0.0.1:port`."""
        if self._ports is None:
            self._ports = self._choose_ports()
        return f"{ports.LOOPBACK}:{self._ports[0]}"

    def start(self) -> None:
        """Fetch jars and format the storage where that was not done before; start the broker; do not wait.

        Raises StartError with one line on what is missing.
        """
        missing = self.why_unavailable()
        if missing is not None:
            raise StartError(f"Apache Kafka cannot run here: {missing}. Install it, or use --broker none.")
        jars = self.fetch()
        try:
            self.directory.mkdir(parents=True, exist_ok=True)
            properties = self._write_properties()
        except OSError as error:
            raise StartError(f"Apache Kafka cannot use {self.directory}: {error.strerror}.") from error
        java = ["java", *HEAP, "-XX:+ExitOnOutOfMemoryError", "-cp", f"{jars}/*"]
        if not (self._data / "meta.properties").exists():
            self._format(java, properties)
        self.child = Child([*java, "kafka.Kafka", str(properties)], log=self.log)

    def ready(self) -> bool:
        """Whether it answers the metadata API now."""
        if self.pid is None or self._ports is None or ports.is_free(self._ports[0]):
            return False
        return answers(self.bootstrap)

    def wait_ready(self, timeout: float = 90.0) -> None:
        """Return once it answers; StartError when it dies first or `timeout` seconds have passed."""
        deadline = time.monotonic() + timeout
        while not self.ready():
            if self.pid is None:
                raise StartError(f"Apache Kafka did not start; see {self.log}:\n{self.last_lines()}")
            if time.monotonic() > deadline:
                raise StartError(f"Apache Kafka did not answer within {timeout:.0f} s; see {self.log}")
            time.sleep(0.1)

    def stop(self, grace: float = 15.0) -> None:
        """Controlled shutdown; after `grace` seconds kill. The topics stay."""
        if self.child is not None:
            self.child.stop(grace)

    def wipe(self) -> None:
        """Forget all topics of the stopped broker: the next start is a new, empty cluster."""
        if self.pid is not None:
            raise StartError("Stop the broker before its data are wiped.")
        shutil.rmtree(self._data, ignore_errors=True)

    def last_lines(self) -> str:
        """The end of the broker's log."""
        return "" if self.child is None else self.child.last_lines()

    def _format(self, java: list[str], properties: Path) -> None:
        # The random id of a cluster, in the form Kafka prints it.
        cluster = base64.urlsafe_b64encode(uuid.uuid4().bytes).decode().rstrip("=")
        # An id must not look like an option.
        cluster = "t" + cluster[1:]
        done = subprocess.run(
            [*java, "kafka.tools.StorageTool", "format", "-t", cluster, "-c", str(properties)],
            check=False,
            capture_output=True,
            text=True,
            start_new_session=True,
        )
        if done.returncode != 0:
            raise StartError(f"Apache Kafka could not format {self._data}: {_last_line(done.stderr)}")

    def _choose_ports(self) -> tuple[int, int]:
        """The ports of the last run where still free, else new ones, written down for the next run."""
        file = self.directory / "ports.json"
        try:
            client, controller = json.loads(file.read_text())
        except (OSError, ValueError):
            client = controller = 0
        if not (client and ports.is_free(client) and ports.is_free(controller)):
            client, controller = ports.free_ports(2)
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(json.dumps([client, controller]))
        return client, controller

    def _write_properties(self) -> Path:
        if self._ports is None:
            self._ports = self._choose_ports()
        client, controller = self._ports
        settings = {
            "process.roles": "broker,controller",
            "node.id": 1,
            "controller.quorum.voters": f"1@{ports.LOOPBACK}:{controller}",
            "listeners": f"PLAINTEXT://{ports.LOOPBACK}:{client},CONTROLLER://{ports.LOOPBACK}:{controller}",
            "advertised.listeners": f"PLAINTEXT://{ports.LOOPBACK}:{client}",
            "controller.listener.names": "CONTROLLER",
            "listener.security.protocol.map": "PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT",
            "log.dirs": self._data,
            # A misspelt topic is an error, not a new topic.
            "auto.create.topics.enable": "false",
            # The event store is the truth, but integrators may want all of the topics, too.
            "log.retention.ms": -1,
            "log.retention.bytes": -1,
            # One node: nothing to replicate to, and few partitions make a start fast.
            "default.replication.factor": 1,
            "offsets.topic.num.partitions": 1,
            "offsets.topic.replication.factor": 1,
            "transaction.state.log.num.partitions": 1,
            "transaction.state.log.replication.factor": 1,
            "transaction.state.log.min.isr": 1,
            "share.coordinator.state.topic.num.partitions": 1,
            "share.coordinator.state.topic.replication.factor": 1,
            "share.coordinator.state.topic.min.isr": 1,
            "group.initial.rebalance.delay.ms": 0,
            # A broker that was killed may register again only when its last session is over (default: 9 s).
            "broker.session.timeout.ms": 3000,
            "broker.heartbeat.interval.ms": 500,
        }
        file = self.directory / "server.properties"
        # In a properties file a backslash escapes; a path may have one.
        file.write_text("".join(f"{key}={value}\n" for key, value in settings.items()).replace("\\", "\\\\"))
        return file


def answers(bootstrap: str, timeout: float = 3.0) -> bool:
    """Whether a broker at this address answers the metadata API within about `timeout` seconds."""
    from kafka.admin import KafkaAdminClient
    from kafka.errors import KafkaError

    milliseconds = int(timeout * 1000)
    log = logging.getLogger("kafka")
    level = log.level
    log.setLevel(logging.CRITICAL + 1)  # a broker that is not there yet is no news
    try:
        admin = KafkaAdminClient(
            bootstrap_servers=bootstrap, bootstrap_timeout_ms=milliseconds, request_timeout_ms=milliseconds
        )
        try:
            return len(admin.describe_cluster()["brokers"]) > 0
        finally:
            admin.close()
    except (KafkaError, OSError):
        return False
    finally:
        log.setLevel(level)


def _last_line(text: str) -> str:
    return (text.strip().splitlines() or ["no output"])[-1]
