"""Deciding alone, without servers: the straight path of a case, and loading a long case from its bytes.

Both are measured in the time that one core spends on them: nothing is waited for, and what else the machine does is not
what is measured.
"""

from __future__ import annotations

import gc
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from statistics import median
from typing import Any, NamedTuple
from uuid import UUID, uuid4

from benchmarks.cases import BRANCHES, FORM, ITEM, entries, materials
from benchmarks.figures import Figure, at_least, at_most, say
from tongban.commands.ports import StoredEvent
from tongban.commands.streams import Streams
from tongban.domain.actor import Actor, Role
from tongban.domain.aggregate import Circumstances
from tongban.domain.calendar.decide import import_calendar
from tongban.domain.calendar.state import CALENDAR, Calendar
from tongban.domain.case import commands as c
from tongban.domain.case.decide import decide
from tongban.domain.case.events import Channel, Opinion, Procedure
from tongban.domain.case.filing import FilingFacts, submit_application
from tongban.domain.case.guards import CaseFacts, LicenceFacts
from tongban.domain.case.state import CASE, Case
from tongban.domain.catalogue.decide import item_for_filing
from tongban.domain.catalogue.events import ItemPublished
from tongban.domain.catalogue.state import ITEM as CATALOGUE
from tongban.domain.office_time import office_day
from tongban.domain.party.events import PartyKind
from tongban.domain.party.state import Party
from tongban.domain.recorded import NO_RULES, Envelope
from tongban.domain.registry import EVENT_NAMES, schema_of
from tongban.infra import event_codec
from tongban.infra.collector import collect_rarely
from tongban.infra.reference import sample_calendars

CASES = 4_000
ROUNDS = 5
DECISIONS_PER_SECOND = 20_000
LONG = 200
LOADS = 40
LOAD_MS = 5.0

MORNING = datetime(2026, 4, 20, 1, 0, tzinfo=UTC)
APPLICANT = UUID("0191d6a0-0000-7000-8000-000000000001")
CASE_ID = UUID("0191d6a0-0000-7000-8000-000000000002")
ACCEPTOR, DECIDER = Actor("acceptor", Role.ACCEPTOR, "nr"), Actor("decider", Role.DECIDER, "nr")


class Asked(NamedTuple):
    """A command to a filed case, with all that its decision looks at."""

    command: c.CaseCommand
    circumstances: Circumstances
    facts: CaseFacts


class Filed(NamedTuple):
    """A filing, with all that its decision looks at."""

    command: c.SubmitApplication
    circumstances: Circumstances
    facts: FilingFacts


def run() -> list[Figure]:
    """Decisions a second, and milliseconds to load a case of many events."""
    collect_rarely()  # as the API does
    rate = median(decisions() for _ in range(ROUNDS))
    say(f"  decisions: {rate:,.0f}/s")
    took = load()
    say(f"  a case of {LONG} events: {took:.2f} ms")
    goal = "the goal of the design, on one core"
    return [
        at_least("decisions of the straight path", rate, "decisions/s", goal, DECISIONS_PER_SECOND),
        at_most(f"load of a case of {LONG} events, median", took, "ms", goal, LOAD_MS),
    ]


def decisions() -> float:
    """Decisions a second: filing, acceptance, three opinions, grant and issue, each folded into the state."""
    filing, steps = straight_path()
    count, case = 0, CASE.initial
    with core_time() as took:
        for _ in range(CASES):
            case = filed(filing)
            for asked in steps:
                case = after(case, asked)
            count += 1 + len(steps)
    assert case.licence_issued
    return count / took[0]


@contextmanager
def core_time() -> Iterator[list[float]]:
    """Seconds that this process computed in a block, after a collection of garbage, in the list's one element."""
    gc.collect()
    took = [0.0]
    started = time.process_time()
    yield took
    took[0] = time.process_time() - started


def filed(filing: Filed) -> Case:
    """The case that a filing makes."""
    case = CASE.initial
    for event in submit_application(filing.command, filing.circumstances, case, filing.facts):
        case = CASE.evolve(case, event, filing.circumstances.effective_at)
    return case


def after(case: Case, asked: Asked) -> Case:
    """The case after one more command."""
    for event in decide(asked.command, asked.circumstances, case, asked.facts):
        case = CASE.evolve(case, event, asked.circumstances.effective_at)
    return case


def straight_path() -> tuple[Filed, list[Asked]]:
    """A transfer of real estate, free of charge, in which nobody has anything to say against it."""
    calendar = calendar_in_force()
    facts = CaseFacts(calendar=calendar)
    steps = [Asked(c.AcceptApplication(CASE_ID), circumstances(ACCEPTOR, 1), facts)]
    for hour, branch in enumerate(BRANCHES, 2):
        opinion = c.RecordOpinion(CASE_ID, branch, Opinion.PASS, "材料齐全, 同意")
        steps.append(Asked(opinion, circumstances(Actor(f"reviewer-{branch}", Role.REVIEWER, branch), hour), facts))
    steps.append(Asked(c.GrantApproval(CASE_ID, "准予登记"), circumstances(DECIDER, 6), facts))
    licence = facts._replace(licence=LicenceFacts("1.2.156.3005.2.TEST.0001", None))
    steps.append(Asked(c.IssueLicence(CASE_ID, face={"坐落": "世纪大道 1 号"}), circumstances(DECIDER, 7), licence))
    return filing_under(calendar), steps


def filing_under(calendar: Calendar) -> Filed:
    """A person's application."""
    entry = next(entry for entry in entries() if entry["id"] == ITEM)
    published = CATALOGUE.evolve(CATALOGUE.initial, ItemPublished(ITEM, 1, entry, None), MORNING)
    facts = FilingFacts(
        item=item_for_filing(published, ITEM, office_day(MORNING)),
        applicant=Party(kind=PartyKind.PERSON),
        number="NR-20260420-0000001",
        calendar=calendar,
    )
    command = c.SubmitApplication(ITEM, APPLICANT, Channel.WEB, form=FORM, materials=materials())
    return Filed(command, circumstances(Actor(str(APPLICANT), Role.CITIZEN), 0), facts)


def circumstances(actor: Actor, hours: int) -> Circumstances:
    """Some hours after the case began."""
    now = MORNING + timedelta(hours=hours)
    return Circumstances(actor=actor, now=now, effective_at=now, new_id=uuid4())


def calendar_in_force() -> Calendar:
    """The published calendars, imported."""
    calendar = CALENDAR.initial
    for command in sample_calendars():
        for event in import_calendar(command, calendar):
            calendar = CALENDAR.evolve(calendar, event, MORNING)
    return calendar


# ── a long case ──────────────────────────────────────────────────────────────────────────────────────────────────


def load() -> float:
    """Milliseconds to read and fold a case of `LONG` events, as the write side does for a case it has not seen."""
    stored = list(long_case())
    times, loaded = [], {}
    for _ in range(LOADS):
        streams = Streams(event_codec)
        with core_time() as took:
            loaded = streams.take([CASE_ID], stored)
        times.append(took[0] * 1000)
    assert loaded[CASE_ID].version == LONG
    return median(times)


def long_case() -> Iterator[StoredEvent]:
    """A case that is claimed, released and suspended again and again, as it is stored."""
    keys = {APPLICANT: (uuid4(), bytes(32))}
    case = CASE.initial
    events: list[tuple[Any, Circumstances]] = []
    filing, steps = straight_path()
    for event in submit_application(filing.command, filing.circumstances, case, filing.facts):
        case = CASE.evolve(case, event, filing.circumstances.effective_at)
        events.append((event, filing.circumstances))
    for asked in [steps[0], *_back_and_forth(steps[0].facts)]:
        for event in decide(asked.command, asked.circumstances, case, asked.facts):
            case = CASE.evolve(case, event, asked.circumstances.effective_at)
            events.append((event, asked.circumstances))
    for version, (event, given) in enumerate(events[:LONG], 1):
        name = EVENT_NAMES[event.__class__]
        envelope = Envelope(
            id=uuid4(),
            type=name,
            schema=schema_of(event.__class__),
            stream=CASE_ID,
            version=version,
            effective_at=given.effective_at,
            recorded_at=given.now,
            actor=given.actor,
            command=uuid4(),
            causation=None,
            correlation=CASE_ID,
            rules=replace(NO_RULES, item=case.item, calendar=case.calendar),
            holders=CASE.holders(case),
            evidence=getattr(event, "evidence", ()),
            trace=None,
            prev="ab" * 32,
        )
        yield StoredEvent(CASE_ID, version, version, event_codec.encode(envelope, event, keys))


def _back_and_forth(facts: CaseFacts) -> Sequence[Asked]:
    """Claims and releases of the branches, and now and then a special procedure of one: two events an hour."""
    asked: list[Asked] = []
    for number in range(LONG // 2):
        branch = BRANCHES[number % len(BRANCHES)]
        given = circumstances(Actor(f"reviewer-{branch}", Role.REVIEWER, branch), number + 1)
        if number % 10:
            pair: tuple[c.CaseCommand, c.CaseCommand] = (c.ClaimCase(CASE_ID, branch), c.ReleaseCase(CASE_ID, branch))
        else:
            start = c.StartSpecialProcedure(CASE_ID, branch, Procedure.APPRAISAL, 5, "需要鉴定")
            pair = (start, c.EndSpecialProcedure(CASE_ID, branch))
        asked += [Asked(command, given, facts) for command in pair]
    return asked
