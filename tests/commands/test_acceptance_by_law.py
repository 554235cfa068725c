"""What the write side makes of an acceptance that comes too late, and of an applicant's act on a claimed case."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, time, timedelta
from uuid import UUID

import pytest

from tests.commands.acting import TODAY
from tests.commands.office import Office, answered, ask
from tests.examples import ACCEPTOR, APPLICANT, CLERK, submit_application
from tongban.domain.case.commands import (
    AcceptApplication,
    ClaimCase,
    Defect,
    How,
    MaterialOffered,
    RequestCorrection,
    SubmitCorrection,
)
from tongban.domain.case.state import MAIN
from tongban.domain.office_time import OFFICE_TIME
from tongban.infra.event_codec import decode

LATE = 15  # calendar days: more than five working days, whatever the calendar


def filed_late(opened: Office, moment: datetime) -> UUID:
    """A case that was received at a moment which has passed."""
    return answered(opened.do(ask(submit_application, CLERK, effective_at=moment))[0]).id


@pytest.mark.parametrize("entered_late", [False, True])
def test_after_five_days_an_acceptance_records_that_the_law_accepted_since_the_receipt(
    opened: Office,
    *,
    entered_late: bool,
) -> None:
    received = datetime.combine(TODAY - timedelta(days=LATE), time(10), OFFICE_TIME)
    case = filed_late(opened, received)
    at = received + timedelta(days=LATE - 1) if entered_late else None
    accepted = answered(opened.do(ask(AcceptApplication(case), ACCEPTOR, effective_at=at))[0])
    assert "case.CaseDeemedAccepted" in accepted.events
    assert "case.ApplicationAccepted" not in accepted.events
    tails = opened.log.read(after={case: 0}, commands=(), identifiers=()).tails
    deemed = next(r for r in (decode(t.state, t.position, opened.vault) for t in tails) if "Deemed" in r.envelope.type)
    assert deemed.envelope.effective_at == received


def test_an_applicant_mends_a_case_that_an_officer_has_claimed(opened: Office) -> None:
    case = opened.done(replace(submit_application, draft=None), CLERK).id
    opened.done(ClaimCase(case, MAIN), ACCEPTOR)
    opened.done(RequestCorrection(case, (Defect("form", "签名"),)), ACCEPTOR)
    mended = SubmitCorrection(case, (MaterialOffered("form", How.UPLOAD, "sha256:2f"),))
    assert opened.done(mended, APPLICANT).events == ("case.CorrectionSubmitted",)
