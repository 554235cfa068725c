"""Fixtures that hand real servers to tests, and the line that says which tests had none.

`postgres_server` and `kafka_bootstrap` live as long as the test run, `module_database` as long as a module,
`database` and `kafka_broker` as long as one test. A test that asks for one is marked `integration` or
`kafka`.
"""

import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import NoReturn

import pytest

from tests.servers import (
    TEST_SETTINGS,
    Database,
    NoKafkaError,
    embedded_kafka,
    fresh_database,
    migrate_template,
    shared_kafka,
)
from tongban.infra.embedded import kafka_jars
from tongban.infra.embedded.kafka import Kafka
from tongban.infra.embedded.postgres import Postgres

NEED_POSTGRES = {"postgres_server", "database", "module_database"}
NEED_KAFKA = {"kafka_bootstrap", "kafka_broker", "local_kafka"}

left_out: dict[str, str] = {}
"""The tests that had no Kafka, and why."""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark each test by the servers that it asks for, directly or through other fixtures."""
    for item in items:
        wanted = set(getattr(item, "fixturenames", ()))
        if wanted & NEED_POSTGRES:
            item.add_marker(pytest.mark.integration)
        if wanted & NEED_KAFKA:
            item.add_marker(pytest.mark.kafka)


def pytest_unconfigure(config: pytest.Config) -> None:
    """Say as the very last line that Kafka's tests were left out, so that a green run does not hide it."""
    if left_out:
        reason = next(iter(left_out.values()))
        config.get_terminal_writer().line(f"{len(left_out)} Kafka tests were left out: {reason}", yellow=True)


@pytest.fixture(scope="session")
def short_directory() -> Iterator[Path]:
    """A directory whose path is short enough for a unix socket, gone after the run."""
    directory = Path(tempfile.mkdtemp(prefix="tongban-"))
    yield directory
    shutil.rmtree(directory, ignore_errors=True)


@pytest.fixture(scope="session")
def postgres_server(short_directory: Path) -> Iterator[Postgres]:
    """A running embedded PostgreSQL, empty but for what fixtures make in it."""
    server = Postgres(short_directory / "postgres", settings=TEST_SETTINGS)
    try:
        server.start()
        server.wait_ready()
        yield server
    finally:
        server.stop(grace=5)


@pytest.fixture(scope="session")
def migrated_server(postgres_server: Postgres) -> Postgres:
    """The server with a migrated template database."""
    migrate_template(postgres_server)
    return postgres_server


@pytest.fixture
def database(migrated_server: Postgres) -> Iterator[Database]:
    """A fresh migrated database for one test."""
    with fresh_database(migrated_server) as fresh:
        yield fresh


@pytest.fixture(scope="module")
def module_database(migrated_server: Postgres) -> Iterator[Database]:
    """A fresh migrated database for the tests of one module."""
    with fresh_database(migrated_server) as fresh:
        yield fresh


@pytest.fixture(scope="session")
def shared_broker(short_directory: Path) -> Iterator[str | NoKafkaError]:
    """The shared broker's address or why there is none; asked once for all tests."""
    with ExitStack() as stack:
        try:
            bootstrap: str | NoKafkaError = stack.enter_context(shared_kafka(short_directory / "kafka"))
        except NoKafkaError as error:
            bootstrap = error
        yield bootstrap


@pytest.fixture
def kafka_bootstrap(shared_broker: str | NoKafkaError, request: pytest.FixtureRequest) -> str:
    """The address of a broker that other tests use, too: use topics of your own."""
    if isinstance(shared_broker, NoKafkaError):
        without_kafka(request, shared_broker)
    return shared_broker


@pytest.fixture
def kafka_broker(request: pytest.FixtureRequest) -> Iterator[Kafka]:
    """An embedded broker for one test, which may kill it, wipe it and start it again."""
    with ExitStack() as stack:
        directory = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="tongban-")))
        try:
            broker = stack.enter_context(embedded_kafka(directory))
        except NoKafkaError as error:
            without_kafka(request, error)
        yield broker


@pytest.fixture
def local_kafka(request: pytest.FixtureRequest) -> None:
    """For a test that has an embedded broker started by somebody else: leave it out where that cannot be."""
    missing = kafka_jars.why_unavailable(kafka_jars.shared_cache())
    if missing is not None:
        without_kafka(request, NoKafkaError(missing))


def without_kafka(request: pytest.FixtureRequest, error: NoKafkaError) -> NoReturn:
    """Leave the test out, or fail it where Kafka is required (REQUIRE_KAFKA=1)."""
    if os.environ.get("REQUIRE_KAFKA") == "1":
        pytest.fail(f"REQUIRE_KAFKA=1, but {error}", pytrace=False)
    left_out[request.node.nodeid] = str(error)
    pytest.skip(f"no Kafka: {error}")
