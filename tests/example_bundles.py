"""One valid example of each event and each command of bundles, with fixed ids and times."""

from __future__ import annotations

from datetime import date
from typing import Any
from uuid import UUID

from tongban.domain.bundle import commands as c
from tongban.domain.bundle import events as e
from tongban.domain.bundle.definition import Kind
from tongban.domain.bundle.publishing import BundlePublished, PublishBundle
from tongban.domain.case.commands import How, MaterialOffered
from tongban.domain.case.events import Channel, Gate, Means, Opinion, Result, Step
from tongban.domain.clock import Clock, Extension, Limit, Unit
from tongban.domain.recorded import Evidence

BUNDLE_ID = UUID("0191d6a0-0000-7000-8000-0000000000b1")
PERMIT_CASE = UUID("0191d6a0-0000-7000-8000-0000000000b2")
SALE_CASE = UUID("0191d6a0-0000-7000-8000-0000000000b3")
_OWNER = UUID("0191d6a0-0000-7000-8000-000000000001")
_LICENCE = UUID("0191d6a0-0000-7000-8000-000000000004")
_WD = Unit.WORKING_DAY

DEFINITION: dict[str, Any] = {
    "id": "a-shop",
    "version": "2026",
    "nameZh": "开小店“一件事”",
    "nameEn": "open a shop",
    "leadDepartmentId": "samr",
    "subItems": [{"itemId": "permit", "afterPromisedWorkingDays": 8}, {"itemId": "sale"}],
    "sharedTasks": [{"id": "visit", "serves": ["permit"], "withinWorkingDays": 5}],
    "dependencies": [{"before": "permit", "type": "EFFECTIVE_AFTER", "after": "sale"}],
}

_extension = Extension(Limit(15, _WD), "行政许可法 art. 42(2)")
_clock = Clock(
    name="JOINT",
    basis="行政许可法 art. 42(2)",
    start=date(2026, 3, 2),
    limit=Limit(45, _WD),
    extensions=(_extension,),
    pauses=(),
    due=date(2026, 5, 29),
    provisional=False,
    stopped=None,
    calendar="1",
)
_evidence = (Evidence("one-form", "FORM_PREFILL", "applicant", None, None),)

EVENTS: tuple[Any, ...] = (
    BundlePublished("a-shop", 1, "2026", DEFINITION, None),
    e.BundleSubmitted(
        number="YJS-20260302-0000001",
        bundle_id="a-shop",
        bundle_version=1,
        label="2026",
        lead="samr",
        items=(
            e.SubItem(
                item="permit",
                item_version=3,
                case_id=PERMIT_CASE,
                lead="samr",
                departments=("fire", "samr"),
                licence_type="lt-permit",
                promised=Limit(8, _WD),
                answer_within=Limit(5, _WD),
                correct_within=Limit(15, _WD),
                city_wide=True,
                waits=(e.Wait(Kind.FINISH_TO_DECIDE, "visit"),),
                gates=(Gate("visit", Step.DECIDE),),
                materials=(e.SubMaterial("form", "one-form", None), e.SubMaterial("paper", "paper", None)),
                withheld_fields=("goods",),
                questions=("area",),
            ),
            e.SubItem(
                item="sale",
                item_version=1,
                case_id=SALE_CASE,
                lead="liquor",
                departments=("liquor",),
                licence_type="lt-sale",
                promised=None,
                answer_within=Limit(5, _WD),
                correct_within=Limit(15, _WD),
                city_wide=True,
                waits=(e.Wait(Kind.EFFECTIVE_AFTER, "permit"),),
                gates=(Gate("permit", Step.ISSUE),),
                materials=(e.SubMaterial("copy", None, "lt-permit", "permit"),),
                withheld_fields=(),
                questions=(),
            ),
        ),
        tasks=(e.SharedTask("visit", ("samr", "fire"), ("permit",), 5),),
        limit=Limit(8, _WD),
        applicant=_OWNER,
        channel=Channel.WEB,
        draft=None,
        delivery=Means.ONLINE,
        district="310101",
        evidence=_evidence,
        answers={"seats": 40},
        form={"address": "人民路1号"},
    ),
    e.SubItemStarted("permit", PERMIT_CASE, (1,), (Evidence("form", "FORM_PREFILL", "applicant", None, None),)),
    e.SubItemCancelled("sale", e.Ground.NOT_STARTED, "permit"),
    e.SubCaseNoted("permit", PERMIT_CASE, e.Noted.DEFECTS, None, None, ("paper",), _OWNER, {"paper": "无法辨认"}, ()),
    e.BundleAccepted((_clock,)),
    e.SharedTaskReady("visit", ()),
    e.JointInspectionDone("visit", (PERMIT_CASE,), ("甲", "乙"), Opinion.PASS, _OWNER, "现场符合要求", ()),
    e.GateReached("permit", PERMIT_CASE, "visit"),
    e.DependantClosed("sale", SALE_CASE, "permit"),
    e.BundleCorrectionRequested(
        (e.AskedMaterial("paper", (e.OwnMaterials("permit", ("paper",)),)),), (PERMIT_CASE,), ()
    ),
    e.BundleCorrected(
        (e.PartCorrection(PERMIT_CASE, (Evidence("paper", "UPLOAD", "applicant", None, "sha256:ab"),), ("goods",)),),
        _OWNER,
        (Evidence("paper", "UPLOAD", "applicant", None, "sha256:ab"),),
        {"address": "人民路2号"},
        (),
    ),
    e.BundleDeadlineExtended(15, "officer-head", _OWNER, "案情复杂", ()),
    e.BundleDeadlinesRecomputed((_clock,)),
    e.BundleWithdrawn(_OWNER, "不再开店"),
    e.SubItemWithdrawn("permit", PERMIT_CASE),
    e.BundleDecided(()),
    e.BundleCompleted((e.ItemResult("permit", Result.GRANTED), e.ItemResult("sale", Result.NOT_EFFECTIVE)), ()),
)

_paper = MaterialOffered("paper", How.UPLOAD, "sha256:ab")

COMMANDS: tuple[Any, ...] = (
    PublishBundle(DEFINITION),
    c.SubmitBundle("a-shop", _OWNER, Channel.WEB, {"seats": 40}, {"address": "人民路1号"}, (_paper,)),
    c.NoteSubCase(BUNDLE_ID, PERMIT_CASE, e.Noted.ISSUED, licence_id=_LICENCE),
    c.RecordBundleInspection(BUNDLE_ID, "visit", ("甲", "乙"), Opinion.PASS, "现场符合要求"),
    c.SendCorrectionNotice(BUNDLE_ID),
    c.SendDueNotice(BUNDLE_ID),
    c.SubmitBundleCorrection(BUNDLE_ID, (_paper,)),
    c.ExtendBundleDeadline(BUNDLE_ID, 15, "案情复杂"),
    c.RecomputeBundleDeadlines(BUNDLE_ID),
    c.WithdrawBundle(BUNDLE_ID, "不再开店"),
)
