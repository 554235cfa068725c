"""Which field of an event is whose personal data.

An event declares `form: Annotated[PersonalObject, Personal("applicant")]`; the codec then seals the field under the key
of the person named by the event's `applicant` field, and nothing of it stands in clear in the store or on a topic.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from functools import cache
from typing import Any, Protocol, get_type_hints


@dataclass(frozen=True, slots=True)
class Personal:
    """Marks a field as personal data of the person whose party id stands in the field `subject`."""

    subject: str


class Withheld:
    """Stands in the place of a personal value that was not unsealed, or whose key was destroyed (`erased`)."""

    __slots__ = ("erased",)

    def __init__(self, *, erased: bool = False) -> None:
        """Say whether the value can still be unsealed by someone who may."""
        self.erased = erased

    def __repr__(self) -> str:
        """Never shows a value."""
        return "ERASED" if self.erased else "WITHHELD"


WITHHELD = Withheld()
ERASED = Withheld(erased=True)

PersonalText = str | Withheld
PersonalObject = dict[str, Any] | Withheld


@cache
def personal_fields(event_type: type) -> dict[str, str]:
    """Field name → name of the field that holds the person's id, for each personal field of an event class."""
    hints = get_type_hints(event_type, include_extras=True)
    found: dict[str, str] = {}
    for field in fields(event_type):
        for mark in getattr(hints[field.name], "__metadata__", ()):
            if isinstance(mark, Personal):
                found[field.name] = mark.subject
    return found


class Unsealer(Protocol):
    """Opens sealed boxes; given only to what may show or reuse personal data."""

    def unseal(self, boxes: Sequence[Mapping[str, Any]]) -> list[dict[str, Any] | None]:
        """The fields in each box (field name → value), in order; None where the person's key was destroyed."""
        ...
