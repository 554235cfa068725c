"""Which topic and partition an event goes to, and the topics' existence on a broker.

In: event types and stream ids. Out: topic names, partition numbers; `ensure_topics` creates what is missing. The
partition of a stream is that of Kafka's own default partitioner, so that every client finds it where it looks.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from typing import Any
from uuid import UUID

import structlog
from kafka import KafkaAdminClient
from kafka.admin import ConfigResource, ConfigResourceType
from kafka.errors import KafkaError, TopicAlreadyExistsError
from kafka.partitioner.default import murmur2

from tongban.domain.registry import AGGREGATES
from tongban.infra.kafka import open_admin
from tongban.infra.settings import PARTITIONS

log = structlog.get_logger(__name__)

_REPLICAS = 3
_SETTINGS = {"retention.ms": "-1", "cleanup.policy": "delete"}


class TopicsUnusable(Exception):
    """A topic exists in a form that would break the order of events; the message says which and what to do."""


class UnknownTopic(Exception):
    """No topic is known for an event's type."""


# The topics are an interface: a category that came later goes to the topic of the subject it belongs to.
_SUBJECTS: Mapping[str, str] = {
    "absence": "party",
    "bundle_definition": "catalogue",
    "calendar": "catalogue",
    "commitment": "case",
    "mandate": "party",
    "revocation": "case",
}


def topic_of_category(category: str) -> str:
    """The topic of a category, the part of a type name before the dot (`calendar` → `tongban.catalogue.v1`)."""
    return f"tongban.{_SUBJECTS.get(category, category)}.v1"


TOPICS: tuple[str, ...] = tuple(sorted({topic_of_category(category) for category in AGGREGATES}))
_CATEGORIES = frozenset(AGGREGATES)


@lru_cache(maxsize=1024)
def topic_of(event_type: str) -> str:
    """The topic of an event type (`case.CaseClosed` → `tongban.case.v1`). Raises UnknownTopic."""
    category = event_type.partition(".")[0]
    if category not in _CATEGORIES:
        raise UnknownTopic(f"event type {event_type!r} belongs to no topic; run the release that wrote it")
    return topic_of_category(category)


@lru_cache(maxsize=200_000)
def partition_of_key(key: bytes) -> int:
    """The partition of a message key (a stream id as text)."""
    return int((murmur2(key) & 0x7FFFFFFF) % PARTITIONS)


def partition_of(stream: UUID) -> int:
    """The partition of a stream, the same in every topic and for ever."""
    return partition_of_key(str(stream).encode())


def ensure_topics(bootstrap: str) -> None:
    """Create the topics that are missing, keep the others.

    Raises TopicsUnusable when a topic has another number of partitions or forgets events; KafkaError when no broker
    answers.
    """
    admin = open_admin(bootstrap)
    try:
        known = existing_topics(admin)
        for topic in known.values():
            _check_partitions(topic["name"], len(topic["partitions"]))
        missing = [name for name in TOPICS if name not in known]
        if missing:
            _create(admin, missing)
        _check_retention(admin, [name for name in TOPICS if name in known])
    finally:
        admin.close()


def existing_topics(admin: KafkaAdminClient) -> Mapping[str, Mapping[str, Any]]:
    """Our topics that the broker knows: name → its description."""
    described = admin.describe_topics(list(TOPICS))
    return {topic["name"]: topic for topic in described if topic["error_code"] == 0}


def incarnation(admin: KafkaAdminClient) -> dict[str, str]:
    """Which cluster and topics these are: `cluster` and each topic's name → id.

    Another cluster, or another topic of the same name, has another id.
    """
    ids = {name: str(topic["topic_id"]) for name, topic in existing_topics(admin).items()}
    return {"cluster": str(admin.describe_cluster()["cluster_id"]), **dict(sorted(ids.items()))}


def _create(admin: KafkaAdminClient, names: list[str]) -> None:
    brokers = len(admin.describe_cluster()["brokers"])
    wanted = {
        name: {
            "num_partitions": PARTITIONS,
            "replication_factor": min(_REPLICAS, brokers),
            "configs": _SETTINGS,
        }
        for name in names
    }
    try:
        admin.create_topics(wanted, wait_for_metadata=True)
    except TopicAlreadyExistsError:
        # Another relay was quicker; what it made is checked as any other.
        admin.wait_for_topics(names)
        for topic in existing_topics(admin).values():
            _check_partitions(topic["name"], len(topic["partitions"]))
    log.info("topics_created", topics=names, partitions=PARTITIONS)


def _check_partitions(name: str, count: int) -> None:
    if count != PARTITIONS:
        raise TopicsUnusable(
            f"topic {name} has {count} partitions, but streams are spread over {PARTITIONS}: their order would break. "
            "Delete the topic (the relay publishes it again from the store) or name another broker."
        )


def _check_retention(admin: KafkaAdminClient, names: list[str]) -> None:
    """Say loudly when a topic that someone else made forgets; readers then miss history, but no order is broken."""
    if not names:
        return
    try:
        described = admin.describe_configs(
            [ConfigResource(ConfigResourceType.TOPIC, name) for name in names], config_filter="all"
        )
    except KafkaError as error:
        log.warning("topic_settings_unknown", error=type(error).__name__)
        return
    for name, configs in dict(described.get("topic", {})).items():
        for key, wanted in _SETTINGS.items():
            value = configs.get(key)
            value = value.get("value") if isinstance(value, Mapping) else value
            if value is not None and value != wanted:
                log.warning("topic_forgets_events", topic=name, setting=key, value=value, wanted=wanted)
