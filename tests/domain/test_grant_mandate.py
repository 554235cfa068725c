from dataclasses import replace
from datetime import date, timedelta

import pytest

from tests.examples import (
    AGENT,
    APPLICANT,
    CLERK,
    ITEM,
    ORGANISATION_ID,
    PERSON_ID,
    STRANGER,
    STRANGER_ID,
    grant_mandate,
    item_published,
    mandate_granted,
    organisation_registered,
    party_registered,
    stranger_registered,
)
from tests.given import NOW, given
from tongban.domain.actor import Actor, Role
from tongban.domain.catalogue.events import ItemPublished
from tongban.domain.errors import NotYours
from tongban.domain.mandate.events import MandateKind
from tongban.domain.mandate.refusals import (
    AgentIsPrincipal,
    GuardianshipAtCounter,
    InPersonRequired,
    MandateKindMismatch,
    MandateTooLong,
    PartyNotRegistered,
    PeriodOver,
    PeriodReversed,
    ScopeEmpty,
    ScopeUnknown,
)
from tongban.domain.office_time import office_day

WORLD = (party_registered, stranger_registered, organisation_registered, item_published)
ALONE: ItemPublished = replace(
    item_published, item_id="id-card", definition={**item_published.definition, "id": "id-card", "inPerson": True}
)
TODAY = office_day(NOW)
FIRM = Actor(id=str(ORGANISATION_ID), role=Role.ENTERPRISE)


def test_the_principal_grants() -> None:
    given(*WORLD).when(grant_mandate, by=APPLICANT).then(mandate_granted)


def test_a_clerk_grants_for_the_principal() -> None:
    given(*WORLD).when(grant_mandate, by=CLERK).then(mandate_granted)


def test_a_mandate_can_be_for_everything() -> None:
    given(*WORLD).when(replace(grant_mandate, items=None, steps=None), by=APPLICANT).then(
        replace(mandate_granted, items=None, steps=None)
    )


def test_what_is_named_twice_is_granted_once() -> None:
    given(*WORLD).when(replace(grant_mandate, items=(ITEM, ITEM)), by=APPLICANT).then(mandate_granted)


@pytest.mark.parametrize("other", [STRANGER, AGENT, FIRM])
def test_nobody_grants_what_is_anothers(other: Actor) -> None:
    given(*WORLD).when(grant_mandate, by=other).then_refuses(NotYours, principal=PERSON_ID)


@pytest.mark.parametrize(("missing", "who"), [(party_registered, PERSON_ID), (stranger_registered, STRANGER_ID)])
def test_both_are_registered(missing: object, who: object) -> None:
    rest = [fact for fact in WORLD if fact is not missing]
    given(*rest).when(grant_mandate, by=CLERK).then_refuses(PartyNotRegistered, parties=[who])


def test_nobody_is_his_own_agent() -> None:
    given(*WORLD).when(replace(grant_mandate, agent=PERSON_ID), by=APPLICANT).then_refuses(AgentIsPrincipal)


def test_an_organisation_names_its_operator() -> None:
    command = replace(grant_mandate, principal=ORGANISATION_ID, kind=MandateKind.OPERATOR)
    given(*WORLD).when(command, by=FIRM).then(
        replace(mandate_granted, principal=ORGANISATION_ID, kind=MandateKind.OPERATOR)
    )


@pytest.mark.parametrize("kind", [MandateKind.GUARDIAN, MandateKind.FAMILY])
def test_guardians_and_family_are_of_persons(kind: MandateKind) -> None:
    command = replace(grant_mandate, principal=ORGANISATION_ID, kind=kind)
    given(*WORLD).when(command, by=CLERK).then_refuses(MandateKindMismatch, kind=kind)


def test_a_person_has_no_operator() -> None:
    command = replace(grant_mandate, kind=MandateKind.OPERATOR)
    given(*WORLD).when(command, by=APPLICANT).then_refuses(MandateKindMismatch)


def test_an_operator_is_a_person() -> None:
    command = replace(grant_mandate, principal=ORGANISATION_ID, agent=ORGANISATION_ID, kind=MandateKind.OPERATOR)
    given(*WORLD).when(replace(command, principal=PERSON_ID), by=CLERK).then_refuses(MandateKindMismatch)


def test_a_clerk_enters_a_guardian_by_his_document() -> None:
    command = replace(grant_mandate, kind=MandateKind.GUARDIAN)
    given(*WORLD).when(command, by=CLERK).then(replace(mandate_granted, kind=MandateKind.GUARDIAN))


@pytest.mark.parametrize(("by", "document"), [(APPLICANT, "sha256:0d"), (CLERK, None), (CLERK, " ")])
def test_guardians_are_not_chosen(by: Actor, document: str | None) -> None:
    command = replace(grant_mandate, kind=MandateKind.GUARDIAN, document=document)
    given(*WORLD).when(command, by=by).then_refuses(GuardianshipAtCounter)


def test_it_does_not_end_before_it_begins() -> None:
    command = replace(grant_mandate, to=grant_mandate.from_ - timedelta(days=1))
    given(*WORLD).when(command, by=APPLICANT).then_refuses(PeriodReversed)


def test_its_last_day_can_be_today() -> None:
    given(*WORLD).when(replace(grant_mandate, to=TODAY), by=APPLICANT).then(replace(mandate_granted, valid_to=TODAY))


def test_its_last_day_is_not_over() -> None:
    yesterday = TODAY - timedelta(days=1)
    over = replace(grant_mandate, from_=yesterday, to=yesterday)
    given(*WORLD).when(over, by=APPLICANT).then_refuses(PeriodOver, valid_to=yesterday)


def test_it_runs_five_years_at_most() -> None:
    five = replace(grant_mandate, from_=date(2028, 2, 29), to=date(2033, 2, 28))
    assert given(*WORLD).when(five, by=APPLICANT).decided()
    longer = replace(five, to=date(2033, 3, 1))
    given(*WORLD).when(longer, by=APPLICANT).then_refuses(MandateTooLong, longest_years=5)


@pytest.mark.parametrize("changes", [{"items": ()}, {"steps": ()}])
def test_it_is_for_something(changes: dict[str, tuple[()]]) -> None:
    given(*WORLD).when(replace(grant_mandate, **changes), by=APPLICANT).then_refuses(ScopeEmpty)  # type: ignore[arg-type]


def test_its_items_are_in_the_catalogue() -> None:
    given(*WORLD).when(replace(grant_mandate, items=(ITEM, "nothing")), by=APPLICANT).then_refuses(
        ScopeUnknown, items=["nothing"]
    )


def test_nobody_is_sent_where_the_law_wants_the_person() -> None:
    command = replace(grant_mandate, items=(ITEM, "id-card"))
    given(*WORLD, ALONE).when(command, by=APPLICANT).then_refuses(InPersonRequired, items=["id-card"])


def test_a_guardian_comes_with_the_child() -> None:
    command = replace(grant_mandate, items=("id-card",), kind=MandateKind.GUARDIAN)
    assert given(*WORLD, ALONE).when(command, by=CLERK).decided()
