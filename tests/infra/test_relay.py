"""The relay against a real PostgreSQL and a real broker: everything arrives, in order, with what readers need."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from uuid import UUID, uuid4

import psycopg
import pytest
from kafka.partitioner.default import murmur2

from tests.events_in_store import append, some_events, state_of
from tests.running import eventually, running
from tests.servers import Database
from tests.topics_on_broker import delete_topics, read_all
from tongban.domain.registry import EVENT_TYPES
from tongban.infra.kafka import open_admin
from tongban.infra.relay import Relay, RelayDoubt
from tongban.infra.settings import PARTITIONS
from tongban.infra.topics import TOPICS, TopicsUnusable, UnknownTopic, ensure_topics, partition_of, topic_of


@pytest.fixture
def bootstrap(kafka_bootstrap: str) -> Iterator[str]:
    delete_topics(kafka_bootstrap)
    yield kafka_bootstrap
    delete_topics(kafka_bootstrap)


def relay(database: Database, bootstrap: str) -> Relay:
    return Relay(database_url=database.url, bootstrap=bootstrap, jurisdiction="310000")


def checkpoint(database: Database) -> tuple[int, int]:
    """(position, epoch) of the relay."""
    with psycopg.connect(database.admin_url) as conn:
        row = conn.execute("SELECT position, epoch FROM relay.checkpoint").fetchone()
        assert row is not None
        return row


def publish(database: Database, bootstrap: str, upto: int) -> None:
    """Run a relay until its checkpoint is at `upto`."""
    with running(relay(database, bootstrap).run):
        eventually(lambda: checkpoint(database)[0] >= upto)


def headers(record: object) -> dict[str, bytes]:
    return dict(record.headers)  # type: ignore[attr-defined]


def positions(records: list[object]) -> list[int]:
    return [int(headers(record)["ce_position"]) for record in records]


def test_every_event_arrives_once_in_its_partition_with_the_position_before_it(
    database: Database, bootstrap: str
) -> None:
    streams = [uuid4() for _ in range(40)]
    stored = append(database.admin_url, list(some_events(streams, range(1, 31))))
    publish(database, bootstrap, stored[-1])
    records = read_all(bootstrap)
    assert sorted(positions(records)) == stored
    last: dict[tuple[str, int], int] = {}
    for record in records:
        place = (record.topic, record.partition)
        assert int(headers(record)["ce_prevposition"]) == last.get(place, -1)
        last[place] = int(headers(record)["ce_position"])
        assert record.partition == (murmur2(record.key) & 0x7FFFFFFF) % PARTITIONS
        assert record.partition == partition_of(UUID(record.key.decode()))


def test_a_message_is_a_cloudevent_whose_value_is_the_stored_bytes(database: Database, bootstrap: str) -> None:
    stream = uuid4()
    state = state_of(stream, 1, "case.CaseClosed", schema=3)
    [position] = append(database.admin_url, [(stream, 1, "case.CaseClosed", state)])
    publish(database, bootstrap, position)
    [record] = read_all(bootstrap)
    key = str(stream).encode()
    assert (record.topic, record.key, record.value) == ("tongban.case.v1", key, state)
    found = headers(record)
    assert found.pop("ce_id")
    assert found == {
        "content-type": b"application/json",
        "ce_specversion": b"1.0",
        "ce_source": b"urn:tongban:310000",
        "ce_type": b"case.CaseClosed.v3",
        "ce_subject": key,
        "ce_partitionkey": key,
        "ce_sequence": b"1",
        "ce_time": b"2026-03-02T01:00:00.000000Z",
        "ce_traceparent": b"00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
        "ce_dataschema": b"urn:tongban:schema:case.CaseClosed.v3",
        "ce_position": str(position).encode(),
        "ce_prevposition": b"-1",
    }


@pytest.mark.parametrize(
    "state",
    [b"\x00\xff", b"{", b"[]", b"1e999", b'{"id": 7, "schema": "x", "trace": "\\u0000"}', b"[" * 5000, b"x" * 524288],
)
def test_an_unreadable_event_is_published_as_it_is(database: Database, bootstrap: str, state: bytes) -> None:
    stream = uuid4()
    [position] = append(database.admin_url, [(stream, 1, "case.CaseClosed", state)])
    publish(database, bootstrap, position)
    [record] = read_all(bootstrap)
    assert record.value == state
    assert headers(record)["ce_id"] == f"{stream}.1".encode()
    assert headers(record)["ce_type"] == b"case.CaseClosed.v1"
    assert "ce_time" not in headers(record)


def test_only_one_of_two_relays_publishes_and_the_other_takes_over(database: Database, bootstrap: str) -> None:
    streams = [uuid4() for _ in range(10)]
    first, second = relay(database, bootstrap), relay(database, bootstrap)
    with running(first.run) as one:
        eventually(lambda: checkpoint(database)[1] == 1)
        with running(second.run):
            stored = append(database.admin_url, list(some_events(streams, range(1, 21))))
            eventually(lambda: checkpoint(database)[0] == stored[-1])
            assert checkpoint(database)[1] == 1
            one.end()
            eventually(lambda: checkpoint(database)[1] == 2)
            stored += append(database.admin_url, list(some_events(streams, range(21, 41))))
            eventually(lambda: checkpoint(database)[0] == stored[-1])
    assert sorted(positions(read_all(bootstrap))) == stored


def test_a_relay_whose_epoch_has_passed_gives_up(database: Database, bootstrap: str) -> None:
    zombie = relay(database, bootstrap)
    with running(zombie.run) as it:
        eventually(lambda: checkpoint(database)[1] == 1)
        with psycopg.connect(database.admin_url) as conn:
            conn.execute("UPDATE relay.checkpoint SET epoch = epoch + 1")
        append(database.admin_url, list(some_events([uuid4()], range(1, 2))))
        eventually(lambda: not it.alive)
        assert isinstance(it.error, RelayDoubt)
        it.error = None
    assert checkpoint(database)[0] == 0


def test_a_relay_whose_lock_session_ended_gives_up(database: Database, bootstrap: str) -> None:
    with running(relay(database, bootstrap).run) as it:
        eventually(lambda: checkpoint(database)[1] == 1)
        with psycopg.connect(database.admin_url) as conn:
            conn.execute("SELECT pg_terminate_backend(pid) FROM pg_locks WHERE locktype = 'advisory' AND objid = 7302")
        eventually(lambda: not it.alive)
        assert isinstance(it.error, RelayDoubt)
        it.error = None


def test_deleted_topics_are_made_again_and_everything_is_published_again(database: Database, bootstrap: str) -> None:
    streams = [uuid4() for _ in range(10)]
    stored = append(database.admin_url, list(some_events(streams, range(1, 11))))
    publish(database, bootstrap, stored[-1])
    delete_topics(bootstrap)
    stored += append(database.admin_url, list(some_events(streams, range(11, 13))))
    publish(database, bootstrap, stored[-1])
    eventually(lambda: sorted(positions(read_all(bootstrap))) == stored)


def test_topics_deleted_under_an_idle_relay_are_noticed(database: Database, bootstrap: str) -> None:
    stored = append(database.admin_url, list(some_events([uuid4()], range(1, 4))))
    with running(relay(database, bootstrap).run) as it:
        eventually(lambda: checkpoint(database)[0] == stored[-1])
        delete_topics(bootstrap)
        eventually(lambda: not it.alive)
        assert isinstance(it.error, RelayDoubt)
        it.error = None
    with running(relay(database, bootstrap).run):
        eventually(lambda: positions(read_all(bootstrap)) == stored)


def test_a_topic_with_another_number_of_partitions_is_refused_with_what_to_do(bootstrap: str) -> None:
    admin = open_admin(bootstrap)
    admin.create_topics({TOPICS[0]: {"num_partitions": 2, "replication_factor": 1}}, wait_for_metadata=True)
    admin.close()
    with pytest.raises(TopicsUnusable, match=r"has 2 partitions.*Delete the topic"):
        ensure_topics(bootstrap)


def test_topics_keep_events_for_ever_and_making_them_twice_changes_nothing(bootstrap: str) -> None:
    from kafka.admin import ConfigResource, ConfigResourceType

    ensure_topics(bootstrap)
    ensure_topics(bootstrap)
    admin = open_admin(bootstrap)
    described = admin.describe_configs(
        [ConfigResource(ConfigResourceType.TOPIC, name) for name in TOPICS], config_filter="all"
    )
    admin.close()
    for name in TOPICS:
        configs = described["topic"][name]
        assert configs["retention.ms"]["value"] == "-1"
        assert configs["cleanup.policy"]["value"] == "delete"


def test_a_relay_that_is_asked_to_stop_returns(database: Database, bootstrap: str) -> None:
    stop = threading.Event()
    stop.set()
    relay(database, bootstrap).run(stop)
    assert topic_of("case.CaseClosed") == "tongban.case.v1"


def test_every_event_goes_to_a_topic_that_is_made() -> None:
    assert {topic_of(name) for name in EVENT_TYPES} == set(TOPICS)
    assert topic_of("calendar.CalendarImported") == topic_of("catalogue.ItemPublished") == "tongban.catalogue.v1"


def test_an_event_of_a_later_release_has_no_topic() -> None:
    with pytest.raises(UnknownTopic, match="run the release that wrote it"):
        topic_of("weather.RainFell")
