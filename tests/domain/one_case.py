"""One case that anything may happen to: random commands by random people, late entries, days that pass, new calendars.

Everything random comes from one `Random`, so that a seed, or Hypothesis, decides the whole story. What is refused
leaves nothing; what is accepted is written down as the store would.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from random import Random
from typing import Any, NamedTuple
from uuid import UUID

from tests.examples import (
    ACCEPTOR,
    APPLICANT,
    BRANCHES,
    BUNDLE_ID,
    CASE_ID,
    CLERK,
    DECIDER,
    DEFINITION,
    HEAD,
    INSPECTOR,
    INSPECTORS,
    ITEM,
    LICENCE_ID,
    LICENCE_TYPE,
    PERSON_ID,
    SYSTEM,
    reviewer,
)
from tests.given import office
from tongban.commands.handlers import HANDLERS
from tongban.commands.handling import Asked
from tongban.domain.actor import Actor
from tongban.domain.aggregate import Circumstances, effective_time
from tongban.domain.calendar.commands import ImportCalendar
from tongban.domain.calendar.decide import import_calendar
from tongban.domain.calendar.state import CALENDAR, Calendar
from tongban.domain.case import commands as c
from tongban.domain.case import events as e
from tongban.domain.case.commands import How, MaterialOffered
from tongban.domain.case.decide import DECISIONS, decide
from tongban.domain.case.filing import FilingFacts, file_sub_case, submit_application
from tongban.domain.case.guards import CaseFacts, LicenceFacts, SourceFailure, evidence_of
from tongban.domain.case.state import CASE, MAIN, Case, Status
from tongban.domain.catalogue.events import ItemPublished
from tongban.domain.catalogue.state import ITEM as ITEM_STREAM
from tongban.domain.errors import DomainError
from tongban.domain.licence.state import Licence
from tongban.domain.office_time import office_day
from tongban.domain.party.events import PartyKind
from tongban.domain.party.state import Party
from tongban.domain.recorded import Evidence, Rules
from tongban.infra.reference import sample_calendars

FIRST_DAY, LAST_DAY = date(2025, 1, 20), date(2026, 12, 20)
BOTH = replace(DECIDER, id=ACCEPTOR.id)
"""The acceptor in the office of the decider: for promised items one person too few."""
OFFICERS = (ACCEPTOR, DECIDER, BOTH, HEAD, CLERK, INSPECTOR, *map(reviewer, BRANCHES), reviewer("fire"))
EVERYBODY = (*OFFICERS, APPLICANT, SYSTEM)
GATES = (e.Gate("food-licence", e.Step.ISSUE), e.Gate("joint-inspection", e.Step.DECIDE))
WORDS = ("words", "words", "words", "", " ")
_MATERIALS: tuple[tuple[str, str, str], ...] = (
    ("form", "REQUIRED", "FORM_PREFILL"),
    ("id-card", "REQUIRED", "E_LICENCE"),
    ("sale-contract", "REQUIRED", "NONE"),
    ("promise", "REQUIRED", "COMMITMENT"),
    ("layout", "TOLERABLE", "NONE"),
    ("permit", "TOLERABLE", "DATA_SHARING"),
    ("photo", "OPTIONAL", "NONE"),
)
NAMES = tuple(name for name, _, _ in _MATERIALS)
_WAYS = {name: exempt_by for name, _, exempt_by in _MATERIALS}


class Fact(NamedTuple):
    """One event of the case as the store has it."""

    event: Any
    at: datetime
    recorded_at: datetime
    actor: Actor
    holders: Mapping[str, str]
    rules: Rules

    @property
    def day(self) -> date:
        """The office day on which it took effect."""
        return office_day(self.at)


def calendars_to_come() -> list[ImportCalendar]:
    """The published years, a year that is still made up, and 2026 once more with a day changed."""
    published = sample_calendars()
    last = published[-1]
    changed = replace(last, off=tuple(sorted(last.off)[:-1]), source="a correction")
    beyond = ImportCalendar(2027, tuple(date(2027, 1, day) for day in range(1, 6)), (date(2027, 1, 9),), "made up")
    return [*published, beyond, changed, last]


class OneCase:
    """A case and everything around it. `log` is what an auditor gets; `case` and `calendar` the live states."""

    def __init__(self, random: Random) -> None:
        """Choose an item and a day, and file."""
        self.random = random
        self.calendar: Calendar = CALENDAR.initial
        self.calendars: dict[str | None, Calendar] = {None: self.calendar}
        self.to_come = calendars_to_come()
        for _ in range(random.randint(0, 2)):
            self.import_calendar()
        day = FIRST_DAY + timedelta(days=random.randint(0, (LAST_DAY - FIRST_DAY).days))
        self.now = office(day, random.randint(8, 18))
        self.log: list[Fact] = []
        self.case: Case = CASE.initial
        self.refusals: list[type[DomainError]] = []
        while not self.log:
            self.file()

    # ── time and calendars ───────────────────────────────────────────────────────────────────────────────────────

    def import_calendar(self) -> None:
        """The next notice about holidays comes in."""
        if not self.to_come:
            return
        for event in import_calendar(self.to_come.pop(self.random.choice((0, 0, -1))), self.calendar):
            self.calendar = CALENDAR.evolve(self.calendar, event, datetime.now(UTC))
            self.calendars[self.calendar.label] = self.calendar

    def pass_time(self) -> None:
        """Minutes, some days, or until just before or after a day that matters."""
        choice = self.random.random()
        if choice < 0.5:
            self.now += timedelta(minutes=self.random.randint(1, 200))
        elif choice < 0.8:
            self._until(office_day(self.now) + timedelta(days=self.random.randint(1, 4)))
        else:
            days = [clock.due for clock in self.case.clocks.values() if clock.stopped is None]
            days += [self.case.renews_until] if self.case.renews_until else []
            if days:
                self._until(self.random.choice(days) + timedelta(days=self.random.randint(-1, 2)))

    def step(self) -> None:
        """Something happens: people act, days pass, the system notices; now and then the case comes to an end."""
        choice = self.random.random()
        if choice < 0.64:
            self.act(BY_PEOPLE)
        elif choice < 0.76:
            self.act(BY_SYSTEM)
        elif choice < 0.92:
            self.pass_time()
        elif choice < 0.95:
            self.import_calendar()
        elif self.case.status in _NEAR_THE_END or self.random.random() < 0.3:
            self.act(ENDINGS)

    def _until(self, day: date) -> None:
        later = office(day, self.random.randint(8, 18))
        self.now = max(self.now + timedelta(minutes=1), later)

    # ── filing ───────────────────────────────────────────────────────────────────────────────────────────────────

    def definition(self) -> dict[str, Any]:
        """An item with any of the traits an item can have."""
        random = self.random
        extension = {"allowed": True, "maxDays": random.choice((5, 10)), "unit": "WORKING_DAY", "basis": "law"}
        code = random.choice("12")  # 即办件, 承诺件
        fee = random.choice(
            (
                {"charged": False},
                {"charged": True, "amount": "80.00", "basis": "law"},
                {"charged": True, "basis": "law"},
            )
        )
        return {
            **DEFINITION,
            "caseType": {"code": code},
            "legalTimeLimit": random.choice(
                (
                    {"value": 20, "unit": "WORKING_DAY", "basis": "行政许可法 art. 42"},
                    {"value": 30, "unit": "CALENDAR_DAY", "basis": "环境影响评价法 art. 22"},
                    {"value": 1, "unit": "MONTH", "basis": "law"},
                )
            ),
            "promisedTimeLimit": {
                "value": 1 if code == "1" else random.choice((1, 5, 10)),
                "unit": "WORKING_DAY",
                "basis": "sample",
            },
            "extension": random.choice((extension, extension, {"allowed": False})),
            "reviewBranches": {"departments": random.sample(BRANCHES, random.randint(1, 3))},
            "materials": [
                {
                    "materialId": name,
                    "nameZh": f"材料 {name}",
                    "nameEn": name,
                    "sourceType": "APPLICANT",
                    "necessity": necessity,
                    "exemptBy": exempt_by,
                    "licenceTypeId": "lt-id-card" if exempt_by == "E_LICENCE" else None,
                    "basis": "law",
                }
                for name, necessity, exempt_by in _MATERIALS
            ],
            "tolerantAcceptance": random.random() < 0.7,
            "commitment": {"eligible": code == "2" and random.random() < 0.6},
            "onSiteInspection": random.random() < 0.4,
            "specialProcedures": random.choice(([], [{"type": "PUBLIC_ANNOUNCEMENT", "basis": "law"}])),
            "fee": fee,
            "resultLicenceTypeId": random.choice((LICENCE_TYPE, LICENCE_TYPE, None)),
            **random.choice(({}, {}, {"clockRules": {"acceptedOnFiling": True, "basis": "law"}})),
        }

    def file(self) -> None:
        """File an application, alone or as a part of a bundle."""
        random = self.random
        definition = self.definition()
        published = ItemPublished(ITEM, 1, definition, None)
        item = ITEM_STREAM.evolve(ITEM_STREAM.initial, published, self.now).as_of(office_day(self.now))
        missing = set(random.sample(NAMES, random.choice((0, 0, 1, 1, 2, 3))))
        offered = tuple(self.offer(name) for name in NAMES if name not in missing)
        channel = random.choice((e.Channel.WEB, e.Channel.COUNTER, e.Channel.POST))
        delivery = random.choice(list(e.Means))
        expires = office_day(self.now) + timedelta(days=random.choice((3, 60, 75)))
        licence = Licence(PERSON_ID, definition["resultLicenceTypeId"], expires)
        renews = definition["resultLicenceTypeId"] is not None and random.random() < 0.3
        facts = FilingFacts(
            item,
            Party(PartyKind.PERSON),
            "NR-1",
            self.calendar,
            renews=licence if renews else None,
            cut_off=random.choice((24, 17)),
        )
        if random.random() < 0.25:
            evidence = tuple(Evidence(found.material, found.how, "applicant", None, found.ref) for found in offered)
            gates = random.sample(GATES, random.randint(0, 2))
            part = c.FileSubCase(
                CASE_ID, BUNDLE_ID, ITEM, PERSON_ID, channel, {}, {}, evidence, tuple(gates), delivery=delivery
            )
            self._ask(SYSTEM, None, lambda circumstances: file_sub_case(part, circumstances, self.case, facts))
            return
        command = c.SubmitApplication(
            ITEM,
            PERSON_ID,
            channel,
            form={"words": "words"},
            materials=offered,
            delivery=delivery,
            renews=LICENCE_ID if renews else None,
        )
        self._ask(CLERK, None, lambda circumstances: submit_application(command, circumstances, self.case, facts))

    def offer(self, name: str) -> MaterialOffered:
        """A material, met as its guide offers it or on paper."""
        way = _WAYS.get(name, "NONE")
        how = How.UPLOAD if way == "NONE" or self.random.random() < 0.4 else How(way)
        return MaterialOffered(name, how, "sha256:0f")

    # ── asking ───────────────────────────────────────────────────────────────────────────────────────────────────

    def act(self, names: Iterable[type]) -> None:
        """Somebody asks one of these commands, mostly one that makes sense now."""
        names = tuple(names)
        likely = [body for body in LIKELY.get(self.case.status, ()) if body in names]
        pool = likely if likely and self.random.random() < 0.9 else names
        body = self.random.choice(pool)
        self.ask(PROPOSE[body](self), self._somebody(body), self._moment())

    def _somebody(self, body: type) -> Actor:
        roles = HANDLERS[body.__name__].roles
        return self.random.choice([actor for actor in EVERYBODY if actor.role in roles])

    def _moment(self) -> datetime | None:
        """None: now. Else a late entry, of any time; seldom one that lies ahead."""
        if self.random.random() < 0.85:
            return None
        begun = self.log[0].at - timedelta(days=1)
        minutes = int((self.now - begun).total_seconds() // 60)
        return begun + timedelta(minutes=self.random.randint(0, minutes + 3))

    def ask(self, command: Any, actor: Actor, asked: datetime | None) -> None:
        """Put a command to the decision, as the write side does."""
        if actor is SYSTEM:
            asked = None  # it records what is so now; since when, the law says
        handler = HANDLERS[command.__class__.__name__]

        def as_the_law_says(circumstances: Circumstances) -> Circumstances:
            if handler.effective is None:
                return circumstances
            at = handler.effective(
                Asked(command, CASE_ID, circumstances, self.case, lambda _, kind: kind.initial, None, None)  # type: ignore[arg-type]
            )
            return circumstances if at is None else circumstances._replace(effective_at=at)

        self._ask(
            actor,
            asked,
            lambda circumstances: decide(command, circumstances, self.case, self._facts(command)),
            as_the_law_says,
        )

    def _facts(self, command: Any) -> CaseFacts:
        material = getattr(command, "material", None)
        found: tuple[Evidence, ...] = ()
        failures: tuple[SourceFailure, ...] = ()
        if isinstance(command, c.ObtainMaterial) and material is not None:
            if self.random.random() < 0.5:
                found = (Evidence(material, _WAYS.get(material, "E_LICENCE"), "psb", "7", "psb:7"),)
            else:
                failures = (SourceFailure(material, "psb", "TIMEOUT"),)
        return CaseFacts(
            calendar=self.calendar,
            licence=LicenceFacts("1", self.random.choice((None, 5))),
            evidence=found,
            failures=failures,
            covers=self.random.random() < 0.1,
        )

    def _ask(
        self,
        actor: Actor,
        asked: datetime | None,
        decision: Callable[[Circumstances], list[Any]],
        as_the_law_says: Callable[[Circumstances], Circumstances] = lambda circumstances: circumstances,
    ) -> None:
        self.now += timedelta(seconds=1)
        try:
            at = effective_time(asked, self.now, actor)
            circumstances = as_the_law_says(Circumstances(actor, self.now, at, UUID(int=len(self.log) + 1)))
            decided = decision(circumstances)
        except DomainError as refusal:
            self.refusals.append(refusal.__class__)
            return
        for event in decided:
            self.case = CASE.evolve(self.case, event, circumstances.effective_at)
            holders, rules = CASE.holders(self.case), CASE.rules(self.case)
            self.log.append(Fact(event, circumstances.effective_at, self.now, actor, holders, rules))

    # ── what is asked ────────────────────────────────────────────────────────────────────────────────────────────

    def branch(self) -> str:
        """A branch of the case, at times another department."""
        outstanding = self.case.outstanding or self.case.branches
        return self.random.choice([*outstanding, *outstanding, *self.case.branches, *outstanding, "fire"])

    def words(self) -> str:
        """Mostly some words."""
        return self.random.choice(WORDS)

    def some(self, names: Iterable[str]) -> tuple[str, ...]:
        """Some of these, in any order."""
        names = list(names)
        return tuple(self.random.sample(names, self.random.randint(min(1, len(names)), len(names))))

    def offers(self, names: Iterable[str]) -> tuple[MaterialOffered, ...]:
        """Mostly all of these."""
        names = list(names)
        return tuple(self.offer(name) for name in (names if self.random.random() < 0.8 else self.some(NAMES)))


def _special(world: OneCase) -> c.StartSpecialProcedure:
    random = world.random
    kind = random.choice(list(e.Procedure))
    today = office_day(world.now)
    return c.StartSpecialProcedure(
        CASE_ID,
        random.choice((None, *world.case.outstanding)) if random.random() < 0.9 else world.branch(),
        kind,
        random.choice((0, 1, 3, 10, 40)),
        world.words(),
        inspectors=random.choice((INSPECTORS, INSPECTORS[:1])),
        chair=random.choice(("officer-chair", reviewer(BRANCHES[0]).id)),
        held_on=today + timedelta(days=random.choice((3, 15, 20))),
    )


def _ending(world: OneCase) -> c.EndSpecialProcedure:
    running = [found.branch for found in world.case.suspended]
    return c.EndSpecialProcedure(CASE_ID, world.random.choice([*running, None]))


def _defects(world: OneCase) -> c.RequestCorrection:
    names = [name for name in NAMES if _WAYS[name] not in ("E_LICENCE", "DATA_SHARING")]
    chosen = world.some(names[:5] if world.random.random() < 0.7 else NAMES)
    chosen = chosen[:2]
    return c.RequestCorrection(CASE_ID, tuple(c.Defect(name, world.words()) for name in chosen))


def _accept(world: OneCase) -> c.AcceptApplication:
    missing = [name for name in world.case.needed if name not in world.case.met]
    return c.AcceptApplication(CASE_ID, tuple(missing) if world.random.random() < 0.7 else ())


def _inspection(world: OneCase) -> c.RecordInspection:
    inspectors = world.random.choice((INSPECTORS, INSPECTORS, INSPECTORS[:1]))
    return c.RecordInspection(CASE_ID, world.some(world.case.branches), inspectors, _opinion(world), world.words())


def _opinion(world: OneCase) -> e.Opinion:
    return e.Opinion.PASS if world.random.random() < 0.8 else e.Opinion.FAIL


def _issue(world: OneCase) -> c.IssueLicence:
    today = office_day(world.now)
    first = world.random.choice((None, None, today + timedelta(days=3)))
    last = world.random.choice((None, None, today, date(2030, 1, 1)))
    return c.IssueLicence(CASE_ID, first, last, {"words": "words"})


PROPOSE: Mapping[type, Callable[[OneCase], Any]] = {
    c.ReceiveMaterials: lambda _: c.ReceiveMaterials(CASE_ID),
    c.PassPreCheck: lambda _: c.PassPreCheck(CASE_ID),
    c.ReturnPreCheck: lambda w: c.ReturnPreCheck(CASE_ID, w.words()),
    c.CorrectOnSpot: lambda w: c.CorrectOnSpot(CASE_ID, w.offers(w.some(NAMES)), {"words": w.words()}),
    c.RequestCorrection: _defects,
    c.NotifyDefects: lambda _: c.NotifyDefects(CASE_ID),
    c.SubmitCorrection: lambda w: c.SubmitCorrection(CASE_ID, w.offers(w.case.asked), {"words": w.words()}),
    c.PassOnCorrection: lambda w: c.PassOnCorrection(
        CASE_ID, tuple(map(evidence_of, w.offers(w.case.asked))), {"words": w.words()}
    ),
    c.ObtainMaterial: lambda w: c.ObtainMaterial(CASE_ID, w.random.choice((*NAMES, "id-card", "permit"))),
    c.SupplementMaterial: lambda w: c.SupplementMaterial(CASE_ID, w.offers(w.case.tolerated)),
    c.AcceptApplication: _accept,
    c.DeemAccepted: lambda _: c.DeemAccepted(CASE_ID),
    c.RefuseAcceptance: lambda w: c.RefuseAcceptance(CASE_ID, w.words(), w.words()),
    c.ClaimCase: lambda w: c.ClaimCase(CASE_ID, w.random.choice((MAIN, w.branch()))),
    c.ReleaseCase: lambda w: c.ReleaseCase(CASE_ID, w.random.choice((*w.case.claims, MAIN))),
    c.ReassignCase: lambda w: c.ReassignCase(CASE_ID, w.branch(), w.random.choice(OFFICERS).id),
    c.RecordOpinion: lambda w: c.RecordOpinion(CASE_ID, w.branch(), _opinion(w), w.words()),
    c.RequestConsult: lambda w: c.RequestConsult(CASE_ID, w.random.choice(("fire", "water", BRANCHES[0])), w.words()),
    c.AnswerConsult: lambda w: c.AnswerConsult(CASE_ID, w.random.choice((*w.case.consults, "fire")), w.words()),
    c.ScheduleInspection: lambda w: c.ScheduleInspection(
        CASE_ID, w.some(w.case.branches), INSPECTORS, office_day(w.now) + timedelta(days=2)
    ),
    c.RecordInspection: _inspection,
    c.RecordJointInspection: lambda w: c.RecordJointInspection(CASE_ID, INSPECTORS, _opinion(w), w.words()),
    c.StartSpecialProcedure: _special,
    c.EndSpecialProcedure: _ending,
    c.OfferHearing: lambda _: c.OfferHearing(CASE_ID),
    c.RequestHearing: lambda _: c.RequestHearing(CASE_ID),
    c.ExtendDeadline: lambda w: c.ExtendDeadline(CASE_ID, w.random.choice((0, 3, 10, 30)), w.words()),
    c.RecomputeDeadlines: lambda _: c.RecomputeDeadlines(CASE_ID),
    c.RequestFee: lambda w: c.RequestFee(CASE_ID, w.random.choice(("80.00", "80.00", "0.00", "many"))),
    c.RecordPayment: lambda w: c.RecordPayment(CASE_ID, w.random.choice(("80.00", "80.00", "79.99")), "pay-1"),
    c.RecordRefund: lambda _: c.RecordRefund(CASE_ID, "refund-1"),
    c.SignCommitment: lambda _: c.SignCommitment(CASE_ID),
    c.WithdrawCommitment: lambda _: c.WithdrawCommitment(CASE_ID),
    c.OpenGate: lambda w: c.OpenGate(CASE_ID, w.random.choice(GATES).name),
    c.CloseDependant: lambda _: c.CloseDependant(CASE_ID),
    c.CloseRevoked: lambda _: c.CloseRevoked(CASE_ID),
    c.GrantApproval: lambda w: c.GrantApproval(CASE_ID, w.words()),
    c.DeemRenewed: lambda _: c.DeemRenewed(CASE_ID),
    c.DenyApproval: lambda w: c.DenyApproval(CASE_ID, w.words(), w.words()),
    c.IssueLicence: _issue,
    c.ConfirmDelivery: lambda w: c.ConfirmDelivery(CASE_ID, w.random.choice((w.case.delivery, *e.Means))),
    c.WithdrawApplication: lambda w: c.WithdrawApplication(CASE_ID, w.words()),
    c.WithdrawPart: lambda _: c.WithdrawPart(CASE_ID),
    c.LapseCase: lambda _: c.LapseCase(CASE_ID),
    c.ArchiveCase: lambda _: c.ArchiveCase(CASE_ID),
}
assert PROPOSE.keys() == DECISIONS.keys(), "every command of the case is put to it"

ENDINGS = (
    *(c.WithdrawApplication, c.WithdrawPart, c.RefuseAcceptance, c.CloseDependant, c.CloseRevoked, c.ArchiveCase),
    *(c.RecordRefund,),
)
BY_SYSTEM = tuple(body for body in PROPOSE if not HANDLERS[body.__name__].public and body not in ENDINGS)
BY_PEOPLE = tuple(body for body in PROPOSE if body not in BY_SYSTEM and body not in ENDINGS)

_IN_REVIEW: tuple[type, ...] = (
    *(c.RecordOpinion, c.RecordOpinion, c.RecordOpinion, c.GrantApproval, c.GrantApproval, c.DenyApproval),
    *(c.RecordInspection, c.ScheduleInspection, c.RecordJointInspection, c.RecordPayment, c.RequestFee),
    *(c.StartSpecialProcedure, c.EndSpecialProcedure, c.EndSpecialProcedure, c.OfferHearing, c.RequestHearing),
    *(c.ExtendDeadline, c.RecomputeDeadlines, c.RequestConsult, c.AnswerConsult, c.ClaimCase, c.ReassignCase),
    *(c.ReleaseCase, c.SupplementMaterial, c.SupplementMaterial, c.RequestCorrection, c.SubmitCorrection),
    *(c.ObtainMaterial, c.SignCommitment, c.WithdrawCommitment, c.OpenGate, c.DeemRenewed, c.LapseCase),
)
_NEAR_THE_END = {Status.DENIED, Status.ENDING, Status.CLOSED}
LIKELY: Mapping[Status, tuple[type, ...]] = {
    Status.SUBMITTED: (c.ReceiveMaterials, c.SignCommitment),
    Status.RECEIVED: (
        *(c.AcceptApplication, c.AcceptApplication, c.RequestCorrection, c.CorrectOnSpot, c.CorrectOnSpot),
        *(c.PassPreCheck, c.ReturnPreCheck, c.ObtainMaterial, c.SignCommitment, c.ClaimCase, c.NotifyDefects),
        *(c.DeemAccepted, c.DeemAccepted, c.OpenGate, c.RecomputeDeadlines, c.RefuseAcceptance),
    ),
    Status.CORRECTING: (c.SubmitCorrection, c.SubmitCorrection, c.ObtainMaterial, c.LapseCase, c.RecomputeDeadlines),
    Status.ACCEPTED: _IN_REVIEW,
    Status.REVIEWING: _IN_REVIEW,
    Status.GRANTED: (c.IssueLicence, c.IssueLicence, c.RecordPayment, c.RequestFee, c.OpenGate, c.RecomputeDeadlines),
    Status.ISSUING: (c.ConfirmDelivery, c.RecomputeDeadlines),
    Status.DENIED: (c.RecordRefund,),
    Status.ENDING: (c.RecordRefund,),
    Status.CLOSED: (c.ArchiveCase,),
}
