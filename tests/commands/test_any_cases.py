"""Several cases at once on one store: two processes, batches, If-Match, keys used again. The law is kept, nothing lost.

What is asked is what `tests.domain.one_case` proposes; what is audited is read from the store.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta
from random import Random
from typing import Any
from uuid import UUID

import psycopg
import pytest

from tests.commands.office import Office, ask
from tests.commands.test_concurrency import check_the_store
from tests.domain import audit
from tests.domain.one_case import BY_PEOPLE, BY_SYSTEM, ENDINGS, EVERYBODY, LIKELY, NAMES, PROPOSE, Fact, OneCase
from tests.examples import ACCEPTOR, ADMIN, APPLICANT, CLERK, ITEM, PERSON_ID, register_party
from tests.servers import Database
from tongban.commands.handlers import HANDLERS
from tongban.commands.requests import Answer, Request
from tongban.domain.actor import OFFICER_ROLES
from tongban.domain.calendar.state import CALENDAR, Calendar
from tongban.domain.case.commands import ClaimCase, SubmitApplication, WithdrawApplication
from tongban.domain.case.events import Channel, Means
from tongban.domain.case.guards import CaseFacts
from tongban.domain.case.state import CASE, MAIN
from tongban.domain.catalogue.commands import PublishItem
from tongban.domain.errors import DomainError, StaleVersion
from tongban.domain.ids import calendar_stream
from tongban.infra.event_codec import decode
from tongban.infra.reference import sample_calendars


class StoredCase(OneCase):
    """A case as a window sees it, which may be too late: it is read from the store now and then."""

    def __init__(self, random: Random, case_id: UUID) -> None:
        """A case that is filed already."""
        self.id = case_id
        self.random = random
        self.log: list[Fact] = []
        self.case = CASE.initial
        self.calendars = {None: CALENDAR.initial}
        self.calendar = CALENDAR.initial

    def look(self, database: Database, office: Office) -> None:
        """Read what has happened since."""
        for recorded in stored(database, office, self.id, after=len(self.log)):
            said = recorded.envelope
            fact = Fact(recorded.event, said.effective_at, said.recorded_at, said.actor, said.holders, said.rules)
            self.log.append(fact)
        self.case = CASE.initial
        for fact in self.log:
            self.case = CASE.evolve(self.case, fact.event, fact.at)
        self.now = max(fact.recorded_at for fact in self.log) + timedelta(seconds=1)

    def request(self) -> Request:
        """Something that somebody may ask of it."""
        random = self.random
        pool = random.choice((BY_PEOPLE, BY_PEOPLE, BY_PEOPLE, BY_SYSTEM, ENDINGS if self.case.result else BY_PEOPLE))
        likely = [body for body in LIKELY.get(self.case.status, ()) if body in pool]
        body = random.choice(likely if likely and random.random() < 0.9 else pool)
        command = replace(PROPOSE[body](self), case_id=self.id)
        roles = HANDLERS[body.__name__].roles
        actor = random.choice([actor for actor in EVERYBODY if actor.role in roles])
        late = actor.role in OFFICER_ROLES and random.random() < 0.15
        known = len(self.log)
        request = ask(
            command,
            actor,
            expected_version=random.choice((None, None, known, known, known - 1)),
            effective_at=self._moment() if late else None,
        )
        facts: CaseFacts = self._facts(command)
        return replace(request, evidence=facts.evidence, failures=facts.failures)


def stored(database: Database, office: Office, stream: UUID, *, after: int = 0) -> list[Any]:
    """The events of a stream behind a version, unsealed."""
    with psycopg.connect(database.admin_url) as conn:
        rows = conn.execute(
            "SELECT notification_id, state FROM events.stored_events"
            " WHERE originator_id = %s AND originator_version > %s ORDER BY originator_version",
            (stream, after),
        ).fetchall()
    return [decode(bytes(state), position, office.vault) for position, state in rows]


def opened(random: Random, database: Database, office: Office, number: int) -> list[StoredCase]:
    """So many cases, each under an item of its own, filed up to some weeks ago."""
    office.done(register_party, CLERK)
    cases: list[StoredCase] = []
    for place in range(number):
        item = f"{ITEM}-{place}"
        likeness = StoredCase(random, PERSON_ID)
        office.done(PublishItem({**likeness.definition(), "id": item}), ADMIN)
        filing = SubmitApplication(
            item,
            PERSON_ID,
            random.choice((Channel.WEB, Channel.COUNTER, Channel.POST)),
            form={"words": "words"},
            materials=tuple(likeness.offer(name) for name in NAMES),
            delivery=random.choice(list(Means)),
        )
        case = StoredCase(random, office.done(filing, CLERK).id)
        case.look(database, office)
        cases.append(case)
    return cases


def test_an_applicant_acts_whoever_has_claimed_the_case(here: Office) -> None:
    """Whose colleague is absent is a question of officers only."""
    case = here.open_case()
    here.done(ClaimCase(case, MAIN), ACCEPTOR)
    withdrawn = here.done(WithdrawApplication(case, "words"), APPLICANT)
    assert withdrawn.events == ("case.ApplicationWithdrawn", "case.CaseClosed")


@pytest.mark.parametrize("seed", range(3))
def test_whatever_is_asked_of_several_cases_at_once_the_law_is_kept(
    database: Database, here: Office, there: Office, seed: int
) -> None:
    random = Random(seed)
    cases = opened(random, database, here, 5)
    given: dict[UUID, Answer] = {}
    asked: list[Request] = []
    calendars = sample_calendars()
    for _ in range(40):
        if calendars and random.random() < 0.1:
            here.done(calendars.pop(0), ADMIN)
        requests = [random.choice(cases).request() for _ in range(random.randint(1, 6))]
        if asked and random.random() < 0.3:
            requests.append(random.choice(asked))
        requests = list({request.idempotency_key: request for request in requests}.values())
        for request, outcome in zip(requests, random.choice((here, there)).do(*requests), strict=True):
            check_outcome(request, outcome, given)
        asked += requests
        for case in cases:
            if random.random() < 0.6:
                case.look(database, here)
    check_the_store(database)
    audited(cases, database, here, given.values())


def check_outcome(request: Request, outcome: Any, given: dict[UUID, Answer]) -> None:
    """An answer or a refusal, never a defect; the same key has the same answer for ever; If-Match was heeded."""
    assert isinstance(outcome, Answer | DomainError), repr(outcome)
    if isinstance(outcome, StaleVersion):
        assert request.expected_version is not None
    if isinstance(outcome, DomainError):
        assert request.idempotency_key not in given
        return
    before = given.setdefault(request.idempotency_key, outcome)
    assert outcome == before
    if request.expected_version is not None:
        assert outcome.version == request.expected_version + len(outcome.events)


def audited(cases: Sequence[StoredCase], database: Database, office: Office, answers: Any) -> None:
    """Every case passes the audit, and has exactly the events that were answered."""
    calendar = CALENDAR.initial
    calendars: dict[str | None, Calendar] = {None: calendar}
    for recorded in stored(database, office, calendar_stream()):
        calendar = CALENDAR.evolve(calendar, recorded.event, recorded.envelope.effective_at)
        calendars[calendar.label] = calendar
    for case in cases:
        case.look(database, office)
        case.calendars = calendars
        for check in audit.CHECKS:
            check(case)
        told = sum(len(answer.events) for answer in answers if answer.id == case.id)
        filed = sum(1 for fact in case.log if fact.recorded_at == case.log[0].recorded_at)
        assert told == len(case.log) - filed
    assert sum(len(case.log) for case in cases) > 20
