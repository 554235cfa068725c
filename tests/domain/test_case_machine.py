"""Random straight-path commands to one case: whatever is asked in whatever order, the invariants of the case hold.

The numbers I1 … I9 are those of the domain page; each is checked on the events alone, as an auditor would.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import date, datetime, timedelta
from typing import Any
from uuid import UUID

import hypothesis.strategies as st
from hypothesis import HealthCheck, settings
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from tests.examples import (
    ACCEPTOR,
    APPLICANT,
    BRANCHES,
    CASE_ID,
    CLERK,
    DECIDER,
    HEAD,
    application_submitted,
    reviewer,
)
from tests.given import START
from tongban.domain.actor import Actor
from tongban.domain.aggregate import Circumstances, effective_time
from tongban.domain.case.commands import (
    AcceptApplication,
    CaseCommand,
    DenyApproval,
    GrantApproval,
    IssueLicence,
    RecordOpinion,
)
from tongban.domain.case.decide import LicenceFacts, decide
from tongban.domain.case.events import (
    ApplicationAccepted,
    ApplicationSubmitted,
    ApprovalDenied,
    ApprovalGranted,
    CaseClosed,
    LicenceIssued,
    Opinion,
    OpinionRecorded,
)
from tongban.domain.case.state import CASE, Case, Status
from tongban.domain.errors import DomainError
from tongban.domain.rating.commands import RateCase
from tongban.domain.rating.decide import rate_case
from tongban.domain.rating.events import CaseRated
from tongban.domain.rating.state import RATING, Rating

OFFICERS = [ACCEPTOR, DECIDER, HEAD, CLERK, *map(reviewer, BRANCHES)]
DECISIONS = (ApprovalGranted, ApprovalDenied)
# Most moments are "now", the others lie anywhere around, even before the filing or in the future.
moments = st.none() | st.none() | st.integers(min_value=-5, max_value=200)


class OneCase(RuleBasedStateMachine):
    """Officers and the applicant ask; what is refused must leave nothing."""

    @initialize(
        promised=st.booleans(), licence=st.booleans(), branches=st.permutations(BRANCHES), count=st.integers(1, 3)
    )
    def file(self, promised: bool, licence: bool, branches: Sequence[str], count: int) -> None:  # noqa: FBT001
        filed = replace(
            application_submitted,
            promised=promised,
            licence_type="lt-property" if licence else None,
            branches=tuple(branches[:count]),
        )
        self.filed: ApplicationSubmitted = filed
        self.events: list[tuple[Any, datetime]] = [(filed, START)]
        self.ratings: list[CaseRated] = []
        self.case: Case = CASE.evolve(CASE.initial, filed, START)
        self.rating: Rating = RATING.initial
        self.holders = [CASE.holders(self.case)]
        self.now = START
        self.closed_after: int | None = None

    def ask(self, command: CaseCommand | RateCase, actor: Actor, minutes: int | None) -> None:
        self.now += timedelta(minutes=7)
        asked = None if minutes is None else START + timedelta(minutes=minutes)
        try:
            circumstances = Circumstances(
                actor, self.now, effective_time(asked, self.now, actor), UUID(int=len(self.events))
            )
            if isinstance(command, RateCase):
                for rated in rate_case(command, circumstances, self.rating, self.case):
                    assert self.case.status is Status.CLOSED  # I9: a rating comes after the closing, and only then
                    self.rating = RATING.evolve(self.rating, rated, circumstances.effective_at)
                    self.ratings.append(rated)
                return
            decided = decide(command, circumstances, self.case, LicenceFacts("1", 5))
        except DomainError:
            return
        for event in decided:
            self.case = CASE.evolve(self.case, event, circumstances.effective_at)
            self.events.append((event, circumstances.effective_at))
            self.holders.append(CASE.holders(self.case))

    @rule(actor=st.sampled_from(OFFICERS), at=moments)
    def accept(self, actor: Actor, at: int | None) -> None:
        self.ask(AcceptApplication(CASE_ID), actor, at)

    @rule(
        branch=st.sampled_from([*BRANCHES, "fire"]),
        opinion=st.sampled_from(list(Opinion)),
        at=moments,
    )
    def speak(self, branch: str, opinion: Opinion, at: int | None) -> None:
        self.ask(RecordOpinion(CASE_ID, branch, opinion, "t"), reviewer(branch), at)

    @rule(last=st.sampled_from(list(Opinion)))
    def all_speak(self, last: Opinion) -> None:
        """A short way to what random opinions reach too seldom."""
        self.ask(AcceptApplication(CASE_ID), ACCEPTOR, None)
        for branch in self.filed.branches:
            opinion = last if branch == self.filed.branches[-1] else Opinion.PASS
            self.ask(RecordOpinion(CASE_ID, branch, opinion, "t"), reviewer(branch), None)

    @rule(actor=st.sampled_from(OFFICERS), at=moments)
    def grant(self, actor: Actor, at: int | None) -> None:
        self.ask(GrantApproval(CASE_ID, "t"), actor, at)

    @rule(actor=st.sampled_from(OFFICERS), text=st.sampled_from(["", " ", "words"]), at=moments)
    def deny(self, actor: Actor, text: str, at: int | None) -> None:
        self.ask(DenyApproval(CASE_ID, reason="words", remedy=text), actor, at)

    @rule(actor=st.sampled_from(OFFICERS), first=st.none() | st.dates(), last=st.none() | st.dates(), at=moments)
    def issue(self, actor: Actor, first: date | None, last: date | None, at: int | None) -> None:
        self.ask(IssueLicence(CASE_ID, first, last), actor, at)

    @rule(grade=st.integers(0, 6), actor=st.sampled_from([APPLICANT, CLERK]))
    def rate(self, grade: int, actor: Actor) -> None:
        self.ask(RateCase(CASE_ID, grade), actor, None)

    def of(self, *kinds: type) -> list[tuple[int, Any, datetime]]:
        return [(i, event, at) for i, (event, at) in enumerate(self.events) if isinstance(event, kinds)]

    @invariant()
    def i1_no_review_and_no_decision_without_acceptance(self) -> None:
        accepted = self.of(ApplicationAccepted)
        assert len(accepted) <= 1
        for place, _, at in self.of(OpinionRecorded, *DECISIONS):
            assert accepted
            assert accepted[0][0] < place
            assert accepted[0][2] <= at

    @invariant()
    def there_is_one_decision_and_a_grant_has_every_branch_behind_it(self) -> None:
        assert len(self.of(*DECISIONS)) <= 1
        for place, _, at in self.of(ApprovalGranted):
            said = {e.branch: e.opinion for i, e, _ in self.of(OpinionRecorded) if i < place}
            assert said == dict.fromkeys(self.filed.branches, Opinion.PASS)
            assert all(spoken <= at for _, _, spoken in self.of(OpinionRecorded))

    @invariant()
    def i6_every_denial_has_reason_and_remedy(self) -> None:
        assert all(e.reason.strip() and e.remedy.strip() for _, e, _ in self.of(ApprovalDenied))

    @invariant()
    def i7_one_licence_for_one_grant(self) -> None:
        licences = self.of(LicenceIssued)
        assert len(licences) <= 1
        for place, licence, at in licences:
            [(granted, _, granted_at)] = self.of(ApprovalGranted)
            assert granted < place
            assert granted_at <= at
            assert licence.valid_to is None or licence.valid_from <= licence.valid_to

    @invariant()
    def i8_who_accepted_a_promised_item_did_not_decide_it(self) -> None:
        if self.filed.promised:
            by = {e.accepted_by for _, e, _ in self.of(ApplicationAccepted)}
            assert by.isdisjoint(e.decided_by for _, e, _ in self.of(*DECISIONS))

    @invariant()
    def i9_nothing_follows_the_closing_but_one_rating(self) -> None:
        assert all(place == len(self.events) - 1 for place, _, _ in self.of(CaseClosed))
        assert len(self.ratings) <= 1
        assert not self.ratings or self.of(CaseClosed)

    @invariant()
    def somebody_holds_every_open_branch_and_nobody_a_closed_case(self) -> None:
        for place, held in enumerate(self.holders):
            said = {e.branch for i, e, _ in self.of(OpinionRecorded) if i <= place}
            outstanding = [branch for branch in self.filed.branches if branch not in said]
            past = [event.__class__ for event, _ in self.events[: place + 1]]
            if CaseClosed in past:
                assert held == {"main": "none"}
            elif ApplicationAccepted in past and outstanding and not set(DECISIONS) & set(past):
                assert held == {branch: f"dept:{branch}" for branch in outstanding}
            else:
                assert held == {"main": f"dept:{self.filed.lead}"}

    @invariant()
    def the_events_alone_give_the_live_state(self) -> None:
        folded = CASE.initial
        for event, at in self.events:
            folded = CASE.evolve(folded, event, at)
        assert folded == self.case


TestOneCase = OneCase.TestCase
TestOneCase.settings = settings(
    max_examples=150, stateful_step_count=25, deadline=None, suppress_health_check=[HealthCheck.too_slow]
)


def test_an_event_that_is_no_event_of_the_case_is_a_defect() -> None:
    """`evolve` never refuses a fact, but what is not a fact of its aggregate never reaches it."""
    for aggregate in (CASE, RATING):
        assert all(event.__module__.split(".")[2] == aggregate.category for event in aggregate.events)
