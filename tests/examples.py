"""One valid example of each event and each command, with fixed ids and times.

The people are made up; their numbers are of reserved regions or end in checked digits, but belong to nobody.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, date, datetime
from typing import Any
from uuid import UUID

from tongban.domain.absence.commands import EndAbsence, RegisterAbsence
from tongban.domain.absence.events import AbsenceEnded, AbsenceRegistered
from tongban.domain.actor import Actor, Role
from tongban.domain.calendar.commands import ImportCalendar
from tongban.domain.calendar.events import CalendarImported
from tongban.domain.case.commands import (
    AcceptApplication,
    DenyApproval,
    GrantApproval,
    How,
    IssueLicence,
    MaterialOffered,
    RecordOpinion,
    SubmitApplication,
)
from tongban.domain.case.events import (
    ApplicationAccepted,
    ApplicationSubmitted,
    ApprovalDenied,
    ApprovalGranted,
    CaseClosed,
    Channel,
    LicenceIssued,
    Opinion,
    OpinionRecorded,
    Result,
)
from tongban.domain.catalogue.commands import DraftItem, PublishItem, WithdrawItem
from tongban.domain.catalogue.events import ItemDrafted, ItemPublished, ItemWithdrawn
from tongban.domain.ids import absence_stream, calendar_stream, item_stream, rating_stream
from tongban.domain.licence.commands import CollectLicence
from tongban.domain.licence.events import LicenceCollected
from tongban.domain.mandate.commands import GrantMandate, RevokeMandate
from tongban.domain.mandate.events import MandateGranted, MandateKind, MandateRevoked, Step
from tongban.domain.party.commands import RegisterParty
from tongban.domain.party.events import IdentifierKind, PartyKind, PartyRegistered
from tongban.domain.rating.commands import RateCase
from tongban.domain.rating.events import CaseRated
from tongban.domain.recorded import Envelope, Evidence, ItemVersion, Rules
from tongban.domain.registry import EVENT_NAMES, schema_of
from tongban.domain.sharing.commands import RecordExchanges
from tongban.domain.sharing.events import ExchangeRecorded, ExchangeResult, ExemptionFailed, Purpose

PERSON_ID = UUID("0191d6a0-0000-7000-8000-000000000001")
ORGANISATION_ID = UUID("0191d6a0-0000-7000-8000-000000000002")
CASE_ID = UUID("0191d6a0-0000-7000-8000-000000000003")
LICENCE_ID = UUID("0191d6a0-0000-7000-8000-000000000004")
DRAFT_ID = UUID("0191d6a0-0000-7000-8000-000000000005")
EVENT_ID = UUID("0191d6a0-0000-7000-8000-000000000006")
COMMAND_ID = UUID("0191d6a0-0000-7000-8000-000000000007")
CAUSE_ID = UUID("0191d6a0-0000-7000-8000-000000000008")
NEW_ID = LICENCE_ID
MANDATE_ID = UUID("0191d6a0-0000-7000-8000-000000000009")
STRANGER_ID = UUID("0191d6a0-0000-7000-8000-00000000000f")

EFFECTIVE_AT = datetime(2026, 3, 2, 1, 0, tzinfo=UTC)
RECORDED_AT = datetime(2026, 3, 2, 1, 30, 0, 250_000, tzinfo=UTC)

ITEM = "property-transfer"
LEAD = "nr"
BRANCHES = ("housing", "tax", "nr")
LICENCE_TYPE = "lt-property"
CASE_NUMBER = "NR-20260302-0000001"
LICENCE_NUMBER = "1.2.156.3005.2.TEST.0001"

FIRST_DEFINITION: dict[str, Any] = {
    "id": ITEM,
    "nameZh": "不动产转移登记",
    "nameEn": "Transfer of real estate",
    "departmentId": LEAD,
    "reviewBranches": {"departments": list(BRANCHES)},
    "caseType": {"code": "2"},
    "materials": [{"materialId": "form"}, {"materialId": "id-card"}, {"materialId": "sale-contract"}],
    "serviceObjects": ["NATURAL_PERSON", "LEGAL_PERSON"],
    "resultLicenceTypeId": LICENCE_TYPE,
}
"""As the first release asked for it; no longer enough to be published."""

DEFINITION: dict[str, Any] = {
    **FIRST_DEFINITION,
    "itemCode": "11310000XX0000203X4310720001000",
    "baseCode": "310720001000",
    "handlingItemCode": "11310000XX0000203X431072000100001",
    "itemType": {"code": "07", "nameZh": "行政确认", "nameEn": "administrative confirmation"},
    "exerciseLevel": "4",
    "legalBasis": ["不动产登记暂行条例 art. 14"],
    "legalTimeLimit": {"value": 20, "unit": "WORKING_DAY", "basis": "行政许可法 art. 42"},
    "promisedTimeLimit": {"value": 10, "unit": "WORKING_DAY", "source": "sample"},
    "extension": {"allowed": True, "maxDays": 10, "unit": "WORKING_DAY", "basis": "行政许可法 art. 42"},
    "acceptanceConditions": ["房屋已竣工验收"],
    "materials": [
        {
            "materialId": "form",
            "nameZh": "申请表",
            "nameEn": "application form",
            "sourceType": "APPLICANT",
            "necessity": "REQUIRED",
            "exemptBy": "FORM_PREFILL",
            "licenceTypeId": None,
        },
        {
            "materialId": "id-card",
            "nameZh": "居民身份证",
            "nameEn": "resident identity card",
            "sourceType": "GOV_ISSUED",
            "necessity": "REQUIRED",
            "exemptBy": "E_LICENCE",
            "licenceTypeId": "lt-id-card",
        },
        {
            "materialId": "sale-contract",
            "nameZh": "房屋买卖合同",
            "nameEn": "contract of sale",
            "sourceType": "APPLICANT",
            "necessity": "REQUIRED",
            "exemptBy": "NONE",
            "licenceTypeId": None,
            "basis": "不动产登记暂行条例 art. 16",
        },
    ],
    "materialsBasis": "不动产登记暂行条例实施细则 art. 9",
    "visits": 1,
    "cityWide": True,
    "onlineDepth": 5,
    "fullyOnline": False,
    "commitment": {"eligible": False},
    "tolerantAcceptance": False,
    "onSiteInspection": False,
    "specialProcedures": [],
    "fee": {"charged": False},
    "before": {"materials": 8, "workingDays": 30, "visits": 3, "inspections": 0},
}

APPLICANT = Actor(id=str(PERSON_ID), role=Role.CITIZEN)
STRANGER = Actor(id=str(STRANGER_ID), role=Role.CITIZEN)
CLERK = Actor(id="officer-clerk", role=Role.CLERK, department=LEAD, district="310101")
ACCEPTOR = Actor(id="officer-acceptor", role=Role.ACCEPTOR, department=LEAD, district="310101")
DECIDER = Actor(id="officer-decider", role=Role.DECIDER, department=LEAD, district="310101")
HEAD = Actor(id="officer-head", role=Role.HEAD, department=LEAD, district="310101")
ADMIN = Actor(id="officer-admin", role=Role.ADMIN)
AGENT = Actor(id=str(STRANGER_ID), role=Role.AGENT)
SYSTEM = Actor(id="react", role=Role.SYSTEM)


def reviewer(branch: str) -> Actor:
    """A reviewer of one branch."""
    return Actor(id=f"officer-{branch}", role=Role.REVIEWER, department=branch)


item_drafted = ItemDrafted(item_id=ITEM, definition=DEFINITION)
item_published = ItemPublished(item_id=ITEM, item_version=1, definition=DEFINITION, effective_from=None)
item_withdrawn = ItemWithdrawn(item_id=ITEM, withdrawn_from=date(2026, 6, 1))

party_registered = PartyRegistered(
    party_id=PERSON_ID,
    kind=PartyKind.PERSON,
    identifier_kind=IdentifierKind.CITIZEN_ID,
    identifier="11010119900307109X",
    name="欧阳测试",
)

organisation_registered = PartyRegistered(
    party_id=ORGANISATION_ID,
    kind=PartyKind.ORGANISATION,
    identifier_kind=IdentifierKind.USCC,
    identifier="91110000600037341L",
    name="测试餐饮有限公司",
)

stranger_registered = PartyRegistered(
    party_id=STRANGER_ID,
    kind=PartyKind.PERSON,
    identifier_kind=IdentifierKind.PASSPORT,
    identifier="G00000000",
    name="司徒测试",
)

FILED_ON, ACCEPTED_ON = date(2026, 3, 2), date(2026, 3, 2)
"""The office days on which the example case is filed and accepted; the calendar is not imported."""
NO_CALENDAR = Calendar()

application_submitted = ApplicationSubmitted(
    number=CASE_NUMBER,
    item_id=ITEM,
    item_version=1,
    lead=LEAD,
    branches=BRANCHES,
    promised=True,
    licence_type=LICENCE_TYPE,
    applicant=PERSON_ID,
    channel=Channel.WEB,
    draft=DRAFT_ID,
    evidence=(
        Evidence("form", "UPLOAD", "applicant", None, "sha256:0f"),
        Evidence("id-card", "E_LICENCE", None, None, None),
        Evidence("sale-contract", "UPLOAD", "applicant", None, "sha256:1f"),
    ),
    answers={"first-home": "首套住房答复", "area": 88.5},
    form={"address": "测试路77弄3号", "phone": "13900000000"},
    terms=read_item(DEFINITION).terms,
    needed=("form", "id-card", "sale-contract"),
)
correction_clock = start_clock("CORRECTION", "行政许可法 art. 32(4)", FILED_ON, Limit(5, Unit.WORKING_DAY), NO_CALENDAR)
legal_clock = start_clock("LEGAL", "行政许可法 art. 42", ACCEPTED_ON, Limit(20, Unit.WORKING_DAY), NO_CALENDAR)
promised_clock = start_clock("PROMISED", "sample", ACCEPTED_ON, Limit(10, Unit.WORKING_DAY), NO_CALENDAR)
materials_received = MaterialsReceived(received_on=FILED_ON, clocks=(correction_clock,))
application_accepted = ApplicationAccepted(
    accepted_by=ACCEPTOR.id, clocks=(stop_clock(correction_clock, ACCEPTED_ON), legal_clock, promised_clock)
)


def opinion_recorded(branch: str, opinion: Opinion = Opinion.PASS) -> OpinionRecorded:
    """The opinion of one branch."""
    return OpinionRecorded(
        branch=branch, opinion=opinion, applicant=PERSON_ID, text="材料齐全意见", given_by=reviewer(branch).id
    )


approval_granted = ApprovalGranted(decided_by=DECIDER.id, applicant=PERSON_ID, text="准予理由文字")
approval_denied = ApprovalDenied(
    decided_by=DECIDER.id, applicant=PERSON_ID, reason="合同未备案之理由", remedy="六十日内可申请行政复议"
)
licence_issued = LicenceIssued(
    licence_id=LICENCE_ID,
    licence_type=LICENCE_TYPE,
    licence_number=LICENCE_NUMBER,
    holder=PERSON_ID,
    valid_from=date(2026, 3, 2),
    valid_to=date(2031, 3, 1),
    face={"owner": "欧阳测试持证", "unit": "测试路房产"},
)
case_closed = CaseClosed(result=Result.GRANTED)
case_denied = CaseClosed(result=Result.DENIED)
licence_collected = LicenceCollected(
    case_id=CASE_ID,
    licence_type=LICENCE_TYPE,
    licence_number=LICENCE_NUMBER,
    holder=PERSON_ID,
    valid_from=date(2026, 3, 2),
    valid_to=None,
    face={"owner": "欧阳测试归集"},
)
case_rated = CaseRated(
    case_id=CASE_ID,
    item_id=ITEM,
    department=LEAD,
    rater=PERSON_ID,
    grade=2,
    options=("fast",),
    anonymous=True,
    text="办得很快之评语",
)

exchange_recorded = ExchangeRecorded(
    request_id=COMMAND_ID,
    purpose=Purpose.FORM_OPENING,
    item=ITEM,
    subject=PERSON_ID,
    draft=DRAFT_ID,
    asked_by=f"citizen:{PERSON_ID}",
    material="sale-contract",
    how="DATA_SHARING",
    source="housing",
    result=ExchangeResult.FOUND,
    status="VALID",
    evidence_id="housing:sale-contract:42",
    data_version="42",
    data_as_of=EFFECTIVE_AT,
    latency_ms=37,
    attempts=1,
)
exemption_failed = ExemptionFailed(
    request_id=COMMAND_ID,
    item=ITEM,
    material="sale-contract",
    source="housing",
    problem=ExchangeResult.TIMEOUT,
)
OFF_2026 = (date(2026, 1, 1), date(2026, 1, 2), date(2026, 1, 3))
WORKED_2026 = (date(2026, 1, 4),)
NOTICE_2026 = "国务院办公厅关于2026年部分节假日安排的通知"
calendar_imported = CalendarImported(
    calendar_version=1, year=2026, off=OFF_2026, worked=WORKED_2026, source=NOTICE_2026
)
mandate_granted = MandateGranted(
    principal=PERSON_ID,
    agent=STRANGER_ID,
    kind=MandateKind.AGENT,
    items=(ITEM,),
    steps=(Step.CORRECT, Step.FILE),
    valid_from=date(2026, 3, 2),
    valid_to=date(2026, 12, 31),
    document="sha256:0d",
)
mandate_revoked = MandateRevoked(principal=PERSON_ID, agent=STRANGER_ID, reason="委托人改由本人办理")
absence_registered = AbsenceRegistered(
    officer=ACCEPTOR.id, cover="officer-cover", department=LEAD, first=date(2026, 3, 30), last=date(2026, 4, 3)
)
absence_ended = AbsenceEnded(officer=ACCEPTOR.id, cover="officer-cover", department=LEAD, first=date(2026, 3, 30))

ALL_PASSED = tuple(opinion_recorded(branch) for branch in BRANCHES)
FILED = (application_submitted,)
ACCEPTED = (*FILED, application_accepted)
REVIEWED = (*ACCEPTED, *ALL_PASSED)
GRANTED = (*REVIEWED, approval_granted)
ISSUED = (*GRANTED, licence_issued, case_closed)
DENIED = (*REVIEWED, approval_denied, case_denied)
WITHOUT_LICENCE = (*REVIEWED, approval_granted, case_closed)

EVENTS: Mapping[str, Any] = {
    EVENT_NAMES[event.__class__]: event
    for event in (
        item_drafted,
        item_published,
        item_withdrawn,
        party_registered,
        application_submitted,
        application_accepted,
        opinion_recorded("tax", Opinion.FAIL),
        approval_granted,
        approval_denied,
        licence_issued,
        case_closed,
        licence_collected,
        case_rated,
        exchange_recorded,
        exemption_failed,
        calendar_imported,
        mandate_granted,
        mandate_revoked,
        absence_registered,
        absence_ended,
    )
}
"""Type name → example."""

_STREAMS = {
    "catalogue": item_stream(ITEM),
    "party": PERSON_ID,
    "case": CASE_ID,
    "licence": LICENCE_ID,
    "rating": rating_stream(CASE_ID),
    "sharing": DRAFT_ID,
    "calendar": calendar_stream(),
    "mandate": MANDATE_ID,
    "absence": absence_stream(ACCEPTOR.id),
}


def envelope(event: Any, **changes: Any) -> Envelope:
    """An envelope around an example, every field of it filled; `changes` replaces fields."""
    name = EVENT_NAMES[event.__class__]
    stream = _STREAMS[name.split(".")[0]]
    given: dict[str, Any] = {
        "id": EVENT_ID,
        "type": name,
        "schema": schema_of(event.__class__),
        "stream": stream,
        "version": 3,
        "effective_at": EFFECTIVE_AT,
        "recorded_at": RECORDED_AT,
        "actor": Actor(
            id="officer-clerk",
            role=Role.CLERK,
            department=LEAD,
            district="310101",
            on_behalf_of=ORGANISATION_ID,
            mandate=DRAFT_ID,
        ),
        "command": COMMAND_ID,
        "causation": CAUSE_ID,
        "correlation": CASE_ID,
        "rules": Rules(item=ItemVersion(ITEM, 1), bundle=ItemVersion("home-moving", 2), calendar="2026.1"),
        "holders": {"housing": "dept:housing", "tax": "dept:tax"},
        "evidence": getattr(event, "evidence", ()),
        "trace": "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
        "prev": "ab" * 32,
    }
    return Envelope(**{**given, **changes})


register_party = RegisterParty(
    kind=PartyKind.PERSON,
    identifier_kind=IdentifierKind.CITIZEN_ID,
    identifier="11010119900307109X",
    name="欧阳测试",
    id=PERSON_ID,
)
draft_item = DraftItem(item=DEFINITION)
publish_item = PublishItem(item=DEFINITION)
withdraw_item = WithdrawItem(item_id=ITEM, from_=date(2026, 6, 1))
submit_application = SubmitApplication(
    item=ITEM,
    applicant=PERSON_ID,
    channel=Channel.WEB,
    answers={"first-home": "首套住房答复", "area": 88.5},
    form={"address": "测试路77弄3号", "phone": "13900000000"},
    materials=(MaterialOffered("form", How.UPLOAD, "sha256:0f"), MaterialOffered("id-card", How.E_LICENCE)),
    draft=DRAFT_ID,
)
accept_application = AcceptApplication(case_id=CASE_ID)
record_opinion = RecordOpinion(case_id=CASE_ID, branch="tax", opinion=Opinion.PASS, text="材料齐全意见")
grant_approval = GrantApproval(case_id=CASE_ID, text="准予理由文字")
deny_approval = DenyApproval(case_id=CASE_ID, reason="合同未备案之理由", remedy="六十日内可申请行政复议")
issue_licence = IssueLicence(case_id=CASE_ID, face={"owner": "欧阳测试持证", "unit": "测试路房产"})
collect_licence = CollectLicence(
    licence_id=LICENCE_ID,
    case_id=CASE_ID,
    licence_type=LICENCE_TYPE,
    licence_number=LICENCE_NUMBER,
    holder=PERSON_ID,
    valid_from=date(2026, 3, 2),
    valid_to=None,
    face={"owner": "欧阳测试归集"},
)
record_exchanges = RecordExchanges(opening=DRAFT_ID, exchanges=(exchange_recorded,))
rate_case = RateCase(case_id=CASE_ID, grade=2, options=("fast",), text="办得很快之评语", anonymous=True)
import_calendar = ImportCalendar(year=2026, off=OFF_2026, worked=WORKED_2026, source=NOTICE_2026)
grant_mandate = GrantMandate(
    principal=PERSON_ID,
    agent=STRANGER_ID,
    from_=date(2026, 3, 2),
    to=date(2026, 12, 31),
    items=(ITEM,),
    steps=(Step.FILE, Step.CORRECT),
    document="sha256:0d",
)
revoke_mandate = RevokeMandate(mandate_id=MANDATE_ID, reason="委托人改由本人办理")
register_absence = RegisterAbsence(
    officer=ACCEPTOR.id, cover="officer-cover", from_=date(2026, 3, 30), to=date(2026, 4, 3)
)
end_absence = EndAbsence(officer=ACCEPTOR.id)

COMMANDS: Mapping[str, Any] = {
    command.__class__.__name__: command
    for command in (
        register_party,
        draft_item,
        publish_item,
        withdraw_item,
        submit_application,
        accept_application,
        record_opinion,
        grant_approval,
        deny_approval,
        issue_licence,
        collect_licence,
        rate_case,
        record_exchanges,
        import_calendar,
        grant_mandate,
        revoke_mandate,
        register_absence,
        end_absence,
    )
}
"""Command name → example."""
