"""Whether an entry may be published: complete, consistent, lawful. What is not known is refused.

In: an entry as docs/catalogue.md describes it. Out: nothing, or a refusal that says where (`at`, a JSON pointer).
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from tongban.domain.catalogue import codes, defaults
from tongban.domain.catalogue.part import Part
from tongban.domain.catalogue.questions import Question, check_condition, check_questions
from tongban.domain.catalogue.refusals import (
    CatchAllCondition,
    CommitmentExcluded,
    FeeWithoutBasis,
    InvalidItem,
    MaterialWithoutBasis,
    PromiseOverLegal,
)
from tongban.domain.catalogue.spans import within
from tongban.domain.rules import ART_45, OVERRIDES

KNOWN = frozenset(
    (
        *("id", "nameZh", "nameEn", "itemCode", "baseCode", "handlingItemCode", "codeSource", "itemType", "caseType"),
        *("departmentId", "exerciseLevel", "serviceObjects", "legalBasis", "legalTimeLimit", "promisedTimeLimit"),
        *("extension", "clockRules", "acceptanceConditions", "questions", "materials", "materialsBasis", "visits"),
        *(
            "cityWide",
            "onlineDepth",
            "fullyOnline",
            "inPerson",
            "delivery",
            "commitment",
            "risks",
            "tolerantAcceptance",
        ),
        *("onSiteInspection", "inspectionCondition", "specialProcedures", "fee", "resultLicenceTypeId", "before"),
        *("reviewBranches", "sources", "notes"),
    )
)
"""The members of an entry. `codeSource`, `sources` and `notes` are for people and are not looked at."""

ITEM_TYPES = frozenset({"01", "05", "07", "08", "09", "10", "20"})  # those that are handled on application
CASE_TYPES = frozenset({"1", "2", "9"})
IMMEDIATE = "1"
SERVICE_OBJECTS = frozenset(
    {"NATURAL_PERSON", "LEGAL_PERSON", "INSTITUTION", "SOCIAL_ORGANISATION", "GOVERNMENT_BODY", "OTHER_ORGANISATION"}
)
SOURCES = frozenset({"APPLICANT", "GOV_ISSUED", "OTHER"})
NECESSITIES = frozenset({"REQUIRED", "CONDITIONAL", "OPTIONAL", "TOLERABLE"})
EXEMPTIONS = frozenset({"E_LICENCE", "DATA_SHARING", "COMMITMENT", "ONLINE_AUTHORISATION", "FORM_PREFILL", "NONE"})
MATERIAL_FORMS = frozenset({"ORIGINAL", "COPY", "ELECTRONIC"})
RISKS = frozenset({"PUBLIC_SAFETY", "ECOLOGY", "HEALTH", "LIFE_AND_PROPERTY"})
ON_BREACH = frozenset({"ORDER_RECTIFY", "REVOKE", "CREDIT_RECORD"})
# An on-site check is not among them: it stops nothing.
PROCEDURES = ART_45.union(*(override.stops for override in OVERRIDES.values()))
WITHDRAW_UNTIL = frozenset({"DECISION", "ISSUE"})
_ONE_WORKING_DAY: Mapping[str, Any] = {"value": 1, "unit": "WORKING_DAY"}
_FEEDBACK_ONLINE = 6  # 网上办理深度 6: the result, too, is told online
_AMOUNT = re.compile(r"(0|[1-9]\d{0,8})\.\d\d", re.ASCII)
_CATCH_ALL = re.compile(
    r"(其他|其它|相关)(相关|有关|必要)?的?(申请|证明)?(材料|资料|文件|证件|证明|条件|要求)|等(相关|有关|其他)?(材料|资料|文件|证件|证明|条件)"
    r"|等(等)?[\s。;；,，、)）]*$|认为(需要|必要|应当)"
    r"|\b(other|further|additional|any)( \w+)? (documents?|materials?|papers?|conditions?|proofs?)\b"
    r"|\betc\b|\band so on\b|\bas (is |are )?(required|requested|necessary)\b",
    re.IGNORECASE,
)


def item_id_of(entry: object) -> str:
    """The id of an entry, which is all that a draft of it needs. Raises InvalidItem."""
    return Part(entry).name("id")


def check_item(definition: object) -> None:
    """Refuse a definition that is not complete, not consistent or not lawful, at the first place that is wrong.

    Raises InvalidItem for its form, and a refusal of its own for each rule of law.
    """
    entry = Part(definition)
    entry.only(KNOWN)
    _check_names(entry)
    _check_limits(entry)
    questions = check_questions(entry)
    for number, condition in enumerate(entry.texts("acceptanceConditions")):
        _named(condition, f"/acceptanceConditions/{number}")
    _check_materials(entry, questions)
    _check_ways(entry)
    _check_inspection(entry, questions)
    _check_commitment(entry)
    _check_fee(entry)


def _check_names(entry: Part) -> None:
    entry.name("id")
    entry.text("nameZh")
    entry.text("nameEn")
    item_type = entry.part("itemType").choice("code", ITEM_TYPES)
    entry.part("caseType").choice("code", CASE_TYPES)
    level = entry.choice("exerciseLevel", frozenset("1234567"))
    base_code, item_code = entry.text("baseCode"), entry.text("itemCode")
    for key, problem in (
        ("baseCode", codes.base_code_problem(base_code, item_type)),
        ("itemCode", codes.item_code_problem(item_code, base_code, level)),
        (
            "handlingItemCode",
            codes.handling_code_problem(entry.text("handlingItemCode"), item_code)
            if entry.has("handlingItemCode")
            else None,
        ),
    ):
        if problem:
            entry.refuse(key, problem)
    entry.name("departmentId")
    entry.part("reviewBranches").texts("departments")
    entry.texts("serviceObjects", SERVICE_OBJECTS)
    _check_ground(entry)
    if entry.has("resultLicenceTypeId"):
        entry.name("resultLicenceTypeId")


def _check_ground(entry: Part) -> None:
    """设定依据: the law that sets the item, else at least the sources the entry was written from."""
    entry.texts("legalBasis" if entry.has("legalBasis") or not entry.has("sources") else "sources")


def _has_basis(part: Part, entry: Part) -> bool:
    """Whether a part stands on law of its own.

    An entry that names its sources instead of its law, part by part, stands on them as a whole; what says in so many
    words that it has no basis has none there either.
    """
    if part.text_or_none("basis") is not None:
        return True
    return "basis" not in part.value and not entry.has("legalBasis")


def _check_limits(entry: Part) -> None:
    promised = entry.limit("promisedTimeLimit")
    if entry.has("legalTimeLimit"):
        legal = entry.limit("legalTimeLimit")
        legal.text("basis")
        if not within(promised.value, legal.value):
            raise PromiseOverLegal(at=promised.at, promised=_said(promised), legal=_said(legal))
    elif entry.part("itemType").value["code"] == defaults.LICENSING and not within(promised.value, defaults.DECISION):
        legal_limit = f"{defaults.DECISION['value']} {defaults.DECISION['unit']}"
        raise PromiseOverLegal(at=promised.at, promised=_said(promised), legal=legal_limit)
    if entry.part("caseType").value["code"] == IMMEDIATE and not within(promised.value, _ONE_WORKING_DAY):
        entry.refuse("promisedTimeLimit", "an immediate item is promised for one working day at most")
    extension = entry.part("extension")
    extension.only({"allowed", "maxDays", "unit", "approver", "basis", "note"})
    if extension.flag("allowed"):
        if not entry.has("legalTimeLimit"):
            entry.refuse("extension", "without a legal limit there is nothing to extend")
        extension.count("maxDays", least=1)
        extension.choice("unit", {"WORKING_DAY", "CALENDAR_DAY"})
        extension.text("basis")
    if entry.has("clockRules"):
        _check_clock_rules(entry.part("clockRules"))


def _check_clock_rules(rules: Part) -> None:
    rules.only({"acceptedOnFiling", "correction", "applicantCorrection", "tolerant", "withdrawUntil", "basis"})
    rules.text("basis")
    if rules.has("acceptedOnFiling"):
        rules.flag("acceptedOnFiling")
    if rules.has("withdrawUntil"):
        rules.choice("withdrawUntil", WITHDRAW_UNTIL)
    for key in ("correction", "applicantCorrection", "tolerant"):
        if rules.has(key):
            rules.limit(key)
    if rules.has("correction") and not within(rules.value["correction"], defaults.CORRECTION):
        legal = f"{defaults.CORRECTION['value']} {defaults.CORRECTION['unit']}"
        raise PromiseOverLegal(at=rules.place("correction"), promised=_said(rules.part("correction")), legal=legal)


def _said(limit: Part) -> str:
    return f"{limit.value['value']} {limit.value['unit']}"


def _check_materials(entry: Part, questions: Mapping[str, Question]) -> None:
    entry.flag("tolerantAcceptance")
    materials = entry.parts("materials")
    shared_basis = entry.text_or_none("materialsBasis")
    for material in materials:
        material.only(
            (
                *("materialId", "nameZh", "nameEn", "sourceType", "sourceTypeZh", "necessity", "submitRequired"),
                *(
                    "exemptBy",
                    "licenceTypeId",
                    "basis",
                    "condition",
                    "form",
                    "copies",
                    "standard",
                    "blankForm",
                    "sample",
                ),
            )
        )
        material.name("materialId")
        for key in ("nameZh", "nameEn"):
            _named(material.text(key), material.place(key))
        material.choice("sourceType", SOURCES)
        _check_exemption(material)
        material.choice("necessity", NECESSITIES)
        if material.has("condition"):
            check_condition(material, "condition", questions)
        for key in ("standard", "blankForm", "sample"):
            if material.has(key):
                _named(material.text(key), material.place(key))
        if material.has("form"):
            material.choice("form", MATERIAL_FORMS)
        if material.has("copies"):
            material.count("copies", least=1, most=20)
        if shared_basis is None and not _has_basis(material, entry):
            raise MaterialWithoutBasis(at=material.place("basis"), material=material.value["materialId"])
    entry.none_twice("materials", (material.value["materialId"] for material in materials))
    entry.none_twice("materials", (material.value["nameZh"] for material in materials))


def _check_exemption(material: Part) -> None:
    by_licence = material.choice("exemptBy", EXEMPTIONS) == "E_LICENCE"
    if by_licence:
        material.name("licenceTypeId")
    elif material.has("licenceTypeId"):
        material.refuse("licenceTypeId", "only a material that an e-licence replaces names its type")


def _named(text: str, at: str) -> None:
    if _CATCH_ALL.search(text):
        raise CatchAllCondition(at=at)


def _check_ways(entry: Part) -> None:
    visits = entry.count("visits", most=20)
    depth = entry.count("onlineDepth", least=1, most=7)
    entry.flag("cityWide")
    if entry.has("inPerson"):
        entry.flag("inPerson")
    if entry.flag("fullyOnline") and (visits or depth < _FEEDBACK_ONLINE):
        entry.refuse("fullyOnline", f"fully online means no visit, and online depth {_FEEDBACK_ONLINE} or 7")
    if entry.has("delivery"):
        entry.texts("delivery", defaults.DELIVERY)
    if entry.has("before"):
        for key, figure in entry.part("before").value.items():
            if (
                isinstance(figure, bool)
                or not isinstance(figure, int | str)
                or (isinstance(figure, int) and figure < 0)
            ):
                raise InvalidItem(at=f"/before/{key}", problem="a figure or a text is required")


def _check_inspection(entry: Part, questions: Mapping[str, Question]) -> None:
    inspected = entry.flag("onSiteInspection")
    if entry.has("inspectionCondition"):
        if not inspected:
            entry.refuse("inspectionCondition", "the item has no on-site inspection")
        check_condition(entry, "inspectionCondition", questions)
    procedures = entry.parts("specialProcedures")
    for procedure in procedures:
        procedure.only({"type", "nameZh", "stopsClock", "maxDuration", "basis"})
        procedure.choice("type", PROCEDURES)
        procedure.text("basis")
        if procedure.has("stopsClock"):
            procedure.flag("stopsClock")
        if procedure.has("maxDuration"):
            procedure.limit("maxDuration")
    entry.none_twice("specialProcedures", (procedure.value["type"] for procedure in procedures))


def _check_commitment(entry: Part) -> None:
    risks = entry.texts("risks", RISKS) if entry.value.get("risks") else ()
    commitment = entry.part("commitment")
    commitment.only({"eligible", "checkWithin", "onBreach", "basis", "checkSource"})
    if not commitment.flag("eligible"):
        return
    if commitment.has("checkWithin"):
        commitment.limit("checkWithin")
    if commitment.has("onBreach"):
        commitment.texts("onBreach", ON_BREACH)
    immediate = entry.part("caseType").value["code"] == IMMEDIATE
    if (risks or immediate) and commitment.text_or_none("basis") is None:
        raise CommitmentExcluded(at=commitment.at, risks=risks, immediate=immediate)


def _check_fee(entry: Part) -> None:
    fee = entry.part("fee")
    fee.only({"charged", "amount", "currency", "basis"})
    if not fee.flag("charged"):
        return
    if not _has_basis(fee, entry):
        raise FeeWithoutBasis(at=fee.place("basis"))
    if fee.has("amount") and not _AMOUNT.fullmatch(fee.text("amount")):
        fee.refuse("amount", "an amount with two decimals is required, or none where it is worked out for each case")
    if fee.has("currency"):
        fee.choice("currency", {defaults.CURRENCY})
