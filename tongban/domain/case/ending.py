"""After the decision, and every other end: fee, licence, delivery, withdrawal, lapse, archive, the bundle's gates."""

from __future__ import annotations

import re
from datetime import date, timedelta

from tongban.domain.aggregate import Circumstances
from tongban.domain.case.commands import (
    ArchiveCase,
    CloseDependant,
    CloseRevoked,
    ConfirmDelivery,
    IssueLicence,
    LapseCase,
    OpenGate,
    RecordPayment,
    RecordRefund,
    RequestFee,
    WithdrawApplication,
)
from tongban.domain.case.events import (
    ApplicationWithdrawn,
    CaseArchived,
    CaseClosed,
    CaseEvent,
    CaseLapsed,
    ConditionFailed,
    FeePaid,
    FeeRefunded,
    FeeRequested,
    GateOpened,
    LicenceDelivered,
    LicenceIssued,
    Means,
    Result,
    Step,
)
from tongban.domain.case.guards import (
    APPLICANT_CORRECTION,
    DELIVERY,
    TOLERATED,
    CaseFacts,
    applicant_of,
    ended,
    gates_open,
    not_before,
    overdue,
    stopped,
    today,
)
from tongban.domain.case.refusals import (
    AlreadyDecided,
    CaseClosedAlready,
    DeliveryOtherMeans,
    FeeUnpaid,
    InvalidValidity,
    LicenceAlreadyIssued,
    NoFeeDue,
    NoLicenceResults,
    NotClosed,
    NotGranted,
    NothingToRefund,
    WrongAmount,
)
from tongban.domain.case.state import BEFORE_ACCEPTANCE, IN_REVIEW, OVER, Case, Fee, Status
from tongban.domain.office_time import office_day

_AMOUNT = re.compile(r"(?!0+\.00)[0-9]{1,12}\.[0-9]{2}")


def issue_licence(command: IssueLicence, circumstances: Circumstances, case: Case, facts: CaseFacts) -> list[CaseEvent]:
    """制证: one licence for one grant, paid for. One that goes online is delivered with it."""
    if case.licence_issued:
        raise LicenceAlreadyIssued(number=case.number)
    if case.licence_type is None:
        raise NoLicenceResults(number=case.number)
    if case.status is not Status.GRANTED or facts.revoked:
        raise NotGranted(number=case.number, state=case.status)
    gates_open(case, Step.ISSUE)
    if case.unpaid:
        raise FeeUnpaid(amount=case.fee_amount)
    not_before(circumstances, case.decided_at)
    assert facts.licence is not None  # looked up for this command
    day = today(circumstances)
    valid_from, valid_to = _validity(command, case, day, facts.licence.validity_years)
    issued = LicenceIssued(
        licence_id=circumstances.new_id,
        licence_type=case.licence_type,
        licence_number=facts.licence.number,
        holder=applicant_of(case),
        valid_from=valid_from,
        valid_to=valid_to,
        face=command.face,
    )
    if case.delivery is not Means.ONLINE:
        return [issued]
    return [issued, LicenceDelivered(Means.ONLINE, stopped(case, day, DELIVERY)), CaseClosed(Result.GRANTED)]


def _validity(command: IssueLicence, case: Case, day: date, years: int | None) -> tuple[date, date | None]:
    """First and last day of a licence; a renewed one begins where the old one ends."""
    after = case.renews_until + timedelta(days=1) if case.renews_until is not None else day
    valid_from = command.valid_from or max(day, after)
    valid_to = command.valid_to
    if valid_to is None and years is not None:
        valid_to = _years_later(valid_from, years)
    if valid_to is not None and valid_to < valid_from:
        raise InvalidValidity(valid_from=valid_from, valid_to=valid_to)
    return valid_from, valid_to


def _years_later(day: date, years: int) -> date:
    """The last valid day: the day before the same date `years` on; before 1 March where that year has no such date."""
    if day.year + years > date.max.year:
        raise InvalidValidity(valid_from=day, years=years)
    try:
        same_date = day.replace(year=day.year + years)
    except ValueError:  # 29 February
        same_date = date(day.year + years, 3, 1)
    return same_date - timedelta(days=1)


def confirm_delivery(
    command: ConfirmDelivery, circumstances: Circumstances, case: Case, facts: CaseFacts
) -> list[CaseEvent]:
    """送达, by the means the applicant chose."""
    if case.delivered:
        return []
    if case.status is not Status.ISSUING:
        raise NotGranted(number=case.number, state=case.status)
    if command.means is not case.delivery:
        raise DeliveryOtherMeans(chosen=case.delivery, means=command.means)
    not_before(circumstances, case.latest)
    delivered = LicenceDelivered(command.means, stopped(case, today(circumstances), DELIVERY))
    return [delivered, CaseClosed(Result.GRANTED)]


def request_fee(command: RequestFee, circumstances: Circumstances, case: Case, facts: CaseFacts) -> list[CaseEvent]:
    """缴费通知, where the amount is worked out for each case; a fixed one is asked for at the acceptance."""
    fee = case.terms.get("fee")
    if fee is None or case.accepted_at is None or case.status in OVER:
        raise NoFeeDue(number=case.number)
    if case.fee is not Fee.NONE:
        if case.fee_amount == command.amount:
            return []
        raise WrongAmount(amount=command.amount, due=case.fee_amount)
    if not _AMOUNT.fullmatch(command.amount):
        raise WrongAmount(amount=command.amount, due=None)
    not_before(circumstances, case.accepted_at)
    return [FeeRequested(amount=command.amount, currency=fee["currency"], basis=fee.get("basis") or "")]


def record_payment(
    command: RecordPayment, circumstances: Circumstances, case: Case, facts: CaseFacts
) -> list[CaseEvent]:
    """缴费, in full."""
    if case.fee is Fee.PAID:
        return []
    if case.fee is not Fee.ASKED or case.status in OVER:
        raise NoFeeDue(number=case.number)
    if command.amount != case.fee_amount:
        raise WrongAmount(amount=command.amount, due=case.fee_amount)
    not_before(circumstances, case.accepted_at)
    return [FeePaid(amount=command.amount, provider_ref=command.provider_ref)]


def record_refund(command: RecordRefund, circumstances: Circumstances, case: Case, facts: CaseFacts) -> list[CaseEvent]:
    """退费: what was paid for a case that ends without its result goes back, and then it is closed."""
    if case.fee is Fee.REFUNDED:
        return []
    if case.fee is not Fee.PAID or case.status not in (Status.ENDING, Status.DENIED) or case.result is None:
        raise NothingToRefund(number=case.number)
    not_before(circumstances, case.latest)
    return [FeeRefunded(amount=case.fee_amount, provider_ref=command.provider_ref), CaseClosed(case.result)]


def withdraw_application(
    command: WithdrawApplication, circumstances: Circumstances, case: Case, facts: CaseFacts
) -> list[CaseEvent]:
    """撤回, before the decision; where the item's law says so, until the licence is made."""
    if case.result is Result.WITHDRAWN:
        return []
    until_issue = case.terms.get("withdraw_until") == "ISSUE" and case.status is Status.GRANTED
    if case.status not in BEFORE_ACCEPTANCE and case.status not in IN_REVIEW and not until_issue:
        raise AlreadyDecided(number=case.number) if case.decided_at else CaseClosedAlready(number=case.number)
    not_before(circumstances, case.latest)
    withdrawn = ApplicationWithdrawn(applicant=applicant_of(case), reason=command.reason)
    return [withdrawn, *ended(case, Result.WITHDRAWN)]


def lapse_case(_: LapseCase, circumstances: Circumstances, case: Case, facts: CaseFacts) -> list[CaseEvent]:
    """视为撤回, once a date passed by which the applicant was to bring something; else nothing.

    Nothing either where it was brought to the bundle in time, and is on its way here.
    """
    now = office_day(circumstances.now)
    if case.status is Status.CORRECTING and overdue(case, APPLICANT_CORRECTION, now) and not facts.told_in_bundle:
        return [CaseLapsed(APPLICANT_CORRECTION), *ended(case, Result.LAPSED)]
    if case.status in IN_REVIEW and case.tolerated and overdue(case, TOLERATED, now):
        return [CaseLapsed(TOLERATED), *ended(case, Result.LAPSED)]
    return []


def open_gate(command: OpenGate, circumstances: Circumstances, case: Case, facts: CaseFacts) -> list[CaseEvent]:
    """What a step waited for has come, unless it had."""
    waits = any(gate.name == command.gate for gate in case.gates)
    return [GateOpened(gate=command.gate)] if waits and case.status not in OVER else []


def close_dependant(_: CloseDependant, circumstances: Circumstances, case: Case, facts: CaseFacts) -> list[CaseEvent]:
    """What the case depended on was not granted: it ends with that reason; what was decided otherwise stands."""
    if case.bundle is None or case.status in OVER or case.result not in (None, Result.GRANTED) or case.licence_issued:
        return []
    result = Result.NOT_EFFECTIVE if case.granted else Result.NOT_STARTED
    return [ConditionFailed(result), *ended(case, result)]


def close_revoked(_: CloseRevoked, circumstances: Circumstances, case: Case, facts: CaseFacts) -> list[CaseEvent]:
    """Without its grant there is no licence to be made, and the case is over; nothing where one was made."""
    if case.status is not Status.GRANTED:
        return []
    return [ConditionFailed(Result.NOT_EFFECTIVE), *ended(case, Result.NOT_EFFECTIVE)]


def archive_case(_: ArchiveCase, circumstances: Circumstances, case: Case, facts: CaseFacts) -> list[CaseEvent]:
    """归档 of a closed case."""
    if case.status is Status.ARCHIVED:
        return []
    if case.status is not Status.CLOSED:
        raise NotClosed(number=case.number)
    not_before(circumstances, case.latest)
    return [CaseArchived()]
