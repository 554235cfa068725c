"""What an operator can mend: said in one line by the command line."""

from __future__ import annotations

import psycopg
from pydantic import ValidationError

from tongban.commands.ports import LogUnavailable
from tongban.consumers.rebuild import RebuildRefused
from tongban.domain.errors import DomainError
from tongban.infra.issuer import IssuerRefused
from tongban.infra.read_access import ReaderTooPowerful
from tongban.infra.secrets import BrokenSecret
from tongban.infra.settings import Settings
from tongban.infra.sources.registry import BadSources
from tongban.infra.tokens import TokenRefused
from tongban.infra.topics import TopicsUnusable


class NotConfigured(Exception):
    """Something that this command needs is not named; the message says what and how to name it."""


OPERATOR_ERRORS: tuple[type[Exception], ...] = (
    NotConfigured,
    psycopg.Error,
    LogUnavailable,
    BrokenSecret,
    BadSources,
    IssuerRefused,
    TokenRefused,
    TopicsUnusable,
    RebuildRefused,
    ReaderTooPowerful,
    ValidationError,
    DomainError,
)


def one_line(error: Exception) -> str:
    """What is wrong, in one line for an operator."""
    if isinstance(error, ValidationError):  # of the settings: nothing else is validated before a command begins
        found = error.errors()[0]
        return f"TONGBAN_{'_'.join(map(str, found['loc'])).upper()} is not usable: {found['msg']}"
    lines = str(error).strip().splitlines()
    return lines[0] if lines else type(error).__name__


def need_database(settings: Settings) -> None:
    """Refuse to go on without a database. Raises NotConfigured."""
    if not settings.database_url:
        raise NotConfigured(
            "no database is named: set TONGBAN_DATABASE_URL, or let `tongban up` run in this data folder"
        )
