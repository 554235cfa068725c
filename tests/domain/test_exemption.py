from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from tongban.domain.case.commands import How, MaterialOffered
from tongban.domain.recorded import Evidence
from tongban.domain.sharing.exemption import (
    Found,
    MaterialNotMet,
    Met,
    Need,
    UploadUnknown,
    met,
    needs,
    resolve,
    to_ask,
)

REF = "sha256:" + "0f" * 32
FOUND = Found("psb", "7", datetime(2026, 3, 2, tzinfo=UTC), "answer-1")


def material(name: str, exempt_by: str = "NONE", **more: Any) -> dict[str, Any]:
    return {"materialId": name, "exemptBy": exempt_by, "nameZh": "材料", "nameEn": "paper", **more}


DEFINITION = {
    "materials": [
        material("form", "FORM_PREFILL"),
        material("id-card", "E_LICENCE", licenceTypeId="lt-id-card"),
        material("sale-contract", "DATA_SHARING"),
        material("agent-letter", "ONLINE_AUTHORISATION", necessity="CONDITIONAL"),
        material("rules", "COMMITMENT"),
        material("layout"),
    ]
}


def known(**changes: Any) -> dict[str, Need]:
    return needs(DEFINITION, lambda name, _, licence_type: licence_type or f"of-{name}", lambda _: True, **changes)


def test_needs_are_the_guides_in_its_order_and_name_the_source_of_what_can_be_asked() -> None:
    assert [(need.material, need.how.value, need.source) for need in known().values()] == [
        ("form", "FORM_PREFILL", None),
        ("id-card", "E_LICENCE", "lt-id-card"),
        ("sale-contract", "DATA_SHARING", "of-sale-contract"),
        ("agent-letter", "ONLINE_AUTHORISATION", "of-agent-letter"),
        ("rules", "COMMITMENT", None),
        ("layout", "UPLOAD", None),
    ]


def test_a_material_whose_condition_does_not_hold_is_not_needed() -> None:
    found = needs(DEFINITION, lambda *_: "x", lambda entry: entry.get("necessity") != "CONDITIONAL")
    assert "agent-letter" not in found


def test_an_answer_exempts_and_no_answer_falls_back_to_upload() -> None:
    need = known()["id-card"]
    assert met(need, FOUND) == Met("id-card", How.E_LICENCE, True, FOUND, None, "材料", "paper")
    assert met(need, "TIMEOUT") == Met("id-card", How.UPLOAD, False, None, "TIMEOUT", "材料", "paper")


@pytest.mark.parametrize(("name", "exempt"), [("form", True), ("rules", True), ("layout", False)])
def test_what_no_source_knows_of_is_met_as_the_guide_says(name: str, exempt: bool) -> None:  # noqa: FBT001
    need = known()[name]
    assert met(need, None) == Met(name, need.how, exempt, None, None, "材料", "paper")


def test_only_what_is_claimed_as_the_guide_offers_it_is_asked_for() -> None:
    claimed = (
        MaterialOffered("id-card", How.E_LICENCE),
        MaterialOffered("sale-contract", How.E_LICENCE),
        MaterialOffered("agent-letter", How.UPLOAD, REF),
        MaterialOffered("unheard-of", How.DATA_SHARING),
        MaterialOffered("rules", How.COMMITMENT),
    )
    assert [need.material for need in to_ask(claimed, known())] == ["id-card"]


def test_evidence_names_source_version_and_answer_of_what_was_found_and_the_hash_of_what_was_uploaded() -> None:
    claimed = (
        MaterialOffered("id-card", How.E_LICENCE, "sha256:made-up"),
        MaterialOffered("layout", How.UPLOAD, REF),
        MaterialOffered("rules", How.COMMITMENT),
        MaterialOffered("unheard-of", How.DATA_SHARING),
        MaterialOffered("sale-contract", How.E_LICENCE),
    )
    assert resolve(claimed, known(), {"id-card": FOUND}, {REF}) == (
        Evidence("id-card", "E_LICENCE", "psb", "7", "answer-1"),
        Evidence("layout", "UPLOAD", "applicant", None, REF),
        Evidence("rules", "COMMITMENT", "applicant", None, None),
        # What the guide does not name is the decision's to refuse.
        Evidence("unheard-of", "DATA_SHARING", "applicant", None, None),
        Evidence("sale-contract", "E_LICENCE", "applicant", None, None),
    )


@pytest.mark.parametrize(
    ("offered", "answers", "source", "problem"),
    [
        (MaterialOffered("id-card", How.E_LICENCE), {"id-card": "EMPTY"}, "lt-id-card", "EMPTY"),
        (MaterialOffered("id-card", How.E_LICENCE), {}, "lt-id-card", "NOT_CONNECTED"),
    ],
)
def test_what_a_source_does_not_have_cannot_be_claimed(
    offered: MaterialOffered, answers: dict[str, Any], source: str | None, problem: str
) -> None:
    with pytest.raises(MaterialNotMet) as refused:
        resolve((offered,), known(), answers, set())
    assert refused.value.fields["materials"] == [
        {"material": offered.material, "source": source, "problem": problem, "instead": "UPLOAD"}
    ]


@pytest.mark.parametrize("ref", [None, "sha256:" + "00" * 32])
def test_an_upload_that_is_not_there_cannot_be_claimed(ref: str | None) -> None:
    with pytest.raises(UploadUnknown) as refused:
        resolve((MaterialOffered("layout", How.UPLOAD, ref),), known(), {}, {REF})
    assert refused.value.fields["materials"] == [{"material": "layout", "ref": ref}]
