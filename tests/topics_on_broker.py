"""What is on our topics, and topics that are empty again on a broker that other tests use too."""

from __future__ import annotations

import time
from typing import Any

from kafka import KafkaConsumer, TopicPartition

from tongban.infra.kafka import addresses, open_admin
from tongban.infra.settings import PARTITIONS
from tongban.infra.topics import TOPICS


def delete_topics(bootstrap: str) -> None:
    """Delete our topics and wait until they are gone."""
    admin = open_admin(bootstrap)
    try:
        if present := [name for name in admin.list_topics() if name in TOPICS]:
            admin.delete_topics(present)
        while any(name in TOPICS for name in admin.list_topics()):
            time.sleep(0.05)
    finally:
        admin.close()


def read_all(bootstrap: str) -> list[Any]:
    """Every record on our topics, partition by partition in offset order."""
    consumer = KafkaConsumer(bootstrap_servers=addresses(bootstrap), enable_auto_commit=False)
    try:
        places = [TopicPartition(topic, number) for topic in TOPICS for number in range(PARTITIONS)]
        consumer.assign(places)
        consumer.seek_to_beginning(*places)
        ends = consumer.end_offsets(places)
        records: list[Any] = []
        while any(consumer.position(place) < ends[place] for place in places):
            for found in consumer.poll(timeout_ms=500).values():
                records.extend(found)
        return sorted(records, key=lambda record: (record.topic, record.partition, record.offset))
    finally:
        consumer.close()
