"""Sealing personal fields: one box per person and event, bound to the clear envelope of its event.

key material = HKDF-SHA-256(person's key, salt = event id, 64 bytes): 32 for AES-256-GCM, 32 as the key commitment that
AES-GCM itself lacks (one ciphertext could otherwise be made to open under two keys). Additional data = SHA-256 of the
event's clear bytes, so that a box cannot be moved to another event and the envelope cannot be changed around it.
"""

from __future__ import annotations

import base64
import binascii
import hmac
import os
from collections.abc import Mapping
from typing import Any
from uuid import UUID

import orjson
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

NONCE_BYTES = 12
BOX_FIELDS = frozenset({"subject", "key", "nonce", "commitment", "ct"})
_INFO = b"tongban event format v1"


class BrokenSeal(Exception):
    """A sealed box does not open: its bytes, its envelope or its key commitment were changed."""


def _derive(person_key: bytes, event_id: UUID) -> tuple[bytes, bytes]:
    material = HKDF(algorithm=SHA256(), length=64, salt=event_id.bytes, info=_INFO).derive(person_key)
    return material[:32], material[32:]


def seal(
    values: Mapping[str, Any],
    *,
    subject: UUID,
    key_id: UUID,
    person_key: bytes,
    event_id: UUID,
    clear_digest: bytes,
    nonce: bytes | None = None,
) -> dict[str, Any]:
    """One box with a person's fields of one event, as orjson writes it. `nonce`: random, but for golden files."""
    nonce = nonce or os.urandom(NONCE_BYTES)
    key, commitment = _derive(person_key, event_id)
    sealed = AESGCM(key).encrypt(nonce, orjson.dumps(values, option=orjson.OPT_NON_STR_KEYS), clear_digest)
    return {
        "subject": subject,
        "key": key_id,
        "nonce": _text(nonce),
        "commitment": _text(commitment),
        "ct": _text(sealed),
    }


def unseal(box: Mapping[str, Any], *, person_key: bytes) -> dict[str, Any]:
    """The fields of a box as read rows carry it (with `event` and `aad`). Raises BrokenSeal."""
    key, commitment = _derive(person_key, UUID(box["event"]))
    if not hmac.compare_digest(_text(commitment).encode(), str(box["commitment"]).encode()):
        raise BrokenSeal(f"event {box['event']}: the key commitment does not match the person's key")
    try:
        opened = AESGCM(key).decrypt(_bytes(box["nonce"]), _bytes(box["ct"]), bytes.fromhex(box["aad"]))
    except (InvalidTag, ValueError, TypeError, KeyError) as error:
        raise BrokenSeal(f"event {box['event']}: the box was changed or does not belong to this event") from error
    values: dict[str, Any] = orjson.loads(opened)
    return values


def _text(value: bytes) -> str:
    return binascii.b2a_base64(value, newline=False).decode("ascii")


def _bytes(text: str) -> bytes:
    """What `_text` made; a second spelling of the same bytes is a ValueError."""
    value = base64.b64decode(text, validate=True)
    if _text(value) != text:
        raise ValueError
    return value
