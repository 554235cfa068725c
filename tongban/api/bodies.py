"""Bytes of a request's body to a command, or a 400 that points at what is wrong in them (RFC 6901).

What is refused here cannot be said in the event format or is no command at all; whether the command makes sense is
the domain's to say.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime
from hashlib import sha256
from typing import Any

import orjson
from pydantic import BaseModel, ValidationError

from tongban.api.forms import EARLIEST, FREE_TEXT_LENGTH, LATEST, SHORT_TEXT_LENGTH, build, form_of
from tongban.api.limits import COMMAND_BODY
from tongban.api.problems import BODY_TOO_LARGE, INVALID_BODY, INVALID_JSON, Problem

DEPTH = 32
LARGEST_NUMBER = 2.0**63
_MOST_TOLD = 20
_RFC3339 = re.compile(
    r"\d{4}-\d\d-\d\d[Tt]([01]\d|2[0-3]):[0-5]\d:[0-5]\d(\.\d{1,9})?([Zz]|[+-]([01]\d|2[0-3]):[0-5]\d)",
    re.ASCII,
)


@dataclass(frozen=True, slots=True)
class Body:
    """A body that was read: the domain's command, when it is to take effect, and the digest of what was asked."""

    command: Any
    effective_at: datetime | None
    fingerprint: bytes


class _Wrong(Exception):
    """Something inside a value; `path` is built from the inside out."""

    def __init__(self, problem: str) -> None:
        super().__init__(problem)
        self.problem = problem
        self.path: list[str | int] = []


class BodyReader:
    """Reads the bodies of one command."""

    def __init__(self, name: str, body: type) -> None:
        """Make the form of `body`, which takes a while; reading is fast."""
        self._prefix = name.encode() + b"\n"
        self._body = body
        self._form: type[BaseModel] = form_of(body)
        self.members = tuple(field.alias or name for name, field in self._form.model_fields.items())

    def read(self, raw: bytes) -> Body:
        """Raises Problem: 400 naming each place that is wrong, never a value found there; 413 for too large a body."""
        return self.take(load_object(raw))

    def take(self, members: dict[str, Any]) -> Body:
        """The same for a body that was parsed already."""
        _check_all(members)
        # Sorted members: the same request spelt otherwise is still the same request to its idempotency key.
        canonical = orjson.dumps(members, option=orjson.OPT_SORT_KEYS)
        # `1e15` grows fourfold when it is written again; found out later, it would cost all others of its batch.
        if len(canonical) > COMMAND_BODY:
            raise Problem(BODY_TOO_LARGE, f"Written out, it is larger than {COMMAND_BODY} bytes.", limit=COMMAND_BODY)
        fingerprint = sha256(self._prefix + canonical).digest()
        effective_at = None
        if "effective_at" in members:
            effective_at = _effective_at(members.pop("effective_at"))
            canonical = orjson.dumps(members)
        try:
            form = self._form.model_validate_json(canonical)
        except ValidationError as error:
            raise _invalid(error) from None
        return Body(build(self._body, form), effective_at, fingerprint)


def pointer(path: list[str | int] | tuple[str | int, ...]) -> str:
    """A JSON pointer (RFC 6901)."""
    return "".join("/" + str(step).replace("~", "~0").replace("/", "~1") for step in path)


def load_object(raw: bytes) -> dict[str, Any]:
    """The JSON object in a body. Raises Problem (400)."""
    try:
        # Takes RFC 8259 only: no NaN, no lone surrogate, no invalid UTF-8, no byte order mark.
        value = orjson.loads(raw)
    except orjson.JSONDecodeError as error:
        raise Problem(INVALID_JSON, f"{error.msg} at character {error.pos}.", pointer="") from None
    return need_object(value)


def need_object(value: object) -> dict[str, Any]:
    """The value, which must be an object. Raises Problem (400)."""
    if not isinstance(value, dict):
        raise wrong_at((), "an object is required")
    return value


def _check_all(members: dict[str, Any]) -> None:
    try:
        _check(members, 1)
    except _Wrong as wrong:
        raise wrong_at(tuple(wrong.path), wrong.problem) from None


def _check(value: Any, depth: int) -> None:
    """Refuse what neither PostgreSQL nor another reader of the events could keep as it is."""
    kind = type(value)
    if kind is str:
        if len(value) > FREE_TEXT_LENGTH:
            raise _Wrong(f"a text may have {FREE_TEXT_LENGTH} characters")
        if "\0" in value:
            raise _Wrong("a text may not contain U+0000")
    elif kind is dict:
        if depth > DEPTH:
            raise _Wrong(f"more than {DEPTH} levels of nesting")
        for name, member in value.items():
            if len(name) > SHORT_TEXT_LENGTH or "\0" in name:
                raise _Wrong(f"a member's name has at most {SHORT_TEXT_LENGTH} characters, none of them U+0000")
            try:
                _check(member, depth + 1)
            except _Wrong as wrong:
                wrong.path.insert(0, name)
                raise
    elif kind is list:
        if depth > DEPTH:
            raise _Wrong(f"more than {DEPTH} levels of nesting")
        for index, member in enumerate(value):
            try:
                _check(member, depth + 1)
            except _Wrong as wrong:
                wrong.path.insert(0, index)
                raise
    elif (kind is float or kind is int) and not -LARGEST_NUMBER < value < LARGEST_NUMBER:
        # A whole number past 64 bits was read as the nearest float: it would change silently.
        raise _Wrong("a number must be smaller than 2^63")


def _effective_at(value: object) -> datetime | None:
    if value is None:
        return None
    if not isinstance(value, str) or not _RFC3339.fullmatch(value):
        raise wrong_at(
            ("effective_at",),
            "an RFC 3339 time with its offset is required, such as 2026-03-02T09:30:00+08:00",
        )
    try:
        moment = datetime.fromisoformat(value.upper())
    except ValueError:
        moment = None
    if moment is None or not EARLIEST <= moment.date() <= LATEST:
        raise wrong_at(("effective_at",), f"a day that exists, from {EARLIEST} to {LATEST}, is required")
    return moment.astimezone(UTC)


def wrong_at(path: tuple[str | int, ...], problem: str) -> Problem:
    """The problem (400) of one place in a body."""
    where = pointer(path)
    return Problem(
        INVALID_BODY,
        f"{where or 'the body'}: {problem}.",
        pointer=where,
        errors=[{"pointer": where, "detail": problem}],
    )


def _invalid(error: ValidationError) -> Problem:
    told = error.errors(include_url=False, include_input=False, include_context=False)[:_MOST_TOLD]
    errors = [{"pointer": pointer(each["loc"]), "detail": each["msg"]} for each in told]
    first = errors[0]
    return Problem(INVALID_BODY, f"{first['pointer']}: {first['detail']}.", pointer=first["pointer"], errors=errors)
