"""Sealing personal data: one box per person and event, bound to the clear envelope of its event; and whole contents.

key material = HKDF-SHA-256(person's key, salt = event id, 64 bytes): 32 for AES-256-GCM, 32 as the key commitment that
AES-GCM itself lacks (one ciphertext could otherwise be made to open under two keys). Additional data = SHA-256 of the
event's clear bytes, so that a box cannot be moved to another event and the envelope cannot be changed around it.

Contents that are no part of an event (uploads, drafts) are sealed the same way, with a random salt in the event id's
place and with whatever they belong to, the `context`, as additional data.
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
_CONTENT_INFO = b"tongban sealed content v1"
_MAGIC = b"TBS1"
_SALT_BYTES = 16
_COMMITMENT_BYTES = 32
_HEAD_BYTES = len(_MAGIC) + 16 + _SALT_BYTES + NONCE_BYTES + _COMMITMENT_BYTES


class BrokenSeal(Exception):
    """A sealed box does not open: its bytes, its envelope or its key commitment were changed."""


def _derive(person_key: bytes, salt: bytes, info: bytes = _INFO) -> tuple[bytes, bytes]:
    material = HKDF(algorithm=SHA256(), length=64, salt=salt, info=info).derive(person_key)
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
    key, commitment = _derive(person_key, event_id.bytes)
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
    key, commitment = _derive(person_key, UUID(box["event"]).bytes)
    if not hmac.compare_digest(_text(commitment).encode(), str(box["commitment"]).encode()):
        raise BrokenSeal(f"event {box['event']}: the key commitment does not match the person's key")
    try:
        opened = AESGCM(key).decrypt(_bytes(box["nonce"]), _bytes(box["ct"]), bytes.fromhex(box["aad"]))
    except (InvalidTag, ValueError, TypeError, KeyError) as error:
        raise BrokenSeal(f"event {box['event']}: the box was changed or does not belong to this event") from error
    values: dict[str, Any] = orjson.loads(opened)
    return values


def seal_content(content: bytes, *, key_id: UUID, person_key: bytes, context: bytes) -> bytes:
    """`content` sealed for one person and one `context`: magic, key id, salt, nonce, key commitment, ciphertext."""
    salt, nonce = os.urandom(_SALT_BYTES), os.urandom(NONCE_BYTES)
    key, commitment = _derive(person_key, salt, _CONTENT_INFO)
    head = _MAGIC + key_id.bytes + salt + nonce + commitment
    return head + AESGCM(key).encrypt(nonce, content, head + context)


def unseal_content(sealed: bytes, *, key_id: UUID, person_key: bytes, context: bytes) -> bytes:
    """What was sealed for this person and context. Raises BrokenSeal."""
    head, ciphertext = sealed[:_HEAD_BYTES], sealed[_HEAD_BYTES:]
    if len(head) < _HEAD_BYTES or not head.startswith(_MAGIC) or head[4:20] != key_id.bytes:
        raise BrokenSeal("sealed content: cut short, or sealed with another key than the person's")
    salt, nonce, told = head[20:36], head[36:48], head[48:]
    key, commitment = _derive(person_key, salt, _CONTENT_INFO)
    if not hmac.compare_digest(commitment, told):
        raise BrokenSeal("sealed content: the key commitment does not match the person's key")
    try:
        return AESGCM(key).decrypt(nonce, ciphertext, head + context)
    except (InvalidTag, ValueError) as error:
        raise BrokenSeal("sealed content: it was changed or does not belong here") from error


def _text(value: bytes) -> str:
    return binascii.b2a_base64(value, newline=False).decode("ascii")


def _bytes(text: str) -> bytes:
    """What `_text` made; a second spelling of the same bytes is a ValueError."""
    value = base64.b64decode(text, validate=True)
    if _text(value) != text:
        raise ValueError
    return value
