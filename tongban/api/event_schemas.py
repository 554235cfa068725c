"""JSON Schemas of what every event has in common: envelope, sealed boxes, CloudEvents headers (event format v1)."""

from __future__ import annotations

from tongban.api.schemas import COMPONENTS, Schema
from tongban.domain.actor import Role

_UUID: Schema = {"type": "string", "format": "uuid"}
_TIME: Schema = {"type": "string", "format": "date-time"}
_TEXT_OR_NULL: Schema = {"type": ["string", "null"]}
_UUID_OR_NULL: Schema = {"type": ["string", "null"], "format": "uuid"}


def _object(about: str, **properties: Schema) -> Schema:
    return {
        "type": "object",
        "description": about,
        "required": list(properties),
        "additionalProperties": False,
        "properties": properties,
    }


def _told(schema: Schema, about: str) -> Schema:
    return {**schema, "description": about}


_ITEM_VERSION: Schema = {
    "oneOf": [
        {"type": "null"},
        _object("An item or bundle in one version.", id={"type": "string"}, version={"type": "integer"}),
    ]
}

SEALED_BOX = _object(
    "The personal fields of one person in one event, AES-256-GCM under a key of that person and this event.",
    subject=_told(_UUID, "The person (party id)."),
    key=_told(_UUID, "Which key of the person; once it is destroyed, nothing opens the box."),
    nonce={"type": "string"},
    commitment=_told({"type": "string"}, "Commits the box to its key."),
    ct=_told({"type": "string"}, "The ciphertext."),
)

ENVELOPE = _object(
    "One event as it is stored. The bytes are what is hashed: keep them as they came.",
    id=_told(_UUID, "The event (UUIDv7)."),
    type={"type": "string"},
    schema={"type": "integer", "minimum": 1},
    stream=_UUID,
    version=_told({"type": "integer", "minimum": 1}, "In the stream, without a hole."),
    effective_at=_told(_TIME, "When it took effect in law."),
    recorded_at=_told(_TIME, "When it was written."),
    actor=_object(
        "Who acted, as what, for whom.",
        id={"type": "string"},
        role={"enum": [role.value for role in Role]},
        department=_TEXT_OR_NULL,
        district=_TEXT_OR_NULL,
        on_behalf_of=_UUID_OR_NULL,
        mandate=_UUID_OR_NULL,
    ),
    command=_told(_UUID, "The command it came of (its Idempotency-Key)."),
    causation=_told(_UUID_OR_NULL, "The event that made a policy ask for it."),
    correlation=_told(_UUID, "The case or bundle it belongs to."),
    rules=_object(
        "The versions of the rules that were used.",
        item=_ITEM_VERSION,
        bundle=_ITEM_VERSION,
        calendar=_TEXT_OR_NULL,
    ),
    holders={
        "type": "object",
        "description": "Who holds each branch after it.",
        "additionalProperties": {"type": "string"},
    },
    evidence={
        "type": "array",
        "items": _object(
            "How one material was met.",
            material={"type": "string"},
            how={"type": "string"},
            source=_TEXT_OR_NULL,
            source_version=_TEXT_OR_NULL,
            ref=_TEXT_OR_NULL,
        ),
    },
    trace=_told(_TEXT_OR_NULL, "W3C traceparent of the request."),
    prev=_told(_TEXT_OR_NULL, "SHA-256 of the stored bytes of the stream's previous event."),
    data=_told({"type": "object"}, "The event's own clear fields."),
    sealed={"type": "array", "items": {"$ref": COMPONENTS + "SealedBox"}},
)

_HEADER: Schema = {"type": "string"}
HEADERS: Schema = {
    "type": "object",
    "description": "CloudEvents 1.0 attributes as Kafka headers, and two of our own (position, prevposition).",
    "required": [
        "content-type",
        "ce_specversion",
        "ce_id",
        "ce_source",
        "ce_type",
        "ce_subject",
        "ce_position",
    ],
    "properties": {
        "content-type": {"const": "application/json"},
        "ce_specversion": {"const": "1.0"},
        "ce_id": _told(_HEADER, "The event's id."),
        "ce_source": _told(_HEADER, "urn:tongban:<jurisdiction>"),
        "ce_type": _told(_HEADER, "<type>.v<schema>"),
        "ce_subject": _told(_HEADER, "The stream."),
        "ce_time": _told(_HEADER, "effective_at."),
        "ce_partitionkey": _told(_HEADER, "The stream; the record's key."),
        "ce_sequence": _told(_HEADER, "The version in the stream."),
        "ce_traceparent": _HEADER,
        "ce_dataschema": _HEADER,
        "ce_position": _told(_HEADER, "The position in the store, rising on each topic-partition."),
        "ce_prevposition": _told(_HEADER, "The previous position on this topic-partition; -1 for the first."),
    },
}
