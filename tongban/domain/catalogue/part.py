"""One object inside an entry, with its place (JSON pointer): each reader gives a value or refuses with that place."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Mapping
from typing import Any, NoReturn, TypeVar

from tongban.domain.catalogue.refusals import InvalidItem
from tongban.domain.catalogue.spans import UNITS

Wanted = TypeVar("Wanted")
_PLAIN = re.compile(r"[a-z0-9][a-z0-9-]{0,63}", re.ASCII)


class Part:
    """An object of an entry at a place. Whatever is read raises InvalidItem where it is not as it must be."""

    def __init__(self, value: object, at: str = "") -> None:
        """`at` is the JSON pointer of the object."""
        self.at = at
        if not isinstance(value, Mapping):
            raise InvalidItem(at=at, problem="an object is required")
        self.value: Mapping[str, Any] = value

    def refuse(self, key: str, problem: str) -> NoReturn:
        """Refuse what stands under a key."""
        raise InvalidItem(at=self.place(key), problem=problem)

    def place(self, key: str | int) -> str:
        """The pointer of a member (RFC 6901)."""
        return f"{self.at}/{str(key).replace('~', '~0').replace('/', '~1')}"

    def has(self, key: str) -> bool:
        """Whether something other than null stands there."""
        return self.value.get(key) is not None

    def only(self, known: Collection[str]) -> None:
        """Refuse members nobody reads: they would be published and mean nothing."""
        for key in self.value:
            if key not in known:
                self.refuse(key, "this member is not known")

    def text(self, key: str) -> str:
        """A text that says something."""
        value = self._get(key, str)
        if not value.strip():
            self.refuse(key, "a text is required")
        return value

    def text_or_none(self, key: str) -> str | None:
        """A text, or nothing."""
        return self.text(key) if self.has(key) else None

    def name(self, key: str) -> str:
        """A code of the catalogue: small letters, digits and hyphens."""
        value = self._get(key, str)
        if not _PLAIN.fullmatch(value):
            self.refuse(key, "small letters, digits and hyphens are required, 64 at most")
        return value

    def flag(self, key: str) -> bool:
        """True or false."""
        return self._get(key, bool)

    def count(self, key: str, *, least: int = 0, most: int = 10_000) -> int:
        """A whole number within bounds."""
        value = self._get(key, int)
        if isinstance(value, bool) or not least <= value <= most:
            self.refuse(key, f"a whole number from {least} to {most} is required")
        return value

    def choice(self, key: str, allowed: Collection[str]) -> str:
        """One of several texts."""
        value = self._get(key, str)
        if value not in allowed:
            self.refuse(key, f"one of {', '.join(sorted(allowed))} is required")
        return value

    def texts(self, key: str, allowed: Collection[str] | None = None) -> tuple[str, ...]:
        """One or more texts, none twice."""
        values = self._get(key, list)
        if not values or not all(isinstance(value, str) and value.strip() for value in values):
            self.refuse(key, "a list of one or more texts is required")
        if len(set(values)) != len(values):
            self.refuse(key, "an entry is repeated")
        if allowed is not None and not set(values) <= set(allowed):
            self.refuse(key, f"each must be one of {', '.join(sorted(allowed))}")
        return tuple(values)

    def part(self, key: str) -> Part:
        """An object."""
        return Part(self._get(key, dict), self.place(key))

    def parts(self, key: str) -> tuple[Part, ...]:
        """A list of objects."""
        place = self.place(key)
        return tuple(Part(value, f"{place}/{number}") for number, value in enumerate(self._get(key, list)))

    def limit(self, key: str) -> Part:
        """A time limit: value from 1 and unit, with whatever else stands there."""
        limit = self.part(key)
        limit.count("value", least=1, most=3_660)
        limit.choice("unit", UNITS)
        return limit

    def none_twice(self, key: str, values: Iterable[str]) -> None:
        """Refuse a list in which something is repeated."""
        values = list(values)
        if len(set(values)) != len(values):
            self.refuse(key, "an entry is repeated")

    def _get(self, key: str, kind: type[Wanted]) -> Wanted:
        value = self.value.get(key)
        if not isinstance(value, kind):
            self.refuse(key, f"a {_KINDS[kind]} is required")
        return value


_KINDS: Mapping[type, str] = {str: "text", bool: "true or false", int: "whole number", list: "list", dict: "object"}
