"""Reading the read tables as somebody: each request is one transaction in the reader's role, told who asks.

Row-level security in PostgreSQL decides what that somebody sees. `assert_powerless` proves at start that nothing lets
the reader around it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import orjson
from psycopg import Connection, Cursor
from psycopg.types.json import set_json_loads
from psycopg_pool import ConnectionPool

from tongban.domain.actor import Actor

READ_SCHEMA = "read"

_ROLE = "SELECT rolname FROM pg_roles WHERE rolname = current_user AND (rolsuper OR rolbypassrls)"
_OWNED = """
SELECT c.relname FROM pg_class c
WHERE c.relnamespace = %s::regnamespace AND pg_has_role(current_user, c.relowner, 'USAGE') LIMIT 1"""
_OPEN = """
SELECT c.relname FROM pg_class c
WHERE c.relnamespace = %s::regnamespace AND c.relkind IN ('r', 'p')
  AND NOT (c.relrowsecurity AND c.relforcerowsecurity AND EXISTS (
      SELECT FROM pg_policy p WHERE p.polrelid = c.oid AND current_user::regrole = ANY (p.polroles)))
ORDER BY c.relname LIMIT 1"""
# What runs with its owner's rights would carry those rights past the policies.
_AROUND = """
SELECT p.proname FROM pg_proc p WHERE p.pronamespace = %(schema)s::regnamespace AND p.prosecdef
UNION ALL
SELECT c.relname FROM pg_class c WHERE c.relnamespace = %(schema)s::regnamespace AND c.relkind IN ('v', 'm')
  AND NOT coalesce('security_invoker=true' = ANY (c.reloptions), false)
LIMIT 1"""


class ReaderTooPowerful(Exception):
    """The reader could see rows past row-level security; the message says how. Start is refused."""


class ReadAccess:
    """Transactions of readers, on a pool of connections in the role tongban_reader."""

    def __init__(self, pool: ConnectionPool[Connection[tuple[Any, ...]]]) -> None:
        """`pool` connects as the reader (`open_pool(url, DbRole.READER, …)`); it stays the caller's to close."""
        self._pool = pool

    @contextmanager
    def reading(self, actor: Actor | None) -> Iterator[Cursor[tuple[Any, ...]]]:
        """One read-only transaction as `actor`; None sees nothing. Each statement sees what is committed by then."""
        with self._pool.connection() as conn, conn.transaction(), conn.cursor() as cursor:
            set_json_loads(orjson.loads, cursor)
            cursor.execute("SET TRANSACTION ISOLATION LEVEL READ COMMITTED READ ONLY")
            cursor.execute(
                "SELECT set_config('search_path', %(schema)s, true), set_config('app.role', %(role)s, true),"
                " set_config('app.subject', %(subject)s, true), set_config('app.departments', %(departments)s, true)",
                {"schema": READ_SCHEMA, **_who(actor)},
            )
            yield cursor

    def assert_powerless(self) -> None:
        """Prove that the reader is bound by row-level security on every read table. Raises ReaderTooPowerful."""
        with self._pool.connection() as conn:
            check_powerless(conn)


def check_powerless(conn: Connection[tuple[Any, ...]]) -> None:
    """As `assert_powerless`, on one connection."""
    if conn.execute(_ROLE).fetchone():
        raise ReaderTooPowerful("The reader's role is superuser or has BYPASSRLS: connect in the role tongban_reader.")
    if found := conn.execute(_OWNED, (READ_SCHEMA,)).fetchone():
        raise ReaderTooPowerful(
            f"The reader's role owns {READ_SCHEMA}.{found[0]}: read tables belong to the projector."
        )
    if found := conn.execute(_OPEN, (READ_SCHEMA,)).fetchone():
        raise ReaderTooPowerful(
            f"Row-level security of {READ_SCHEMA}.{found[0]} is not enabled and forced with a policy for the reader."
        )
    if found := conn.execute(_AROUND, {"schema": READ_SCHEMA}).fetchone():
        raise ReaderTooPowerful(f"{READ_SCHEMA}.{found[0]} runs with its owner's rights, past row-level security.")


def _who(actor: Actor | None) -> Mapping[str, str]:
    if actor is None:
        return {"role": "", "subject": "", "departments": ""}
    # One token names one department; a comma in it must not make two of it, nor a NUL fail the request.
    department = actor.department if actor.department and not set(actor.department) & {",", "\0"} else ""
    return {"role": actor.role, "subject": actor.id.replace("\0", ""), "departments": department}
