"""受理 and 视为受理."""

from dataclasses import replace
from datetime import date, timedelta
from uuid import uuid4

import pytest

from tests.examples import (
    ACCEPTED,
    ACCEPTOR,
    APPLICANT,
    DEFINITION,
    FILED,
    SYSTEM,
    TODAY,
    accept_application,
    acceptance_refused,
    application_accepted,
    application_submitted,
    application_withdrawn,
    case_deemed_accepted,
    correction_requested,
    correction_submitted,
    deem_accepted,
    error_corrected,
    fee_requested,
    filed,
    item_published,
    party_registered,
    record_opinion,
    request_correction,
    reviewer,
    submit_application,
)
from tests.given import NOW, START, given, office
from tongban.domain.aggregate import Circumstances
from tongban.domain.case.decide import decide
from tongban.domain.case.events import CaseClaimed, CaseClosed, Result
from tongban.domain.case.guards import CaseFacts
from tongban.domain.case.refusals import (
    AcceptedByLaw,
    ApplicantBarred,
    CaseClosedAlready,
    ClaimedByOther,
    CorrectionOutstanding,
    MaterialsMissing,
    UnknownCase,
)
from tongban.domain.errors import EffectiveTimeBeforeCause, EffectiveTimeInFuture, LateEntryNotAllowed

item_published_on_filing = replace(item_published, definition={**DEFINITION, "clockRules": {"acceptedOnFiling": True}})


def test_an_acceptor_accepts_a_filed_application() -> None:
    given(*FILED).when(accept_application, by=ACCEPTOR).then(application_accepted)


def test_an_acceptance_can_be_entered_late() -> None:
    given(*FILED).when(accept_application, by=ACCEPTOR, at=START).then(application_accepted)


def test_an_accepted_application_is_not_accepted_again() -> None:
    given(*ACCEPTED).when(accept_application, by=ACCEPTOR).then_nothing()


def test_a_case_that_was_never_filed_cannot_be_accepted() -> None:
    given().when(accept_application, by=ACCEPTOR).then_refuses(UnknownCase, case_id=accept_application.case_id)


def test_a_closed_case_cannot_be_accepted() -> None:
    for ended, result in ((acceptance_refused, Result.NOT_ACCEPTED), (application_withdrawn, Result.WITHDRAWN)):
        over = (*FILED, ended, CaseClosed(result))
        given(*over).when(accept_application, by=ACCEPTOR).then_refuses(CaseClosedAlready)


def test_an_acceptance_cannot_take_effect_before_the_filing() -> None:
    early = START - timedelta(seconds=1)
    given(*FILED).when(accept_application, by=ACCEPTOR, at=early).then_refuses(
        EffectiveTimeBeforeCause, effective_at=early, not_before=START
    )


def test_nothing_can_take_effect_in_the_future() -> None:
    later = NOW + timedelta(seconds=1)
    given(*FILED).when(accept_application, by=ACCEPTOR, at=later).then_refuses(EffectiveTimeInFuture, now=NOW)


def test_only_officers_enter_something_late() -> None:
    given(*FILED).when(accept_application, by=APPLICANT, at=START).then_refuses(
        LateEntryNotAllowed, role=APPLICANT.role
    )


def test_a_clock_that_was_set_back_stops_nothing_that_happens_now() -> None:
    earlier = START - timedelta(hours=1)
    circumstances = Circumstances(ACCEPTOR, now=earlier, effective_at=earlier, new_id=uuid4())
    case = given(*FILED).states()["case"]
    assert decide(accept_application, circumstances, case, CaseFacts()) == [application_accepted]


# ── what an acceptance needs ─────────────────────────────────────────────────────────────────────────────────────

NO_CONTRACT = filed(evidence=application_submitted.evidence[:2])
BARRED = filed(barred_until=date(2029, 3, 2))
COSTS = filed(terms={"fee": {"amount": "80.00", "currency": "CNY", "basis": "发改价格规〔2016〕2559号"}})


def test_what_this_applicant_needs_must_be_there() -> None:
    given(*NO_CONTRACT).when(accept_application, by=ACCEPTOR).then_refuses(
        MaterialsMissing, materials=["sale-contract"], tolerable=[]
    )
    given(*filed(evidence=(), needed=())).when(accept_application, by=ACCEPTOR).then(application_accepted)


def test_what_was_obtained_or_corrected_on_the_spot_is_there() -> None:
    given(*NO_CONTRACT, error_corrected).when(accept_application, by=ACCEPTOR).then(application_accepted)


def test_a_barred_applicant_is_not_accepted() -> None:
    given(*BARRED).when(accept_application, by=ACCEPTOR).then_refuses(ApplicantBarred, until=date(2029, 3, 2))


def test_there_is_no_acceptance_while_the_applicant_corrects() -> None:
    given(*FILED, correction_requested).when(accept_application, by=ACCEPTOR).then_refuses(
        CorrectionOutstanding, materials=("sale-contract",)
    )
    given(*FILED, correction_requested, correction_submitted).when(accept_application, by=ACCEPTOR).then(
        application_accepted
    )


def test_who_claimed_the_acceptance_accepts() -> None:
    claimed = (*FILED, CaseClaimed("main", "officer-other"))
    given(*claimed).when(accept_application, by=ACCEPTOR).then_refuses(ClaimedByOther, branch="main")
    given(*claimed).when(accept_application, by=ACCEPTOR, covers=True).then(application_accepted)


def test_a_fixed_fee_is_asked_for_with_the_acceptance() -> None:
    given(*COSTS).when(accept_application, by=ACCEPTOR).then(application_accepted, fee_requested)
    for_each_case = filed(terms={"fee": {"amount": None, "currency": "CNY"}})
    given(*for_each_case).when(accept_application, by=ACCEPTOR).then(application_accepted)


def test_both_clocks_start_with_the_acceptance() -> None:
    [accepted] = given(*FILED).when(accept_application, by=ACCEPTOR, now=office("2026-03-06")).decided()
    found = {clock.name: (clock.start, clock.due, clock.stopped) for clock in accepted.clocks}
    assert found == {
        "CORRECTION": (date(2026, 3, 2), date(2026, 3, 9), date(2026, 3, 6)),
        "LEGAL": (date(2026, 3, 6), date(2026, 4, 3), None),
        "PROMISED": (date(2026, 3, 6), date(2026, 3, 20), None),
    }


# ── 视为受理 ─────────────────────────────────────────────────────────────────────────────────────────────────────

LATE = office("2026-03-10", 0)  # the five days end with 9 March


def test_without_a_notice_in_time_the_law_accepts_since_the_receipt() -> None:
    given(*FILED).when(deem_accepted, by=SYSTEM, now=LATE).then(case_deemed_accepted)
    given(*FILED).when(deem_accepted, by=SYSTEM, now=LATE - timedelta(seconds=1)).then_nothing()


def test_the_law_accepts_nothing_of_which_the_bundle_has_sent_its_notice_in_time() -> None:
    given(*FILED).when(deem_accepted, by=SYSTEM, now=LATE, told_in_bundle=True).then_nothing()


def test_an_officer_who_accepts_too_late_records_that_the_law_did() -> None:
    given(*FILED).when(accept_application, by=ACCEPTOR, now=LATE).then(case_deemed_accepted)
    given(*NO_CONTRACT).when(accept_application, by=ACCEPTOR, now=LATE).then(case_deemed_accepted)
    given(*BARRED).when(accept_application, by=ACCEPTOR, now=LATE).then(case_deemed_accepted)


def test_an_acceptance_in_time_can_be_entered_after_the_five_days() -> None:
    given(*FILED).when(accept_application, by=ACCEPTOR, at=office("2026-03-02", 15), now=LATE).then(
        application_accepted
    )


def test_the_law_asks_for_the_fee_as_well() -> None:
    given(*COSTS).when(deem_accepted, by=SYSTEM, now=LATE).then(case_deemed_accepted, fee_requested)


@pytest.mark.parametrize(
    "events", [ACCEPTED, (*FILED, case_deemed_accepted), (*FILED, correction_requested), (application_submitted,)]
)
def test_the_law_does_not_accept_what_was_accepted_or_asked_for_or_is_on_its_way(events: tuple[object, ...]) -> None:
    given(*events).when(deem_accepted, by=SYSTEM, now=LATE).then_nothing()


def test_after_a_correction_the_five_days_begin_anew() -> None:
    corrected = (*FILED, correction_requested, correction_submitted)
    given(*corrected).when(deem_accepted, by=SYSTEM, now=office("2026-03-09", 23)).then_nothing()
    [deemed] = given(*corrected).when(deem_accepted, by=SYSTEM, now=LATE).decided()
    assert deemed == case_deemed_accepted


def test_what_the_law_accepted_is_reviewed_like_any_other() -> None:
    world = given(*FILED, office("2026-03-02"), case_deemed_accepted)
    assert world.when(record_opinion, by=reviewer("tax"), now=LATE).decided()
    assert world.states()["case"].accepted_by is None


def test_where_an_items_law_accepts_on_filing_only_a_refusal_on_the_spot_stops_it() -> None:
    on_filing = given(item_published_on_filing, party_registered).when(submit_application).decided()
    [clock] = on_filing[1].clocks
    assert (clock.due, clock.basis) == (TODAY, "上海市不动产登记若干规定 art. 12")
    next_day = office("2026-03-03", 0)
    [deemed] = given(*on_filing).when(deem_accepted, by=SYSTEM, now=next_day).decided()
    assert {clock.name: clock.start for clock in deemed.clocks} == dict.fromkeys(
        ("CORRECTION", "LEGAL", "PROMISED"), TODAY
    )
    given(*on_filing).when(request_correction, by=ACCEPTOR, now=next_day).then_refuses(AcceptedByLaw)
    assert given(*on_filing).when(request_correction, by=ACCEPTOR).decided()
