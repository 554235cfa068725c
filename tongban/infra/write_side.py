"""The write side of one process, put together: event store, keys, numbers and the batch that uses them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from psycopg import Connection
from psycopg_pool import ConnectionPool

from tongban.commands.batch import Batch
from tongban.commands.handling import Desk, Longest
from tongban.domain.party.events import IdentifierKind
from tongban.infra import event_codec, identifiers
from tongban.infra.database import DbRole, open_pool
from tongban.infra.drafts import Drafts
from tongban.infra.event_store import EventStore
from tongban.infra.numbers import SerialNumbers
from tongban.infra.reference import load_reference
from tongban.infra.secrets import IDENTIFIER_PEPPER, KEY_ENCRYPTION_KEY, load_secret
from tongban.infra.settings import Settings
from tongban.infra.uploads import Uploads
from tongban.infra.vault import Vault

_KEY_CONNECTIONS = 4
_ANSWERS_KEPT = "24 hours"


class PepperedIdentifiers:
    """Checks identifiers and makes their digests with the secret pepper. Implements `commands.ports.Identifiers`."""

    def __init__(self, pepper: bytes) -> None:
        """`pepper` is 32 bytes that are not in the database."""
        self._pepper = pepper

    def problem_with(self, kind: IdentifierKind, identifier: str) -> str | None:
        """What is wrong with an identifier, or None."""
        return identifiers.problem_with(kind, identifiers.normalise(identifier))

    def digest(self, kind: IdentifierKind, identifier: str) -> bytes:
        """What an identifier is looked up by, however it was spelt."""
        return identifiers.identifier_digest(self._pepper, kind, identifiers.normalise(identifier))


@dataclass(frozen=True, slots=True)
class WriteSide:
    """What appends events in this process, and what it holds open."""

    batch: Batch
    store: EventStore
    vault: Vault
    pools: tuple[ConnectionPool[Connection[tuple[Any, ...]]], ...]

    def close(self) -> None:
        """Close every connection."""
        self.store.close()
        for pool in self.pools:
            pool.close()


def open_vault(settings: Settings) -> tuple[Vault, ConnectionPool[Connection[tuple[Any, ...]]]]:
    """The vault and its connections, which are the caller's to close."""
    pool = open_pool(settings.keys_url, DbRole.KEYS, size=_KEY_CONNECTIONS)
    return Vault(pool, load_secret(settings.secrets_folder, KEY_ENCRYPTION_KEY)), pool


def open_write_side(settings: Settings) -> WriteSide:
    """Connect everything. Raises psycopg.Error, LogUnavailable, BrokenSecret."""
    vault, keys = open_vault(settings)
    writers = open_pool(settings.database_url, DbRole.WRITER, size=1)
    store = EventStore(settings.database_url)
    desk = Desk(
        identifiers=PepperedIdentifiers(load_secret(settings.secrets_folder, IDENTIFIER_PEPPER)),
        numbers=SerialNumbers(writers),
        licence_types=load_reference(),
        longest=Longest(settings.mandate_years, settings.absence_days),
        cut_off=settings.filing_cut_off,
    )
    batch = Batch(log=store, codec=event_codec, keyring=vault, desk=desk)
    return WriteSide(batch, store, vault, (keys, writers))


def forget_old_answers(conn: Connection[tuple[Any, ...]]) -> int:
    """Delete answers of commands that can no longer be asked for again. Returns how many. `conn` is a writer's."""
    old = (_ANSWERS_KEPT,)
    conn.execute("DELETE FROM events.command_batch WHERE recorded_at < clock_timestamp() - %s::interval", old)
    query = "DELETE FROM events.command_log WHERE recorded_at < clock_timestamp() - %s::interval"
    return conn.execute(query, old).rowcount


@dataclass(frozen=True, slots=True)
class Prepared:
    """What applicants prepare before they file: uploads and drafts."""

    uploads: Uploads
    drafts: Drafts
    pool: ConnectionPool[Connection[tuple[Any, ...]]]


def open_prepared(settings: Settings, vault: Vault, *, size: int = 8) -> Prepared:
    """Uploads and drafts; the pool is the caller's to close."""
    pool = open_pool(settings.database_url, DbRole.MATERIALS, size=size)
    return Prepared(
        Uploads(pool, vault, settings.uploads_folder),
        Drafts(pool, vault, days=settings.draft_days, per_party=settings.drafts_per_party),
        pool,
    )


def sweep_materials(settings: Settings) -> dict[str, int]:
    """Delete expired drafts, and uploads that nothing names any more. Raises LogUnavailable, OSError."""
    vault, keys = open_vault(settings)
    prepared = open_prepared(settings, vault, size=1)
    try:
        # A draft that is still there may name an upload, however long ago it was uploaded.
        swept = prepared.uploads.sweep(max(settings.upload_days, settings.draft_days + 1))
        return {"drafts": prepared.drafts.sweep(), **swept._asdict()}
    finally:
        prepared.pool.close()
        keys.close()
