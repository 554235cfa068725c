"""The form of a body: a pydantic model made from a dataclass of the domain, which stays free of pydantic.

In: a dataclass of fields that JSON can say (text, whole numbers, UUID, date, enums, lists, free objects, other such
dataclasses). Out: a model that reads JSON strictly, knows no other member, and bounds what the domain leaves unbounded.
"""

from __future__ import annotations

from dataclasses import MISSING, fields, is_dataclass
from datetime import date
from functools import cache
from types import NoneType, UnionType
from typing import Annotated, Any, Union, cast, get_args, get_origin, get_type_hints

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, create_model

FREE_TEXT = frozenset({"text", "reason", "remedy", "name"})
FREE_TEXT_LENGTH = 10_000
SHORT_TEXT_LENGTH = 100
LIST_LENGTH = 1_000
# Outside these a year added to a date, or its offset taken from a time, leaves what a date can say.
EARLIEST, LATEST = date(1900, 1, 1), date(2999, 12, 31)


@cache
def form_of(body: type) -> type[BaseModel]:
    """The model of a command's dataclass."""
    hints = get_type_hints(body)
    members: dict[str, Any] = {}
    for field in fields(body):
        hint = _bounded(field.name, hints[field.name])
        alias = field.name.removesuffix("_")  # `from_`: a member may bear a name that Python keeps for itself
        if field.default_factory is not MISSING:
            members[field.name] = (hint, Field(default_factory=field.default_factory, alias=alias))
        elif field.default is MISSING:
            members[field.name] = (hint, Field(alias=alias))
        else:
            members[field.name] = (hint, Field(default=field.default, alias=alias))
    config = ConfigDict(extra="forbid", strict=True, hide_input_in_errors=True)
    doc = " ".join((body.__doc__ or "").split())
    return cast("type[BaseModel]", create_model(body.__name__, __config__=config, __doc__=doc, **members))


def build(body: type, form: BaseModel) -> Any:
    """The dataclass that a form was filled in for."""
    return body(**form.__dict__)


def _bounded(name: str, hint: Any) -> Any:
    """The type of a form's field: the dataclass's own, bounded, and forms in place of dataclasses inside it."""
    origin = get_origin(hint)
    if origin in (Union, UnionType):
        inner = [part for part in get_args(hint) if part is not NoneType]
        assert len(inner) == 1, f"{name}: a body's field can be optional, not one of several types"
        return _bounded(name, inner[0]) | None
    if origin is tuple:
        # A type that is made at run time.
        return Annotated[tuple[_bounded(name, get_args(hint)[0]), ...], Field(max_length=LIST_LENGTH)]  # type: ignore[misc]
    if hint is str:
        return Annotated[str, Field(max_length=FREE_TEXT_LENGTH if name in FREE_TEXT else SHORT_TEXT_LENGTH)]
    if hint is date:
        return Annotated[date, Field(ge=EARLIEST, le=LATEST)]
    if is_dataclass(hint) and isinstance(hint, type):
        inside = hint
        return Annotated[form_of(inside), AfterValidator(lambda form: build(inside, form))]
    return hint
