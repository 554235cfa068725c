"""Cases as a day brings them: events in format v1, encoded and decoded by the real codec, interleaved at random."""

from __future__ import annotations

import random
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, timedelta
from typing import Any
from uuid import UUID

from tests import example_bundles
from tongban.domain.absence.events import AbsenceEnded, AbsenceRegistered
from tongban.domain.actor import Actor, Role
from tongban.domain.bundle.events import Noted, SubCaseNoted
from tongban.domain.bundle.follow import NOTICE
from tongban.domain.calendar.events import CalendarImported
from tongban.domain.calendar.state import Calendar
from tongban.domain.case.events import (
    ApplicationAccepted,
    ApplicationSubmitted,
    ApprovalDenied,
    ApprovalGranted,
    CaseClosed,
    Channel,
    LicenceDelivered,
    LicenceIssued,
    MaterialsReceived,
    Means,
    Opinion,
    OpinionRecorded,
    Result,
)
from tongban.domain.catalogue.events import ItemPublished
from tongban.domain.catalogue.item import read_item
from tongban.domain.clock import Clock, Limit, Unit, start_clock, stop_clock
from tongban.domain.commitment.events import CheckResult, CommitmentChecked, CommitmentCheckOpened
from tongban.domain.ids import (
    absence_stream,
    bundle_definition_stream,
    calendar_stream,
    commitment_stream,
    item_stream,
    rating_stream,
    revocation_stream,
)
from tongban.domain.licence.events import LicenceCollected
from tongban.domain.mandate.events import MandateGranted, MandateKind, MandateRevoked, Step
from tongban.domain.office_time import office_day
from tongban.domain.party.events import IdentifierKind, PartyKind, PartyRegistered
from tongban.domain.rating.events import CaseRated
from tongban.domain.recorded import Envelope, Evidence, Recorded
from tongban.domain.registry import AGGREGATES, EVENT_NAMES, schema_of
from tongban.domain.revocation.events import DecisionRevoked, Ground
from tongban.infra.event_codec import decode, encode, subjects_of
from tongban.infra.reference import sample_calendars
from tongban.infra.sealing import unseal

MORNING = datetime(2026, 3, 2, 1, 0, tzinfo=UTC)
SYSTEM = Actor("system", Role.SYSTEM)

ITEMS: dict[str, tuple[str, tuple[str, ...], str | None]] = {
    "property-transfer": ("nr", ("housing", "tax", "nr"), "lt-property"),
    "food-licence": ("samr", ("samr",), "lt-food"),
    "kitchen-waste": ("greening", ("greening",), None),
}


def definition(item: str) -> dict[str, Any]:
    """A catalogue entry of one of the items above."""
    lead, branches, licence_type = ITEMS[item]
    return {
        "id": item,
        "nameZh": f"事项 {item}",
        "nameEn": item.replace("-", " "),
        "departmentId": lead,
        "reviewBranches": {"departments": list(branches)},
        "caseType": {"code": "2"},
        "materials": [
            {"materialId": "form", "nameZh": "申请表", "nameEn": "application form"},
            {"materialId": "id-card", "nameZh": "居民身份证", "nameEn": "resident identity card"},
        ],
        "serviceObjects": ["NATURAL_PERSON", "LEGAL_PERSON"],
        "resultLicenceTypeId": licence_type,
    }


def clock(name: str, days: int, at: datetime) -> Clock:
    """A clock of so many working days from an office day on, with no calendar imported."""
    return start_clock(name, "", office_day(at), Limit(days, Unit.WORKING_DAY), Calendar())


def officer(department: str, role: Role = Role.REVIEWER) -> Actor:
    """The officer of a department."""
    return Actor(f"{department}-{role}", role, department)


@dataclass
class Told:
    """What was told of one case."""

    id: UUID
    number: str
    item: str
    applicant: UUID
    licence: UUID | None = None
    rating: UUID | None = None


@dataclass
class Story:
    """An event store in memory. `states` holds the stored bytes, `events` what the codec reads from them."""

    seed: int = 1
    states: list[tuple[UUID, int, str, bytes]] = field(default_factory=list)
    events: list[Recorded] = field(default_factory=list)
    keys: dict[UUID, tuple[UUID, bytes]] = field(default_factory=dict)
    erased: set[UUID] = field(default_factory=set)
    gap: int = 1

    def __post_init__(self) -> None:
        """Start from the seed."""
        self.random = random.Random(self.seed)
        self._versions: dict[UUID, int] = {}
        self._folded: dict[UUID, Any] = {}
        self._position = 0

    def uuid(self) -> UUID:
        """A random id."""
        return UUID(int=self.random.getrandbits(128), version=4)

    def append(
        self, stream: UUID, event: Any, *, actor: Actor, at: datetime, correlation: UUID | None = None
    ) -> Recorded:
        """Store one event."""
        name = EVENT_NAMES[event.__class__]
        aggregate = AGGREGATES[name.partition(".")[0]]
        version = self._versions.get(stream, 0) + 1
        folded = aggregate.evolve(self._folded.get(stream, aggregate.initial), event, at)
        for person in subjects_of(event):
            self.keys.setdefault(person, (self.uuid(), self.random.randbytes(32)))
        envelope = Envelope(
            id=self.uuid(),
            type=name,
            schema=schema_of(event.__class__),
            stream=stream,
            version=version,
            effective_at=at,
            recorded_at=at + timedelta(milliseconds=7),
            actor=actor,
            command=self.uuid(),
            causation=None,
            correlation=correlation or stream,
            rules=aggregate.rules(folded),
            holders=aggregate.holders(folded),
            evidence=getattr(event, "evidence", ()),
            trace=None,
            prev=None,
        )
        state = encode(envelope, event, self.keys)
        self._position += self.random.randint(1, self.gap)
        recorded = decode(state, self._position)
        self._versions[stream], self._folded[stream] = version, folded
        self.states.append((stream, version, name, state))
        self.events.append(recorded)
        return recorded

    def unseal(self, boxes: Sequence[Mapping[str, Any]]) -> list[dict[str, Any] | None]:
        """Open boxes as the vault does."""
        opened: list[dict[str, Any] | None] = []
        for box in boxes:
            person = UUID(box["subject"])
            opened.append(None if person in self.erased else unseal(box, person_key=self.keys[person][1]))
        return opened

    def publish(self, item: str, version: int = 1) -> None:
        """Publish an item."""
        event = ItemPublished(item_id=item, item_version=version, definition=definition(item), effective_from=None)
        self.append(item_stream(item), event, actor=Actor("admin", Role.ADMIN), at=MORNING)

    def publish_all(self) -> None:
        """Publish every item, and import the calendars of 2025 and 2026."""
        for item in ITEMS:
            self.publish(item)
        for version, calendar in enumerate(sample_calendars(), 1):
            imported = CalendarImported(version, calendar.year, calendar.off, calendar.worked, calendar.source)
            self.append(calendar_stream(), imported, actor=Actor("admin", Role.ADMIN), at=MORNING)

    def register(self, name: str, kind: PartyKind = PartyKind.PERSON) -> UUID:
        """Register a party."""
        party = self.uuid()
        event = PartyRegistered(
            party_id=party,
            kind=kind,
            identifier_kind=IdentifierKind.PASSPORT,
            identifier=f"P-{party.hex[:8]}",
            name=name,
        )
        self.append(party, event, actor=officer("window", Role.CLERK), at=MORNING)
        return party

    def mandate_and_absence(self) -> None:
        """A mandate that is revoked, and an absence that is ended."""
        principal, agent, mandate, day = self.uuid(), self.uuid(), self.uuid(), MORNING.date()
        by, head = Actor(str(principal), Role.CITIZEN), officer("nr", Role.HEAD)
        granted = MandateGranted(principal, agent, MandateKind.FAMILY, None, (Step.FILE,), day, day, None)
        self.append(mandate, granted, actor=by, at=MORNING)
        self.append(mandate, MandateRevoked(principal, agent, None), actor=by, at=MORNING)
        away = absence_stream("nr-acceptor")
        self.append(away, AbsenceRegistered("nr-acceptor", "cover", "nr", day, day), actor=head, at=MORNING)
        self.append(away, AbsenceEnded("nr-acceptor", "cover", "nr", day), actor=head, at=MORNING)

    def follow_up(self, told: Told) -> None:
        """What comes after a decision: a promise is checked and was broken, the decision is revoked."""
        lead, by, at = ITEMS[told.item][0], officer(ITEMS[told.item][0], Role.HEAD), MORNING + timedelta(days=40)
        check, revoked = commitment_stream(told.id), revocation_stream(told.id)
        limit = start_clock("COMMITMENT_CHECK", "", office_day(MORNING), Limit(2, Unit.MONTH), Calendar())
        opened = CommitmentCheckOpened(told.id, told.item, lead, told.applicant, (limit,))
        self.append(check, opened, actor=SYSTEM, at=MORNING, correlation=told.id)
        done = (stop_clock(limit, office_day(at)),)
        checked = CommitmentChecked(told.id, told.item, CheckResult.BREACH, by.id, told.applicant, "不符", done)
        self.append(check, checked, actor=by, at=at, correlation=told.id)
        taken = DecisionRevoked(
            told.id, told.item, Ground.FRAUD, False, by.id, told.licence, told.applicant, "欺骗", "复议"
        )
        self.append(revoked, taken, actor=by, at=at, correlation=told.id)

    def case(
        self,
        applicant: UUID,
        item: str,
        *,
        steps: int = 99,
        denied: bool = False,
        anonymous: bool = False,
        grade: int = 1,
        clerk: Actor | None = None,
        start: datetime = MORNING,
    ) -> Told:
        """Tell a case to its end, or up to `steps` steps, the first being the filing with its receipt."""
        told = self._told(applicant, item)
        for _ in zip(
            range(steps),
            self._steps(told, start, denied=denied, anonymous=anonymous, grade=grade, clerk=clerk),
            strict=False,
        ):
            pass
        return told

    def day(self, cases: int, *, open_share: float = 0.3) -> list[Told]:
        """Many cases side by side; some stay open. A mandate is granted, an officer is away, a promise was broken."""
        self.mandate_and_absence()
        told: list[Told] = []
        running: list[Any] = []
        while len(told) < cases or running:
            if len(told) < cases and (len(running) < 400 or self.random.random() < 0.1):
                applicant = self.register(f"申请人{len(told)}")
                one = self._told(applicant, self.random.choice(list(ITEMS)))
                told.append(one)
                start = MORNING + timedelta(seconds=17 * len(told))
                steps = self._steps(
                    one,
                    start,
                    denied=self.random.random() < 0.1,
                    anonymous=self.random.random() < 0.2,
                    grade=self.random.randint(1, 5),
                )
                left = self.random.randint(1, 6) if self.random.random() < open_share else 99
                running.append([steps, left])
                continue
            chosen = self.random.randrange(len(running))
            running[chosen][1] -= 1
            if running[chosen][1] < 0 or next(running[chosen][0], None) is None:
                running[chosen] = running[-1]
                running.pop()
        self.follow_up(next(each for each in told if each.rating is not None))
        self.bundle(told[0].applicant)
        return told

    def bundle(self, applicant: UUID) -> UUID:
        """A bundle is published and applied for; one part has noted defects that nobody was told of yet."""
        published, submitted = (example_bundles.EVENTS[place] for place in (0, 1))
        stream = self.uuid()
        definition = bundle_definition_stream(published.bundle_id)
        if definition not in self._folded:
            self.append(definition, published, actor=Actor("admin", Role.ADMIN), at=MORNING)
        number = f"YJS-20260302-{stream.hex[:7]}"
        filed = replace(submitted, number=number, applicant=applicant)
        self.append(stream, filed, actor=Actor(str(applicant), Role.CITIZEN), at=MORNING)
        part = submitted.items[0]
        limit = Limit(5, Unit.WORKING_DAY)
        clock = start_clock(NOTICE, "行政许可法 art. 32(4)", date(2026, 3, 2), limit, calendar=Calendar())
        problems = {"paper": "无法辨认"}
        noted = SubCaseNoted(
            part.item, part.case_id, Noted.DEFECTS, None, None, ("paper",), applicant, problems, (clock,)
        )
        self.append(stream, noted, actor=Actor("policy:note-sub-case", Role.SYSTEM), at=MORNING)
        return stream

    def _told(self, applicant: UUID, item: str) -> Told:
        case = self.uuid()
        return Told(case, f"310000-2026-{case.hex[:10]}", item, applicant)

    def _steps(
        self, told: Told, start: datetime, *, denied: bool, anonymous: bool, grade: int, clerk: Actor | None = None
    ) -> Iterator[Recorded]:
        lead, branches, licence_type = ITEMS[told.item]
        applicant = Actor(str(told.applicant), Role.CITIZEN)
        at = start
        form = {"address": "某某路1号", "notes": "x" * 200}
        submitted = ApplicationSubmitted(
            number=told.number,
            item_id=told.item,
            item_version=1,
            lead=lead,
            branches=branches,
            promised=True,
            licence_type=licence_type,
            applicant=told.applicant,
            channel=Channel.WEB,
            draft=None,
            evidence=(
                Evidence("form", "FORM_PREFILL", "applicant", None, None),
                Evidence("id-card", "UPLOAD", "applicant", None, "sha256:" + "0" * 64),
            ),
            answers={"q": "a"},
            form=form,
            terms=read_item(definition(told.item)).terms,
            needed=("form", "id-card"),
        )
        receipt = clock("CORRECTION", 5, at)
        self.append(told.id, submitted, actor=clerk or applicant, at=at)
        yield self.append(told.id, MaterialsReceived(office_day(at), (receipt,)), actor=clerk or applicant, at=at)
        at += timedelta(hours=1)
        acceptor = officer(lead, Role.ACCEPTOR)
        clocks = (stop_clock(receipt, office_day(at)), clock("LEGAL", 20, at), clock("PROMISED", 10, at))
        yield self.append(told.id, ApplicationAccepted(acceptor.id, clocks=clocks), actor=acceptor, at=at)
        spoken = list(branches)
        self.random.shuffle(spoken)
        for branch in spoken:
            at += timedelta(hours=1)
            opinion = Opinion.FAIL if denied and branch == lead else Opinion.PASS
            said = OpinionRecorded(branch=branch, opinion=opinion, applicant=told.applicant, text=f"意见 {branch}")
            yield self.append(told.id, replace(said, given_by=f"{branch}-reviewer"), actor=officer(branch), at=at)
        at += timedelta(hours=1)
        decider = officer(lead, Role.DECIDER)
        if denied:
            no = ApprovalDenied(decided_by=decider.id, applicant=told.applicant, reason="缺件", remedy="复议")
            yield self.append(told.id, no, actor=decider, at=at)
            yield self.append(told.id, CaseClosed(Result.DENIED), actor=decider, at=at)
        else:
            yes = ApprovalGranted(decided_by=decider.id, applicant=told.applicant, text="准予")
            yield self.append(told.id, yes, actor=decider, at=at)
            yield from self._issue(told, licence_type, decider, at)
        told.rating = rating_stream(told.id)
        rated = CaseRated(told.id, told.item, lead, told.applicant, grade, ("快",), anonymous, "很好")
        yield self.append(told.rating, rated, actor=applicant, at=at + timedelta(hours=2), correlation=told.id)

    def _issue(self, told: Told, licence_type: str | None, decider: Actor, at: datetime) -> Iterator[Recorded]:
        closed = CaseClosed(Result.GRANTED)
        if licence_type is None:
            yield self.append(told.id, closed, actor=decider, at=at)
            return
        told.licence = licence = self.uuid()
        number, begin, end = f"L-{licence.hex[:8]}", date(2026, 3, 3), date(2031, 3, 2)
        face = {"holder": "某人"}
        issued = LicenceIssued(licence, licence_type, number, told.applicant, begin, end, face)
        yield self.append(told.id, issued, actor=decider, at=at)
        yield self.append(told.id, LicenceDelivered(Means.ONLINE), actor=decider, at=at)
        yield self.append(told.id, closed, actor=decider, at=at)
        collected = LicenceCollected(told.id, licence_type, number, told.applicant, begin, end, face)
        yield self.append(licence, collected, actor=SYSTEM, at=at, correlation=told.id)
