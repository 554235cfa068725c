"""Real servers for tests: where they come from, and what a test gets of them.

PostgreSQL is always the embedded one. Kafka is, in this order: the one TONGBAN_TEST_KAFKA names, a
container where a Docker engine answers, the embedded one where Java and Maven are found, else none.
"""

import os
import socket
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import psycopg
from psycopg import sql

from tongban.infra.embedded import kafka_jars, ports
from tongban.infra.embedded.kafka import Kafka, answers
from tongban.infra.embedded.postgres import SUPERUSER, Postgres
from tongban.infra.embedded.process import StartError

TEMPLATE = "tongban_template"
LOGIN = "tongban"
KAFKA_IMAGE = "apache/kafka"
DOCKER_SOCKET = "/var/run/docker.sock"

TEST_SETTINGS = {"shared_buffers": "128MB", "max_wal_size": "1GB"}
"""Smaller than in a running system, but with durability as it is there: tests kill servers."""


class NoKafkaError(Exception):
    """No Kafka can be had here; the message says why."""


@dataclass(frozen=True)
class Database:
    """One migrated database: its name, the URL of the login that Tongban's processes use, the superuser's."""

    name: str
    url: str
    admin_url: str


def migrate_template(server: Postgres) -> None:
    """Make the database that all others are copies of (roles belong to the server, they are there then)."""
    from tongban.infra.migrate import migrate

    server.ensure_database(TEMPLATE)
    migrate(server.url(SUPERUSER, TEMPLATE))


@contextmanager
def fresh_database(server: Postgres) -> Iterator[Database]:
    """A copy of the template (some 50 ms), dropped at the end whoever is still connected."""
    name = f"t_{uuid.uuid4().hex[:12]}"
    with psycopg.connect(server.url(), autocommit=True) as connection:
        statement = sql.SQL("CREATE DATABASE {} TEMPLATE {}")
        connection.execute(statement.format(sql.Identifier(name), sql.Identifier(TEMPLATE)))
        # A database's own privileges are not copied from its template; a rebuild makes a schema.
        statement = sql.SQL("GRANT CREATE ON DATABASE {} TO tongban_projector")
        connection.execute(statement.format(sql.Identifier(name)))
    try:
        yield Database(name, server.url(LOGIN, name), server.url(SUPERUSER, name))
    finally:
        with psycopg.connect(server.url(), autocommit=True) as connection:
            connection.execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(name)))


@contextmanager
def shared_kafka(directory: Path) -> Iterator[str]:
    """The bootstrap address of a broker that all tests share; NoKafkaError where there is none."""
    named = os.environ.get("TONGBAN_TEST_KAFKA")
    if named:
        if not answers(named, timeout=15):
            raise NoKafkaError(f"no broker answers at TONGBAN_TEST_KAFKA={named}")
        yield named
    elif docker_answers():
        with _container() as bootstrap:
            yield bootstrap
    else:
        with embedded_kafka(directory) as broker:
            yield broker.bootstrap


@contextmanager
def embedded_kafka(directory: Path) -> Iterator[Kafka]:
    """A broker of its own, started and ready, which may be killed, stopped, wiped and started again."""
    broker = Kafka(directory, cache=kafka_jars.shared_cache())
    missing = broker.why_unavailable()
    if missing is not None:
        raise NoKafkaError(missing)
    try:
        try:
            broker.start()
            broker.wait_ready()
        except StartError as error:
            raise NoKafkaError(str(error)) from error
        yield broker
    finally:
        broker.stop(grace=5)


def docker_answers() -> bool:
    """Whether a Docker engine is named or listens where it does by default."""
    if os.environ.get("DOCKER_HOST"):
        return True
    # Asked without Docker's own client, which leaves a socket open where nobody answers.
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as probe:
        return probe.connect_ex(DOCKER_SOCKET) == 0


@contextmanager
def _container() -> Iterator[str]:
    """The official image, at a loopback port that is known beforehand as the broker has to advertise it."""
    from testcontainers.core.container import DockerContainer

    [port] = ports.free_ports(1)
    settings = {
        "KAFKA_NODE_ID": "1",
        "KAFKA_PROCESS_ROLES": "broker,controller",
        "KAFKA_CONTROLLER_QUORUM_VOTERS": "1@localhost:9093",
        "KAFKA_LISTENERS": "PLAINTEXT://:9092,CONTROLLER://:9093",
        "KAFKA_ADVERTISED_LISTENERS": f"PLAINTEXT://{ports.LOOPBACK}:{port}",
        "KAFKA_LISTENER_SECURITY_PROTOCOL_MAP": "PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT",
        "KAFKA_CONTROLLER_LISTENER_NAMES": "CONTROLLER",
        "KAFKA_AUTO_CREATE_TOPICS_ENABLE": "false",
        "KAFKA_OFFSETS_TOPIC_NUM_PARTITIONS": "1",
        "KAFKA_OFFSETS_TOPIC_REPLICATION_FACTOR": "1",
        "KAFKA_TRANSACTION_STATE_LOG_REPLICATION_FACTOR": "1",
        "KAFKA_TRANSACTION_STATE_LOG_MIN_ISR": "1",
        "KAFKA_GROUP_INITIAL_REBALANCE_DELAY_MS": "0",
    }
    container = DockerContainer(f"{KAFKA_IMAGE}:{kafka_jars.version()}")
    for name, value in settings.items():
        container.with_env(name, value)
    container.with_bind_ports("9092/tcp", (ports.LOOPBACK, port))  # type: ignore[arg-type] # docker takes pairs
    bootstrap = f"{ports.LOOPBACK}:{port}"
    with container:
        for _ in range(30):
            if answers(bootstrap, timeout=2):
                break
        else:
            raise NoKafkaError(f"the container of {KAFKA_IMAGE}:{kafka_jars.version()} does not answer")
        yield bootstrap
