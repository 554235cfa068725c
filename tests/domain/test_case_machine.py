"""Whatever is asked of a case, by whom and in whatever order, late or in time: the invariants hold.

The checks are in `audit`, the case that anything happens to in `one_case`. `HYPOTHESIS_PROFILE=long` looks for longer.
"""

from __future__ import annotations

import os
from collections import Counter
from functools import cache
from random import Random
from typing import get_args

import hypothesis.strategies as st
import pytest
from hypothesis import HealthCheck, settings
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from tests.domain import audit
from tests.domain.one_case import BY_PEOPLE, BY_SYSTEM, ENDINGS, OneCase
from tongban.domain.case.events import CaseEvent
from tongban.domain.case.state import CASE
from tongban.domain.rating.state import RATING

LONG = os.environ.get("HYPOTHESIS_PROFILE") == "long"
randoms = st.randoms(use_true_random=False)


class AnyCase(RuleBasedStateMachine):
    """What is accepted must keep every invariant; what is refused must leave nothing."""

    @initialize(random=randoms)
    def file(self, random: Random) -> None:
        self.story = OneCase(random)

    def _now(self, random: Random) -> OneCase:
        self.story.random = random
        return self.story

    @rule(random=randoms)
    def somebody_acts(self, random: Random) -> None:
        self._now(random).act(BY_PEOPLE)

    @rule(random=randoms)
    def somebody_else_acts(self, random: Random) -> None:
        self._now(random).act(BY_PEOPLE)

    @rule(random=randoms)
    def the_system_notices(self, random: Random) -> None:
        self._now(random).act(BY_SYSTEM)

    @rule(random=randoms)
    def it_comes_to_an_end(self, random: Random) -> None:
        story = self._now(random)
        if random.random() < 0.3 or story.case.result is not None:
            story.act(ENDINGS)

    @rule(random=randoms)
    def time_passes(self, random: Random) -> None:
        self._now(random).pass_time()

    @rule(random=randoms)
    def a_calendar_is_imported(self, random: Random) -> None:
        story = self._now(random)
        if random.random() < 0.2:
            story.import_calendar()

    @invariant()
    def the_law_is_kept(self) -> None:
        for check in audit.CHECKS:
            check(self.story)

    def teardown(self) -> None:
        if hasattr(self, "story"):
            audit.what_is_stored_is_what_happened(self.story)


TestAnyCase = AnyCase.TestCase
TestAnyCase.settings = settings(
    max_examples=5000 if LONG else 200,
    stateful_step_count=80 if LONG else 40,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)


@cache
def stories() -> tuple[OneCase, ...]:
    """Cases from fixed seeds, each with all that happened to it."""
    told = []
    for seed in range(20_000 if LONG else 1_200):
        story = OneCase(Random(seed))
        for _ in range(70):
            story.step()
        told.append(story)
    return tuple(told)


@pytest.mark.parametrize(
    "check", [*audit.CHECKS, audit.what_is_stored_is_what_happened], ids=lambda check: str(check.__name__)
)
def test_every_story_passes_the_audit(check: audit.Check) -> None:
    for story in stories():
        check(story)


def test_the_stories_tell_of_everything_that_can_happen_to_a_case() -> None:
    """Else the audits above would hold of nothing."""
    happened = Counter(fact.event.__class__ for story in stories() for fact in story.log)
    assert set(get_args(CaseEvent)) - happened.keys() == set()
    assert happened.keys() <= set(CASE.events)


def test_the_stories_break_the_rules_too() -> None:
    refused = Counter(rule for story in stories() for rule in story.refusals)
    assert len(refused) > 50


def test_an_event_that_is_no_event_of_the_case_is_a_defect() -> None:
    """`evolve` never refuses a fact, but what is not a fact of its aggregate never reaches it."""
    for aggregate in (CASE, RATING):
        assert all(event.__module__.split(".")[2] == aggregate.category for event in aggregate.events)
