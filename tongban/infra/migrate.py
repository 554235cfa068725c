"""Applies the numbered SQL files of `migrations/`, in order and once each (in dbmate's file form).

A file named `NNNN_read_….sql` makes read tables: it runs as the projector with `read` as its schema, and a rebuild runs
the same files in a schema of its own.
"""

from __future__ import annotations

from importlib.resources import files

import psycopg
from psycopg import sql

_LOCK = 7300


def migration_files() -> list[tuple[str, str]]:
    """(version, SQL text) of every migration, in order."""
    folder = files("tongban.infra") / "migrations"
    names = sorted(entry.name for entry in folder.iterdir() if entry.name.endswith(".sql"))
    return [(name.removesuffix(".sql"), (folder / name).read_text("utf-8")) for name in names]


def is_read_migration(version: str) -> bool:
    """Whether a migration makes read tables."""
    return version.split("_")[1] == "read"


def create_read_tables(conn: psycopg.Connection[tuple[object, ...]], schema: str) -> None:
    """Run every read migration in `schema`, in the caller's transaction. The caller is the projector."""
    conn.execute(sql.SQL("SET LOCAL search_path TO {}").format(sql.Identifier(schema)))
    for version, text in migration_files():
        if is_read_migration(version):
            conn.execute(text.encode())


def migrate(admin_url: str) -> list[str]:
    """Bring the database at `admin_url` (its owner) up to date. Returns the versions that were applied now.

    Two at once are safe: the second waits. Raises psycopg.Error; then nothing of the failing file is applied.
    """
    applied: list[str] = []
    with psycopg.connect(admin_url, autocommit=True, application_name="tongban migrate") as conn:
        conn.execute("SELECT pg_advisory_lock(%s)", (_LOCK,))
        conn.execute("CREATE TABLE IF NOT EXISTS public.schema_migrations (version text PRIMARY KEY)")
        done = {row[0] for row in conn.execute("SELECT version FROM public.schema_migrations")}
        for version, text in migration_files():
            if version in done:
                continue
            with conn.transaction():
                if is_read_migration(version):
                    conn.execute("SET LOCAL ROLE tongban_projector; SET LOCAL search_path TO read")
                conn.execute(text.encode())
                conn.execute("RESET ROLE")
                conn.execute("INSERT INTO public.schema_migrations (version) VALUES (%s)", (version,))
            applied.append(version)
    return applied
