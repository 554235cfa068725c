"""The mandate that a command names."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from tongban.commands.handling import Asked
from tongban.domain.authority import NO_MANDATE
from tongban.domain.mandate.state import MANDATE, Mandate


def named_by(command: Any) -> tuple[UUID, ...]:
    """The stream of the mandate that a command names, if it names one."""
    mandate = getattr(command, "mandate", None)
    return () if mandate is None else (mandate,)


def mandate_of(asked: Asked, named: UUID | None) -> Mandate:
    """The mandate that was named, which the handler must have read."""
    mandate: Mandate = asked.other(named, MANDATE) if named else NO_MANDATE
    return mandate
