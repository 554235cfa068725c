"""Reading a catalogue entry: the parts of a service item's definition that decisions rest on."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, TypeVar

from tongban.domain.errors import RuleBroken

Wanted = TypeVar("Wanted")

PROMISED = "2"  # 办件类型 (GB/T 39046): 1 即办件, 2 承诺件, 9 other


class InvalidItem(RuleBroken):
    """The item's definition is not complete or not consistent; `at` says where (JSON pointer)."""

    zh = "事项定义不完整或不一致。"


@dataclass(frozen=True, slots=True)
class ItemDefinition:
    """What a case needs of the item version it is filed under.

    `lead` decides; `branches` each give an opinion, side by side; `promised` is 承诺件 (case type 2), where the officer
    who accepted may not decide.
    """

    id: str
    name_zh: str
    name_en: str
    lead: str
    branches: tuple[str, ...]
    promised: bool
    licence_type: str | None
    materials: frozenset[str]
    serves: frozenset[str]


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


def check_item(entry: Mapping[str, Any]) -> None:
    """Refuse a definition that a case could not be decided on. Raises InvalidItem at the first place that is wrong."""
    for key in ("id", "nameZh", "nameEn", "departmentId"):
        _get(entry, key, str, "")
    _texts(_get(entry, "reviewBranches", dict, ""), "departments", "/reviewBranches")
    _get(_get(entry, "caseType", dict, ""), "code", str, "/caseType")
    _check_materials(entry)
    _texts(entry, "serviceObjects", "")
    licence_type = entry.get("resultLicenceTypeId")
    if licence_type is not None and not isinstance(licence_type, str):
        raise InvalidItem(at="/resultLicenceTypeId", problem="a text or null is required")


def read_item(entry: Mapping[str, Any]) -> ItemDefinition:
    """Read a published entry. It was checked when it was published, so nothing is refused here."""
    return ItemDefinition(
        id=entry["id"],
        name_zh=entry["nameZh"],
        name_en=entry["nameEn"],
        lead=entry["departmentId"],
        branches=tuple(entry["reviewBranches"]["departments"]),
        promised=entry["caseType"]["code"] == PROMISED,
        licence_type=entry.get("resultLicenceTypeId"),
        materials=frozenset(material["materialId"] for material in entry["materials"]),
        serves=frozenset(entry["serviceObjects"]),
    )
