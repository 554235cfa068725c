"""Reading a catalogue entry: the parts of a service item's definition that decisions rest on.

In: an entry as it was published, also of a release that asked for fewer fields. Out: what it says, with what the law
sets where it says nothing. Whether an entry may be published is asked in `checks`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from tongban.domain.catalogue import defaults

IMMEDIATE = "1"
PROMISED = "2"  # 办件类型 (GB/T 39046): 1 即办件, 2 承诺件, 9 other


@dataclass(frozen=True, slots=True)
class MaterialName:
    """What a material is called."""

    zh: str
    en: str


@dataclass(frozen=True, slots=True)
class ItemDefinition:
    """What a case needs of the item version it is filed under.

    `lead` decides; `branches` each give an opinion, side by side; `promised` is 承诺件 (case type 2), where the officer
    who accepted may not decide. `visits` is how often the applicant has to come, `before` what the item took before it
    was reformed (materials, workingDays, visits, inspections: what is known of them). `in_person`: the law wants the
    applicant to come himself (行政许可法 art. 29). `questions` are put to the applicant; `conditions` (by material) and
    `inspection_condition` hang on the answers; `bases` is the law behind each material.

    `terms` is the JSON object a case carries along from its filing on: `legal`, `promised`, `extension` (value, unit,
    basis, or null), `correction`, `applicant_correction`, `tolerant` (value, unit), `accepted_on_filing`, `materials`
    (id → necessity, exempt_by, licence_type), `inspection`, `commitment` (check_within), `immediate`, `procedures`,
    `fee` (amount, currency), `city_wide`, `delivery`, and where its own law says so `withdraw_until` (ISSUE).
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
    material_names: Mapping[str, MaterialName] = field(default_factory=dict)
    visits: int = 0
    before: Mapping[str, Any] = field(default_factory=dict)
    questions: tuple[Mapping[str, Any], ...] = ()
    conditions: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    inspection_condition: Mapping[str, Any] | None = None
    bases: Mapping[str, str] = field(default_factory=dict)
    terms: dict[str, Any] = field(default_factory=dict)
    in_person: bool = False


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
        material_names={material["materialId"]: _name(material) for material in entry["materials"]},
        visits=entry.get("visits") or 0,
        before=entry.get("before") or {},
        questions=tuple(entry.get("questions") or ()),
        conditions={
            material["materialId"]: material["condition"]
            for material in entry["materials"]
            if material.get("condition") is not None
        },
        inspection_condition=entry.get("inspectionCondition"),
        bases={
            material["materialId"]: basis
            for material in entry["materials"]
            if (basis := material.get("basis") or entry.get("materialsBasis"))
        },
        terms=_terms(entry),
        in_person=bool(entry.get("inPerson")),
    )


def _name(material: Mapping[str, Any]) -> MaterialName:
    identity = material["materialId"]
    return MaterialName(zh=material.get("nameZh") or identity, en=material.get("nameEn") or identity)


def _terms(entry: Mapping[str, Any]) -> dict[str, Any]:
    own = entry.get("clockRules") or {}
    tolerant = entry.get("tolerantAcceptance") or any(m.get("necessity") == "TOLERABLE" for m in entry["materials"])
    commitment = entry.get("commitment") or {}
    return {
        "legal": _limit(entry.get("legalTimeLimit")) or _general_limit(entry),
        "promised": _limit(entry.get("promisedTimeLimit")),
        "extension": _extension(entry.get("extension") or {}),
        "accepted_on_filing": bool(own.get("acceptedOnFiling", defaults.ACCEPTED_ON_FILING)),
        "correction": _span(own.get("correction") or defaults.CORRECTION),
        "applicant_correction": _span(own.get("applicantCorrection") or defaults.APPLICANT_CORRECTION),
        "materials": {
            material["materialId"]: {
                "necessity": material.get("necessity", "REQUIRED"),
                "exempt_by": material.get("exemptBy", "NONE"),
                "licence_type": material.get("licenceTypeId"),
            }
            for material in entry["materials"]
        },
        "tolerant": _span(own.get("tolerant") or defaults.TOLERANT) if tolerant else None,
        "inspection": bool(entry.get("onSiteInspection", False)),
        "commitment": (
            {"check_within": _span(commitment.get("checkWithin") or defaults.COMMITMENT_CHECK)}
            if commitment.get("eligible")
            else None
        ),
        "immediate": entry["caseType"]["code"] == IMMEDIATE,
        "procedures": [procedure["type"] for procedure in entry.get("specialProcedures") or []],
        "fee": _fee(entry.get("fee") or {}),
        "city_wide": bool(entry.get("cityWide", False)),
        "delivery": list(entry.get("delivery") or defaults.DELIVERY),
        **({"withdraw_until": own["withdrawUntil"]} if own.get("withdrawUntil") else {}),
    }


def _span(limit: Mapping[str, Any]) -> dict[str, Any]:
    return {"value": limit["value"], "unit": limit["unit"]}


def _limit(limit: Mapping[str, Any] | None) -> dict[str, Any] | None:
    # Where no law is named, what is named is where the figure comes from.
    return None if limit is None else _span(limit) | {"basis": limit.get("basis") or limit.get("source")}


def _general_limit(entry: Mapping[str, Any]) -> dict[str, Any] | None:
    licensing = (entry.get("itemType") or {}).get("code") == defaults.LICENSING
    return dict(defaults.DECISION) if licensing else None


def _extension(extension: Mapping[str, Any]) -> dict[str, Any] | None:
    if not extension.get("allowed"):
        return None
    return {"value": extension["maxDays"], "unit": extension["unit"], "basis": extension.get("basis")}


def _fee(fee: Mapping[str, Any]) -> dict[str, Any] | None:
    # A fee without an amount is one the provider works out for each case (an insurance premium).
    if not fee.get("charged"):
        return None
    return {"amount": fee.get("amount"), "currency": fee.get("currency", defaults.CURRENCY)}
