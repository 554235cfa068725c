"""A stored event as a Kafka message: CloudEvents 1.0 in binary mode, and our position headers.

In: a row of the event store. Out: the headers. Of the payload only id, schema, effective time and trace are looked at,
and only leniently: the relay sends what is stored, readable or not, so that nothing can stop it.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from typing import Any, TypeGuard

import orjson

Headers = list[tuple[str, bytes]]

POSITION = "ce_position"
PREV_POSITION = "ce_prevposition"
SEQUENCE = "ce_sequence"

_LONGEST = 200
"""Characters that a value of the payload may have to become a header."""
_CONTENT_TYPE = ("content-type", b"application/json")
_SPEC_VERSION = ("ce_specversion", b"1.0")


def source_of(jurisdiction: str) -> tuple[str, bytes]:
    """The ce_source header of a store: its administrative division."""
    return ("ce_source", f"urn:tongban:{jurisdiction}".encode())


def headers_of(
    source: tuple[str, bytes],
    key: bytes,
    version: int,
    event_type: str,
    state: bytes,
    position: int,
    prev: int,
) -> Headers:
    """The headers of one message. `prev` is the position before it on the same topic-partition, -1 for the first."""
    seen = _peek(state)
    identity = seen.get("id")
    schema = seen.get("schema")
    ce_type, dataschema = _type_headers(event_type, schema if type(schema) is int else 1)
    headers: Headers = [
        _CONTENT_TYPE,
        _SPEC_VERSION,
        ("ce_id", identity.encode() if _is_header(identity) else b"%s.%d" % (key, version)),
        source,
        ce_type,
        dataschema,
        ("ce_subject", key),
        ("ce_partitionkey", key),
        (SEQUENCE, b"%d" % version),
        (POSITION, b"%d" % position),
        (PREV_POSITION, b"%d" % prev),
    ]
    time = seen.get("effective_at")
    if _is_header(time):
        headers.append(("ce_time", time.encode()))
    trace = seen.get("trace")
    if _is_header(trace):
        headers.append(("ce_traceparent", trace.encode()))
    return headers


def positions_of(headers: Sequence[tuple[str, bytes]]) -> tuple[int, int, int]:
    """(position, previous position, stream version) of a message. Raises ValueError when it is not one of ours."""
    found = dict(headers)
    try:
        return int(found[POSITION]), int(found[PREV_POSITION]), int(found[SEQUENCE])
    except (KeyError, TypeError, ValueError):
        raise ValueError("the position headers are missing or are not numbers") from None


def _peek(state: bytes) -> dict[str, Any]:
    try:
        seen = orjson.loads(state)
    except orjson.JSONDecodeError:
        return {}
    return seen if isinstance(seen, dict) else {}


def _is_header(value: object) -> TypeGuard[str]:
    """Whether a value of the payload can stand in a header."""
    return type(value) is str and len(value) <= _LONGEST and value.isascii() and value.isprintable()


@lru_cache(maxsize=1024)
def _type_headers(event_type: str, schema: int) -> tuple[tuple[str, bytes], tuple[str, bytes]]:
    ce_type = f"{event_type}.v{schema}"
    return ("ce_type", ce_type.encode()), ("ce_dataschema", f"urn:tongban:schema:{ce_type}".encode())
