"""不动产转移登记 from one visit to the certificate in five working days, where it took forty-one days."""

from __future__ import annotations

from datetime import date

import pytest

from tests.acceptance.conftest import Caller
from tests.acceptance.office import LABOUR_DAY, Office, day_of, moment, working_days
from tests.processes import eventually

pytestmark = [pytest.mark.kafka, pytest.mark.integration, pytest.mark.timeout(300)]

MONDAY, TUESDAY, WEDNESDAY, THURSDAY = (date(2026, 4, day) for day in (20, 21, 22, 23))
SELLER_TO = {"kind": "PERSON", "identifier_kind": "CITIZEN_ID", "identifier": "110101199003071057", "name": "周敏"}
CASE = """
query($id: ID!, $version: Int) { case(id: $id, minVersion: $version) {
  state result submittedAt acceptedAt decidedAt closedAt channel
  legalDue { due provisional stoppedOn explanation { kind last } }
  promisedDue { due light remainingWorkingDays }
  branches { department opinion }
  fee { amount state }
  materials { material how }
  reductions { workingDays { baseline actual } visits { baseline actual } materials { baseline actual } }
} }
"""


def test_a_property_is_transferred_in_five_working_days_and_one_visit(caller: Caller) -> None:
    window, land = Office(caller, "nr"), Office(caller, "nr")
    party = window.does("RegisterParty", "clerk", **SELLER_TO)["id"]
    shared = [{"material": name, "how": "DATA_SHARING"} for name in ("sale-contract", "tax-clearance")]
    licences = [{"material": name, "how": "E_LICENCE"} for name in ("id-card", "property-cert")]
    filed = window.does(
        "SubmitApplication",
        "clerk",
        moment(MONDAY, 9),
        item="property-transfer",
        applicant=party,
        channel="COUNTER",
        form={"坐落": "某某路77弄3号"},
        materials=[{"material": "form", "how": "FORM_PREFILL"}, *licences, *shared],
    )
    case = filed["id"]

    # Nobody waits for anybody: the last to be asked speaks first.
    land.accept(case, moment(MONDAY, 10))
    Office(caller, "tax").pass_(case, moment(TUESDAY, 9))
    land.pass_(case, moment(WEDNESDAY, 9))
    Office(caller, "housing").pass_(case, moment(WEDNESDAY, 15))
    land.grant(case, moment(THURSDAY, 9))
    refused = caller.refused("IssueLicence", {"case_id": case, "face": {}}, "clerk", "nr-clerk", "nr")
    assert (refused["status"], refused["code"]) == (422, "fee-unpaid")
    window.does("RecordPayment", "clerk", moment(THURSDAY, 10), case_id=case, amount="80.00", provider_ref="UP-1")
    issued = window.issue(case, moment(THURSDAY, 11))

    assert eventually(lambda: caller.query(CASE, "citizen", party, id=case)["case"] is not None)
    shown = caller.query(CASE, "citizen", party, id=case, version=issued["version"])["case"]
    assert (shown["state"], shown["result"]) == ("CLOSED", "GRANTED")
    took = working_days(day_of(shown["submittedAt"]), day_of(shown["closedAt"]), LABOUR_DAY)
    assert took <= 5
    assert shown["reductions"]["workingDays"]["actual"] == took == 3
    assert shown["legalDue"]["due"] == "2026-04-27"
    assert not shown["legalDue"]["provisional"]
    assert shown["legalDue"]["explanation"][-1]["last"] == shown["legalDue"]["due"]
    assert shown["promisedDue"]["light"] == "GREEN"
    assert shown["reductions"]["visits"]["actual"] == 1
    assert shown["fee"] == {"amount": "80.00", "state": "PAID"}
    assert {each["how"] for each in shown["materials"]} == {"FORM_PREFILL", "E_LICENCE", "DATA_SHARING"}
    assert {each["opinion"] for each in shown["branches"]} == {"PASS"}
