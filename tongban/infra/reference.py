"""Reference data: departments and licence types; the sample catalogue's items and the published calendars."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any, Literal

import orjson
from pydantic import TypeAdapter, ValidationError
from stdnum.iso7064 import mod_37_36

from tongban.domain.calendar.commands import ImportCalendar

# GB/T 36904: root of the object identifiers of e-licences.
_LICENCE_ROOT = "1.2.156.3005.2"
_FIRST_VERSION = "001"


@dataclass(frozen=True, slots=True)
class Department:
    """A department (委办局) with its unified social credit code."""

    id: str
    name_zh: str
    name_en: str
    uscc: str


@dataclass(frozen=True, slots=True)
class LicenceType:
    """A type of e-licence; `validity_years` None means without end."""

    id: str
    code: str
    name_zh: str
    name_en: str
    department: str
    validity_years: int | None


class Reference:
    """Departments and licence types by id. Implements `commands.ports.LicenceTypes`."""

    def __init__(self, departments: Mapping[str, Department], licence_types: Mapping[str, LicenceType]) -> None:
        """Usually made by `load_reference`."""
        self.departments = departments
        self.licence_types = licence_types

    def validity_years(self, licence_type: str) -> int | None:
        """Whole years a licence of this type is valid; None also for a type that is not in the reference data."""
        known = self.licence_types.get(licence_type)
        return known.validity_years if known else None

    def licence_number(self, licence_type: str, year: int, serial: int) -> str:
        """The identifier of GB/T 36904: root, type, issuer, serial, version, check character (ISO 7064 MOD 37,36)."""
        known = self.licence_types.get(licence_type)
        issuer = self.departments.get(known.department) if known else None
        if known is None or issuer is None:
            return f"{licence_type}.{year}{serial:07d}"
        parts = (known.code, issuer.uscc, f"{year}{serial:07d}", _FIRST_VERSION)
        return ".".join((_LICENCE_ROOT, *parts, mod_37_36.calc_check_digit("".join(parts))))


@cache
def _catalogue() -> Mapping[str, Any]:
    loaded: Mapping[str, Any] = orjson.loads((files("tongban.data") / "catalogue.json").read_bytes())
    return loaded


def load_reference() -> Reference:
    """The departments and licence types of the sample catalogue."""
    catalogue = _catalogue()
    return Reference(
        {d["id"]: Department(d["id"], d["nameZh"], d["nameEn"], d["uscc"]) for d in catalogue["departments"]},
        {
            t["id"]: LicenceType(
                t["id"], t["typeCode"], t["nameZh"], t["nameEn"], t["issuingDepartmentId"], t["defaultValidityYears"]
            )
            for t in catalogue["licenceTypes"]
        },
    )


def sample_bundles() -> Sequence[dict[str, Any]]:
    """Every bundle ("one thing") of the sample catalogue, as PublishBundle takes it; some in two versions."""
    bundles: Sequence[dict[str, Any]] = _catalogue()["composites"]
    return bundles


def sample_items() -> Sequence[dict[str, Any]]:
    """Every item of the sample catalogue, as PublishItem takes it."""
    items: Sequence[dict[str, Any]] = _catalogue()["items"]
    return items


class UnreadableCalendar(Exception):
    """A file is no calendar file; the message says where in it."""


def read_calendars(text: bytes) -> list[ImportCalendar]:
    """The years in a calendar file, `{"calendars": [{"year", "off", "worked", "source"}]}`.

    Raises UnreadableCalendar; whether the days make sense is for the command to say.
    """
    try:
        read = TypeAdapter(dict[Literal["calendars"], tuple[ImportCalendar, ...]]).validate_json(text)
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False, include_context=False)[0]
        place = "".join(f"/{step}" for step in first["loc"])
        raise UnreadableCalendar(f"{place or 'the file'}: {first['msg']}") from None
    if "calendars" not in read:
        raise UnreadableCalendar("/calendars: a list of years is required")
    return list(read["calendars"])


def sample_calendars() -> list[ImportCalendar]:
    """The published calendars that are brought along, 2025 and 2026."""
    return read_calendars((files("tongban.data") / "calendar.json").read_bytes())
