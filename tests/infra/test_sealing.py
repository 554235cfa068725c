from typing import Any
from uuid import UUID

import pytest

from tongban.infra.sealing import BOX_FIELDS, BrokenSeal, seal, unseal

PERSON = UUID(int=1)
EVENT = UUID(int=2)
KEY = bytes(range(32))
DIGEST = bytes(32)


def box(**changes: Any) -> dict[str, Any]:
    made = seal(
        {"name": "欧阳", "n": 1},
        subject=PERSON,
        key_id=UUID(int=3),
        person_key=KEY,
        event_id=EVENT,
        clear_digest=DIGEST,
    )
    assert made.keys() == BOX_FIELDS
    return {"event": str(EVENT), "aad": DIGEST.hex(), **made, **changes}


def test_what_is_sealed_can_be_unsealed() -> None:
    assert unseal(box(), person_key=KEY) == {"name": "欧阳", "n": 1}


def test_each_event_has_a_key_of_its_own() -> None:
    with pytest.raises(BrokenSeal, match="commitment"):
        unseal(box(event=str(UUID(int=9))), person_key=KEY)


@pytest.mark.parametrize(
    "changes",
    [
        {"aad": bytes([1] * 32).hex()},
        {"aad": "no hex"},
        {"nonce": "AAAA"},
        {"nonce": "not base64!"},
        {"ct": ""},
        {"ct": "AAAAAAAAAAAAAAAAAAAAAAAA"},
        {"ct": None},
        {"ct": "a"},
        {"commitment": ""},
        {"commitment": None},
        {"commitment": "ä"},
    ],
)
def test_a_changed_box_is_a_broken_seal_and_nothing_else(changes: dict[str, Any]) -> None:
    with pytest.raises(BrokenSeal, match=str(EVENT)):
        unseal(box(**changes), person_key=KEY)


def test_a_second_spelling_of_the_same_bytes_is_not_accepted() -> None:
    original = box()
    for field in ("commitment", "ct"):
        text = original[field]
        with pytest.raises(BrokenSeal):
            unseal({**original, field: text + "\n"}, person_key=KEY)
        with pytest.raises(BrokenSeal):
            unseal({**original, field: text[:8] + " " + text[8:]}, person_key=KEY)
