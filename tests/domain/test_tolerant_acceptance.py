"""容缺受理: accepted now, the secondary material follows, nothing is decided before it is in."""

from dataclasses import replace
from datetime import date

from tests.examples import (
    ACCEPTED,
    ACCEPTOR,
    ALL_PASSED,
    APPLICANT,
    CASE_ID,
    CLERK,
    DECIDER,
    FILED,
    GRANTED,
    SYSTEM,
    application_accepted,
    application_submitted,
    case_lapsed,
    deny_approval,
    filed,
    grant_approval,
    lapse_case,
    material_supplemented,
    supplement_material,
    tolerated_clock,
)
from tests.given import START, given, office
from tongban.domain.case.commands import AcceptApplication, How, MaterialOffered, SupplementMaterial
from tongban.domain.case.events import CaseClosed, MaterialSupplemented, Result
from tongban.domain.case.refusals import (
    AlreadyDecided,
    CorrectionTooLate,
    MaterialsMissing,
    NothingToSupplement,
    NotTolerable,
    ToleratedOutstanding,
)
from tongban.domain.errors import EffectiveTimeBeforeCause
from tongban.domain.recorded import Evidence

TOLERANT = {
    "tolerant": {"value": 10, "unit": "WORKING_DAY"},
    "materials": {
        **application_submitted.terms["materials"],
        "sale-contract": {"necessity": "TOLERABLE", "exempt_by": "NONE", "licence_type": None},
        "layout": {"necessity": "TOLERABLE", "exempt_by": "NONE", "licence_type": None},
    },
}
MISSING = filed(terms=TOLERANT, evidence=application_submitted.evidence[:2])
TWO_MISSING = filed(
    terms=TOLERANT, evidence=application_submitted.evidence[:2], needed=(*application_submitted.needed, "layout")
)
TOLERATED = replace(
    application_accepted, tolerated=("sale-contract",), clocks=(*application_accepted.clocks, tolerated_clock)
)
BOTH_TOLERATED = replace(TOLERATED, tolerated=("sale-contract", "layout"))
tolerate = AcceptApplication(CASE_ID, ("sale-contract",))
LAYOUT = SupplementMaterial(CASE_ID, (MaterialOffered("layout", How.UPLOAD, "sha256:4f"),))


def test_a_secondary_material_may_follow_on_the_applicants_promise() -> None:
    given(*MISSING).when(tolerate, by=ACCEPTOR).then(TOLERATED)
    assert tolerated_clock.due == date(2026, 3, 16)


def test_nothing_is_tolerated_that_the_officer_does_not_name() -> None:
    given(*MISSING).when(AcceptApplication(CASE_ID), by=ACCEPTOR).then_refuses(
        MaterialsMissing, materials=["sale-contract"], tolerable=["sale-contract"]
    )


def test_only_what_the_guide_marks_so_and_what_is_missing_is_tolerated() -> None:
    required = filed(terms={"tolerant": TOLERANT["tolerant"]}, evidence=application_submitted.evidence[:2])
    given(*required).when(tolerate, by=ACCEPTOR).then_refuses(NotTolerable, materials=["sale-contract"])
    given(*filed(terms=TOLERANT)).when(tolerate, by=ACCEPTOR).then_refuses(NotTolerable, materials=["sale-contract"])
    strict = filed(terms={**TOLERANT, "tolerant": None}, evidence=application_submitted.evidence[:2])
    given(*strict).when(tolerate, by=ACCEPTOR).then_refuses(NotTolerable, materials=["sale-contract"])


def test_what_was_promised_is_brought() -> None:
    given(*MISSING, TOLERATED).when(supplement_material, by=APPLICANT).then(material_supplemented)


def test_it_may_be_brought_piece_by_piece() -> None:
    world = given(*TWO_MISSING, BOTH_TOLERATED)
    evidence = (Evidence("layout", "UPLOAD", "applicant", None, "sha256:4f"),)
    first = MaterialSupplemented(outstanding=("sale-contract",), evidence=evidence)
    world.when(LAYOUT, by=APPLICANT).then(first)
    given(*world.events, first).when(supplement_material, by=APPLICANT).then(material_supplemented)


def test_only_what_was_promised_is_brought_and_once() -> None:
    given(*MISSING, TOLERATED).when(LAYOUT, by=APPLICANT).then_refuses(NothingToSupplement, materials=["layout"])
    nothing = SupplementMaterial(CASE_ID, ())
    given(*MISSING, TOLERATED).when(nothing, by=APPLICANT).then_refuses(NothingToSupplement)
    again = (*MISSING, TOLERATED, material_supplemented)
    given(*again).when(supplement_material, by=APPLICANT).then_refuses(NothingToSupplement)
    given(*GRANTED).when(supplement_material, by=APPLICANT).then_refuses(AlreadyDecided)


def test_the_last_day_is_in_time_and_the_next_is_not() -> None:
    world = given(*MISSING, TOLERATED)
    assert world.when(supplement_material, by=APPLICANT, now=office("2026-03-16", 23)).decided()
    world.when(supplement_material, by=APPLICANT, now=office("2026-03-17", 0)).then_refuses(
        CorrectionTooLate, due=date(2026, 3, 16)
    )


def test_it_does_not_come_before_the_acceptance() -> None:
    given(*MISSING, TOLERATED).when(supplement_material, by=CLERK, at=START).then_refuses(EffectiveTimeBeforeCause)


def test_there_is_no_decision_before_it_is_in() -> None:
    reviewed = (*MISSING, TOLERATED, *ALL_PASSED)
    given(*reviewed).when(grant_approval, by=DECIDER).then_refuses(ToleratedOutstanding, materials=("sale-contract",))
    assert given(*reviewed, material_supplemented).when(grant_approval, by=DECIDER).decided()
    given(*reviewed).when(deny_approval, by=DECIDER).then_refuses(ToleratedOutstanding, materials=("sale-contract",))
    assert given(*reviewed, material_supplemented).when(deny_approval, by=DECIDER).decided()


def test_what_is_not_brought_counts_as_a_withdrawal() -> None:
    world = given(*MISSING, TOLERATED)
    world.when(lapse_case, by=SYSTEM, now=office("2026-03-16", 23)).then_nothing()
    world.when(lapse_case, by=SYSTEM, now=office("2026-03-17", 0)).then(
        replace(case_lapsed, clock="TOLERATED"), CaseClosed(Result.LAPSED)
    )
    in_time = given(*MISSING, TOLERATED, material_supplemented)
    in_time.when(lapse_case, by=SYSTEM, now=office("2026-03-17")).then_nothing()


def test_what_the_law_accepted_without_a_material_is_not_granted_without_it() -> None:
    missing = filed(evidence=application_submitted.evidence[:2])
    given(*missing, application_accepted, *ALL_PASSED).when(grant_approval, by=DECIDER).then_refuses(
        MaterialsMissing, materials=("sale-contract",)
    )
    assert given(*FILED, *ACCEPTED[2:], *ALL_PASSED).when(grant_approval, by=DECIDER).decided()
