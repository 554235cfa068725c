"""Whether an entry may be published: complete, consistent, lawful."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeVar

from tongban.domain.catalogue.refusals import InvalidItem

Wanted = TypeVar("Wanted")


def _get(source: Mapping[str, Any], key: str, kind: type[Wanted], at: str) -> Wanted:
    value = source.get(key)
    if not isinstance(value, kind) or (kind is str and not value):
        raise InvalidItem(at=f"{at}/{key}", problem=f"a {kind.__name__} is required")
    return value


def _texts(source: Mapping[str, Any], key: str, at: str) -> tuple[str, ...]:
    values = _get(source, key, list, at)
    if not values or not all(isinstance(value, str) and value for value in values):
        raise InvalidItem(at=f"{at}/{key}", problem="a list of one or more texts is required")
    if len(set(values)) != len(values):
        raise InvalidItem(at=f"{at}/{key}", problem="an entry is repeated")
    return tuple(values)


def _check_materials(entry: Mapping[str, Any]) -> None:
    names: list[str] = []
    for number, material in enumerate(_get(entry, "materials", list, "")):
        if not isinstance(material, Mapping):
            raise InvalidItem(at=f"/materials/{number}", problem="an object is required")
        names.append(_get(material, "materialId", str, f"/materials/{number}"))
    if len(set(names)) != len(names):
        raise InvalidItem(at="/materials", problem="a materialId is repeated")


def item_id_of(entry: Mapping[str, Any]) -> str:
    """The id of an entry, which is all that a draft of it needs. Raises InvalidItem."""
    return _get(entry, "id", str, "")


def check_item(entry: Mapping[str, Any]) -> None:
    """Refuse a definition that a case could not be decided on. Raises InvalidItem at the first place that is wrong."""
    for key in ("id", "nameZh", "nameEn", "departmentId"):
        _get(entry, key, str, "")
    _texts(_get(entry, "reviewBranches", dict, ""), "departments", "/reviewBranches")
    _get(_get(entry, "caseType", dict, ""), "code", str, "/caseType")
    _check_materials(entry)
    _texts(entry, "serviceObjects", "")
    for key in ("inPerson", "cityWide"):
        if not isinstance(entry.get(key, False), bool):
            raise InvalidItem(at=f"/{key}", problem="true or false is required")
    licence_type = entry.get("resultLicenceTypeId")
    if licence_type is not None and not isinstance(licence_type, str):
        raise InvalidItem(at="/resultLicenceTypeId", problem="a text or null is required")
