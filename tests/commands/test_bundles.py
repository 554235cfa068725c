"""Bundles end to end: one application, its cases, and what follows between them, through the real reactor."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, time, timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest

from tests.bundles import SHOP
from tests.commands.office import Office, refused
from tests.commands.together import (
    A_CLERK,
    BUSINESS,
    COMPANY,
    COMPANY_ID,
    Together,
    city_of,
    officer,
    shop,
    submit_shop,
    town_of,
    vouched,
)
from tests.examples import ADMIN, SYSTEM
from tests.servers import Database
from tongban.commands.handlers import HANDLERS
from tongban.commands.handling import Asked
from tongban.domain.actor import Role
from tongban.domain.aggregate import Aggregate, Circumstances
from tongban.domain.bundle import commands as b
from tongban.domain.bundle import events as be
from tongban.domain.bundle.decide import Facts as BundleFacts
from tongban.domain.bundle.decide import decide as decide_bundle
from tongban.domain.bundle.refusals import (
    BundleNotPublished,
    NoDefectsNoted,
    NothingToWithdraw,
    PreconditionNotMet,
    TaskNotReady,
    UnknownBundle,
)
from tongban.domain.bundle.state import BUNDLE, evolve_all
from tongban.domain.case import commands as c
from tongban.domain.case import events as e
from tongban.domain.case.commands import Defect, How, MaterialOffered
from tongban.domain.case.refusals import GateClosed
from tongban.domain.case.state import CASE
from tongban.domain.catalogue.commands import PublishItem
from tongban.domain.errors import OtherDepartment, OtherDistrict
from tongban.domain.ids import sub_case_stream
from tongban.domain.office_time import OFFICE_TIME
from tongban.infra.reference import sample_bundles, sample_items


def state_of(town: Together, stream: UUID, kind: Aggregate[Any]) -> Any:
    """A stream's state as the store has it."""
    state = kind.initial
    for recorded in town.events(stream):
        state = kind.evolve(state, recorded.event, recorded.envelope.effective_at)
    return state


@pytest.fixture
def town(here: Office, database: Database) -> Iterator[Together]:
    """The made-up items and bundle, and a company."""
    with town_of(here, database) as found:
        yield found


@pytest.fixture
def city(here: Office, database: Database) -> Iterator[Together]:
    """The sample catalogue, and a company."""
    with city_of(here, database) as found:
        yield found


def filed(town: Together, case: UUID) -> e.ApplicationSubmitted:
    event: e.ApplicationSubmitted = town.of_kind(case, e.ApplicationSubmitted)[0]
    return event


def test_one_application_files_a_case_for_each_item_and_hands_out_all_results_together(town: Together) -> None:
    answer = town.done(submit_shop, COMPANY, [BUSINESS])
    assert answer.number is not None
    assert answer.number.startswith("YJS-")
    bundle = answer.id
    cases = {name: sub_case_stream(bundle, name) for name in ("permit", "sale", "bins")}
    permit, sale, bins = (filed(town, case) for case in cases.values())
    assert {permit.bundle, sale.bundle, bins.bundle} == {bundle}
    assert permit.form == bins.form == {"address": "人民路1号", "owner": "王", "note": "x"}
    assert sale.form == {"goods": "茶", "owner": "王", "note": "x"}
    assert {found.material for found in permit.evidence} == {"form", "paper", "copy-lt-business"}
    assert permit.terms["promised"]["value"] == 8
    [copy] = [found for found in sale.evidence if found.material == "copy-lt-permit"]
    assert (copy.how, copy.source, copy.ref) == ("E_LICENCE", "dept-permit", str(cases["permit"]))
    for name, case in cases.items():
        town.accept(case, f"dept-{name}")
        town.review(case, [f"dept-{name}"])
    clocks = {clock.name for event in town.of_kind(bundle, be.BundleAccepted) for clock in event.clocks}
    assert clocks == {"JOINT", "PROMISED"}
    town.grant(cases["sale"], "dept-sale")
    refused(town.give(c.GrantApproval(cases["permit"], ""), officer("dept-permit", Role.DECIDER)), GateClosed)
    town.done(
        b.RecordBundleInspection(bundle, "visit", ("甲", "乙"), e.Opinion.PASS, "ok"),
        officer("dept-bins", Role.INSPECTOR),
    )
    for name in ("permit", "bins"):
        [inspected] = town.of_kind(cases[name], e.InspectionDone)
        assert inspected.joint == bundle
    refused(town.give(c.IssueLicence(cases["sale"]), officer("dept-sale", Role.DECIDER)), GateClosed)
    town.grant(cases["permit"], "dept-permit")
    town.grant(cases["bins"], "dept-bins")
    refused(town.give(c.IssueLicence(cases["sale"]), officer("dept-sale", Role.DECIDER)), GateClosed)
    town.issue(cases["permit"], "dept-permit")
    town.issue(cases["sale"], "dept-sale")
    [completed] = town.of_kind(bundle, be.BundleCompleted)
    assert {(result.item, result.result) for result in completed.results} == {
        (name, e.Result.GRANTED) for name in cases
    }
    for case in cases.values():
        assert {recorded.envelope.correlation for recorded in town.events(case)} == {bundle}


def test_a_part_that_the_answers_do_not_choose_is_not_filed(town: Together) -> None:
    bundle = town.done(replace(submit_shop, answers={"sells": False}), COMPANY, [BUSINESS]).id
    assert town.events(sub_case_stream(bundle, "sale")) == []
    [submitted] = town.of_kind(bundle, be.BundleSubmitted)
    assert [plan.item for plan in submitted.items] == ["permit", "bins"]


def test_a_denied_part_closes_what_takes_effect_after_it_and_nothing_else(town: Together) -> None:
    bundle, cases = shop(town)
    for name, case in cases.items():
        town.accept(case, f"dept-{name}")
        town.review(case, [f"dept-{name}"])
    town.grant(cases["sale"], "dept-sale")
    town.deny(cases["permit"], "dept-permit")
    [closed] = town.of_kind(cases["sale"], e.CaseClosed)
    assert closed.result is e.Result.NOT_EFFECTIVE
    assert town.of_kind(cases["bins"], e.CaseClosed) == []
    [because] = town.of_kind(bundle, be.DependantClosed)
    assert (because.item, because.because) == ("sale", "permit")


def test_defects_of_all_parts_go_out_in_one_notice_and_come_back_in_one_correction(town: Together) -> None:
    bundle, cases = shop(town)
    for name in ("permit", "bins"):
        defects = (Defect("paper", f"unreadable for {name}"), Defect("form", "unsigned"))
        town.done(c.RequestCorrection(cases[name], defects), officer(f"dept-{name}", Role.ACCEPTOR))
        assert town.of_kind(cases[name], e.CorrectionRequested) == []
    town.accept(cases["sale"], "dept-sale")  # the last part that was looked at
    [notice] = town.of_kind(bundle, be.BundleCorrectionRequested)
    assert {asked.material: tuple(own.item for own in asked.parts) for asked in notice.materials} == {
        "paper": ("permit", "bins"),
        "one-form": ("permit", "bins"),
    }
    for name in ("permit", "bins"):
        assert len(town.of_kind(cases[name], e.CorrectionRequested)) == 1
    mended = (
        MaterialOffered("paper", How.UPLOAD, "sha256:" + "1" * 64),
        MaterialOffered("one-form", How.FORM_PREFILL),
    )
    town.done(b.SubmitBundleCorrection(bundle, mended, {"goods": "咖啡", "owner": "李"}), COMPANY)
    for name in ("permit", "bins"):
        [corrected] = town.of_kind(cases[name], e.CorrectionSubmitted)
        assert corrected.form == {"owner": "李"}
        assert {found.material for found in corrected.evidence} == {"paper", "form"}
    assert town.of_kind(cases["sale"], e.CorrectionSubmitted) == []
    town.accept(cases["permit"], "dept-permit")


def test_the_lead_can_send_the_notice_before_all_parts_were_looked_at(town: Together) -> None:
    bundle, cases = shop(town)
    lead = officer("samr", Role.ACCEPTOR)
    refused(town.give(b.SendCorrectionNotice(bundle), lead), NoDefectsNoted)
    town.done(c.RequestCorrection(cases["bins"], (Defect("paper", "missing"),)), officer("dept-bins", Role.ACCEPTOR))
    refused(town.give(b.SendCorrectionNotice(bundle), officer("dept-bins", Role.ACCEPTOR)), OtherDepartment)
    town.done(b.SendCorrectionNotice(bundle), lead)
    assert len(town.of_kind(cases["bins"], e.CorrectionRequested)) == 1
    assert town.done(b.SendCorrectionNotice(bundle), lead).events == ()


def test_another_districts_window_helps_with_a_bundle_only_where_all_of_it_is_city_wide(town: Together) -> None:
    elsewhere = replace(A_CLERK, id="elsewhere", department="housing", district="310115")
    bundle, _ = shop(town)
    town.done(b.WithdrawBundle(bundle, "r"), elsewhere)
    town.done(PublishItem({**SHOP[2], "cityWide": False}), ADMIN)
    local = town.done(replace(submit_shop, district="310101"), COMPANY, [BUSINESS]).id
    refused(town.give(b.WithdrawBundle(local, "r"), elsewhere), OtherDistrict)
    refused(town.give(b.SubmitBundleCorrection(local), elsewhere), OtherDistrict)
    town.done(b.WithdrawBundle(local, "r"), A_CLERK)


def test_what_the_bundle_knows_first_is_not_overtaken_by_a_timer(town: Together) -> None:
    """A notice that was sent, a correction that was brought, on the last day, while the reactor is behind."""
    bundle, cases = shop(town)
    bins, lead = cases["bins"], officer("samr", Role.ACCEPTOR)
    late = datetime.now(UTC) + timedelta(days=90)

    def when_time_is_up(command: Any) -> list[Any]:
        handler = HANDLERS[command.__class__.__name__]
        assert handler.more is not None
        case = state_of(town, bins, CASE)
        read = {*handler.reads(command), *handler.more(command, case, SYSTEM)}

        def other(stream: UUID, kind: Aggregate[Any]) -> Any:
            assert stream in read
            return state_of(town, stream, kind)

        circumstances = Circumstances(SYSTEM, late, late, uuid4())
        return handler.decide(Asked(command, bins, circumstances, case, other, None, town.office.batch._desk))

    town.done(c.RequestCorrection(bins, (Defect("paper", "missing"),)), officer("dept-bins", Role.ACCEPTOR))
    assert when_time_is_up(c.DeemAccepted(bins))
    town.office.done(b.SendCorrectionNotice(bundle), lead)  # and nobody has handed it on
    assert when_time_is_up(c.DeemAccepted(bins)) == []
    town.settle()
    assert when_time_is_up(c.LapseCase(bins))
    brought = (MaterialOffered("paper", How.UPLOAD, "sha256:" + "1" * 64),)
    town.office.done(b.SubmitBundleCorrection(bundle, brought), COMPANY)
    assert when_time_is_up(c.LapseCase(bins)) == []
    town.settle()
    assert len(town.of_kind(bins, e.CorrectionSubmitted)) == 1


def test_a_notice_that_was_sent_too_late_does_not_keep_the_law_from_accepting(town: Together) -> None:
    _, cases = shop(town)
    lead = officer("samr", Role.ACCEPTOR)
    bins = cases["bins"]
    town.done(c.RequestCorrection(bins, (Defect("paper", "missing"),)), officer("dept-bins", Role.ACCEPTOR))
    case = state_of(town, bins, CASE)
    bundle = state_of(town, case.bundle, BUNDLE)
    day = case.clocks["CORRECTION"].due + timedelta(days=1)
    late = datetime.combine(day, time(9), OFFICE_TIME)
    send = decide_bundle(b.SendDueNotice(case.bundle), Circumstances(lead, late, late, uuid4()), bundle, BundleFacts())
    bundle = evolve_all(bundle, send, late)
    assert bundle.asked
    states = {case.bundle: bundle, bins: case}

    def other(stream: UUID, kind: Aggregate[Any]) -> Any:
        return states.get(stream, kind.initial)

    handler, circumstances = HANDLERS["DeemAccepted"], Circumstances(SYSTEM, late, late, uuid4())
    assert handler.decide(Asked(c.DeemAccepted(bins), bins, circumstances, case, other, None, town.office.batch._desk))


def test_a_withdrawn_bundle_withdraws_what_is_not_decided(town: Together) -> None:
    bundle, cases = shop(town)
    for name, case in cases.items():
        town.accept(case, f"dept-{name}")
        town.review(case, [f"dept-{name}"])
    town.grant(cases["sale"], "dept-sale")
    town.done(b.WithdrawBundle(bundle, "changed my mind"), COMPANY)
    results = {name: [event.result for event in town.of_kind(case, e.CaseClosed)] for name, case in cases.items()}
    assert results == {
        "permit": [e.Result.WITHDRAWN],
        "bins": [e.Result.WITHDRAWN],
        # The grant stands as an act of its own, but what it was to follow will never be.
        "sale": [e.Result.NOT_EFFECTIVE],
    }
    assert len(town.of_kind(bundle, be.BundleCompleted)) == 1
    assert town.done(b.WithdrawBundle(bundle, "again"), COMPANY).events == ()


def test_what_is_over_cannot_be_withdrawn(town: Together) -> None:
    bundle, cases = shop(town)
    for name in ("permit", "bins"):  # and with the permit the sale that depends on it
        town.done(c.WithdrawApplication(cases[name], "r"), COMPANY)
    refused(town.give(b.WithdrawBundle(bundle, "r"), COMPANY), NothingToWithdraw)


def test_without_the_licence_it_builds_on_a_bundle_is_not_filed(town: Together) -> None:
    refused(town.give(submit_shop, COMPANY), PreconditionNotMet, licence_type="lt-business")


def test_a_bundle_or_version_that_is_not_published_cannot_be_asked_for(town: Together) -> None:
    refused(town.give(replace(submit_shop, bundle="nothing"), COMPANY), BundleNotPublished)
    refused(town.give(replace(submit_shop, version="1999"), COMPANY, [BUSINESS]), BundleNotPublished)


def test_what_was_never_filed_is_unknown(town: Together) -> None:
    refused(town.give(b.WithdrawBundle(uuid4(), "r"), COMPANY), UnknownBundle)
    refused(town.give(b.SendCorrectionNotice(uuid4()), officer("samr", Role.ACCEPTOR)), UnknownBundle)


def test_an_inspection_waits_for_the_acceptance_of_what_it_serves(town: Together) -> None:
    bundle, cases = shop(town)
    inspector = officer("dept-permit", Role.INSPECTOR)
    visit = b.RecordBundleInspection(bundle, "visit", ("甲", "乙"), e.Opinion.PASS)
    town.accept(cases["permit"], "dept-permit")
    refused(town.give(visit, inspector), TaskNotReady, waits_for=("bins",))
    town.accept(cases["bins"], "dept-bins")
    refused(town.give(visit, officer("dept-sale", Role.INSPECTOR)), OtherDepartment)
    town.done(visit, inspector)
    assert town.done(visit, inspector).events == ()


def test_both_versions_of_a_bundle_go_side_by_side_and_the_later_is_the_default(city: Together) -> None:
    business = vouched("licence-biz")
    old = b.SubmitBundle("open-restaurant", COMPANY_ID, e.Channel.COUNTER, version="2019")
    for command, label, parts in ((old, "2019", 6), (replace(old, version=None), "2024", 3)):
        bundle = city.done(command, A_CLERK, [business]).id
        [submitted] = city.of_kind(bundle, be.BundleSubmitted)
        assert (submitted.label, len(submitted.items)) == (label, parts)


def test_open_restaurant_from_the_counter_to_six_results(city: Together) -> None:
    merged = next(bundle for bundle in sample_bundles() if bundle["version"] == "2019")["mergedMaterials"]
    answers = {"commitment-route": False, "area": 200, "open-kitchen": False, "agent": True, "own-premises": False}
    command = b.SubmitBundle("open-restaurant", COMPANY_ID, e.Channel.COUNTER, answers=answers, version="2019")
    evidence = [vouched(material["materialId"]) for material in merged]
    bundle = city.done(command, A_CLERK, evidence).id
    [submitted] = city.of_kind(bundle, be.BundleSubmitted)
    assert submitted.limit.value == 10
    plans: dict[str, be.SubItem] = {plan.item: plan for plan in submitted.items}
    branches: dict[str, Any] = {item["id"]: item["reviewBranches"]["departments"] for item in sample_items()}
    for name, plan in plans.items():
        city.accept(plan.case_id, plan.lead)  # nothing is missing: 12 materials stand for 31
        city.review(plan.case_id, branches[name])
    inspection = b.RecordBundleInspection(bundle, "joint-inspection", ("甲", "乙", "丙"), e.Opinion.PASS, "合格")
    city.done(inspection, officer("fire", Role.INSPECTOR))
    for plan in plans.values():
        city.grant(plan.case_id, plan.lead)
    order = sorted(plans.values(), key=lambda plan: plan.item == "liquor-retail")
    for plan in order:
        if plan.licence_type:
            city.issue(plan.case_id, plan.lead)
    [completed] = city.of_kind(bundle, be.BundleCompleted)
    assert len(completed.results) == 6
    assert {result.result for result in completed.results} == {e.Result.GRANTED}
    inspections = [event for plan in plans.values() for event in city.of_kind(plan.case_id, e.InspectionDone)]
    assert {event.joint for event in inspections} == {bundle}
    assert len(inspections) == 3
    assert len(city.of_kind(bundle, be.JointInspectionDone)) == 1


def test_a_result_feeds_the_next_part_without_the_applicant(city: Together) -> None:
    command = b.SubmitBundle("start-company", COMPANY_ID, e.Channel.WEB, form={"name": "好味道"})
    bundle = city.done(
        command, COMPANY, [vouched(name) for name in ("form", "id-card", "articles", "address-proof")]
    ).id
    registration, seal = (sub_case_stream(bundle, item) for item in ("company-registration", "seal-filing"))
    assert city.events(seal) == []
    city.accept(registration, "samr")
    city.review(registration, ["samr"])
    city.grant(registration, "samr")
    assert city.events(seal) == []
    city.issue(registration, "samr")
    [licence] = city.of_kind(registration, e.LicenceIssued)
    sealed = filed(city, seal)
    assert sealed.form == {"name": "好味道"}
    [found] = [found for found in city.events(seal)[0].envelope.evidence if found.material == "licence-biz"]
    assert (found.how, found.source, found.ref) == ("E_LICENCE", "samr", str(licence.licence_id))
    city.accept(seal, "psb")
