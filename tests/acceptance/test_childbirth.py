"""小孩出生“一件事” over HTTP: two steps, no visit, within twenty days; it took twenty-two steps and a hundred days."""

from __future__ import annotations

from typing import Any

import pytest

from tests.acceptance.conftest import Caller
from tests.acceptance.office import Office
from tests.processes import eventually
from tongban.infra.reference import sample_bundles

pytestmark = [pytest.mark.kafka, pytest.mark.integration, pytest.mark.timeout(300)]

MOTHER = {"kind": "PERSON", "identifier_kind": "CITIZEN_ID", "identifier": "110101198501011028", "name": "林晓"}
CASES = """
{ me { cases(first: 10) { edges { node {
  id state result item { id }
  materials { material how }
  reductions { visits { actual } } timeline(first: 30) { edges { node { type actor { role } } } }
} } } } }
"""
BUNDLE = """
query($id: ID!) { bundle(id: $id) { number state progress { done total } due { limit { value unit } } } }
"""
ITEMS = [each["itemId"] for each in next(b for b in sample_bundles() if b["id"] == "childbirth")["subItems"]]
# Who decides each, and which departments give an opinion.
LEADS = {
    "fertility-registration": ("health", ["health"]),
    "birth-certificate": ("health", ["health"]),
    "vaccination-certificate": ("health", ["health"]),
    "hukou-birth": ("psb", ["psb"]),
    "social-card": ("hrss", ["hrss"]),
    "resident-medical-enrol": ("medins", ["medins"]),
    "resident-medical-pay": ("tax", ["tax"]),
    "maternity-benefit": ("medins", ["medins", "health"]),
    "parenting-guidance": ("health", ["health"]),
}
FORM = {
    "birth": {"childName": "林小满", "sex": "F", "birthTime": "2026-11-20T08:30:00+08:00"},
    "hukou": {"followParent": "MOTHER", "hukouAddress": "某某路7弄"},
    "medins": {"payMethod": "ONLINE"},
    "applicant": {"motherName": "林晓"},
}


def cases_of(caller: Caller, parent: str) -> dict[str, Any]:
    """Item → its case."""
    edges = caller.query(CASES, "citizen", parent)["me"]["cases"]["edges"]
    return {edge["node"]["item"]["id"]: edge["node"] for edge in edges}


def handle(caller: Caller, parent: str, item: str) -> None:
    """One part from acceptance to result, by its own offices, as soon as it is there."""
    assert eventually(lambda: item in cases_of(caller, parent)), item
    case = cases_of(caller, parent)[item]
    lead, branches = LEADS[item]
    office = Office(caller, lead)
    office.accept(case["id"])
    for branch in branches:
        Office(caller, branch).pass_(case["id"])
    if item == "resident-medical-pay":
        # The second and last thing the parents do; the provider tells the window system.
        office.does("RecordPayment", "clerk", case_id=case["id"], amount="400.00", provider_ref="UP-2")
    office.grant(case["id"])
    if item in ("birth-certificate", "vaccination-certificate", "hukou-birth", "social-card", "resident-medical-enrol"):
        office.issue(case["id"])


def test_a_birth_is_one_form_and_one_payment_without_a_visit(caller: Caller) -> None:
    before = next(b for b in sample_bundles() if b["id"] == "childbirth")["before"]
    assert (before["steps"], before["days"], before["visits"]) == (22, 100, 14)
    parent = caller.command("RegisterParty", MOTHER, "clerk", "health-clerk", "health")["id"]
    paper = caller.upload("林小满".encode(), "citizen", parent)
    how = {
        "birth-form": "FORM_PREFILL",
        "form": "FORM_PREFILL",
        "id-card": "E_LICENCE",
        "hukou-book": "E_LICENCE",
        "marriage-cert": "E_LICENCE",
        "delivery-record": "DATA_SHARING",
        "photo": "DATA_SHARING",
    }
    materials = [{"material": name, "how": way} for name, way in how.items()]
    materials += [{"material": name, "how": "UPLOAD", "ref": paper} for name in ("baby-name", "bank-account")]
    body = {"bundle": "childbirth", "applicant": parent, "channel": "WEB", "answers": {"married": True}, "form": FORM}
    filed = caller.command("SubmitBundle", {**body, "materials": materials}, "citizen", parent)
    assert filed["number"]

    # Only what waits for nothing has begun: the citizen number comes with the household register.
    assert eventually(lambda: {"fertility-registration", "birth-certificate"} <= cases_of(caller, parent).keys())
    assert "hukou-birth" not in cases_of(caller, parent)
    order = ["birth-certificate", "fertility-registration", "hukou-birth", "vaccination-certificate"]
    order += ["maternity-benefit", "parenting-guidance", "social-card", "resident-medical-enrol"]
    for item in [*order, "resident-medical-pay"]:
        handle(caller, parent, item)
    assert eventually(lambda: {each["state"] for each in cases_of(caller, parent).values()} == {"CLOSED"})

    told = cases_of(caller, parent)
    assert told.keys() == set(ITEMS)
    assert {each["result"] for each in told.values()} == {"GRANTED"}
    # A result of one part met the next with nothing done by the parents.
    household = {each["material"]: each["how"] for each in told["hukou-birth"]["materials"]}
    assert household["birth-cert"] == "E_LICENCE"
    assert {each["reductions"]["visits"]["actual"] for each in told.values()} == {0}
    acts = [
        edge["node"]["type"]
        for each in told.values()
        for edge in each["timeline"]["edges"]
        if edge["node"]["actor"]["role"] == "citizen" or edge["node"]["type"] == "case.FeePaid"
    ]
    assert acts == ["case.FeePaid"], "one form for all, filed with the bundle, and one payment"
    one = caller.query(BUNDLE, "citizen", parent, id=filed["id"])["bundle"]
    assert (one["number"], one["state"]) == (filed["number"], "COMPLETED")
    assert one["progress"] == {"done": len(ITEMS), "total": len(ITEMS)}
    assert one["due"]["limit"] == {"value": 16, "unit": "WORKING_DAY"}, "the longest way, within twenty days"
