"""One case from filing to rating, planned before anything is sent: the same seed and index give the same plan.

A plan knows no clock. Its times are working seconds of the offices, HISTORY days before the simulated days included;
steps that happen now have none. Nothing in it depends on how many cases are simulated, so a longer run begins with the
shorter one.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from random import Random
from typing import Any

from tongban.domain.actor import Role
from tongban.domain.case.events import Channel
from tongban.domain.commitment.events import CheckResult
from tongban.domain.mandate.events import MandateKind
from tongban.domain.party.events import PartyKind
from tongban.domain.revocation.events import Ground
from tongban.simulate import shares, wording
from tongban.simulate.bundles import BundleCourse, choose_bundle
from tongban.simulate.course import Course
from tongban.simulate.demand import ONLINE, Wanted, channel_at, choose_item
from tongban.simulate.office_hours import DAY
from tongban.simulate.people import Applicant, applicant
from tongban.simulate.randomness import part_at, seeded, spread
from tongban.simulate.script import Step, moved, now
from tongban.simulate.shares import Ending
from tongban.simulate.staff import head, officer

__all__ = ["HISTORY", "REVISION", "CasePlan", "Step", "plan_case"]

REVISION = 5
"""Counts up when the plan of a given seed changes: an old run is then not resumed but another one begun."""

HISTORY = 160
"""Office days before the simulated ones: what is handled on those was filed up to so long ago."""

AGENTS = 12
_FIRST_AGENT = -2
_MANDATE_DAYS = 200
_ANSWERS = frozenset({"AcceptApplication", "RequestCorrection", "RefuseAcceptance"})


@dataclass(frozen=True, slots=True)
class CasePlan:
    """A case: the `party`-th of its kind asks for an item, and the steps that follow.

    `item` is the bundle's id for a `bundle`. `agent` is the number of who acts for the applicant. `ending` is
    how far it comes; `lapsing`: left so that a timer makes it lapse; `overdue`: decided after the promised day.
    """

    index: int
    kind: PartyKind
    party: int
    agent: int | None
    item: str
    channel: Channel
    steps: tuple[Step, ...]
    ending: Ending
    bundle: bool = False
    lapsing: bool = False
    overdue: bool = False


def plan_case(seed: int, index: int, days: int) -> CasePlan:
    """The `index`-th case of a seed, within `days` office days."""
    random = seeded(seed, "case", index)
    kind = PartyKind.PERSON if random.random() < shares.PERSONS else PartyKind.ORGANISATION
    party = random.randint(0, index) if random.random() < shares.KNOWN_APPLICANT else index
    if is_untrusted(seed, party):
        party = index  # what is held against somebody must not depend on which of his cases came first
    who = applicant(seed, kind, party)
    if random.random() < shares.BUNDLED:
        return _bundle(random, index, who, party)
    wanted = choose_item(random, kind, who.identifier_kind)
    # Even shares rather than drawn ones, so that a short day too has every channel and every kind of ending.
    at, way = spread(seed, index)
    channel = channel_at(way)
    ending = part_at(shares.ENDINGS, at)
    agent = None
    if not wanted.definition.in_person and random.random() < shares.MANDATED:
        agent = _FIRST_AGENT - random.randrange(AGENTS)
    course = Course(random, wanted, who, channel, ending, agent=agent is not None)
    steps, until = course.script.steps(), course.lapses_after
    if ending is Ending.OPEN:
        steps, until = _left_open(random, steps, at / shares.ENDINGS[Ending.OPEN])
    elif ending is Ending.WITHDRAWN:
        steps = _withdrawn(random, wanted, steps, agent=agent is not None)
    if channel in ONLINE:
        written, steps = len(steps), now(steps)
        if ending is Ending.LAPSED or len(steps) < written:
            ending = Ending.OPEN
    else:
        on_the_spot = bool(wanted.definition.terms["accepted_on_filing"])
        steps = _placed(random, steps, days, until, on_the_spot=on_the_spot)
    if agent is not None:
        steps.insert(0, _mandate(random, wanted, kind, steps[0]))
    trouble = party == index and is_untrusted(seed, index)
    if ending not in (Ending.OPEN, Ending.LAPSED):
        steps += _afterwards(random, wanted, channel, ending, committed=course.committed, trouble=trouble)
    return CasePlan(
        index=index,
        kind=kind,
        party=party,
        agent=agent,
        item=wanted.definition.id,
        channel=channel,
        steps=tuple(steps),
        ending=ending,
        lapsing=ending is Ending.LAPSED,
        overdue=course.overdue and ending in (Ending.GRANTED, Ending.DENIED),
    )


def _bundle(random: Random, index: int, who: Applicant, party: int) -> CasePlan:
    definition = choose_bundle(random, who)
    channel = random.choice((Channel.WEB, Channel.APP))
    course = BundleCourse(random, definition, who, channel)
    return CasePlan(
        index=index,
        kind=who.kind,
        party=party,
        agent=None,
        item=definition.id,
        channel=channel,
        steps=tuple(course.steps),
        ending=course.ending,
        bundle=True,
    )


def is_untrusted(seed: int, party: int) -> bool:
    """Whether this party breaks what it promises. Such a party files one case only."""
    return seeded(seed, "untrusted", party).random() < shares.UNTRUSTED


def _left_open(random: Random, steps: list[Step], share: float) -> tuple[list[Step], int | None]:
    """The first steps, and how long ago the last of them was: less than until the next."""
    done = 1 + int(share * (len(steps) - 1))
    gap = (steps[done].second or 0) - (steps[done - 1].second or 0) if done < len(steps) else 0
    return steps[:done], random.randint(0, gap)


def _withdrawn(random: Random, wanted: Wanted, steps: list[Step], *, agent: bool) -> list[Step]:
    """The steps up to a moment before the decision, and the withdrawal."""
    decision = next(number for number, step in enumerate(steps) if step.command == "GrantApproval")
    done = random.randint(1, decision)
    before, after = steps[done - 1].second or 0, steps[done].second or 0
    clerk = officer(random, wanted.definition.lead, Role.CLERK)
    by = None if steps[0].by is None else clerk
    at = random.randint(before, after)
    reason = {"reason": random.choice(wording.WITHDRAWN)}
    kept = [*steps[:done], Step("WithdrawApplication", by, reason, at, mandated=agent)]
    if any(step.command == "RecordPayment" for step in kept):
        back = {"provider_ref": f"REFUND-{random.randrange(10**12):012d}"}
        kept.append(Step("RecordRefund", clerk, back, at + 1800))
    return kept


def _placed(random: Random, steps: list[Step], days: int, until: int | None, *, on_the_spot: bool) -> list[Step]:
    """Put the case where its end lies in the simulated days; `until`: its last step is so long before the last closing.

    A case that takes longer than there is time was filed before the simulated days. `on_the_spot`: what is not refused
    or to be corrected on the day of its receipt is accepted by law.
    """
    end, length = (HISTORY + days) * DAY, steps[-1].second or 0
    if until is not None:
        return moved(steps, _on_one_day(steps, end - length - until) if on_the_spot else end - length - until)
    # Most come in the morning.
    filed = (HISTORY + random.randrange(days)) * DAY + int(random.triangular(0, DAY - 600, DAY // 6))
    if filed + length > end:
        filed = end - length - random.randrange(DAY // 2)
    return moved(steps, _on_one_day(steps, filed) if on_the_spot else filed)


def _on_one_day(steps: list[Step], filed: int) -> int:
    """A filing so much earlier that the answer to it is given on the day of its receipt, if it is given soon."""
    received = next((step.second or 0 for step in steps if step.command == "ReceiveMaterials"), 0)
    answered = next((step.second or 0 for step in steps if step.command in _ANSWERS), received)
    over = (filed + received) % DAY + answered - received - DAY + 1
    return filed - over if over > 0 and answered - received < DAY else filed


def _mandate(random: Random, wanted: Wanted, kind: PartyKind, filing: Step) -> Step:
    """The applicant lets somebody act for him in this item: online himself, at the counter with a clerk."""
    kinds = [MandateKind.AGENT, MandateKind.FAMILY if kind is PartyKind.PERSON else MandateKind.OPERATOR]
    scope = {"kind": str(random.choice(kinds)), "items": [wanted.definition.id]}
    return Step("GrantMandate", filing.by, scope, filing.second, days={"from": 0, "to": _MANDATE_DAYS})


def _afterwards(
    random: Random, wanted: Wanted, channel: Channel, ending: Ending, *, committed: bool, trouble: bool
) -> Sequence[Step]:
    """What happens to a closed case now: rating, archive, the check of a promise, at times the revocation."""
    lead = wanted.definition.lead
    steps = []
    if random.random() < shares.RATED:
        steps.append(
            _rating(random, channel, shares.GRADES_OF_THE_DENIED if ending is Ending.DENIED else shares.GRADES)
        )
    if random.random() < shares.ARCHIVED:
        steps.append(Step("ArchiveCase", officer(random, lead, Role.CLERK), {}, None))
    if ending is not Ending.GRANTED:
        return steps
    if committed and (trouble or random.random() < shares.CHECKED):
        found = CheckResult.BREACH if trouble else CheckResult.PASS
        told = {"result": str(found), "text": wording.PROMISE_BROKEN if trouble else wording.PROMISE_KEPT}
        inspector = officer(random, lead, Role.INSPECTOR)
        steps.append(Step("RecordCommitmentCheck", inspector, told, None, awaits=frozenset({"no-commitment"})))
    elif trouble and random.random() < shares.REVOKED:
        why = {"ground": str(Ground.FRAUD), "reason": wording.REVOKED, "remedy": wording.REMEDY}
        steps.append(Step("RevokeDecision", head(lead), why, None))
    return steps


def _rating(random: Random, channel: Channel, grades: Mapping[int, float]) -> Step:
    grade = random.choices(list(grades), list(grades.values()))[0]
    options = wording.ONLINE_OPTIONS if channel in ONLINE else wording.WINDOW_OPTIONS
    body: dict[str, Any] = {
        "grade": grade,
        "options": random.sample(options, random.randint(0, 2)),
        "text": random.choice(wording.OF_A_RATING[grade]) if random.random() < shares.WORDS_WITH_RATING else None,
        "anonymous": random.random() < shares.ANONYMOUS,
    }
    return Step("RateCase", None, body, None)
