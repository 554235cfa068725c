"""One case from filing to rating, planned before anything is sent: the same seed and index give the same plan.

A plan knows no clock. Its times are working seconds after the first opening of the simulated days; steps that happen
now have none. Nothing in it depends on how many cases are simulated, so a longer run begins with the shorter one.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from random import Random
from typing import Any

from tongban.domain.actor import Role
from tongban.domain.case.events import Channel, Opinion, Result
from tongban.domain.party.events import PartyKind
from tongban.simulate import wording
from tongban.simulate.demand import ONLINE, PERSONS, Wanted, channel_at, choose_item
from tongban.simulate.office_hours import DAY
from tongban.simulate.papers import form, materials
from tongban.simulate.people import applicant
from tongban.simulate.randomness import seeded, spread
from tongban.simulate.staff import Officer, inspectors, officer

REVISION = 3
"""Counts up when the plan of a given seed changes: an old run is then not resumed but another one begun."""

LEFT_OPEN = 0.20
DENIED = 0.04
RATED = 0.90
_KNOWN_APPLICANT = 0.35  # files again
_GRADES = {1: 700, 2: 240, 3: 50, 4: 6, 5: 4}  # 1 is best; 0.9 % were bad in 2020
_GRADES_OF_THE_DENIED = {1: 30, 2: 40, 3: 27, 4: 2, 5: 1}
_WORDS_WITH_RATING = 0.25
_ANONYMOUS = 0.1
_HEAD_DECIDES = 0.1

# How much of the promised time a department's opinion takes in the middle.
_PACE: Mapping[str, float] = {"fire": 0.5, "housing": 0.45, "ecology": 0.45, "psb": 0.35, "nr": 0.3, "tax": 0.2}
_USUAL_PACE = 0.3


@dataclass(frozen=True, slots=True)
class Step:
    """One command. `by` None is the applicant; `second` None is now; the case or party is named when it is known."""

    command: str
    by: Officer | None
    body: Mapping[str, Any]
    second: int | None


@dataclass(frozen=True, slots=True)
class CasePlan:
    """A case: the `party`-th of its kind asks for an item, and the steps that follow, the first being the filing.

    `result` None: it is left open after the last step.
    """

    index: int
    kind: PartyKind
    party: int
    item: str
    channel: Channel
    steps: tuple[Step, ...]
    result: Result | None


def plan_case(seed: int, index: int, days: int) -> CasePlan:
    """The `index`-th case of a seed, within `days` office days."""
    random = seeded(seed, "case", index)
    kind = PartyKind.PERSON if random.random() < PERSONS else PartyKind.ORGANISATION
    party = random.randint(0, index) if random.random() < _KNOWN_APPLICANT else index
    who = applicant(seed, kind, party)
    wanted = choose_item(random, kind, who.identifier_kind)
    # Even shares rather than drawn ones, so that a short day too has every channel and every kind of ending.
    ending, way = spread(seed, index)
    channel = channel_at(way)
    denied = LEFT_OPEN <= ending < LEFT_OPEN + DENIED
    filing = {
        "item": wanted.definition.id,
        "channel": str(channel),
        "form": form(random, wanted, who),
        "materials": materials(random, wanted),
    }
    lead = wanted.definition.lead
    filed_by = None if channel in ONLINE else officer(random, lead, Role.CLERK)
    steps = [Step("SubmitApplication", filed_by, filing, 0)]
    if channel is Channel.POST:
        steps.append(Step("ReceiveMaterials", officer(random, lead, Role.CLERK), {}, 30))
    steps += _handling(random, wanted, denied=denied)
    steps = _now(steps) if channel in ONLINE else _within(random, steps, days)
    result = Result.DENIED if denied else Result.GRANTED
    if ending < LEFT_OPEN:
        open_steps = 1 + int(ending / LEFT_OPEN * (len(steps) - 1))
        return CasePlan(index, kind, party, wanted.definition.id, channel, tuple(steps[:open_steps]), None)
    if random.random() < RATED:
        steps.append(_rating(random, channel, _GRADES_OF_THE_DENIED if denied else _GRADES))
    return CasePlan(index, kind, party, wanted.definition.id, channel, tuple(steps), result)


def _handling(random: Random, wanted: Wanted, *, denied: bool) -> list[Step]:
    """What the offices do, each step `second` seconds of work after the filing: rising, opinions side by side."""
    lead = wanted.definition.lead
    day = 600 if wanted.immediate else DAY * wanted.promised_days
    accepted = 60 + int(random.expovariate(1 / (120 if wanted.immediate else 5400)))
    steps = [Step("AcceptApplication", officer(random, lead, Role.ACCEPTOR), {}, accepted)]
    against = random.choice(wanted.definition.branches) if denied else None
    if fee := wanted.definition.terms["fee"]:
        paid = {"amount": fee["amount"], "provider_ref": f"PAY-{random.randrange(10**12):012d}"}
        steps.append(Step("RecordPayment", officer(random, lead, Role.CLERK), paid, accepted + 30))
    if wanted.definition.terms["inspection"]:
        found = {"branches": list(wanted.definition.branches), "inspectors": inspectors(random, lead), "result": "PASS"}
        steps.append(Step("RecordInspection", officer(random, lead, Role.INSPECTOR), found, accepted + 45))
    opinions = []
    for branch in wanted.definition.branches:
        took = _PACE.get(branch, _USUAL_PACE) * random.lognormvariate(0, 0.5) * day
        opinion = Opinion.FAIL if branch == against else Opinion.PASS
        text = random.choice(wording.FAILED if branch == against else wording.PASSED)
        body = {"branch": branch, "opinion": str(opinion), "text": text}
        reviewer = officer(random, branch, Role.REVIEWER)
        opinions.append(Step("RecordOpinion", reviewer, body, accepted + 60 + int(took)))
    random.shuffle(opinions)  # those of the same second speak in any order
    steps += sorted(opinions, key=lambda opinion: opinion.second or 0)
    decided = (steps[-1].second or 0) + 60 + int(random.expovariate(1 / (0.1 * day)))
    decider = officer(random, lead, Role.HEAD if random.random() < _HEAD_DECIDES else Role.DECIDER)
    if denied:
        refusal = {"reason": random.choice(wording.REASONS), "remedy": wording.REMEDY}
        steps.append(Step("DenyApproval", decider, refusal, decided))
        if fee:
            refund = {"provider_ref": f"REFUND-{random.randrange(10**12):012d}"}
            steps.append(Step("RecordRefund", officer(random, lead, Role.CLERK), refund, decided + 60))
        return steps
    steps.append(Step("GrantApproval", decider, {"text": random.choice(wording.GRANTED)}, decided))
    if wanted.definition.licence_type:
        issued = decided + 30 + int(random.expovariate(1 / 1800))
        steps.append(Step("IssueLicence", officer(random, lead, Role.CLERK), {"face": {}}, issued))
    return steps


def _now(steps: list[Step]) -> list[Step]:
    return [replace(step, second=None) for step in steps]


def _within(random: Random, steps: list[Step], days: int) -> list[Step]:
    """Put the case into the simulated days; what would end after the last closing was handled faster."""
    # Most come in the morning.
    filed = random.randrange(days) * DAY + int(random.triangular(0, DAY - 600, DAY // 6))
    room = days * DAY - filed
    longest = steps[-1].second or 0
    pace = min(1.0, room / longest) if longest else 1.0
    return [replace(step, second=filed + int((step.second or 0) * pace)) for step in steps]


def _rating(random: Random, channel: Channel, grades: Mapping[int, int]) -> Step:
    grade = random.choices(list(grades), list(grades.values()))[0]
    options = wording.ONLINE_OPTIONS if channel in ONLINE else wording.WINDOW_OPTIONS
    body = {
        "grade": grade,
        "options": random.sample(options, random.randint(0, 2)),
        "text": random.choice(wording.OF_A_RATING[grade]) if random.random() < _WORDS_WITH_RATING else None,
        "anonymous": random.random() < _ANONYMOUS,
    }
    return Step("RateCase", None, body, None)
