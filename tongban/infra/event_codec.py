"""Events ⇄ the bytes of event format v1: what is stored, hashed, published and exported, never re-serialised.

The bytes are UTF-8 JSON with a fixed key order and `sealed` last. Personal fields are taken out of `data` and sealed,
one box per person; the SHA-256 of everything before `sealed` binds each box to its event.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import fields
from datetime import datetime
from functools import cache, lru_cache
from hashlib import sha256
from typing import Any, NoReturn, get_args, get_type_hints
from uuid import UUID

import orjson
from pydantic import ConfigDict, TypeAdapter, ValidationError
from typing_extensions import TypedDict  # pydantic needs this one below Python 3.12

from tongban.domain.actor import Actor, Role
from tongban.domain.personal import ERASED, WITHHELD, Unsealer, personal_fields
from tongban.domain.recorded import Envelope, Evidence, Fact, ItemVersion, Recorded, Rules
from tongban.domain.registry import EVENT_TYPES, schema_of
from tongban.infra.sealing import BOX_FIELDS, seal

Upcast = Callable[[dict[str, Any]], dict[str, Any]]

_FILED_V1: dict[str, Any] = {
    "terms": {},
    "needed": [],
    "inspection": False,
    "delivery": "ONLINE",
    "district": None,
    "bundle": None,
    "gates": [],
    "renews": None,
    "renews_until": None,
    "barred_until": None,
}

# (type, schema) → how its clear data becomes that of schema + 1. Released events are never rewritten.
UPCASTS: dict[tuple[str, int], Upcast] = {
    ("case.ApplicationAccepted", 1): lambda data: data | {"tolerated": [], "clocks": []},
    ("case.ApplicationSubmitted", 1): lambda data: data | _FILED_V1,
    ("case.ApprovalDenied", 1): lambda data: data | {"clocks": []},
    ("case.ApprovalGranted", 1): lambda data: data | {"check_within": None, "clocks": []},
    ("case.OpinionRecorded", 1): lambda data: data | {"given_by": ""},
    ("catalogue.ItemPublished", 1): lambda data: data | {"effective_from": None},
}

_SEALED = b',"sealed":'
_FIELDS = frozenset(
    (
        *("id", "type", "schema", "stream", "version", "effective_at", "recorded_at", "actor", "command", "causation"),
        *("correlation", "rules", "holders", "evidence", "trace", "prev", "data", "sealed"),
    )
)
_JSON = orjson.OPT_UTC_Z | orjson.OPT_NON_STR_KEYS
ENVELOPE_FIELDS = frozenset({"evidence"})  # fields of an event that are written in the envelope, not in `data`


class UnreadableEvent(Exception):
    """The stored bytes are not an event of a known type and schema; the message says why and shows no values."""


PersonKeys = Mapping[UUID, tuple[UUID, bytes]]
"""Person → (key id, key of 32 bytes)."""


@cache
def takes_evidence(event_type: type) -> bool:
    """Whether an event class has its envelope's evidence as a field."""
    return any(f.name == "evidence" for f in fields(event_type))


@cache
def clear_fields(event_type: type) -> tuple[str, ...]:
    """The names of an event's fields that stand in `data`."""
    personal = personal_fields(event_type)
    return tuple(f.name for f in fields(event_type) if f.name not in personal and f.name not in ENVELOPE_FIELDS)


@cache
def data_adapter(event_type: type) -> TypeAdapter[Any]:
    """Validates (and describes as JSON Schema) the clear data of an event class."""
    hints = get_type_hints(event_type)
    # The fields are known at run time only, which no type checker follows.
    shape = TypedDict(event_type.__name__, {name: hints[name] for name in clear_fields(event_type)})  # type: ignore[misc]
    shape.__pydantic_config__ = ConfigDict(extra="forbid")  # type: ignore[attr-defined]
    shape.__doc__ = event_type.__doc__
    return TypeAdapter(shape)


@cache
def needed_fields(event_type: type) -> frozenset[str]:
    """The names of an event's personal fields that always have a value."""
    hints = get_type_hints(event_type)
    return frozenset(name for name in personal_fields(event_type) if type(None) not in get_args(hints[name]))


def subjects_of(event: Any) -> set[UUID]:
    """The persons whose personal data an event carries; their keys are needed to encode it."""
    return {
        getattr(event, subject)
        for name, subject in personal_fields(event.__class__).items()
        if getattr(event, name) is not None
    }


def encode(envelope: Envelope, event: Any, keys: PersonKeys, *, nonce: bytes | None = None) -> bytes:
    """The bytes of one event. Raises KeyError for a person in `subjects_of(event)` that `keys` lacks."""
    clear = orjson.dumps(
        {
            "id": envelope.id,
            "type": envelope.type,
            "schema": envelope.schema,
            "stream": envelope.stream,
            "version": envelope.version,
            "effective_at": envelope.effective_at,
            "recorded_at": envelope.recorded_at,
            "actor": envelope.actor,
            "command": envelope.command,
            "causation": envelope.causation,
            "correlation": envelope.correlation,
            "rules": envelope.rules,
            "holders": envelope.holders,
            "evidence": envelope.evidence,
            "trace": envelope.trace,
            "prev": envelope.prev,
            "data": {name: getattr(event, name) for name in clear_fields(event.__class__)},
        },
        option=_JSON,
    )
    digest = sha256(clear).digest()
    by_person: dict[UUID, dict[str, Any]] = {}
    for name, subject in personal_fields(event.__class__).items():
        if (value := getattr(event, name)) is not None:
            by_person.setdefault(getattr(event, subject), {})[name] = value
    boxes = []
    for person, values in by_person.items():
        key_id, person_key = keys[person]
        boxes.append(
            seal(
                values,
                subject=person,
                key_id=key_id,
                person_key=person_key,
                event_id=envelope.id,
                clear_digest=digest,
                nonce=nonce,
            )
        )
    return clear[:-1] + _SEALED + orjson.dumps(boxes) + b"}"


def decode(state: bytes, position: int, unsealer: Unsealer | None = None) -> Recorded:
    """Read stored bytes. Without an unsealer, personal fields are WITHHELD. Raises UnreadableEvent."""
    try:
        raw = orjson.loads(state)
        if raw.keys() != _FIELDS:
            raise ValueError  # noqa: TRY301 - told below, as every other way not to be an event
        envelope = _envelope(raw)
        boxes = raw["sealed"]
        if boxes:
            digest = sha256(state[: state.rindex(_SEALED)] + b"}").hexdigest()
            identity = raw["id"]
            if any(box.keys() != BOX_FIELDS for box in boxes):  # one that names its own event would open in any other
                raise ValueError  # noqa: TRY301
            boxes = tuple({"event": identity, "aad": digest, **box} for box in boxes)
    except (orjson.JSONDecodeError, KeyError, TypeError, ValueError, AttributeError) as error:
        raise UnreadableEvent(f"position {position}: not an event of format v1 ({type(error).__name__})") from None
    event = _event(envelope.type, envelope.schema, raw["data"], tuple(boxes), envelope.evidence, position, unsealer)
    return Recorded(position=position, envelope=envelope, event=event, sealed=tuple(boxes))


def decode_fact(state: bytes, position: int) -> Fact:
    """What folding needs of stored bytes: much of an envelope is not looked at. Raises UnreadableEvent as `decode`."""
    try:
        raw = orjson.loads(state)
        if raw.keys() != _FIELDS or any(box.keys() != BOX_FIELDS for box in raw["sealed"]):
            raise ValueError  # noqa: TRY301 - told below, as every other way not to be an event
        name, effective_at = _text(raw["type"]), _moment(raw["effective_at"])
        evidence = tuple(Evidence(**found) for found in raw["evidence"])
    except (orjson.JSONDecodeError, KeyError, TypeError, ValueError, AttributeError) as error:
        raise UnreadableEvent(f"position {position}: not an event of format v1 ({type(error).__name__})") from None
    event = _event(name, raw["schema"], raw["data"], raw["sealed"], evidence, position, None)
    return Fact(name, effective_at, event)


def _event(
    name: str,
    schema: int,
    data: Any,
    boxes: Sequence[Mapping[str, Any]],
    evidence: tuple[Evidence, ...],
    position: int,
    unsealer: Unsealer | None,
) -> Any:
    event_type = EVENT_TYPES.get(name)
    if event_type is None:
        raise UnreadableEvent(f"position {position}: unknown event type {name[:80]!r}")
    try:
        return _read(event_type, name, schema, data, boxes, evidence, position, unsealer)
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise UnreadableEvent(f"position {position}: {name[:80]!r} cannot be read ({type(error).__name__})") from None


def _read(
    event_type: type,
    name: str,
    schema: int,
    data: Any,
    boxes: Sequence[Mapping[str, Any]],
    evidence: tuple[Evidence, ...],
    position: int,
    unsealer: Unsealer | None,
) -> Any:
    data = _upcast(name, schema, schema_of(event_type), data, position)
    try:
        values = data_adapter(event_type).validate_python(data)
    except ValidationError as error:
        _refuse(error, name, position)
    if personal := personal_fields(event_type):
        people = {field: str(values[subject]) for field, subject in personal.items()}
        needed = needed_fields(event_type)
        if not {people[field] for field in needed} <= {box["subject"] for box in boxes} <= set(people.values()):
            raise UnreadableEvent(f"position {position}: the sealed boxes of {name} are not its people's")
        values.update(_personal(people, needed, boxes, unsealer))
    if takes_evidence(event_type):
        values["evidence"] = evidence
    return event_type(**values)


def _refuse(error: ValidationError, event_type: str, position: int) -> NoReturn:
    places = ", ".join("/".join(map(str, found["loc"])) + f" {found['type']}" for found in error.errors()[:5])
    raise UnreadableEvent(f"position {position}: data of {event_type} does not fit its schema: {places}") from None


def _upcast(name: str, schema: int, current: int, data: dict[str, Any], position: int) -> dict[str, Any]:
    if schema > current:
        raise UnreadableEvent(f"position {position}: {name} has schema {schema}, newest known is {current}")
    while schema < current:
        step = UPCASTS.get((name, schema))
        if step is None:
            raise UnreadableEvent(f"position {position}: no upcast of {name} from schema {schema}")
        data, schema = step(data), schema + 1
    return data


def _personal(
    people: Mapping[str, str],
    needed: frozenset[str],
    boxes: Sequence[Mapping[str, Any]],
    unsealer: Unsealer | None,
) -> dict[str, Any]:
    if unsealer is None:
        return dict.fromkeys(people, WITHHELD)
    opened = {box["subject"]: found for box, found in zip(boxes, unsealer.unseal(boxes), strict=True)}
    personal: dict[str, Any] = {}
    for name, person in people.items():
        found = opened.get(person, {})
        if found is None:
            personal[name] = ERASED
        else:
            personal[name] = found[name] if name in needed else found.get(name)
    return personal


def _moment(value: str) -> datetime:
    moment = datetime.fromisoformat(value)
    if moment.tzinfo is None:
        raise ValueError
    return moment


def _text(value: Any) -> str:
    if not isinstance(value, str):
        raise TypeError
    return value


def _text_or_none(value: Any) -> str | None:
    return None if value is None else _text(value)


def _holders(value: Any) -> Mapping[str, str]:
    # Read tables derived from it hold the last one of a batch: a wrong one must not slip through by its batch.
    if not isinstance(value, dict):
        raise TypeError
    for holder in value.values():
        if not isinstance(holder, str):
            raise TypeError
    return value


def _uuid(value: str | None) -> UUID | None:
    return None if value is None else UUID(value)


# The same few officers, items and calendars stand in very many events, and a stream in each of its own: made once, they
# spare a third of what reading an envelope takes.
_stream = lru_cache(maxsize=10_000)(UUID)


@lru_cache(maxsize=10_000)
def _actor(
    identity: str, role: str, department: str | None, district: str | None, principal: str | None, mandate: str | None
) -> Actor:
    return Actor(
        id=_text(identity),
        role=Role(role),
        department=_text_or_none(department),
        district=_text_or_none(district),
        on_behalf_of=_uuid(principal),
        mandate=_uuid(mandate),
    )


@lru_cache(maxsize=10_000)
def _rules(item: tuple[str, int] | None, bundle: tuple[str, int] | None, calendar: str | None) -> Rules:
    return Rules(item and ItemVersion(*item), bundle and ItemVersion(*bundle), calendar)


def _item(value: Mapping[str, Any] | None) -> tuple[str, int] | None:
    return None if value is None else (value["id"], value["version"])


def _envelope(raw: Mapping[str, Any]) -> Envelope:
    actor = raw["actor"]
    rules = raw["rules"]
    stream = _stream(raw["stream"])
    return Envelope(
        id=UUID(raw["id"]),
        type=_text(raw["type"]),
        schema=raw["schema"],
        stream=stream,
        version=raw["version"],
        effective_at=_moment(raw["effective_at"]),
        recorded_at=_moment(raw["recorded_at"]),
        actor=_actor(
            actor["id"],
            actor["role"],
            actor["department"],
            actor["district"],
            actor["on_behalf_of"],
            actor["mandate"],
        ),
        command=UUID(raw["command"]),
        causation=_uuid(raw["causation"]),
        correlation=stream if raw["correlation"] == raw["stream"] else UUID(raw["correlation"]),
        rules=_rules(_item(rules["item"]), _item(rules["bundle"]), rules["calendar"]),
        holders=_holders(raw["holders"]),
        evidence=tuple(Evidence(**found) for found in raw["evidence"]),
        trace=_text_or_none(raw["trace"]),
        prev=_text_or_none(raw["prev"]),
    )
