"""补正 and 当场更正: once, all defects, nothing outside the guide, nothing the office can get itself."""

from dataclasses import replace
from datetime import date, timedelta

import pytest

from tests.examples import (
    ACCEPTED,
    ACCEPTOR,
    APPLICANT,
    BUNDLE_ID,
    CASE_ID,
    CLERK,
    FILED,
    GRANTED,
    HEAD,
    ISSUED,
    REVIEWED,
    SYSTEM,
    applicant_clock,
    application_withdrawn,
    approval_denied,
    case_denied,
    contract,
    correct_on_spot,
    correction_requested,
    correction_submitted,
    defects_noted,
    error_corrected,
    filed,
    notify_defects,
    request_correction,
    source_failed,
    submit_correction,
)
from tests.given import START, given, office
from tongban.domain.case.commands import Defect, How, MaterialOffered, PassOnCorrection, RequestCorrection
from tongban.domain.case.events import CaseClaimed, CaseClosed, CorrectionRequested, CorrectionSubmitted, Result
from tongban.domain.case.refusals import (
    AcceptedByLaw,
    AlreadyCorrected,
    AlreadyDecided,
    AskedForExempt,
    AskedOutsideGuide,
    CaseClosedAlready,
    ClaimedByOther,
    CorrectionOutstanding,
    CorrectionTooLate,
    DefectsRemain,
    DefectsRequired,
    NoCorrectionAsked,
    SameGrounds,
    UnknownMaterial,
)
from tongban.domain.errors import EffectiveTimeBeforeCause
from tongban.domain.recorded import Evidence

IN_REVIEW = replace(correction_requested, in_review=True, clocks=())
FORM_TOO = replace(request_correction, defects=(*request_correction.defects, Defect("form", "缺签名")))
SUB_CASE = filed(bundle=BUNDLE_ID)
WITHDRAWN = (application_withdrawn, CaseClosed(Result.WITHDRAWN))


# ── the notice ───────────────────────────────────────────────────────────────────────────────────────────────────


def test_the_notice_names_all_defects_and_gives_the_applicant_time() -> None:
    given(*FILED).when(request_correction, by=ACCEPTOR).then(correction_requested)
    [notice] = given(*FILED).when(FORM_TOO, by=ACCEPTOR).decided()
    assert notice.materials == ("sale-contract", "form")
    assert notice.problems == {"sale-contract": "缺少签字页之问题", "form": "缺签名"}


def test_the_same_notice_again_changes_nothing() -> None:
    given(*FILED, correction_requested).when(request_correction, by=ACCEPTOR).then_nothing()


def test_there_is_one_notice() -> None:
    given(*FILED, correction_requested).when(FORM_TOO, by=ACCEPTOR).then_refuses(
        CorrectionOutstanding, materials=("sale-contract",)
    )
    given(*FILED, correction_requested, correction_submitted).when(FORM_TOO, by=ACCEPTOR).then_refuses(
        AlreadyCorrected, materials=["sale-contract"]
    )


@pytest.mark.parametrize(
    "defects",
    [
        (),
        (Defect("form", ""),),
        (Defect("form", "\t "),),
        (Defect("form", "unsigned"), Defect("form", "illegible")),
    ],
)
def test_a_notice_names_each_defect_once_and_says_what_it_is(defects: tuple[Defect, ...]) -> None:
    given(*FILED).when(replace(request_correction, defects=defects), by=ACCEPTOR).then_refuses(DefectsRequired)


def test_only_what_the_guide_asks_of_this_applicant_may_be_asked_for() -> None:
    unheard = RequestCorrection(CASE_ID, (Defect("blood-test", "missing"), Defect("form", "unsigned")))
    given(*FILED).when(unheard, by=ACCEPTOR).then_refuses(AskedOutsideGuide, materials=["blood-test"])
    not_needed = filed(needed=("form", "id-card"))
    given(*not_needed).when(request_correction, by=ACCEPTOR).then_refuses(
        AskedOutsideGuide, materials=["sale-contract"]
    )


def test_what_a_source_holds_may_not_be_asked_for_unless_the_source_failed() -> None:
    card = RequestCorrection(CASE_ID, (Defect("id-card", "missing"),))
    nothing_shown = filed(evidence=())
    for case in (FILED, nothing_shown):
        given(*case).when(card, by=ACCEPTOR).then_refuses(AskedForExempt, materials=["id-card"])
        assert given(*case, source_failed).when(card, by=ACCEPTOR).decided()


def test_what_the_applicant_brought_on_paper_may_be_asked_for_again() -> None:
    on_paper = filed(evidence=(Evidence("id-card", "UPLOAD", "applicant", None, "sha256:3f"),))
    card = RequestCorrection(CASE_ID, (Defect("id-card", "illegible"),))
    assert given(*on_paper).when(card, by=ACCEPTOR).decided()


def test_a_notice_comes_within_five_working_days_or_the_law_has_accepted() -> None:
    assert given(*FILED).when(request_correction, by=ACCEPTOR, now=office("2026-03-09", 23)).decided()
    late = office("2026-03-10", 0)
    given(*FILED).when(request_correction, by=ACCEPTOR, now=late).then_refuses(
        AcceptedByLaw, since=date(2026, 3, 2), due=date(2026, 3, 9)
    )


def test_a_notice_sent_in_time_can_be_entered_late() -> None:
    asked = given(*FILED).when(request_correction, by=ACCEPTOR, at=office("2026-03-09"), now=office("2026-03-12"))
    [notice] = asked.decided()
    assert notice.clocks[-1].start == date(2026, 3, 9)
    given(*FILED).when(request_correction, by=ACCEPTOR, at=START - timedelta(1), now=office("2026-03-12")).then_refuses(
        EffectiveTimeBeforeCause
    )


def test_who_claimed_the_acceptance_gives_the_notice() -> None:
    claimed = (*FILED, CaseClaimed("main", "officer-other"))
    given(*claimed).when(request_correction, by=ACCEPTOR).then_refuses(ClaimedByOther, claimed_by="officer-other")
    assert given(*claimed).when(request_correction, by=ACCEPTOR, covers=True).decided()


# ── in review ────────────────────────────────────────────────────────────────────────────────────────────────────


def test_in_review_a_further_correction_is_flagged_and_stops_no_clock() -> None:
    given(*ACCEPTED).when(request_correction, by=HEAD).then(IN_REVIEW)
    given(*ACCEPTED, IN_REVIEW).when(request_correction, by=HEAD).then_nothing()


def test_in_review_it_rests_on_other_grounds() -> None:
    corrected = (*FILED, correction_requested, correction_submitted, *ACCEPTED[2:])
    given(*corrected).when(FORM_TOO, by=HEAD).then_refuses(SameGrounds, materials=["sale-contract"])
    form = RequestCorrection(CASE_ID, (Defect("form", "unsigned"),))
    [notice] = given(*corrected).when(form, by=HEAD).decided()
    assert notice.in_review


def test_nothing_is_asked_for_once_it_is_decided() -> None:
    given(*GRANTED).when(request_correction, by=HEAD).then_refuses(AlreadyDecided)
    given(*FILED, *WITHDRAWN).when(request_correction, by=HEAD).then_refuses(CaseClosedAlready)


# ── the correction ───────────────────────────────────────────────────────────────────────────────────────────────


def test_a_correction_is_a_new_receipt() -> None:
    given(*FILED, correction_requested).when(submit_correction, by=APPLICANT).then(correction_submitted)
    later = office("2026-03-12")
    [corrected] = given(*FILED, correction_requested).when(submit_correction, by=APPLICANT, now=later).decided()
    running = corrected.clocks[-1]
    assert (running.name, running.start, running.due) == ("CORRECTION", date(2026, 3, 12), date(2026, 3, 19))


def test_a_correction_in_review_moves_no_clock() -> None:
    given(*ACCEPTED, IN_REVIEW).when(submit_correction, by=APPLICANT).then(replace(correction_submitted, clocks=()))


def test_what_a_source_says_of_the_corrected_material_is_the_evidence() -> None:
    vouched = Evidence("sale-contract", "UPLOAD", "housing", "42", "sha256:2f")
    [corrected] = (
        given(*FILED, correction_requested).when(submit_correction, by=APPLICANT, evidence=(vouched,)).decided()
    )
    assert corrected.evidence == (vouched,)


def test_nothing_is_corrected_that_was_not_asked_for() -> None:
    for case in (FILED, ACCEPTED, ISSUED, (*FILED, correction_requested, correction_submitted)):
        given(*case).when(submit_correction, by=APPLICANT).then_refuses(NoCorrectionAsked)


def test_nothing_is_corrected_after_the_end() -> None:
    """What was asked for before a withdrawal or a decision stays asked; it is no open case any more."""
    given(*FILED, correction_requested, *WITHDRAWN).when(submit_correction, by=APPLICANT).then_refuses(
        CaseClosedAlready
    )
    asked = (*REVIEWED, IN_REVIEW, approval_denied, case_denied)
    given(*asked).when(submit_correction, by=APPLICANT).then_refuses(AlreadyDecided)


def test_a_correction_brings_everything_at_once() -> None:
    both = replace(correction_requested, materials=("sale-contract", "form"))
    given(*FILED, both).when(submit_correction, by=APPLICANT).then_refuses(DefectsRemain, materials=["form"])
    unheard = replace(submit_correction, materials=(MaterialOffered("blood-test", How.UPLOAD),))
    given(*FILED, both).when(unheard, by=APPLICANT).then_refuses(UnknownMaterial)


def test_the_last_day_of_the_applicant_is_in_time_and_the_next_is_not() -> None:
    assert applicant_clock.due == date(2026, 3, 23)
    asked = given(*FILED, correction_requested)
    assert asked.when(submit_correction, by=APPLICANT, now=office("2026-03-23", 23)).decided()
    asked.when(submit_correction, by=APPLICANT, now=office("2026-03-24", 0)).then_refuses(
        CorrectionTooLate, due=date(2026, 3, 23)
    )


def test_a_correction_does_not_come_before_the_notice() -> None:
    given(*FILED, correction_requested).when(submit_correction, by=CLERK, at=START).then_refuses(
        EffectiveTimeBeforeCause
    )


# ── on the spot ──────────────────────────────────────────────────────────────────────────────────────────────────


def test_an_error_is_corrected_on_the_spot_and_no_notice_is_used_up() -> None:
    given(*FILED).when(correct_on_spot, by=CLERK).then(error_corrected)
    world = given(*FILED, error_corrected)
    assert world.states()["case"].met["sale-contract"] == contract
    assert world.when(request_correction, by=ACCEPTOR).decided()


def test_there_is_nothing_to_correct_on_the_spot_while_a_notice_runs_or_after() -> None:
    given(*FILED, correction_requested).when(correct_on_spot, by=CLERK).then_refuses(CorrectionOutstanding)
    given(*ACCEPTED).when(correct_on_spot, by=CLERK).then_refuses(CaseClosedAlready)


# ── in a bundle ──────────────────────────────────────────────────────────────────────────────────────────────────


def test_a_sub_case_notes_its_defects_for_the_one_notice_of_its_bundle() -> None:
    given(*SUB_CASE).when(request_correction, by=ACCEPTOR).then(defects_noted)
    given(*SUB_CASE, defects_noted).when(request_correction, by=ACCEPTOR).then_nothing()
    [noted] = given(*SUB_CASE, defects_noted).when(FORM_TOO, by=ACCEPTOR).decided()
    assert noted.materials == ("sale-contract", "form")


def test_the_one_notice_takes_effect_in_every_sub_case_that_noted_something() -> None:
    given(*SUB_CASE, defects_noted).when(notify_defects, by=SYSTEM).then(replace(correction_requested, problems={}))
    given(*SUB_CASE).when(notify_defects, by=SYSTEM).then_nothing()
    notified = given(*SUB_CASE, defects_noted, correction_requested)
    notified.when(notify_defects, by=SYSTEM).then_nothing()
    [corrected] = notified.when(submit_correction, by=APPLICANT).decided()
    assert isinstance(corrected, CorrectionSubmitted)


def test_the_one_notice_comes_within_five_working_days_too() -> None:
    noted = given(*SUB_CASE, defects_noted)
    [notice] = noted.when(notify_defects, by=SYSTEM, now=office("2026-03-09")).decided()
    assert isinstance(notice, CorrectionRequested)
    noted.when(notify_defects, by=SYSTEM, now=office("2026-03-10")).then_nothing()


def test_a_share_of_the_bundles_correction_changes_nothing_where_it_is_over() -> None:
    share = PassOnCorrection(CASE_ID, (contract,), {})
    asked = (*SUB_CASE, defects_noted, correction_requested)
    [mended] = given(*asked).when(share, by=SYSTEM).decided()
    assert mended == replace(correction_submitted, form={})
    for over in ((*asked, mended), (*asked, *WITHDRAWN), (*REVIEWED, IN_REVIEW, approval_denied, case_denied)):
        given(*over).when(share, by=SYSTEM).then_nothing()
