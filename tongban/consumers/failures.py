"""Which database errors pass by themselves, which an event causes each time, and which end the process."""

from __future__ import annotations

import psycopg

# Serialization failure, deadlock, lock timeout; connection; resources; shutdown and cancelled statement.
_TRANSIENT = ("40001", "40P01", "55P03", "08", "53", "57")
# Data that cannot be stored, a broken constraint, a value past a limit of the server.
_POISONOUS = ("22", "23", "54")
# What a value of another form than expected provokes on its way into the tables.
_MISFITS = (ArithmeticError, AssertionError, AttributeError, LookupError, RecursionError, TypeError, ValueError)

RETRY_DELAYS = (0.25, 0.5, 1.0)
"""Seconds before the first retries of what passes by itself."""
PAUSE = 5.0
"""Seconds between retries after those."""


class TransientFailure(Exception):
    """Something outside was not there for the moment: worth another try later."""


def is_transient(error: BaseException) -> bool:
    """Whether trying the same again later can help."""
    if isinstance(error, psycopg.Error):
        state = error.sqlstate
        return state.startswith(_TRANSIENT) if state else isinstance(error, psycopg.OperationalError)
    return isinstance(error, TransientFailure | ConnectionError | TimeoutError)


def is_poisonous(error: BaseException) -> bool:
    """Whether the data of an event is the cause, so that it fails again however often it is tried."""
    if isinstance(error, psycopg.Error) and error.sqlstate:
        return error.sqlstate.startswith(_POISONOUS)
    # Without a state it is the client's own: a value that it cannot write (ProgrammingError), or a lost connection.
    return isinstance(error, (psycopg.DataError, psycopg.IntegrityError, psycopg.ProgrammingError, *_MISFITS))


def describe(error: BaseException) -> str:
    """What is kept of an error beside a parked event: never its text, which may repeat a value."""
    if not isinstance(error, psycopg.Error):
        return type(error).__name__
    place = [
        part for part in (error.diag.table_name, error.diag.column_name, error.diag.constraint_name) if part is not None
    ]
    return " ".join([f"{type(error).__name__} {error.sqlstate or ''}".strip(), *place])
