"""Connections to PostgreSQL. Each takes one role, with the time limits that role may use."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from typing import Any

import psycopg
from psycopg import Connection
from psycopg.conninfo import conninfo_to_dict, make_conninfo
from psycopg_pool import ConnectionPool


class DbRole(StrEnum):
    """What a connection may do; made by the migrations."""

    WRITER = "tongban_writer"
    KEYS = "tongban_keys"
    RELAY = "tongban_relay"
    PROJECTOR = "tongban_projector"
    READER = "tongban_reader"
    MATERIALS = "tongban_materials"


# statement_timeout in ms; 0 where work is long by nature (rebuild, catching up).
_STATEMENT_TIMEOUT: Mapping[DbRole, int] = {
    DbRole.WRITER: 5_000,
    DbRole.KEYS: 5_000,
    DbRole.RELAY: 30_000,
    DbRole.PROJECTOR: 0,
    DbRole.READER: 3_000,
    DbRole.MATERIALS: 5_000,
}


def conninfo(url: str, role: DbRole) -> str:
    """The connection string for `url` that starts every session in `role`, with its limits.

    The role is a start-up option, so RESET ROLE does not leave it. Times out connecting after 5 s.
    """
    options = (
        f"-c role={role} -c statement_timeout={_STATEMENT_TIMEOUT[role]} -c lock_timeout=2000"
        " -c default_transaction_isolation=read\\ committed -c timezone=UTC"
    )
    if role is not DbRole.PROJECTOR:
        options += " -c idle_in_transaction_session_timeout=5000"
    given = conninfo_to_dict(url).get("options")
    return make_conninfo(
        url,
        options=f"{given} {options}" if given else options,
        connect_timeout=5,
        application_name=f"tongban {role.removeprefix('tongban_')}",
        keepalives_idle=10,
    )


def connect(url: str, role: DbRole, *, autocommit: bool = True) -> Connection[tuple[Any, ...]]:
    """One connection in `role`. Raises psycopg.OperationalError when the server cannot be reached."""
    return psycopg.connect(conninfo(url, role), autocommit=autocommit)


def open_pool(url: str, role: DbRole, *, size: int) -> ConnectionPool[Connection[tuple[Any, ...]]]:
    """A pool of at most `size` connections in `role`; connections are checked before use."""
    return ConnectionPool(
        conninfo(url, role),
        min_size=1,
        max_size=size,
        kwargs={"autocommit": True},
        check=ConnectionPool.check_connection,
        timeout=5,
        open=True,
        name=str(role),
    )
