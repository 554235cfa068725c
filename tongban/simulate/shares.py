"""How often what happens: every share of the simulation, with where it comes from.

A share is of the cases it can happen to at all. Those without a figure of Shanghai's press documents (2018 to 2021) are
this project's choice: rare enough for a normal day, frequent enough that a few hundred cases have something of each.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum

from tongban.domain.case.events import Channel, Means, Procedure


class Ending(StrEnum):
    """How far a case comes. LAPSED is left to the timer that makes it lapse."""

    OPEN = "OPEN"
    DENIED = "DENIED"
    NOT_ACCEPTED = "NOT_ACCEPTED"
    WITHDRAWN = "WITHDRAWN"
    LAPSED = "LAPSED"
    GRANTED = "GRANTED"


# ── who and how ──────────────────────────────────────────────────────────────────────────────────────────────────────
PERSONS = 0.68
"""Cases that are a person's."""
KNOWN_APPLICANT = 0.35
"""Who files has filed before."""
CHANNELS: Mapping[Channel, float] = {
    Channel.APP: 0.32,
    Channel.WEB: 0.28,  # with APP: 60.88 % handled with no meeting (2021)
    Channel.COUNTER: 0.30,
    Channel.KIOSK: 0.06,
    Channel.POST: 0.04,
}
MANDATED = 0.06
"""An agent files."""
DELIVERY: Mapping[Means, float] = {Means.ONLINE: 0.7, Means.COURIER: 0.2, Means.COUNTER: 0.1}

# ── one thing (一件事) ────────────────────────────────────────────────────────────────────────────────────────────────
BUNDLED = 0.03
"""Several items at once, by one form; online."""
BUNDLES: Mapping[str, float] = {
    "open-restaurant": 2,  # each of its versions; near 12,000 cases a year (2019)
    "start-company": 4,
    "childbirth": 5,
    "property-and-utilities": 3,
}
BUNDLE_OPEN = 0.15
BUNDLE_WITHDRAWN = 0.05
BUNDLE_CORRECTED = 0.2
"""One paper is missing, and the one notice of the bundle asks for it."""
BUNDLE_PART_DENIED = 0.1
"""One part is refused; the others stand."""

# ── how it ends ──────────────────────────────────────────────────────────────────────────────────────────────────────
ENDINGS: Mapping[Ending, float] = {
    Ending.OPEN: 0.14,  # the backlog, with those online cases that need a time that has not passed: a fifth
    Ending.DENIED: 0.03,
    Ending.NOT_ACCEPTED: 0.02,
    Ending.WITHDRAWN: 0.03,
    Ending.LAPSED: 0.02,  # of an online case, which takes effect now: waits for the applicant
    Ending.GRANTED: 0.76,
}

# ── before acceptance ────────────────────────────────────────────────────────────────────────────────────────────────
PRE_CHECKED = 0.5
PRE_CHECK_RETURNED = 0.1
"""Of the pre-checks."""
CORRECTED = 0.07
"""Asked to correct; 89.33 % of registrations closed on their first day, the rest also for other reasons (2018)."""
ON_THE_SPOT = 0.06
"""Something is mended at the window."""
OBTAINED = 0.06
"""The office gets a material itself that the applicant did not claim."""
TOLERATED = 0.4
"""Accepted without a secondary material, where the item allows it."""
TOLERATED_NEVER_BROUGHT = 0.3
"""Of the cases that lapse and could be tolerated: it is the supplement that never comes."""
COMMITTED = 0.45
"""Who may, chooses notification and commitment."""
UNTRUSTED = 0.06
"""Parties whose promise turns out untrue, or who got their grant by fraud."""
REVOKED = 0.1
"""Of the grants of those that rest on no promise: found out and revoked."""
DEEMED_ACCEPTED = 0.02
"""Nobody accepts within the five days of the law (of the cases entered late)."""

# ── review ───────────────────────────────────────────────────────────────────────────────────────────────────────────
CLAIMED = 0.25
RELEASED = 0.15
"""Of the claims on acceptance: another one accepts then."""
REASSIGNED = 0.05
ABSENT = 0.02
"""Who claimed a branch is away, and the cover gives the opinion."""
CONSULTED = 0.03
CORRECTED_IN_REVIEW = 0.01
"""Asked again on other grounds; always flagged."""
PROCEDURES: Mapping[Procedure, float] = {
    Procedure.PUBLIC_ANNOUNCEMENT: 0.95,
    Procedure.EXPERT_REVIEW: 0.7,
    Procedure.HEARING: 0.1,
}
"""Of the cases whose item names it."""
HEARINGS = 0.01
INSPECTION_TESTS: Mapping[str, float] = {"food-licence": 0.12, "hygiene-licence": 0.12, "hazchem-licence": 0.2}
"""What is sampled goes to a laboratory: art. 45 allows it for any item."""
EXTENDED = 0.12
"""Of the cases entered late whose item allows it."""
OVERDUE = 0.03
"""Decided after the promised day (of the cases entered late)."""
ANNOUNCED_INSPECTION = 0.7
FAILED_INSPECTION = 0.1
"""The first visit finds faults; the second passes."""
JOINT_INSPECTION = 0.7
"""One visit for all branches, where there are several."""
HEAD_DECIDES = 0.1
IN_A_PILE = 0.15
"""Granted together with others, in one batch."""

# ── afterwards ───────────────────────────────────────────────────────────────────────────────────────────────────────
PAID_EARLY = 0.5
"""The fee is paid at the acceptance already; the rest pays after the reviews."""
CHECKED = 0.8
"""Promises that are checked within the simulated time."""
ARCHIVED = 0.25
RATED = 0.9
GRADES: Mapping[int, float] = {1: 700, 2: 240, 3: 50, 4: 6, 5: 4}
"""1 is best; 1,900 of 210,000 ratings were bad (2020): 0.9 %."""
GRADES_OF_THE_DENIED: Mapping[int, float] = {1: 30, 2: 40, 3: 27, 4: 2, 5: 1}
WORDS_WITH_RATING = 0.25
ANONYMOUS = 0.1

PACE: Mapping[str, float] = {"fire": 0.5, "housing": 0.45, "ecology": 0.45, "psb": 0.35, "nr": 0.3, "tax": 0.2}
"""How much of the promised time a department's opinion takes in the middle."""
USUAL_PACE = 0.3
