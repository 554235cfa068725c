"""Who may act for whom, on the pure functions alone."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from tests.examples import (
    ACCEPTOR,
    AGENT,
    APPLICANT,
    CLERK,
    ITEM,
    MANDATE_ID,
    ORGANISATION_ID,
    PERSON_ID,
    STRANGER,
    SYSTEM,
    mandate_granted,
    mandate_revoked,
)
from tongban.domain.actor import Actor, Role
from tongban.domain.authority import HIMSELF, Acting, case_district, check_window, may_act_for
from tongban.domain.errors import NotYours, OtherDistrict
from tongban.domain.mandate.events import MandateGranted, MandateKind, Step
from tongban.domain.mandate.refusals import (
    InPersonRequired,
    MandateExpired,
    MandateNotYetValid,
    MandateRequired,
    MandateRevokedAlready,
    OutsideMandate,
    UnknownMandate,
)
from tongban.domain.mandate.state import MANDATE, Mandate

GRANTED_AT = datetime(2026, 2, 1, tzinfo=UTC)
AT = datetime(2026, 4, 1, tzinfo=UTC)
MIDDLEMAN = Actor(str(ORGANISATION_ID), Role.ENTERPRISE)


def standing(granted: MandateGranted = mandate_granted, *, revoked_at: datetime | None = None) -> Mandate:
    state = MANDATE.evolve(MANDATE.initial, granted, GRANTED_AT)
    return MANDATE.evolve(state, mandate_revoked, revoked_at) if revoked_at else state


def acts(by: Actor, mandate: Mandate | None = None, **changes: Any) -> Acting:
    """How `by` stands to the person when filing; under the mandate, if there is one."""
    under: dict[str, Any] = {} if mandate is None else {"named": MANDATE_ID, "mandate": mandate}
    return may_act_for(by, PERSON_ID, **{"item": ITEM, "step": Step.FILE, "at": AT, **under, **changes})


def test_applicants_act_for_themselves() -> None:
    assert acts(APPLICANT) == HIMSELF
    assert HIMSELF.sign(APPLICANT) is APPLICANT


def test_who_acts_for_himself_needs_no_mandate_he_names() -> None:
    assert acts(APPLICANT, standing()) == HIMSELF


@pytest.mark.parametrize("by", [AGENT, STRANGER])
def test_an_agent_acts_under_his_mandate_and_both_are_named(by: Actor) -> None:
    acting = acts(by, standing())
    assert acting == Acting(PERSON_ID, MANDATE_ID)
    assert acting.sign(by) == replace(by, on_behalf_of=PERSON_ID, mandate=MANDATE_ID)


def test_a_clerk_acts_for_who_stands_at_the_counter_and_both_are_named() -> None:
    assert acts(CLERK).sign(CLERK) == replace(CLERK, on_behalf_of=PERSON_ID)


def test_a_clerk_acts_for_an_agent_at_the_counter_under_the_mandate() -> None:
    assert acts(CLERK, standing()) == Acting(PERSON_ID, MANDATE_ID)
    with pytest.raises(MandateExpired):
        acts(CLERK, standing(), at=AT + timedelta(days=365))


def test_the_system_acts_for_the_applicant() -> None:
    assert acts(SYSTEM) == Acting(PERSON_ID)


@pytest.mark.parametrize("by", [STRANGER, AGENT, MIDDLEMAN])
def test_nobody_acts_for_another_without_a_mandate(by: Actor) -> None:
    with pytest.raises(NotYours) as refusal:
        acts(by)
    assert refusal.value.fields == {}


def test_an_agent_acts_for_nobody_without_a_mandate_not_even_as_himself() -> None:
    with pytest.raises(MandateRequired):
        acts(Actor(str(PERSON_ID), Role.AGENT))


@pytest.mark.parametrize("mandate", [Mandate(), standing()])
def test_anothers_mandate_looks_like_none(mandate: Mandate) -> None:
    with pytest.raises(UnknownMandate):
        acts(MIDDLEMAN, mandate)


def test_a_mandate_is_of_one_principal() -> None:
    other = standing(replace(mandate_granted, principal=ORGANISATION_ID))
    for by in (AGENT, CLERK):
        with pytest.raises(OutsideMandate) as refusal:
            acts(by, other)
        assert refusal.value.fields == {"mandate_id": MANDATE_ID}


@pytest.mark.parametrize(
    ("granted", "changes"),
    [
        (mandate_granted, {"item": "other"}),
        (mandate_granted, {"step": Step.WITHDRAW}),
        (replace(mandate_granted, items=None), {"step": Step.RATE}),
        (replace(mandate_granted, steps=None), {"item": "other"}),
    ],
)
def test_a_mandate_covers_what_it_names(granted: MandateGranted, changes: dict[str, Any]) -> None:
    with pytest.raises(OutsideMandate):
        acts(AGENT, standing(granted), **changes)


def test_a_mandate_for_everything_covers_every_item_and_step() -> None:
    everything = standing(replace(mandate_granted, items=None, steps=None))
    for step in Step:
        assert acts(AGENT, everything, item="any", step=step) == Acting(PERSON_ID, MANDATE_ID)


# Midnight in the offices is 16:00 UTC of the day before. The mandate runs from 2026-03-02 to 2026-12-31.
@pytest.mark.parametrize(
    ("at", "refusal"),
    [
        (datetime(2026, 3, 1, 15, 59, 59, 999_999, tzinfo=UTC), MandateNotYetValid),
        (datetime(2026, 3, 1, 16, 0, tzinfo=UTC), None),
        (datetime(2026, 12, 31, 15, 59, 59, 999_999, tzinfo=UTC), None),
        (datetime(2026, 12, 31, 16, 0, tzinfo=UTC), MandateExpired),
    ],
)
def test_both_days_count_in_full_in_office_time(at: datetime, refusal: type[Exception] | None) -> None:
    if refusal is None:
        assert acts(AGENT, standing(), at=at)
    else:
        with pytest.raises(refusal):
            acts(AGENT, standing(), at=at)


def test_a_mandate_that_names_earlier_days_covers_nothing_done_before_it_was_given() -> None:
    early = standing(replace(mandate_granted, valid_from=GRANTED_AT.date() - timedelta(days=30)))
    assert acts(CLERK, early, at=GRANTED_AT)
    with pytest.raises(MandateNotYetValid):
        acts(CLERK, early, at=GRANTED_AT - timedelta(microseconds=1), late=True)


def test_a_revoked_mandate_covers_what_took_effect_before() -> None:
    revoked = standing(revoked_at=AT)
    assert acts(CLERK, revoked, at=AT - timedelta(microseconds=1), late=True)
    with pytest.raises(MandateRevokedAlready):
        acts(CLERK, revoked, at=AT)
    with pytest.raises(MandateRevokedAlready):
        acts(AGENT, revoked, at=AT + timedelta(days=400))


def test_what_is_done_now_knows_of_every_revocation_whatever_the_clocks_say() -> None:
    """Two that act at once may have clocks that cross: what is in the store has happened."""
    with pytest.raises(MandateRevokedAlready):
        acts(AGENT, standing(revoked_at=AT), at=AT - timedelta(microseconds=1))
    given_meanwhile = standing(replace(mandate_granted, valid_from=GRANTED_AT.date()))
    assert acts(AGENT, given_meanwhile, at=GRANTED_AT - timedelta(microseconds=1))


def test_where_the_law_wants_the_person_nobody_is_sent() -> None:
    everything = standing(replace(mandate_granted, items=None))
    for by in (AGENT, STRANGER, CLERK):
        with pytest.raises(InPersonRequired):
            acts(by, everything, in_person=True)
    assert acts(APPLICANT, in_person=True) == HIMSELF
    assert acts(CLERK, in_person=True) == Acting(PERSON_ID)


def test_a_guardian_stands_for_the_child_in_person() -> None:
    guardian = standing(replace(mandate_granted, kind=MandateKind.GUARDIAN))
    assert acts(STRANGER, guardian, in_person=True) == Acting(PERSON_ID, MANDATE_ID)


def test_a_window_takes_city_wide_items_for_every_district() -> None:
    assert case_district(CLERK, city_wide=True, asked="310115") == "310115"
    assert case_district(CLERK, city_wide=True, asked=None) == CLERK.district


def test_a_window_takes_the_rest_for_its_own_district() -> None:
    assert case_district(CLERK, city_wide=False, asked=None) == CLERK.district
    assert case_district(CLERK, city_wide=False, asked=CLERK.district) == CLERK.district
    with pytest.raises(OtherDistrict):
        case_district(CLERK, city_wide=False, asked="310115")
    with pytest.raises(OtherDistrict):
        check_window(replace(CLERK, district=None), city_wide=False, district="310115")


def test_the_lead_departments_window_for_the_whole_city_takes_what_it_decides() -> None:
    hall = replace(CLERK, district=None)
    check_window(hall, city_wide=False, district="310115", lead="nr")
    for window, lead in ((hall, "samr"), (CLERK, "nr")):
        with pytest.raises(OtherDistrict):
            check_window(window, city_wide=False, district="310115", lead=lead)


def test_districts_bind_windows_only() -> None:
    assert case_district(APPLICANT, city_wide=False, asked="310115") == "310115"
    assert case_district(APPLICANT, city_wide=False, asked=None) is None
    check_window(ACCEPTOR, city_wide=False, district="310115")
