"""The vault: one data key per person, wrapped in the database by a key-encryption key that is kept elsewhere.

Erasing a person is destroying this one key. A destroyed key stays as a tombstone, so that "destroyed" and "not yet
made" never look alike.
"""

from __future__ import annotations

import os
from collections import OrderedDict
from collections.abc import Iterable, Mapping, Sequence
from threading import Lock
from time import monotonic
from typing import Any
from uuid import UUID, uuid4

import psycopg
from cryptography.hazmat.primitives.keywrap import aes_key_unwrap, aes_key_wrap
from psycopg import Connection
from psycopg_pool import ConnectionPool, PoolTimeout

from tongban.commands.ports import LogUnavailable
from tongban.infra.sealing import BrokenSeal, unseal

CACHE_SIZE = 10_000
CACHE_SECONDS = 300.0


class Vault:
    """Gives out keys and opens boxes. Thread-safe. Implements `domain.personal.Unsealer`."""

    def __init__(self, pool: ConnectionPool[Connection[tuple[Any, ...]]], key_encryption_key: bytes) -> None:
        """`pool` connects in the keys role; `key_encryption_key` is 32 bytes."""
        self._pool = pool
        self._kek = key_encryption_key
        self._lock = Lock()
        self._cache: OrderedDict[UUID, tuple[float, UUID, bytes]] = OrderedDict()

    def keys(self, people: Iterable[UUID], *, create: bool = False) -> dict[UUID, tuple[UUID, bytes]]:
        """Person → (key id, key). Who has no key, or a destroyed one, is left out.

        With `create`, keys are made for people who never had one, and are durable when this returns.
        """
        found: dict[UUID, tuple[UUID, bytes]] = {}
        missing: list[UUID] = []
        now = monotonic()
        with self._lock:
            for person in people:
                held = self._cache.get(person)
                if held is not None and held[0] > now:
                    found[person] = held[1], held[2]
                else:
                    missing.append(person)
        if missing:
            fetched = self._fetch(missing, create=create)
            found.update(fetched)
            with self._lock:
                for person, (key_id, key) in fetched.items():
                    self._cache[person] = now + CACHE_SECONDS, key_id, key
                    self._cache.move_to_end(person)
                while len(self._cache) > CACHE_SIZE:
                    self._cache.popitem(last=False)
        return found

    def _fetch(self, people: Sequence[UUID], *, create: bool) -> dict[UUID, tuple[UUID, bytes]]:
        try:
            with self._pool.connection() as conn:
                if create:
                    made = [(uuid4(), aes_key_wrap(self._kek, os.urandom(32))) for _ in people]
                    conn.execute(
                        "INSERT INTO keys.person_key (subject, key_id, wrapped)"
                        " SELECT * FROM unnest(%b::uuid[], %b::uuid[], %b::bytea[])"
                        " ON CONFLICT (subject) DO NOTHING",
                        (list(people), [key_id for key_id, _ in made], [wrapped for _, wrapped in made]),
                    )
                rows = conn.execute(
                    "SELECT subject, key_id, wrapped FROM keys.person_key WHERE subject = ANY(%s) AND state = 'active'",
                    (list(people),),
                ).fetchall()
        except (psycopg.Error, PoolTimeout) as error:
            raise LogUnavailable(f"the keys cannot be read ({type(error).__name__})") from error
        return {subject: (key_id, aes_key_unwrap(self._kek, wrapped)) for subject, key_id, wrapped in rows}

    def unseal(self, boxes: Sequence[Mapping[str, Any]]) -> list[dict[str, Any] | None]:
        """The fields in each box; None where the person's key is destroyed. Raises BrokenSeal."""
        keys = self.keys({UUID(box["subject"]) for box in boxes})
        opened: list[dict[str, Any] | None] = []
        for box in boxes:
            held = keys.get(UUID(box["subject"]))
            if held is not None and str(held[0]) != box["key"]:
                raise BrokenSeal(f"event {box['event']}: sealed with another key than the person's")
            opened.append(None if held is None else unseal(box, person_key=held[1]))
        return opened
