"""Uploaded materials: addressed by their content, sealed for their owner, outside the log. Events keep the hash only.

In: bytes of an applicant's paper. Out: a ref (`sha256:<hex>`) and, for who may, the bytes. A row says that a party has
a content; a file holds it, under a random name: the sweep may delete a file without asking who uploads the same
content meanwhile, and no name tells that two people have the same paper. The file is durable before its row is, so a
crash between leaves a file without a row, which is swept.
"""

from __future__ import annotations

import os
import time
from collections.abc import Collection, Iterable
from contextlib import suppress
from hashlib import sha256
from pathlib import Path
from typing import Any, NamedTuple
from uuid import UUID, uuid4

import psycopg
from psycopg import Connection
from psycopg_pool import ConnectionPool, PoolTimeout

from tongban.commands.ports import LogUnavailable
from tongban.infra.sealing import BrokenSeal, seal_content, unseal_content
from tongban.infra.vault import Vault

PREFIX = "sha256:"
_HEX_DIGITS = 64
_SETTLED_AFTER = "1 hour"
"""No command is still on its way after this; answers of commands are kept longer."""
_STRAY_SECONDS = 24 * 3600


class OwnerUnknown(Exception):
    """Nobody with this id has a key: not registered, or erased."""


class UploadMissing(Exception):
    """This party has no such upload."""


class UploadErased(Exception):
    """The owner's key was destroyed: the content is gone for ever."""


class UploadDamaged(Exception):
    """The stored file is missing, or is not what was uploaded."""


class Stored(NamedTuple):
    """One upload. `new` is False when this party had it already."""

    ref: str
    size: int
    media_type: str
    new: bool


class Swept(NamedTuple):
    """What one sweep did."""

    settled: int
    uploads: int
    strays: int


def digest_of(ref: str) -> bytes | None:
    """The digest that a ref names; None for what is no ref."""
    text = ref.removeprefix(PREFIX)
    if not ref.startswith(PREFIX) or len(text) != _HEX_DIGITS or text != text.lower():
        return None
    try:
        return bytes.fromhex(text)
    except ValueError:
        return None


def ref_of(digest: bytes) -> str:
    """The ref of a digest."""
    return PREFIX + digest.hex()


class Uploads:
    """The uploads of every party. Thread-safe; several processes may share database and folder."""

    def __init__(self, pool: ConnectionPool[Connection[tuple[Any, ...]]], vault: Vault, folder: Path) -> None:
        """`pool` connects in the materials role; `folder` is one for all processes and is made when it is needed."""
        self._pool = pool
        self._vault = vault
        self._folder = folder

    def put(self, owner: UUID, content: bytes, media_type: str) -> Stored:
        """Keep an upload; the same content of the same owner is kept once. Raises OwnerUnknown, LogUnavailable."""
        key_id, person_key = self._key(owner)
        digest = sha256(content).digest()
        ref = ref_of(digest)
        held = self._held(owner, digest, touch=True)
        if held is not None and self._path(held[0]).exists():
            return Stored(ref, held[1], held[2], new=False)
        blob = uuid4()
        self._write(blob, seal_content(content, key_id=key_id, person_key=person_key, context=_context(owner, digest)))
        if held is not None:  # the row is there but its file is lost: this mends it
            self._execute(
                "UPDATE materials.upload SET blob = %s WHERE owner = %s AND digest = %s", (blob, owner, digest)
            )
            return Stored(ref, held[1], held[2], new=False)
        rows = self._execute(
            "INSERT INTO materials.upload (owner, digest, blob, size, media_type) VALUES (%s, %s, %s, %s, %s)"
            " ON CONFLICT (owner, digest) DO NOTHING RETURNING blob",
            (owner, digest, blob, len(content), media_type),
        )
        if not rows:  # the same upload at the same moment was first
            self._path(blob).unlink(missing_ok=True)
            return Stored(ref, len(content), media_type, new=False)
        return Stored(ref, len(content), media_type, new=True)

    def get(self, owner: UUID, ref: str) -> tuple[bytes, str]:
        """Content and media type. Raises UploadMissing, UploadErased, UploadDamaged, LogUnavailable."""
        digest = digest_of(ref)
        held = None if digest is None else self._held(owner, digest)
        if digest is None or held is None:
            raise UploadMissing
        try:
            key_id, person_key = self._key(owner)
        except OwnerUnknown:
            raise UploadErased from None
        try:
            sealed = self._path(held[0]).read_bytes()
            content = unseal_content(sealed, key_id=key_id, person_key=person_key, context=_context(owner, digest))
        except (OSError, BrokenSeal) as error:
            raise UploadDamaged(f"{ref}: {type(error).__name__}") from error
        if sha256(content).digest() != digest:
            raise UploadDamaged(f"{ref}: another content")
        return content, held[2]

    def claim(self, owner: UUID, refs: Collection[str], principal: str, idempotency_key: UUID) -> set[str]:
        """Keep the sweep off these uploads while a command that names them is on its way; the refs that are there.

        Raises LogUnavailable.
        """
        known = self.touch(owner, refs)
        self._execute(
            "INSERT INTO materials.claim (owner, digest, principal, idempotency_key)"
            " SELECT owner, digest, %s, %s FROM materials.upload"
            " WHERE owner = %s AND digest = ANY(%s) AND NOT kept ON CONFLICT DO NOTHING",
            (principal, idempotency_key, owner, _digests(known)),
        )
        return known

    def touch(self, owner: UUID, refs: Collection[str]) -> set[str]:
        """Note that these uploads are still wanted; the refs of those that are there. Raises LogUnavailable."""
        digests = _digests(refs)
        if not digests:
            return set()
        rows = self._execute(
            "UPDATE materials.upload SET touched_at = clock_timestamp() WHERE owner = %s AND digest = ANY(%s)"
            " RETURNING digest",
            (owner, digests),
        )
        return {ref_of(digest) for (digest,) in rows}

    def sweep(self, days: float, *, stray_seconds: float = _STRAY_SECONDS) -> Swept:
        """Settle claims, then delete uploads that nothing has named for `days`, and files that no row knows.

        A claim is settled by the command log, which is written in the transaction of the events: what a done command
        named is kept for ever. Must run before old answers are forgotten. Raises LogUnavailable.
        """
        settled = self._execute(
            "WITH old AS (DELETE FROM materials.claim WHERE claimed_at < clock_timestamp() - %s::interval RETURNING *)"
            " UPDATE materials.upload u SET kept = true FROM old JOIN events.command_log l"
            " ON l.principal = old.principal AND l.idempotency_key = old.idempotency_key"
            " WHERE u.owner = old.owner AND u.digest = old.digest RETURNING 1",
            (_SETTLED_AFTER,),
        )
        gone = self._execute(
            "DELETE FROM materials.upload u"
            " WHERE NOT kept AND touched_at < clock_timestamp() - make_interval(secs => %s)"
            " AND NOT EXISTS (SELECT FROM materials.claim c WHERE c.owner = u.owner AND c.digest = u.digest)"
            " RETURNING blob",
            (days * 86_400,),
        )
        for (blob,) in gone:
            self._path(blob).unlink(missing_ok=True)
        return Swept(len(settled), len(gone), self._sweep_strays(stray_seconds))

    def _sweep_strays(self, seconds: float) -> int:
        """Files without a row: of a crash, or of a write that was given up. Young ones may be about to get theirs."""
        before = time.time() - seconds
        count = 0
        for folder in self._folder.glob("??/??"):
            old = [path for path in folder.iterdir() if path.stat().st_mtime < before]
            blobs = {path: UUID(path.name) for path in old if len(path.name) == 32}  # noqa: PLR2004 - a UUID's hex
            rows = self._execute("SELECT blob FROM materials.upload WHERE blob = ANY(%s)", (list(blobs.values()),))
            known = {blob for (blob,) in rows}
            for path in old:
                if blobs.get(path) not in known:
                    with suppress(FileNotFoundError):
                        path.unlink()
                        count += 1
        return count

    def _key(self, owner: UUID) -> tuple[UUID, bytes]:
        held = self._vault.keys([owner]).get(owner)
        if held is None:
            raise OwnerUnknown
        return held

    def _held(self, owner: UUID, digest: bytes, *, touch: bool = False) -> tuple[UUID, int, str] | None:
        """Blob, size and media type of an upload."""
        change = "UPDATE materials.upload SET touched_at = clock_timestamp() WHERE {} RETURNING blob, size, media_type"
        look = "SELECT blob, size, media_type FROM materials.upload WHERE {}"
        rows = self._execute((change if touch else look).format("owner = %s AND digest = %s"), (owner, digest))
        return rows[0] if rows else None

    def _path(self, blob: UUID) -> Path:
        name = blob.hex
        return self._folder / name[:2] / name[2:4] / name

    def _write(self, blob: UUID, sealed: bytes) -> None:
        """All or nothing, and durable when this returns."""
        path = self._path(blob)
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        temporary = path.with_name(path.name + ".part")
        try:
            with temporary.open("xb") as file:
                file.write(sealed)
                file.flush()
                os.fsync(file.fileno())
            temporary.rename(path)
        except OSError as error:
            temporary.unlink(missing_ok=True)
            raise LogUnavailable(f"an upload cannot be written ({error.strerror})") from error
        folder = os.open(path.parent, os.O_RDONLY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)

    def _execute(self, query: str, parameters: tuple[Any, ...]) -> list[tuple[Any, ...]]:
        try:
            with self._pool.connection() as conn:
                cursor = conn.execute(query.encode(), parameters)
                return cursor.fetchall() if cursor.description else []
        except (psycopg.Error, PoolTimeout) as error:
            raise LogUnavailable(f"uploads cannot be reached ({type(error).__name__})") from error


def _context(owner: UUID, digest: bytes) -> bytes:
    return b"upload" + owner.bytes + digest


def _digests(refs: Iterable[str]) -> list[bytes]:
    return [digest for ref in refs if (digest := digest_of(ref)) is not None]
