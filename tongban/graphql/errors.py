"""What a query can be refused with. Every error that leaves carries `extensions.code`; unexpected ones are masked."""

from __future__ import annotations

from collections.abc import Sequence

import psycopg
import structlog
from graphql import GraphQLError

from tongban.commands.ports import LogUnavailable
from tongban.domain.errors import DomainError
from tongban.projections.keyset import BadCursor, BadPageSize

log = structlog.get_logger(__name__)

INVALID = "graphql-invalid"  # syntax, validation, or a variable of the wrong type
INTERNAL = "internal-error"


class ReadProblem(Exception):
    """A query cannot be answered as it was asked. `code` is stable; `fields` go into `extensions`."""

    def __init__(self, code: str, message: str, **fields: object) -> None:
        """The message is for people and holds nothing personal."""
        self.code = code
        self.fields = fields
        super().__init__(message)


class NotYetProjected(ReadProblem):
    """The case has not reached the asked version within the time a query waits."""

    def __init__(self, version: int) -> None:
        """`version` is the one that can be seen now; 0 if there is no case to be seen."""
        super().__init__(
            "not-yet-projected",
            "The version asked for cannot be seen yet: ask again in a moment.",
            version=version,
        )


class ReadUnavailable(Exception):
    """Tables or keys cannot be reached now: that is no answer to any part of the query."""


def presentable(errors: Sequence[GraphQLError]) -> list[GraphQLError]:
    """The errors as a client may see them. What was not expected is logged, without values, and masked.

    Raises ReadUnavailable when one of them is that something cannot be reached.
    """
    for error in errors:
        if isinstance(cause := _cause(error), psycopg.OperationalError | LogUnavailable):
            raise ReadUnavailable from cause
    return [_presentable(error) for error in errors]


def _cause(error: GraphQLError) -> Exception | None:
    cause = error.original_error
    while isinstance(cause, GraphQLError) and cause.original_error is not None:
        cause = cause.original_error
    return cause


def _presentable(error: GraphQLError) -> GraphQLError:
    cause = _cause(error)
    if cause is None or isinstance(cause, GraphQLError):
        return _coded(error, error.message, {"code": INVALID, **(error.extensions or {})})
    if isinstance(cause, ReadProblem):
        return _coded(error, str(cause), {"code": cause.code, **cause.fields})
    if isinstance(cause, DomainError):
        return _coded(error, cause.message, {"code": cause.code, **cause.fields})
    if isinstance(cause, BadCursor):
        return _coded(error, str(cause), {"code": "bad-cursor"})
    if isinstance(cause, BadPageSize):
        return _coded(error, str(cause), {"code": "bad-page-size"})
    # Types and places only: the text of an error may hold a personal value.
    place = cause.__traceback__
    while place is not None and place.tb_next is not None:
        place = place.tb_next
    log.error(
        "graphql_field_failed",
        error=type(cause).__qualname__,
        path=[str(part) for part in error.path or ()],
        file=place.tb_frame.f_code.co_filename.rpartition("/")[2] if place else None,
        line=place.tb_lineno if place else None,
    )
    return _coded(error, "This could not be read; it has been logged.", {"code": INTERNAL})


def _coded(error: GraphQLError, message: str, extensions: dict[str, object]) -> GraphQLError:
    return GraphQLError(
        message,
        nodes=error.nodes,
        source=error.source,
        positions=error.positions,
        path=error.path,
        extensions=extensions,
    )
