"""缴费 and 退费: asked, paid in full, and nothing is issued before; what was paid for nothing goes back."""

from dataclasses import replace

import pytest

from tests.examples import (
    ACCEPTED,
    ALL_PASSED,
    BUNDLE_ID,
    CLERK,
    DECIDER,
    DENIED,
    FILED,
    HEAD,
    ISSUED,
    REVIEWED,
    SYSTEM,
    application_accepted,
    application_withdrawn,
    approval_denied,
    approval_granted,
    case_denied,
    case_lapsed,
    close_dependant,
    condition_failed,
    correction_requested,
    deny_approval,
    fee_paid,
    fee_refunded,
    fee_requested,
    filed,
    grant_approval,
    granted_at_once,
    issue_licence,
    record_payment,
    record_refund,
    request_fee,
    withdraw_application,
)
from tests.given import START, given
from tongban.domain.case.events import CaseClosed, Result
from tongban.domain.case.refusals import FeeUnpaid, NoFeeDue, NothingToRefund, WrongAmount
from tongban.domain.case.state import APPLICANT, MAIN, holders
from tongban.domain.errors import EffectiveTimeBeforeCause

FEE = {"fee": {"amount": "80.00", "currency": "CNY", "basis": "发改价格规〔2016〕2559号"}}
OPEN = {"fee": {**FEE["fee"], "amount": None}}
ASKED = (*filed(terms=FEE), application_accepted, fee_requested)
TO_ASK = (*filed(terms=OPEN), application_accepted)
PAID = (*ASKED, fee_paid)
GRANTED_UNPAID = (*ASKED, *ALL_PASSED, approval_granted)
NO_LICENCE = (*filed(terms=FEE, licence_type=None), application_accepted, fee_requested, *ALL_PASSED)


def test_an_amount_that_is_worked_out_for_each_case_is_asked_for_once() -> None:
    given(*TO_ASK).when(request_fee, by=CLERK).then(fee_requested)
    given(*ASKED).when(request_fee, by=CLERK).then_nothing()
    other = replace(request_fee, amount="90.00")
    given(*ASKED).when(other, by=CLERK).then_refuses(WrongAmount, amount="90.00", due="80.00")


@pytest.mark.parametrize(
    "amount", ["", "80", "80.0", "80.000", "-1.00", "0.00", "00.00", "1e2", "٨٠.00", "1" * 13 + ".00"]
)
def test_an_amount_is_money(amount: str) -> None:
    given(*TO_ASK).when(replace(request_fee, amount=amount), by=CLERK).then_refuses(WrongAmount, due=None)


def test_no_fee_is_asked_for_where_there_is_none_or_not_yet_or_no_more() -> None:
    given(*ACCEPTED).when(request_fee, by=CLERK).then_refuses(NoFeeDue)
    given(*filed(terms=OPEN)).when(request_fee, by=CLERK).then_refuses(NoFeeDue)
    over = (*filed(terms=OPEN), application_accepted, application_withdrawn, CaseClosed(Result.WITHDRAWN))
    given(*over).when(request_fee, by=CLERK).then_refuses(NoFeeDue)
    given(*TO_ASK).when(request_fee, by=CLERK, at=START).then_refuses(EffectiveTimeBeforeCause)


def test_it_is_paid_in_full_and_once() -> None:
    given(*ASKED).when(record_payment, by=CLERK).then(fee_paid)
    given(*PAID).when(record_payment, by=CLERK).then_nothing()
    given(*PAID).when(replace(record_payment, provider_ref="pay-2"), by=CLERK).then_nothing()
    given(*ASKED).when(replace(record_payment, amount="79.99"), by=CLERK).then_refuses(WrongAmount, due="80.00")
    given(*ASKED).when(record_payment, by=CLERK, at=START).then_refuses(EffectiveTimeBeforeCause)


def test_nothing_is_paid_that_is_not_asked_for() -> None:
    for events in (FILED, ACCEPTED, TO_ASK, ISSUED):
        given(*events).when(record_payment, by=CLERK).then_refuses(NoFeeDue)


def test_nothing_is_issued_unpaid_asked_for_or_not() -> None:
    given(*GRANTED_UNPAID).when(issue_licence, by=DECIDER).then_refuses(FeeUnpaid, amount="80.00")
    not_asked = (*TO_ASK, *ALL_PASSED, approval_granted)
    given(*not_asked).when(issue_licence, by=DECIDER).then_refuses(FeeUnpaid)
    assert given(*GRANTED_UNPAID, fee_paid).when(issue_licence, by=DECIDER).decided()
    assert holders(given(*GRANTED_UNPAID).states()["case"]) == {MAIN: APPLICANT}


def test_where_the_grant_itself_is_the_result_it_is_paid_before() -> None:
    given(*NO_LICENCE).when(grant_approval, by=DECIDER).then_refuses(FeeUnpaid, amount="80.00")
    given(*NO_LICENCE, fee_paid).when(grant_approval, by=DECIDER).then(granted_at_once, CaseClosed(Result.GRANTED))


def test_a_case_that_ends_without_its_result_is_closed_once_the_money_is_back() -> None:
    withdrawn = (*PAID, application_withdrawn)
    given(*PAID).when(withdraw_application, by=CLERK).then(application_withdrawn)
    given(*withdrawn).when(record_refund, by=HEAD).then(fee_refunded, CaseClosed(Result.WITHDRAWN))
    denied = (*PAID, *ALL_PASSED, approval_denied)
    given(*PAID, *ALL_PASSED).when(deny_approval, by=DECIDER).then(approval_denied)
    given(*denied).when(record_refund, by=HEAD).then(fee_refunded, case_denied)
    lapsed = (*PAID, case_lapsed)
    given(*lapsed).when(record_refund, by=HEAD).then(fee_refunded, CaseClosed(Result.LAPSED))


def test_money_goes_back_where_a_condition_in_the_bundle_failed() -> None:
    paid = (*filed(terms=FEE, bundle=BUNDLE_ID), application_accepted, fee_requested, fee_paid)
    given(*paid).when(close_dependant, by=SYSTEM).then(condition_failed)
    given(*paid, condition_failed).when(close_dependant, by=SYSTEM).then_nothing()
    given(*paid, condition_failed).when(record_refund, by=HEAD).then(fee_refunded, CaseClosed(Result.NOT_STARTED))


def test_it_goes_back_once() -> None:
    over = (*PAID, application_withdrawn, fee_refunded, CaseClosed(Result.WITHDRAWN))
    given(*over).when(record_refund, by=HEAD).then_nothing()
    withdrawn = (*PAID, application_withdrawn)
    given(*withdrawn).when(record_refund, by=HEAD, at=START).then_refuses(EffectiveTimeBeforeCause)


def test_nothing_goes_back_that_was_not_paid_or_was_paid_for_something() -> None:
    for events in (FILED, ASKED, PAID, (*GRANTED_UNPAID, fee_paid), DENIED, (*FILED, correction_requested)):
        given(*events).when(record_refund, by=HEAD).then_refuses(NothingToRefund)
    given(*REVIEWED).when(record_refund, by=HEAD).then_refuses(NothingToRefund)
