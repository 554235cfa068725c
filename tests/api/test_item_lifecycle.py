"""An item over HTTP: drafted, published, planned, withdrawn, and what can be filed meanwhile."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import httpx

from tests.api.serving import Tongban
from tongban.domain.actor import Role
from tongban.domain.office_time import office_day
from tongban.infra.reference import sample_items

ENTRY: dict[str, Any] = next(item for item in sample_items() if item["id"] == "residence-permit")


def test_an_item_from_its_draft_to_its_withdrawal(system: Tongban) -> None:
    admin = system.officer(Role.ADMIN)
    party = system.register()
    citizen = system.token(Role.CITIZEN, party)
    tomorrow = str(office_day(datetime.now(UTC)) + timedelta(days=1))

    def give(name: str, **body: Any) -> httpx.Response:
        return system.give(name, body, admin)

    def file() -> httpx.Response:
        body = {"item": ENTRY["id"], "applicant": party, "channel": "WEB", "materials": []}
        return system.give("SubmitApplication", body, citizen)

    assert give("PublishItem", item_id=ENTRY["id"]).json()["code"] == "nothing-drafted"
    assert give("WithdrawItem", item_id=ENTRY["id"]).status_code == 404
    assert give("DraftItem", item={"id": ENTRY["id"]}).json()["events"] == ["catalogue.ItemDrafted"]
    refused = give("PublishItem", item_id=ENTRY["id"])
    assert (refused.status_code, refused.json()["code"]) == (422, "invalid-item")
    assert refused.json()["at"] == "/nameZh"
    assert file().json()["code"] == "item-not-published"

    assert give("DraftItem", item=ENTRY).status_code == 200
    planned = give("PublishItem", item_id=ENTRY["id"], effective_from=tomorrow)
    assert planned.json()["events"] == ["catalogue.ItemPublished"]
    assert file().json()["code"] == "item-not-in-force"

    assert give("PublishItem", item=ENTRY).json()["events"] == ["catalogue.ItemPublished"]
    assert file().status_code == 201
    assert give("PublishItem", item=ENTRY).json()["events"] == []

    assert give("WithdrawItem", item_id=ENTRY["id"], **{"from": tomorrow}).json()["events"] == [
        "catalogue.ItemWithdrawn"
    ]
    assert file().status_code == 201
    assert give("WithdrawItem", item_id=ENTRY["id"]).json()["events"] == ["catalogue.ItemWithdrawn"]
    assert file().json()["code"] == "item-not-in-force"
    assert give("WithdrawItem", item_id=ENTRY["id"]).json()["events"] == []
    assert give("PublishItem", item=ENTRY).json()["events"] == ["catalogue.ItemPublished"]
    assert file().status_code == 201


def test_a_refusal_names_the_rule_and_the_place(system: Tongban) -> None:
    late = ENTRY | {"promisedTimeLimit": {"value": 12, "unit": "WORKING_DAY"}}
    told = system.give("PublishItem", {"item": late}, system.officer(Role.ADMIN)).json()
    assert (told["code"], told["at"]) == ("promise-over-legal", "/promisedTimeLimit")
    assert (told["promised"], told["legal"]) == ("12 WORKING_DAY", "15 CALENDAR_DAY")
