"""Contents sealed outside the log: they open for the same person, key and context only."""

from uuid import UUID

import pytest

from tongban.infra.sealing import BrokenSeal, seal_content, unseal_content

KEY_ID, KEY = UUID(int=3), bytes(range(32))


def sealed(content: bytes = "租赁合同".encode()) -> bytes:
    return seal_content(content, key_id=KEY_ID, person_key=KEY, context=b"here")


def test_what_is_sealed_can_be_unsealed_and_nothing_of_it_stands_in_clear() -> None:
    content = "租赁合同".encode()
    assert content not in sealed()
    assert unseal_content(sealed(), key_id=KEY_ID, person_key=KEY, context=b"here") == content
    assert unseal_content(sealed(b""), key_id=KEY_ID, person_key=KEY, context=b"here") == b""


def test_the_same_content_is_sealed_differently_each_time() -> None:
    assert sealed() != sealed()


@pytest.mark.parametrize("place", [0, 4, 20, 36, 48, 80, -1])
def test_a_changed_byte_breaks_the_seal(place: int) -> None:
    bytes_ = bytearray(sealed())
    bytes_[place] ^= 1
    with pytest.raises(BrokenSeal):
        unseal_content(bytes(bytes_), key_id=KEY_ID, person_key=KEY, context=b"here")


@pytest.mark.parametrize("length", [0, 3, 79, 85])
def test_what_was_cut_short_does_not_open(length: int) -> None:
    with pytest.raises(BrokenSeal):
        unseal_content(sealed()[:length], key_id=KEY_ID, person_key=KEY, context=b"here")


@pytest.mark.parametrize(
    ("key_id", "key", "context"),
    [(KEY_ID, KEY, b"elsewhere"), (KEY_ID, bytes(32), b"here"), (UUID(int=4), KEY, b"here")],
)
def test_it_opens_nowhere_else_and_for_nobody_else(key_id: UUID, key: bytes, context: bytes) -> None:
    with pytest.raises(BrokenSeal):
        unseal_content(sealed(), key_id=key_id, person_key=key, context=context)
