"""Who may act in a filed case: the applicant, who has his mandate, his window; the claimant, and his cover."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest

from tests.commands.acting import TODAY, actors, grant
from tests.commands.office import Office, answered, ask, refused
from tests.examples import (
    ACCEPTOR,
    ADMIN,
    AGENT,
    APPLICANT,
    BRANCHES,
    CLERK,
    DECIDER,
    DEFINITION,
    HEAD,
    PERSON_ID,
    STRANGER,
    reviewer,
    submit_application,
)
from tongban.domain.absence.commands import EndAbsence, RegisterAbsence
from tongban.domain.actor import Actor, Role
from tongban.domain.case.commands import (
    AcceptApplication,
    ClaimCase,
    ConfirmDelivery,
    GrantApproval,
    IssueLicence,
    RecordOpinion,
    RefuseAcceptance,
    WithdrawApplication,
)
from tongban.domain.case.events import Means, Opinion
from tongban.domain.case.refusals import ClaimedByOther
from tongban.domain.case.state import MAIN
from tongban.domain.catalogue.commands import PublishItem
from tongban.domain.errors import NotYours, OtherDistrict
from tongban.domain.mandate.commands import RevokeMandate
from tongban.domain.mandate.events import Step
from tongban.domain.mandate.refusals import MandateRevokedAlready, OutsideMandate

SECOND = replace(ACCEPTOR, id="officer-second-acceptor")
THERE = replace(CLERK, id="window-there", district="310115")


@pytest.fixture
def case(opened: Office) -> UUID:
    return opened.done(submit_application, CLERK).id


def absence(first: int, last: int, **changes: Any) -> RegisterAbsence:
    """The acceptor is away; days count from today."""
    days = TODAY + timedelta(days=first), TODAY + timedelta(days=last)
    return replace(RegisterAbsence(ACCEPTOR.id, SECOND.id, *days), **changes)


# ── for the applicant ────────────────────────────────────────────────────────────────────────────────────────────────


def test_an_agent_withdraws_under_a_mandate_for_that_step(opened: Office, case: UUID) -> None:
    withdraw = WithdrawApplication(case, "不办了")
    foreign = refused(opened.do(ask(withdraw, STRANGER))[0], NotYours)
    assert str(PERSON_ID) not in str(foreign.fields)
    files = grant(opened, steps=(Step.FILE,))
    refused(opened.do(ask(replace(withdraw, mandate=files), AGENT))[0], OutsideMandate, step=Step.WITHDRAW)
    withdraws = grant(opened, steps=(Step.WITHDRAW,))
    opened.done(replace(withdraw, mandate=withdraws), AGENT)
    assert actors(opened, case)[-1] == replace(AGENT, on_behalf_of=PERSON_ID, mandate=withdraws)


def test_a_mandate_for_another_item_covers_no_step(opened: Office, case: UUID) -> None:
    opened.done(PublishItem({**DEFINITION, "id": "other"}), ADMIN)
    other = grant(opened, items=("other",), steps=None)
    withdraw = WithdrawApplication(case, "不办了", mandate=other)
    refused(opened.do(ask(withdraw, AGENT))[0], OutsideMandate, mandate_id=other)


def test_a_revoked_mandate_covers_no_further_step(opened: Office, there: Office) -> None:
    mandate = grant(opened, steps=None)
    case = opened.done(replace(submit_application, mandate=mandate), AGENT).id
    there.done(RevokeMandate(mandate), APPLICANT)
    withdraw = WithdrawApplication(case, "不办了", mandate=mandate)
    refused(opened.do(ask(withdraw, AGENT))[0], MandateRevokedAlready)
    answered(opened.do(ask(replace(withdraw, mandate=None), APPLICANT))[0])


def test_a_clerk_who_helps_is_named_with_the_applicant(opened: Office, case: UUID) -> None:
    opened.done(WithdrawApplication(case, "不办了"), CLERK)
    assert actors(opened, case)[-1] == replace(CLERK, on_behalf_of=PERSON_ID)


def test_an_agent_collects_the_result_under_a_mandate(opened: Office) -> None:
    case = opened.done(replace(submit_application, delivery=Means.COUNTER), APPLICANT).id
    opened.done(AcceptApplication(case), ACCEPTOR)
    for branch in BRANCHES:
        opened.done(RecordOpinion(case, branch, Opinion.PASS, "t"), reviewer(branch))
    opened.done(GrantApproval(case, "t"), DECIDER)
    opened.done(IssueLicence(case), DECIDER)
    collected = ConfirmDelivery(case, Means.COUNTER)
    files = grant(opened, steps=(Step.FILE,))
    refused(opened.do(ask(replace(collected, mandate=files), CLERK))[0], OutsideMandate, step=Step.COLLECT)
    collects = grant(opened, steps=(Step.COLLECT,))
    opened.done(replace(collected, mandate=collects), CLERK)
    assert actors(opened, case)[-1] == replace(CLERK, on_behalf_of=PERSON_ID, mandate=collects)


# ── windows ──────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_any_window_takes_what_is_city_wide(opened: Office) -> None:
    case = opened.done(replace(submit_application, district="310101"), THERE).id
    opened.done(WithdrawApplication(case, "不办了"), replace(THERE, district="310104"))


def test_what_is_not_city_wide_is_for_windows_of_its_district(opened: Office) -> None:
    opened.done(PublishItem({**DEFINITION, "cityWide": False}), ADMIN)
    here = replace(submit_application, district="310101")
    refused(opened.do(ask(here, THERE))[0], OtherDistrict, district="310101")
    case = opened.done(here, APPLICANT).id
    withdraw = WithdrawApplication(case, "不办了")
    refused(opened.do(ask(withdraw, THERE))[0], OtherDistrict, district="310101")
    opened.done(withdraw, CLERK)
    own = opened.done(replace(submit_application, district=None), THERE).id
    refused(opened.do(ask(WithdrawApplication(own, "不办了"), CLERK))[0], OtherDistrict, district="310115")


# ── claimed work ─────────────────────────────────────────────────────────────────────────────────────────────────────


def test_claimed_work_is_the_claimants(opened: Office, case: UUID) -> None:
    opened.done(ClaimCase(case, MAIN), ACCEPTOR)
    refused(opened.do(ask(AcceptApplication(case), SECOND))[0], ClaimedByOther)
    opened.done(AcceptApplication(case), ACCEPTOR)


def test_the_cover_does_the_work_while_the_claimant_is_away(opened: Office, case: UUID) -> None:
    opened.done(ClaimCase(case, MAIN), ACCEPTOR)
    opened.done(absence(0, 0), HEAD)
    opened.done(AcceptApplication(case), SECOND)
    assert actors(opened, case)[-1] == SECOND


@pytest.mark.parametrize(
    ("registered", "by"),
    [
        (absence(1, 5), HEAD),
        (absence(0, 5, cover="somebody-else"), HEAD),
        (absence(0, 5, officer="officer-third"), HEAD),
        (absence(0, 5), Actor("tax-head", Role.HEAD, "tax")),
    ],
)
def test_no_one_else_and_at_no_other_time(
    opened: Office,
    case: UUID,
    registered: RegisterAbsence,
    by: Actor,
) -> None:
    opened.done(ClaimCase(case, MAIN), ACCEPTOR)
    opened.done(registered, by)
    refused(opened.do(ask(AcceptApplication(case), SECOND))[0], ClaimedByOther)


def test_a_cover_ends_when_the_claimant_is_back(opened: Office, there: Office, case: UUID) -> None:
    opened.done(ClaimCase(case, MAIN), ACCEPTOR)
    opened.done(absence(0, 5), ACCEPTOR)
    request = ask(AcceptApplication(case), SECOND)
    decided = opened.batch.decide([request])
    assert len(decided.unchanged) == 1
    there.done(EndAbsence(ACCEPTOR.id), ACCEPTOR)
    with pytest.raises(Exception) as stale:  # noqa: PT011 - whatever it is, it is what the bus would be told
        opened.batch.start_append(decided).wait()
    [outcome] = opened.batch.after_failure([request], stale.value)
    refused(outcome, ClaimedByOther)


def test_in_one_batch_the_claim_is_seen_and_its_cover_looked_up(opened: Office, case: UUID) -> None:
    opened.done(absence(0, 0), HEAD)
    claimed, refusal, accepted = opened.do(
        ask(ClaimCase(case, MAIN), ACCEPTOR),
        ask(RefuseAcceptance(case, "r", "m"), replace(SECOND, id="somebody")),
        ask(AcceptApplication(case), SECOND),
    )
    answered(claimed)
    refused(refusal, ClaimedByOther)
    answered(accepted)


def test_the_claimant_himself_rests_on_no_absence(opened: Office, case: UUID) -> None:
    opened.done(ClaimCase(case, MAIN), ACCEPTOR)
    assert opened.batch.decide([ask(AcceptApplication(case), ACCEPTOR)]).unchanged == {}
