"""免于提交: the office gets what the government holds, and a source that fails answers for it."""

from dataclasses import replace
from datetime import timedelta

from tests.examples import (
    ACCEPTED,
    ACCEPTOR,
    CASE_ID,
    FILED,
    ISSUED,
    application_accepted,
    filed,
    identity,
    material_exempted,
    obtain_material,
    source_failed,
    stopped,
    tolerated_clock,
)
from tests.given import START, given
from tongban.domain.case.commands import ObtainMaterial
from tongban.domain.case.events import MaterialSupplemented
from tongban.domain.case.guards import SourceFailure
from tongban.domain.case.refusals import AlreadyDecided, AskedOutsideGuide, NotASourceMaterial
from tongban.domain.errors import EffectiveTimeBeforeCause

NOTHING_SHOWN = filed(evidence=())
TIMEOUT = SourceFailure("id-card", "psb", "TIMEOUT")


def test_what_the_source_gives_is_recorded_with_its_version() -> None:
    asked = given(*NOTHING_SHOWN).when(obtain_material, by=ACCEPTOR, evidence=(identity,))
    asked.then(material_exempted)
    assert given(*NOTHING_SHOWN, material_exempted).states()["case"].met["id-card"] == identity


def test_it_can_still_be_obtained_in_review() -> None:
    accepted = (*NOTHING_SHOWN, application_accepted)
    given(*accepted).when(obtain_material, by=ACCEPTOR, evidence=(identity,)).then(material_exempted)


def test_what_is_met_is_not_obtained() -> None:
    given(*FILED).when(obtain_material, by=ACCEPTOR, evidence=(identity,)).then_nothing()


def test_a_failure_counts_against_the_source_once() -> None:
    given(*NOTHING_SHOWN).when(obtain_material, by=ACCEPTOR, failures=(TIMEOUT,)).then(source_failed)
    given(*NOTHING_SHOWN, source_failed).when(obtain_material, by=ACCEPTOR, failures=(TIMEOUT,)).then_nothing()


def test_a_source_that_failed_can_be_asked_again() -> None:
    asked = given(*NOTHING_SHOWN, source_failed).when(obtain_material, by=ACCEPTOR, evidence=(identity,))
    asked.then(material_exempted)


def test_what_the_office_obtains_the_applicant_need_not_bring_any_more() -> None:
    """It was promised at the acceptance; now it is in."""
    tolerated = replace(
        application_accepted, tolerated=("id-card",), clocks=(*application_accepted.clocks, tolerated_clock)
    )
    given(*NOTHING_SHOWN, tolerated).when(obtain_material, by=ACCEPTOR, evidence=(identity,)).then(
        material_exempted, MaterialSupplemented(outstanding=(), evidence=(), clocks=stopped(tolerated_clock))
    )


def test_only_what_a_source_holds_is_obtained() -> None:
    paper = ObtainMaterial(CASE_ID, "sale-contract")
    given(*FILED).when(paper, by=ACCEPTOR).then_refuses(NotASourceMaterial, material="sale-contract")
    unheard = ObtainMaterial(CASE_ID, "blood-test")
    given(*FILED).when(unheard, by=ACCEPTOR).then_refuses(AskedOutsideGuide, materials=["blood-test"])


def test_nothing_is_obtained_before_the_receipt() -> None:
    early = START - timedelta(seconds=1)
    given(*NOTHING_SHOWN).when(obtain_material, by=ACCEPTOR, at=early, evidence=(identity,)).then_refuses(
        EffectiveTimeBeforeCause, not_before=START
    )


def test_nothing_is_obtained_after_the_decision() -> None:
    given(*ISSUED).when(obtain_material, by=ACCEPTOR).then_refuses(AlreadyDecided)
    assert given(*ACCEPTED).when(obtain_material, by=ACCEPTOR).decided() == []
