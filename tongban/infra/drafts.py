"""Drafts of applications: a plain table, not events, since nothing has happened yet. Sealed for the applicant.

In and out: a draft's content as a JSON object. Who may see a row is part of every statement: the applicant, and whoever
made the draft for him at a window.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, NamedTuple
from uuid import UUID

import orjson
import psycopg
from psycopg import Connection
from psycopg_pool import ConnectionPool, PoolTimeout

from tongban.commands.ports import LogUnavailable
from tongban.domain.actor import APPLICANT_ROLES, Actor
from tongban.infra.sealing import seal_content, unseal_content
from tongban.infra.uploads import OwnerUnknown
from tongban.infra.vault import Vault


class DraftMissing(Exception):
    """There is no such draft for whoever asks."""


class DraftGone(Exception):
    """The draft has expired, or its applicant was erased."""


class DraftChanged(Exception):
    """The draft is at another version than the one that was named."""

    def __init__(self, current: int) -> None:
        """`current` is the version it is at."""
        super().__init__(current)
        self.current = current


class TooManyDrafts(Exception):
    """The applicant has as many drafts as may be kept."""


class Draft(NamedTuple):
    """One draft. `version` counts its changes from 1; `content` is None where the applicant was erased."""

    id: UUID
    owner: UUID
    version: int
    created_at: datetime
    updated_at: datetime
    expires_at: datetime
    content: Mapping[str, Any]


_LISTED = 100


class Drafts:
    """The drafts of every party. Thread-safe."""

    def __init__(
        self, pool: ConnectionPool[Connection[tuple[Any, ...]]], vault: Vault, *, days: float, per_party: int
    ) -> None:
        """`pool` connects in the materials role; a draft is kept for `days` after its last change."""
        self._pool = pool
        self._vault = vault
        self._days = days
        self._per_party = per_party

    def room_for(self, owner: UUID) -> bool:
        """Whether this applicant may have one more. Raises LogUnavailable."""
        query = "SELECT count(*) FROM materials.draft WHERE owner = %s AND expires_at > now()"
        return bool(self._execute(query, (owner,))[0][0] < self._per_party)

    def create(self, draft: UUID, owner: UUID, actor: Actor, content: Mapping[str, Any]) -> Draft:
        """Keep a new draft. Raises TooManyDrafts, OwnerUnknown, LogUnavailable."""
        sealed = self._seal(draft, owner, 1, content)
        rows = self._execute(
            "INSERT INTO materials.draft (id, owner, made_by, version, sealed, created_at, updated_at, expires_at)"
            " SELECT %s, %s, %s, 1, %s, now(), now(), now() + make_interval(secs => %s)"
            " WHERE (SELECT count(*) FROM materials.draft WHERE owner = %s AND expires_at > now()) < %s"
            " RETURNING id, owner, version, created_at, updated_at, expires_at, sealed",
            (draft, owner, _maker(actor), sealed, self._days * 86_400, owner, self._per_party),
        )
        if not rows:
            raise TooManyDrafts
        return self._open(rows[0])

    def get(self, draft: UUID, actor: Actor) -> Draft:
        """Raises DraftMissing, DraftGone, LogUnavailable."""
        rows = self._execute(
            "SELECT id, owner, version, created_at, updated_at, expires_at, sealed, expires_at > now()"
            " FROM materials.draft WHERE id = %s AND (owner = %s OR made_by = %s)",
            (draft, *_who(actor)),
        )
        if not rows:
            raise DraftMissing
        if not rows[0][-1]:
            raise DraftGone
        return self._open(rows[0][:-1])

    def listed(self, actor: Actor) -> list[Draft]:
        """The drafts of whoever asks that have not expired, the last changed first; at most a hundred."""
        rows = self._execute(
            "SELECT id, owner, version, created_at, updated_at, expires_at, sealed FROM materials.draft"
            " WHERE (owner = %s OR made_by = %s) AND expires_at > now()"
            " ORDER BY updated_at DESC, id LIMIT %s",
            (*_who(actor), _LISTED),
        )
        found: list[Draft] = []
        for row in rows:
            try:
                found.append(self._open(row))
            except DraftGone:
                continue
        return found

    def replace(self, before: Draft, actor: Actor, content: Mapping[str, Any]) -> Draft:
        """Put a new content in the place of what was read. Raises DraftChanged, DraftMissing, LogUnavailable."""
        version = before.version + 1
        rows = self._execute(
            "UPDATE materials.draft SET version = %s, sealed = %s, updated_at = now(),"
            " expires_at = now() + make_interval(secs => %s)"
            " WHERE id = %s AND (owner = %s OR made_by = %s) AND version = %s AND expires_at > now()"
            " RETURNING id, owner, version, created_at, updated_at, expires_at, sealed",
            (
                version,
                self._seal(before.id, before.owner, version, content),
                self._days * 86_400,
                before.id,
                *_who(actor),
                before.version,
            ),
        )
        if not rows:
            raise DraftChanged(self.get(before.id, actor).version)
        return self._open(rows[0])

    def delete(self, draft: UUID, actor: Actor, version: int | None = None) -> None:
        """Forget a draft. Raises DraftMissing, DraftGone, DraftChanged (`version` is another), LogUnavailable."""
        rows = self._execute(
            "DELETE FROM materials.draft WHERE id = %s AND (owner = %s OR made_by = %s)"
            " AND version = coalesce(%s, version) RETURNING id",
            (draft, *_who(actor), version),
        )
        if not rows:
            raise DraftChanged(self.get(draft, actor).version)

    def sweep(self) -> int:
        """Delete what has expired; how many. Expired drafts are told apart from unknown ones for a while."""
        rows = self._execute(
            "DELETE FROM materials.draft WHERE expires_at < now() - make_interval(secs => %s) RETURNING 1",
            (self._days * 86_400,),
        )
        # What is expired must not lie about readable: its content goes at once, its row later.
        blanked = self._execute(
            "UPDATE materials.draft SET sealed = '' WHERE expires_at < now() AND sealed <> '' RETURNING 1", ()
        )
        return len(rows) + len(blanked)

    def _seal(self, draft: UUID, owner: UUID, version: int, content: Mapping[str, Any]) -> bytes:
        held = self._vault.keys([owner]).get(owner)
        if held is None:
            raise OwnerUnknown
        return seal_content(
            orjson.dumps(content), key_id=held[0], person_key=held[1], context=_context(draft, owner, version)
        )

    def _open(self, row: Sequence[Any]) -> Draft:
        draft, owner, version, created_at, updated_at, expires_at, sealed = row
        held = self._vault.keys([owner]).get(owner)
        if held is None:
            raise DraftGone
        content = unseal_content(sealed, key_id=held[0], person_key=held[1], context=_context(draft, owner, version))
        return Draft(draft, owner, version, created_at, updated_at, expires_at, orjson.loads(content))

    def _execute(self, query: str, parameters: tuple[Any, ...]) -> list[tuple[Any, ...]]:
        try:
            with self._pool.connection() as conn:
                cursor = conn.execute(query.encode(), parameters)
                return cursor.fetchall() if cursor.description else []
        except (psycopg.Error, PoolTimeout) as error:
            raise LogUnavailable(f"drafts cannot be reached ({type(error).__name__})") from error


def _context(draft: UUID, owner: UUID, version: int) -> bytes:
    return b"draft" + draft.bytes + owner.bytes + version.to_bytes(8, "big")


def _maker(actor: Actor) -> str:
    return f"{actor.role.value}:{actor.id}"


def _who(actor: Actor) -> tuple[UUID | None, str]:
    """Party and principal of whoever asks."""
    try:
        party = UUID(actor.id) if actor.role in APPLICANT_ROLES else None
    except ValueError:
        party = None
    return party, _maker(actor)
