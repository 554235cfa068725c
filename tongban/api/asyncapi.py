"""The AsyncAPI 3.0 document of the topics, made from the registry of event types."""

from __future__ import annotations

from functools import cache
from typing import Any

from tongban import __version__
from tongban.api.event_schemas import ENVELOPE, HEADERS, SEALED_BOX
from tongban.api.schemas import COMPONENTS, Schema, schema_of
from tongban.domain.personal import personal_fields
from tongban.domain.registry import EVENT_TYPES
from tongban.domain.registry import schema_of as schema_version
from tongban.infra.event_codec import data_adapter
from tongban.infra.settings import PARTITIONS
from tongban.infra.topics import TOPICS, topic_of

_ABOUT = """Every event as it is stored, in CloudEvents 1.0 binary mode. The key is the stream; its events are in order.

Delivery is at least once. Per topic-partition: an event whose `ce_position` is not above the last one seen is a
repetition; one whose `ce_prevposition` is above the last one seen comes after a gap, which is filled by and by: do not
apply it, read on. Personal fields are not in `data`: they stand encrypted in `sealed`.
"""


@cache
def asyncapi() -> dict[str, Any]:
    """The document, as plain JSON values."""
    shared: dict[str, Schema] = {"Envelope": ENVELOPE, "SealedBox": SEALED_BOX, "CloudEventsHeaders": HEADERS}
    messages = {_name(name): _message(name, event, shared) for name, event in EVENT_TYPES.items()}
    return {
        "asyncapi": "3.0.0",
        "id": "urn:tongban:events",
        "info": {
            "title": "Tongban events",
            "version": __version__,
            "description": _ABOUT,
            "license": {"name": "Apache-2.0", "url": "https://www.apache.org/licenses/LICENSE-2.0"},
        },
        "defaultContentType": "application/json",
        "channels": {topic: _channel(topic) for topic in TOPICS},
        "operations": {
            f"publish-{topic.split('.')[1]}": {
                "action": "send",
                "channel": {"$ref": f"#/channels/{topic}"},
                "summary": f"The relay publishes every {topic.split('.')[1]} event.",
            }
            for topic in TOPICS
        },
        "components": {"messages": messages, "schemas": dict(sorted(shared.items()))},
    }


def _name(event_type: str) -> str:
    return f"{event_type}.v{schema_version(EVENT_TYPES[event_type])}"


def _channel(topic: str) -> dict[str, Any]:
    names = [_name(name) for name in EVENT_TYPES if topic_of(name) == topic]
    return {
        "address": topic,
        "messages": {name: {"$ref": f"#/components/messages/{name}"} for name in names},
        "bindings": {"kafka": {"topic": topic, "partitions": PARTITIONS, "bindingVersion": "0.5.0"}},
    }


def _message(name: str, event: type, shared: dict[str, Schema]) -> dict[str, Any]:
    data = schema_of(data_adapter(event), shared, written=True)
    data.pop("title", None)
    told = {"type": {"const": name}, "schema": {"const": schema_version(event)}, "data": data}
    about = " ".join((event.__doc__ or "").split())
    hidden = sorted(personal_fields(event))
    return {
        "name": _name(name),
        "title": event.__name__,
        "summary": about.split(". ")[0],
        "description": about + (f" Sealed: {', '.join(hidden)}." if hidden else ""),
        "contentType": "application/json",
        "headers": {"$ref": COMPONENTS + "CloudEventsHeaders"},
        "payload": {"allOf": [{"$ref": COMPONENTS + "Envelope"}, {"properties": told}]},
        "correlationId": {"location": "$message.payload#/correlation", "description": "The case or bundle."},
        "bindings": {"kafka": {"key": {"type": "string", "format": "uuid"}, "bindingVersion": "0.5.0"}},
        "x-personal-fields": hidden,
    }
