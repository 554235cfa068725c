"""What must hold once the dust has settled, looked up in the store, on the topics and in the read tables."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable
from uuid import UUID

import orjson
import psycopg
from kafka import KafkaConsumer, TopicPartition

from tests.chaos.load import Acknowledged
from tongban.infra.settings import PARTITIONS
from tongban.infra.topics import TOPICS


def every_acknowledged_command_is_there_once(admin_url: str, acknowledged: Iterable[Acknowledged]) -> None:
    """Each answered command's events stand in the store, at the versions it was told, and nowhere twice."""
    by_command: dict[UUID, list[tuple[UUID, int, str]]] = defaultdict(list)
    with psycopg.connect(admin_url) as conn:
        rows = conn.execute(
            "SELECT originator_id, originator_version, topic, state FROM events.stored_events ORDER BY notification_id"
        )
        for stream, version, topic, state in rows:
            by_command[UUID(orjson.loads(state)["command"])].append((stream, version, topic))
    for command in acknowledged:
        first = command.version - len(command.events) + 1
        told = [(command.stream, first + n, topic) for n, topic in enumerate(command.events)]
        assert by_command[command.key] == told, f"command {command.key}: told {told}, stored {by_command[command.key]}"


def every_event_reached_its_topic_in_order(admin_url: str, bootstrap: str) -> Counter[str]:
    """Each stream's versions come first in order; by the reader rule every position is applied. Counts repeats."""
    with psycopg.connect(admin_url) as conn:
        stored = {row[0] for row in conn.execute("SELECT notification_id FROM events.stored_events")}
    consumer = KafkaConsumer(bootstrap_servers=bootstrap, enable_auto_commit=False, group_id=None)
    try:
        return _read_topics(consumer, stored)
    finally:
        consumer.close()


def _read_topics(consumer: KafkaConsumer, stored: set[int]) -> Counter[str]:
    counts: Counter[str] = Counter()
    applied: set[int] = set()
    for topic in TOPICS:
        for number in range(PARTITIONS):
            place = TopicPartition(topic, number)
            consumer.assign([place])
            consumer.seek_to_beginning(place)
            end = consumer.end_offsets([place])[place]
            last = -1
            versions: dict[bytes, int] = defaultdict(int)
            while consumer.position(place) < end:
                for record in consumer.poll(timeout_ms=2000).get(place, []):
                    headers = dict(record.headers)
                    position, prev = int(headers["ce_position"]), int(headers["ce_prevposition"])
                    version = int(headers["ce_sequence"])
                    if version > versions[record.key]:
                        assert version == versions[record.key] + 1, f"{place}: a version of {record.key!r} is missing"
                        versions[record.key] = version
                    if position <= last:
                        counts["repeats"] += 1
                        continue
                    assert prev <= last, f"{place}: a gap before position {position}"
                    applied.add(position)
                    last = position
    assert applied == stored, f"missing on the topics: {sorted(stored - applied)[:10]}"
    counts["events"] = len(applied)
    return counts
