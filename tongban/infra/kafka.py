"""Kafka clients with our settings. Everything that is not a library default is here, with its reason.

In: the bootstrap addresses. Out: a producer, a consumer or an admin client of kafka-python, connected. Raises
kafka.errors.KafkaError when no broker answers.
"""

from __future__ import annotations

from kafka import KafkaAdminClient, KafkaConsumer, KafkaProducer

DELIVERY_SECONDS = 30.0
"""A message that is not acknowledged by then has failed."""

_CONNECT_MS = 30_000


def addresses(bootstrap: str) -> list[str]:
    """host:port[,host:port] as a list."""
    return [part.strip() for part in bootstrap.split(",") if part.strip()]


def open_producer(bootstrap: str) -> KafkaProducer:
    """A producer that is told when to send (`flush`), and whose every future has to be looked at."""
    return KafkaProducer(
        bootstrap_servers=addresses(bootstrap),
        client_id="tongban-relay",
        bootstrap_timeout_ms=_CONNECT_MS,
        acks="all",
        enable_idempotence=True,
        # One request in flight: a batch that failed is never overtaken by the next of its partition.
        max_in_flight_requests_per_connection=1,
        # A whole window fits into one batch of each partition, and flush sends it at once.
        batch_size=1 << 20,
        linger_ms=1000,
        max_block_ms=10_000,
        delivery_timeout_ms=int(DELIVERY_SECONDS * 1000),
        request_timeout_ms=10_000,
        # A topic that is missing means that the broker is another one; making it silently would hide that.
        allow_auto_create_topics=False,
    )


def open_consumer(bootstrap: str, client_id: str, *, max_poll_records: int = 2000) -> KafkaConsumer:
    """A consumer without a group: partitions are assigned by hand and offsets live in PostgreSQL."""
    return KafkaConsumer(
        bootstrap_servers=addresses(bootstrap),
        client_id=client_id,
        bootstrap_timeout_ms=_CONNECT_MS,
        group_id=None,
        enable_auto_commit=False,
        # Fail loudly; the feed decides where to go on.
        auto_offset_reset="none",
        check_crcs=True,
        fetch_max_wait_ms=100,
        fetch_min_bytes=1,
        max_partition_fetch_bytes=4 << 20,
        max_poll_records=max_poll_records,
        # A topic that was made again is noticed within this time.
        metadata_max_age_ms=10_000,
        allow_auto_create_topics=False,
    )


def open_admin(bootstrap: str) -> KafkaAdminClient:
    """An admin client. Waits up to 30 s for a broker."""
    return KafkaAdminClient(
        bootstrap_servers=addresses(bootstrap),
        client_id="tongban-admin",
        bootstrap_timeout_ms=_CONNECT_MS,
        request_timeout_ms=10_000,
    )
