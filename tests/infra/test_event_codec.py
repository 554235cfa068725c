"""Event format v1: exact bytes, read for ever, and nothing personal in clear."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from hashlib import sha256
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest

from tests.examples import (
    ACCEPTED,
    CASE_ID,
    DENIED,
    EVENTS,
    FIRST_DEFINITION,
    GRANTED,
    ISSUED,
    ORGANISATION_ID,
    PERSON_ID,
    STRANGER_ID,
    application_accepted,
    application_submitted,
    case_claimed,
    case_rated,
    envelope,
    opinion_recorded,
    organisation_registered,
    party_registered,
)
from tongban.domain.personal import ERASED, WITHHELD, personal_fields
from tongban.domain.recorded import NO_RULES, Recorded
from tongban.domain.registry import EVENT_NAMES, EVENT_TYPES, schema_of
from tongban.infra import event_codec
from tongban.infra.event_codec import UnreadableEvent, decode, decode_fact, encode, subjects_of
from tongban.infra.sealing import BrokenSeal, unseal

GOLDEN = Path(__file__).parents[1] / "golden"
KEY_ID = UUID("0191d6a0-0000-7000-8000-0000000000a1")
PERSON_KEY = bytes(range(32))
KEYS = {PERSON_ID: (KEY_ID, PERSON_KEY), ORGANISATION_ID: (UUID(int=KEY_ID.int + 1), PERSON_KEY[::-1])}
NONCE = bytes(12)
# (type, schema) → how the example of that schema reads where it differs from the current one.
LATER: Mapping[tuple[str, int], Mapping[str, Any]] = {
    ("catalogue.ItemPublished", 1): {"definition": FIRST_DEFINITION},
    ("case.ApplicationSubmitted", 1): {
        "evidence": application_submitted.evidence[:2],
        "terms": {},
        "needed": (),
        "inspection": False,
    },
    ("case.ApplicationAccepted", 1): {"clocks": ()},
    ("case.OpinionRecorded", 1): {"given_by": ""},
    ("case.ApprovalGranted", 1): {"clocks": ()},
    ("case.ApprovalDenied", 1): {"clocks": ()},
}
POSITION = 41


class Opener:
    """Opens boxes with the keys it is given; a person without one is a person whose key was destroyed."""

    def __init__(self, keys: Mapping[UUID, tuple[UUID, bytes]]) -> None:
        self.keys = keys

    def unseal(self, boxes: Sequence[Mapping[str, Any]]) -> list[dict[str, Any] | None]:
        held = [self.keys.get(UUID(box["subject"])) for box in boxes]
        return [None if key is None else unseal(box, person_key=key[1]) for box, key in zip(boxes, held, strict=True)]


OPENER = Opener(KEYS)
NOBODY = Opener({})


def golden_file(event: Any) -> Path:
    """The exact bytes of an example in its current schema."""
    event_type = event.__class__
    return GOLDEN / f"{EVENT_NAMES[event_type]}.v{schema_of(event_type)}.json"


def brought_up_to_date(event: Any, schema: int) -> Any:
    """What the example of an older schema is read as: today's example, but for what it could not say."""
    return replace(event, **LATER.get((EVENT_NAMES[event.__class__], schema), {}))


def encoded(event: Any, **changes: Any) -> bytes:
    return encode(envelope(event, **changes), event, KEYS, nonce=NONCE)


def changed(state: bytes, *path: str | int, to: Any = None, drop: bool = False) -> bytes:
    """The event with one place changed, written as we write it."""
    raw = json.loads(state)
    place = raw
    for step in path[:-1]:
        place = place[step]
    if drop:
        del place[path[-1]]
    else:
        place[path[-1]] = to
    return json.dumps(raw, ensure_ascii=False, separators=(",", ":")).encode()


PERSONAL = [name for name, event in EVENTS.items() if personal_fields(event.__class__)]


@pytest.fixture(params=sorted(EVENT_TYPES))
def name(request: pytest.FixtureRequest) -> str:
    return str(request.param)


# ── what is written ──────────────────────────────────────────────────────────────────────────────────────────────────


def test_every_event_type_has_an_example_and_a_golden_file() -> None:
    assert set(EVENTS) == set(EVENT_TYPES)
    assert {file.name for file in GOLDEN.glob("*.json")} == {
        f"{name}.v{schema}.json" for name, event in EVENT_TYPES.items() for schema in range(1, schema_of(event) + 1)
    }


def test_an_event_is_written_as_these_very_bytes(name: str) -> None:
    assert encoded(EVENTS[name]) == golden_file(EVENTS[name]).read_bytes()


def test_released_bytes_are_read_for_ever(name: str) -> None:
    event = EVENTS[name]
    recorded = decode(golden_file(event).read_bytes(), POSITION, OPENER)
    assert recorded.event == event
    assert recorded.envelope == envelope(event)
    assert recorded.position == POSITION


OLDER = [(name, schema, event) for name, event in EVENTS.items() for schema in range(1, schema_of(event.__class__))]


def test_folding_reads_the_same_facts_with_less_work(name: str) -> None:
    state = golden_file(EVENTS[name]).read_bytes()
    whole = decode(state, 7)
    assert decode_fact(state, 7) == (name, whole.envelope.effective_at, whole.event)


@pytest.mark.parametrize(("name", "schema", "event"), OLDER, ids=[f"{name}.v{schema}" for name, schema, _ in OLDER])
def test_released_bytes_of_an_older_schema_are_read_for_ever(name: str, schema: int, event: Any) -> None:
    recorded = decode((GOLDEN / f"{name}.v{schema}.json").read_bytes(), POSITION, OPENER)
    older = brought_up_to_date(event, schema)
    assert recorded.event == older
    assert recorded.envelope == envelope(older, schema=schema)


def test_keys_stand_in_their_order_and_the_seal_is_last() -> None:
    assert list(json.loads(encoded(party_registered))) == [
        *("id", "type", "schema", "stream", "version", "effective_at", "recorded_at", "actor", "command", "causation"),
        *("correlation", "rules", "holders", "evidence", "trace", "prev", "data", "sealed"),
    ]


def test_an_envelope_may_have_nothing_but_what_it_must_have() -> None:
    empty = envelope(application_accepted, causation=None, trace=None, prev=None, holders={}, evidence=())
    empty = empty._replace(rules=NO_RULES)
    state = encode(empty, application_accepted, {})
    assert decode(state, POSITION) == Recorded(POSITION, empty, application_accepted, ())


def test_nonces_are_new_for_every_box() -> None:
    once = encode(envelope(party_registered), party_registered, KEYS)
    again = encode(envelope(party_registered), party_registered, KEYS)
    assert json.loads(once)["sealed"][0]["ct"] != json.loads(again)["sealed"][0]["ct"]


def test_an_event_is_not_written_without_the_keys_of_its_people(name: str) -> None:
    event = EVENTS[name]
    if subjects_of(event):
        with pytest.raises(KeyError):
            encode(envelope(event), event, {})
    else:
        assert decode(encode(envelope(event), event, {}), POSITION).event == event


# ── nothing personal in clear ────────────────────────────────────────────────────────────────────────────────────────


def texts(value: Any) -> Iterator[str]:
    """Every text and number in a personal value, names of fields of free forms too."""
    if isinstance(value, dict):
        for key, inner in value.items():
            yield key
            yield from texts(inner)
    elif isinstance(value, list | tuple):
        for inner in value:
            yield from texts(inner)
    elif value is not None:
        yield str(value)


def spellings(text: str) -> Iterator[bytes]:
    """How a text could stand in bytes: plain, JSON-escaped, and base64 at each of the three offsets."""
    plain = text.encode()
    yield plain
    yield text.encode("utf-16-le")
    yield json.dumps(text)[1:-1].encode()
    for offset in range(3):
        coded = base64.b64encode(b"\0" * offset + plain)
        whole = coded[4 if offset else 0 : len(coded) // 4 * 4 - 4]
        if len(whole) >= 8:
            yield whole


@pytest.mark.parametrize("name", PERSONAL)
def test_no_personal_value_stands_in_clear_in_any_spelling(name: str) -> None:
    event = EVENTS[name]
    state = encoded(event)
    guide = getattr(event, "materials", ())  # what the guide lists is nobody's secret
    for field in personal_fields(event.__class__):
        for text in set(texts(getattr(event, field))).difference(guide):
            for spelling in spellings(text):
                assert spelling not in state, f"{field}: {text!r} as {spelling!r}"


@pytest.mark.parametrize("name", PERSONAL)
def test_a_reader_without_keys_sees_none_of_it(name: str) -> None:
    event = EVENTS[name]
    recorded = decode(encoded(event), POSITION)
    guide = getattr(event, "materials", ())
    for field in personal_fields(event.__class__):
        assert getattr(recorded.event, field) is WITHHELD
        personal = set(texts(getattr(event, field))).difference(guide)
        assert not any(text in repr(recorded) for text in personal if len(text) > 4)


@pytest.mark.parametrize("name", PERSONAL)
def test_boxes_can_be_copied_away_and_opened_later(name: str) -> None:
    event = EVENTS[name]
    recorded = decode(encoded(event), POSITION)
    copied = json.loads(json.dumps(recorded.sealed))
    [values] = OPENER.unseal(copied)
    assert values == {field: getattr(event, field) for field in personal_fields(event.__class__)}


def test_a_rating_without_words_has_no_box() -> None:
    silent = replace(case_rated, text=None)
    state = encoded(silent)
    assert state.endswith(b',"sealed":[]}')
    assert decode(state, POSITION, OPENER).event == silent


# ── what is not read ─────────────────────────────────────────────────────────────────────────────────────────────────

GOOD = encoded(party_registered)

MALFORMED = {
    "nothing": b"",
    "no JSON": b"{",
    "a list": b"[]",
    "a number": b"1",
    "null": b"null",
    "invalid UTF-8": GOOD.replace(b"officer-clerk", b"officer-\xff\xfe"),
    "a lone surrogate": GOOD.replace(b"officer-clerk", b"officer\\ud800"),
    "NaN": GOOD.replace(b'"version":3', b'"version":NaN'),
    "deep nesting": b'{"data":' * 2000 + b"1" + b"}" * 2000,
    "an unknown type": changed(GOOD, "type", to="party.PartyVanished"),
    "a type of the wrong kind": changed(GOOD, "type", to=["party.PartyRegistered"]),
    "a type that is a number": changed(GOOD, "type", to=7),
    "a newer schema": changed(GOOD, "schema", to=2),
    "an older schema without upcast": changed(GOOD, "schema", to=0),
    "a schema in words": changed(GOOD, "schema", to="1"),
    "no schema": changed(GOOD, "schema", drop=True),
    "a missing envelope field": changed(GOOD, "prev", drop=True),
    "an extra envelope field": changed(GOOD, "colour", to="red"),
    "a missing field": changed(GOOD, "data", "kind", drop=True),
    "an extra field": changed(GOOD, "data", "colour", to="red"),
    "a field of the wrong kind": changed(GOOD, "data", "kind", to="ROBOT"),
    "data that is a list": changed(GOOD, "data", to=[]),
    "data that is null": changed(GOOD, "data", to=None),
    "an id that is none": changed(GOOD, "id", to="7"),
    "a time without zone": changed(GOOD, "effective_at", to="2026-03-02T01:00:00"),
    "a time in year 0": changed(GOOD, "recorded_at", to="0000-01-01T00:00:00Z"),
    "a time that is a number": changed(GOOD, "recorded_at", to=1),
    "an unknown role": changed(GOOD, "actor", "role", to="king"),
    "an actor that is null": changed(GOOD, "actor", to=None),
    "evidence of the wrong form": changed(GOOD, "evidence", to=[{"material": "form"}]),
    "a seal that is a number": changed(GOOD, "sealed", to=5),
    "a seal that is no list of boxes": changed(GOOD, "sealed", to=["box"]),
    "no seal": changed(GOOD, "sealed", drop=True),
    "no box where there must be one": changed(GOOD, "sealed", to=[]),
    "a box of a stranger": changed(GOOD, "sealed", 0, "subject", to=str(STRANGER_ID)),
    "a box with a field too many": changed(GOOD, "sealed", 0, "colour", to="red"),
    "a box without subject": changed(GOOD, "sealed", 0, "subject", drop=True),
}


@pytest.mark.parametrize("state", MALFORMED.values(), ids=list(MALFORMED))
@pytest.mark.parametrize("opener", [None, OPENER], ids=["without keys", "with keys"])
def test_what_is_no_event_is_unreadable_whatever_is_wrong_with_it(state: bytes, opener: Opener | None) -> None:
    with pytest.raises(UnreadableEvent, match=f"position {POSITION}"):
        decode(state, POSITION, opener)


def test_a_refusal_to_read_shows_no_values() -> None:
    with pytest.raises(UnreadableEvent) as refused:
        decode(changed(GOOD, "data", "kind", to="CANARY-4711"), POSITION)
    assert "data of party.PartyRegistered" in str(refused.value)
    assert "CANARY" not in str(refused.value)


@pytest.mark.parametrize("name", PERSONAL)
def test_any_flipped_byte_of_an_event_with_a_box_is_noticed(name: str) -> None:
    """Key ids are compared by the vault, so one bit of them is left to its test."""
    state = encoded(EVENTS[name])
    key_id = state.index(str(KEY_ID).encode(), state.rindex(b',"sealed":'))
    for place in range(len(state)):
        if not key_id <= place < key_id + 36:
            flipped = bytearray(state)
            flipped[place] ^= 1 << (place % 7)
            with pytest.raises((UnreadableEvent, BrokenSeal)):
                decode(bytes(flipped), POSITION, OPENER)


def test_a_box_does_not_open_in_another_event() -> None:
    taken = json.loads(encoded(party_registered))["sealed"]
    other = changed(encoded(party_registered, id=CASE_ID), "sealed", to=taken)
    with pytest.raises(BrokenSeal, match="commitment"):
        decode(other, POSITION, OPENER)


def test_a_box_cannot_say_for_itself_which_event_it_is_of() -> None:
    [box] = decode(encoded(party_registered), POSITION).sealed
    with pytest.raises(UnreadableEvent):
        decode(changed(encoded(party_registered, id=CASE_ID), "sealed", to=[box]), POSITION, OPENER)


@pytest.mark.parametrize(
    ("path", "to"),
    [
        (("effective_at",), "2020-01-01T00:00:00Z"),
        (("actor", "id"), "officer-other"),
        (("holders",), {"main": "none"}),
        (("prev",), "00" * 32),
        (("data", "identifier_kind"), "PASSPORT"),
    ],
)
def test_a_box_does_not_open_once_the_clear_fields_around_it_are_changed(path: tuple[str, ...], to: Any) -> None:
    with pytest.raises(BrokenSeal, match="changed or does not belong"):
        decode(changed(GOOD, *path, to=to), POSITION, OPENER)


def test_a_box_opens_under_the_persons_own_key_only() -> None:
    with pytest.raises(BrokenSeal, match="commitment"):
        decode(GOOD, POSITION, Opener({PERSON_ID: (KEY_ID, bytes(32))}))


def test_a_forged_commitment_does_not_make_another_key_fit() -> None:
    other = encode(envelope(party_registered), party_registered, {PERSON_ID: (KEY_ID, bytes(32))}, nonce=NONCE)
    forged = json.loads(other)["sealed"][0]["commitment"]
    with pytest.raises(BrokenSeal):
        decode(changed(GOOD, "sealed", 0, "commitment", to=forged), POSITION, Opener({PERSON_ID: (KEY_ID, bytes(32))}))


# ── older schemas ────────────────────────────────────────────────────────────────────────────────────────────────────


def test_an_older_schema_is_brought_up_to_date_when_it_is_read(monkeypatch: pytest.MonkeyPatch) -> None:
    old = changed(encoded(case_claimed), "data", to={"where": "tax", "by": "officer-tax"})
    monkeypatch.setattr(event_codec, "schema_of", lambda _: 3)
    name = "case.CaseClaimed"
    monkeypatch.setitem(event_codec.UPCASTS, (name, 1), lambda data: {"branch": data["where"], "by": data["by"]})
    monkeypatch.setitem(event_codec.UPCASTS, (name, 2), lambda data: {"branch": data["branch"], "officer": data["by"]})
    recorded = decode(old, POSITION)
    assert recorded.event == case_claimed
    assert recorded.envelope.schema == 1


def test_an_upcast_that_fails_makes_the_event_unreadable(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(event_codec, "schema_of", lambda _: 2)
    monkeypatch.setitem(event_codec.UPCASTS, ("case.CaseClaimed", 1), lambda data: {"a": data["missing"]})
    with pytest.raises(UnreadableEvent):
        decode(encoded(case_claimed), POSITION)


# ── erasure, and the chain ───────────────────────────────────────────────────────────────────────────────────────────


def chain(events: Sequence[Any]) -> list[bytes]:
    """A stream of encoded events, each with the digest of the one before."""
    states: list[bytes] = []
    for version, event in enumerate(events, start=1):
        prev = sha256(states[-1]).hexdigest() if states else None
        states.append(encoded(event, id=UUID(int=version), version=version, prev=prev))
    return states


def verifies(states: Sequence[bytes]) -> bool:
    """Whether a stream is as it was written: what anyone who holds the bytes can check."""
    tip = None
    for version, state in enumerate(states, start=1):
        found = decode(state, version).envelope
        if (found.version, found.prev) != (version, tip):
            return False
        tip = sha256(state).hexdigest()
    return True


@pytest.mark.parametrize("story", [ACCEPTED, GRANTED, ISSUED, DENIED])
def test_a_stream_verifies_as_it_was_written(story: tuple[Any, ...]) -> None:
    assert verifies(chain(story))


def test_a_destroyed_key_erases_the_person_and_the_chain_still_verifies() -> None:
    states = chain(ISSUED)
    assert verifies(states)
    story: tuple[Any, ...] = ISSUED
    for state, event in zip(states, story, strict=True):
        read = decode(state, POSITION, NOBODY).event
        for field in personal_fields(event.__class__):
            assert getattr(read, field) is ERASED


def test_any_change_removal_or_reordering_breaks_the_chain() -> None:
    states = chain(ISSUED)
    tip = sha256(states[-1]).hexdigest()

    def noticed(tampered: Sequence[bytes]) -> bool:
        """By the chain, or by who remembers the tip (one earlier checkpoint)."""
        return not verifies(tampered) or not tampered or sha256(tampered[-1]).hexdigest() != tip

    for place in range(len(states)):
        assert noticed([*states[:place], *states[place + 1 :]]), f"removal of {place}"
        other = encoded(opinion_recorded("tax"), version=place + 1, prev=json.loads(states[place])["prev"])
        assert noticed([*states[:place], other, *states[place + 1 :]]), f"replacement of {place}"
        if place:
            swapped = [*states[: place - 1], states[place], states[place - 1], *states[place + 1 :]]
            assert noticed(swapped), f"reordering at {place}"
            assert noticed([*states[:place], states[place - 1], *states[place:]]), f"repetition of {place - 1}"
    assert not noticed(states)


def test_one_persons_erasure_leaves_the_others() -> None:
    both = Opener({ORGANISATION_ID: KEYS[ORGANISATION_ID]})
    assert decode(encoded(organisation_registered), POSITION, both).event == organisation_registered
    assert decode(encoded(party_registered), POSITION, both).event.name is ERASED
