"""The topics as a feed. Partitions are assigned by hand, offsets come from PostgreSQL; there is no consumer group."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

import structlog
from kafka import TopicPartition
from kafka.errors import KafkaError, LogTruncationError, OffsetOutOfRangeError

from tongban.consumers.feed import Batch, Message, Partition
from tongban.infra.cloudevents import positions_of
from tongban.infra.kafka import open_consumer
from tongban.infra.settings import PARTITIONS
from tongban.infra.topics import TOPICS

log = structlog.get_logger(__name__)


class KafkaFeed:
    """A feed over every topic. Raises kafka.errors.KafkaError when no broker answers at the start."""

    def __init__(self, bootstrap: str, *, client_id: str, limit: int = 2000) -> None:
        """`limit`: messages in one poll."""
        self._consumer = open_consumer(bootstrap, client_id, max_poll_records=limit)
        self._all = tuple(Partition(topic, number) for topic in TOPICS for number in range(PARTITIONS))

    @property
    def partitions(self) -> Sequence[Partition]:
        """Every partition of every topic."""
        return self._all

    def assign(self, offsets: Mapping[Partition, int]) -> None:
        """Read these partitions and no others, from these offsets."""
        self._consumer.assign([TopicPartition(*partition) for partition in offsets])
        for partition, offset in offsets.items():
            self._consumer.seek(TopicPartition(*partition), offset)

    def seek(self, partition: Partition, offset: int) -> None:
        """Go on from `offset`."""
        self._consumer.seek(TopicPartition(*partition), offset)

    def rewind(self, partition: Partition) -> None:
        """Go on from the first message that the broker still has."""
        self._consumer.seek_to_beginning(TopicPartition(*partition))

    def poll(self, seconds: float) -> list[Batch]:
        """What has arrived. An offset that the broker does not have (a topic made again) becomes the beginning."""
        try:
            records = self._consumer.poll(timeout_ms=int(seconds * 1000))
        except (OffsetOutOfRangeError, LogTruncationError) as error:
            for partition in _named_in(error) or self._consumer.assignment():
                log.warning("offset_gone", topic=partition.topic, partition=partition.partition)
                self._consumer.seek_to_beginning(partition)
            return []
        except KafkaError as error:
            if not error.retriable:
                raise
            log.warning("poll_failed", error=type(error).__name__)
            return []
        return [_batch(Partition(*place), found) for place, found in records.items()]

    def end_offset(self, partition: Partition) -> int | None:
        """The partition's high watermark, as the last fetch told it."""
        end = self._consumer.highwater(TopicPartition(*partition))
        return None if end is None else int(end)

    def close(self) -> None:
        """Close the consumer; there is nothing to commit."""
        self._consumer.close(autocommit=False)


def _batch(partition: Partition, records: Sequence[Any]) -> Batch:
    topic, number = partition
    messages = []
    for record in records:
        try:
            position, prev, version = positions_of(record.headers)
            stream = UUID(record.key.decode())
        except (ValueError, AttributeError):
            # Not written by the relay: it has no place in the order of events, so there is nothing to park it under.
            log.error("foreign_message", topic=topic, partition=number, offset=record.offset)
            continue
        messages.append(Message(topic, number, record.offset, position, prev, stream, version, record.value or b""))
    return Batch(partition, messages, records[-1].offset + 1)


def _named_in(error: Exception) -> list[TopicPartition]:
    """The partitions an error speaks of."""
    for argument in error.args:
        if isinstance(argument, Mapping):
            return [place for place in argument if isinstance(place, TopicPartition)]
    return []
