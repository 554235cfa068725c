"""撤销 against what is done at the same time: no licence outlives its grant."""

from __future__ import annotations

from dataclasses import replace

from tests.commands.office import Office, ask, refused
from tests.examples import DECIDER, HEAD, SYSTEM, issue_licence, revoke_decision
from tests.examples import close_revoked as close
from tongban.commands.requests import Answer
from tongban.domain.case.refusals import NotGranted
from tongban.domain.revocation.events import DecisionRevoked
from tongban.infra.event_codec import decode


def test_no_licence_is_made_once_the_grant_is_revoked(here: Office) -> None:
    case = here.granted_case()
    here.done(replace(revoke_decision, case_id=case), HEAD)
    [outcome] = here.do(ask(replace(issue_licence, case_id=case), DECIDER))
    refused(outcome, NotGranted)
    assert here.done(replace(close, case_id=case), SYSTEM).events == ("case.ConditionFailed", "case.CaseClosed")


def test_a_licence_that_another_process_makes_meanwhile_is_revoked_with_its_grant(here: Office, there: Office) -> None:
    case = here.granted_case()
    decided = here.batch.decide([ask(replace(revoke_decision, case_id=case), HEAD)])
    issued = there.done(replace(issue_licence, case_id=case), DECIDER)
    assert "case.LicenceIssued" in issued.events
    try:
        [outcome] = here.batch.conclude(decided, here.batch.start_append(decided).wait())
    except Exception as clash:  # noqa: BLE001 - what the bus does with it
        [outcome] = here.batch.after_failure(decided.requests, clash)
    assert isinstance(outcome, Answer)
    [stored] = here.log.read(after={outcome.id: 0}, commands=(), identifiers=()).tails
    event = decode(stored.state, stored.position).event
    assert isinstance(event, DecisionRevoked)
    assert event.licence_id is not None
