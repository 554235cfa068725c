"""Drafts, dated versions, withdrawals, and the version a filing falls under."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from typing import Any

import pytest

from tests.examples import (
    APPLICANT,
    CLERK,
    DEFINITION,
    FIRST_DEFINITION,
    ITEM,
    draft_item,
    item_drafted,
    item_published,
    item_withdrawn,
    party_registered,
    submit_application,
    withdraw_item,
)
from tests.given import NOW, START, given
from tongban.domain.catalogue.commands import DraftItem, PublishItem, WithdrawItem
from tongban.domain.catalogue.events import ItemDrafted, ItemPublished, ItemWithdrawn
from tongban.domain.catalogue.item import MaterialName, read_item
from tongban.domain.catalogue.refusals import (
    EffectiveFromInPast,
    InvalidItem,
    ItemNotInForce,
    NothingDrafted,
    UnknownItem,
)
from tongban.domain.catalogue.state import ITEM as AGGREGATE
from tongban.domain.catalogue.state import Item
from tongban.domain.office_time import office_day

TODAY = office_day(NOW)
PUBLISHED = office_day(START)
CHANGED: dict[str, Any] = {**DEFINITION, "nameEn": "Real estate transfer"}


def version(number: int, effective_from: date | None = None) -> ItemPublished:
    return ItemPublished(ITEM, number, DEFINITION | {"nameEn": f"Version {number}"}, effective_from)


def item(*events: Any) -> Item:
    state: Item = given(*events).states()["catalogue"]
    return state


def in_force(day: date, *events: Any) -> int | None:
    found = item(*events).version_in_force(day)
    return found.version if found else None


# ── drafts ───────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_an_item_is_drafted() -> None:
    given().when(draft_item).then(item_drafted)


def test_a_draft_is_replaced_by_the_next() -> None:
    given(item_drafted).when(DraftItem(CHANGED)).then(ItemDrafted(ITEM, CHANGED))


def test_the_same_draft_again_is_nothing_new() -> None:
    given(item_drafted).when(draft_item).then_nothing()


def test_a_draft_may_be_unfinished_but_has_an_id() -> None:
    given().when(DraftItem({"id": ITEM})).then(ItemDrafted(ITEM, {"id": ITEM}))
    given().when(DraftItem({"nameZh": "x"})).then_refuses(InvalidItem, at="/id")


def test_a_draft_is_published_by_its_id() -> None:
    given(item_drafted).when(PublishItem(item_id=ITEM)).then(item_published)


def test_an_unfinished_draft_is_not_published() -> None:
    given(ItemDrafted(ITEM, {"id": ITEM})).when(PublishItem(item_id=ITEM)).then_refuses(InvalidItem)


def test_a_published_draft_is_a_draft_no_more() -> None:
    given(item_drafted, item_published).when(PublishItem(item_id=ITEM)).then_refuses(NothingDrafted, item=ITEM)


def test_nothing_is_in_force_by_a_draft() -> None:
    assert in_force(TODAY, item_drafted) is None


def test_an_entry_is_not_published_under_another_id() -> None:
    given().when(PublishItem(DEFINITION, item_id="other")).then_refuses(InvalidItem, at="/id")


# ── dates ────────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_a_version_is_published_for_a_later_day() -> None:
    later = TODAY + timedelta(days=30)
    given(item_published).when(PublishItem(CHANGED, effective_from=later)).then(ItemPublished(ITEM, 2, CHANGED, later))


def test_a_version_may_take_effect_today() -> None:
    given(item_published).when(PublishItem(CHANGED, effective_from=TODAY)).then(ItemPublished(ITEM, 2, CHANGED, TODAY))


def test_a_version_does_not_take_effect_before_it_is_published() -> None:
    yesterday = TODAY - timedelta(days=1)
    given(item_published).when(PublishItem(CHANGED, effective_from=yesterday)).then_refuses(
        EffectiveFromInPast, asked=yesterday, today=TODAY
    )


def test_a_publication_entered_late_counts_from_the_day_it_was_made() -> None:
    day = PUBLISHED + timedelta(days=3)
    at = START + timedelta(days=2)
    given(item_published).when(PublishItem(CHANGED, effective_from=day), at=at, now=START + timedelta(days=9)).then(
        ItemPublished(ITEM, 2, CHANGED, day)
    )


def test_what_is_in_force_on_that_day_already_is_not_published_again() -> None:
    given(item_published).when(PublishItem(DEFINITION, effective_from=TODAY + timedelta(5))).then_nothing()


def test_bringing_a_planned_version_forward_is_a_new_version() -> None:
    planned = ItemPublished(ITEM, 2, CHANGED, TODAY + timedelta(30))
    given(item_published, planned).when(PublishItem(CHANGED)).then(ItemPublished(ITEM, 3, CHANGED, None))


def test_each_version_is_in_force_from_its_day() -> None:
    second = version(2, TODAY)
    assert in_force(TODAY - timedelta(1), version(1), second) == 1
    assert in_force(TODAY, version(1), second) == 2


def test_an_urgent_version_does_not_undo_a_planned_one() -> None:
    planned = version(2, TODAY + timedelta(30))
    story = (version(1), planned, version(3))
    assert in_force(TODAY, *story) == 3
    assert in_force(TODAY + timedelta(30), *story) == 2


def test_the_first_version_without_a_date_also_rules_what_is_entered_late() -> None:
    assert in_force(date(2019, 1, 1), version(1), version(2)) == 1


def test_a_first_version_with_a_date_does_not() -> None:
    assert in_force(TODAY - timedelta(1), version(1, TODAY)) is None


# ── withdrawal ───────────────────────────────────────────────────────────────────────────────────────────────────────


def test_an_item_is_withdrawn_from_a_day_on() -> None:
    given(item_published).when(withdraw_item).then(item_withdrawn)


def test_an_item_is_withdrawn_from_today_on_if_no_day_is_named() -> None:
    given(item_published).when(WithdrawItem(ITEM)).then(ItemWithdrawn(ITEM, TODAY))


def test_a_withdrawal_is_not_for_a_day_that_is_over() -> None:
    given(item_published).when(WithdrawItem(ITEM, TODAY - timedelta(1))).then_refuses(EffectiveFromInPast)


def test_what_was_never_published_is_not_withdrawn() -> None:
    given().when(withdraw_item).then_refuses(UnknownItem, item=ITEM)
    given(item_drafted).when(withdraw_item).then_refuses(UnknownItem, item=ITEM)


def test_an_item_is_withdrawn_once() -> None:
    given(item_published, item_withdrawn).when(withdraw_item).then_nothing()


def test_a_withdrawal_can_be_brought_forward() -> None:
    given(item_published, item_withdrawn).when(WithdrawItem(ITEM)).then(ItemWithdrawn(ITEM, TODAY))


def test_nothing_is_in_force_after_a_withdrawal_until_the_item_is_published_again() -> None:
    withdrawn = ItemWithdrawn(ITEM, TODAY)
    again = version(2, TODAY + timedelta(10))
    story = (version(1), withdrawn, again)
    assert in_force(TODAY - timedelta(1), *story) == 1
    assert in_force(TODAY, *story) is None
    assert in_force(TODAY + timedelta(10), *story) == 2


def test_the_same_definition_is_published_again_after_a_withdrawal() -> None:
    given(item_published, ItemWithdrawn(ITEM, TODAY)).when(PublishItem(DEFINITION)).then(
        ItemPublished(ITEM, 2, DEFINITION, None)
    )


# ── filing ───────────────────────────────────────────────────────────────────────────────────────────────────────────


def filed_under(at: datetime | None, *events: Any, now: datetime = NOW) -> int:
    filed, *_ = given(*events, party_registered).when(submit_application, by=CLERK, at=at, now=now).decided()
    number: int = filed.item_version
    return number


def test_a_filing_falls_under_the_version_of_its_day() -> None:
    versions = (version(1), version(2, TODAY + timedelta(5)))
    later = NOW + timedelta(days=10)
    assert filed_under(None, *versions, now=later) == 2
    assert filed_under(START + timedelta(days=4), *versions, now=later) == 1


def test_a_planned_version_is_not_filed_under() -> None:
    assert filed_under(None, version(1), version(2, TODAY + timedelta(1))) == 1


@pytest.mark.parametrize("story", [(version(1), ItemWithdrawn(ITEM, TODAY)), (version(1, TODAY + timedelta(1)),)])
def test_an_item_that_is_not_in_force_takes_no_application(story: tuple[Any, ...]) -> None:
    given(*story, party_registered).when(submit_application, by=APPLICANT).then_refuses(
        ItemNotInForce, item=ITEM, day=TODAY
    )


def test_an_item_that_will_be_withdrawn_still_takes_applications() -> None:
    assert filed_under(None, version(1), ItemWithdrawn(ITEM, TODAY + timedelta(1))) == 1


# ── what is read of an entry ─────────────────────────────────────────────────────────────────────────────────────────


def test_the_terms_of_an_entry_are_read() -> None:
    read = read_item(DEFINITION)
    assert read.terms == {
        "legal": {"value": 20, "unit": "WORKING_DAY", "basis": "行政许可法 art. 42"},
        "promised": {"value": 10, "unit": "WORKING_DAY", "basis": "sample"},
        "extension": {"value": 10, "unit": "WORKING_DAY", "basis": "行政许可法 art. 42"},
        "accepted_on_filing": False,
        "correction": {"value": 5, "unit": "WORKING_DAY"},
        "applicant_correction": {"value": 15, "unit": "WORKING_DAY"},
        "materials": {
            "form": {"necessity": "REQUIRED", "exempt_by": "FORM_PREFILL", "licence_type": None},
            "id-card": {"necessity": "REQUIRED", "exempt_by": "E_LICENCE", "licence_type": "lt-id-card"},
            "sale-contract": {"necessity": "REQUIRED", "exempt_by": "NONE", "licence_type": None},
        },
        "tolerant": None,
        "inspection": False,
        "commitment": None,
        "immediate": False,
        "procedures": [],
        "fee": None,
        "city_wide": True,
        "delivery": ["ONLINE", "COUNTER", "COURIER"],
    }
    assert read.material_names["form"] == MaterialName("申请表", "application form")
    assert (read.visits, read.before["materials"]) == (1, 8)


def test_the_terms_of_an_entry_of_the_first_release_are_what_the_law_sets() -> None:
    terms = read_item(FIRST_DEFINITION).terms
    assert (terms["legal"], terms["promised"], terms["extension"]) == (None, None, None)
    assert terms["materials"]["form"] == {"necessity": "REQUIRED", "exempt_by": "NONE", "licence_type": None}


def test_an_entry_wins_over_what_holds_without_it() -> None:
    one_day = {"value": 1, "unit": "WORKING_DAY"}
    two_months = {"value": 2, "unit": "MONTH"}
    terms = read_item(
        DEFINITION
        | {
            "clockRules": {
                "acceptedOnFiling": True,
                "correction": one_day,
                "applicantCorrection": one_day,
                "withdrawUntil": "ISSUE",
            },
            "tolerantAcceptance": True,
            "commitment": {"eligible": True},
            "caseType": {"code": "1"},
            "specialProcedures": [{"type": "EXPERT_REVIEW"}],
            "fee": {"charged": True, "amount": "80.00"},
            "delivery": ["ONLINE"],
        }
    ).terms
    assert terms["accepted_on_filing"]
    assert terms["immediate"]
    assert (terms["correction"], terms["applicant_correction"]) == (one_day, one_day)
    assert terms["tolerant"] == {"value": 10, "unit": "WORKING_DAY"}
    assert terms["commitment"] == {"check_within": two_months}
    assert terms["procedures"] == ["EXPERT_REVIEW"]
    assert terms["fee"] == {"amount": "80.00", "currency": "CNY"}
    assert terms["delivery"] == ["ONLINE"]
    assert terms["withdraw_until"] == "ISSUE"


def test_rules_of_a_publication_name_the_version_it_makes() -> None:
    assert AGGREGATE.rules(item(item_drafted)).item is None
    found = AGGREGATE.rules(item(version(1), version(2))).item
    assert found is not None
    assert (found.id, found.version) == (ITEM, 2)
