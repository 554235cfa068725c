"""Who may: mandates, windows and covers through the whole write side, and what the envelope then says."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from random import Random
from time import sleep
from typing import Any
from uuid import UUID, uuid4

import pytest

from tests.commands.acting import TODAY, actors, events, grant
from tests.commands.office import Office, answered, ask, refused
from tests.examples import (
    ACCEPTOR,
    ADMIN,
    AGENT,
    APPLICANT,
    CLERK,
    COMMANDS,
    DEFINITION,
    HEAD,
    ITEM,
    PERSON_ID,
    STRANGER,
    STRANGER_ID,
    end_absence,
    grant_mandate,
    rate_case,
    register_absence,
    submit_application,
)
from tongban.commands import handlers
from tongban.commands.handlers import HANDLERS
from tongban.commands.handling import Asked, Handler
from tongban.commands.requests import Outcome
from tongban.domain.absence.state import ABSENCE
from tongban.domain.actor import Actor, Role
from tongban.domain.catalogue.commands import PublishItem
from tongban.domain.errors import NotYours, RoleNotAllowed
from tongban.domain.ids import absence_stream
from tongban.domain.mandate.commands import RevokeMandate
from tongban.domain.mandate.events import MandateKind, Step
from tongban.domain.mandate.refusals import (
    InPersonRequired,
    MandateExpired,
    MandateNotYetValid,
    MandateRevokedAlready,
    OutsideMandate,
    ScopeUnknown,
    UnknownMandate,
)

# ── on whose behalf ──────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("agent", [AGENT, STRANGER])
def test_what_an_agent_does_names_both_and_the_mandate(opened: Office, agent: Actor) -> None:
    mandate = grant(opened)
    case = opened.done(replace(submit_application, mandate=mandate), agent).id
    assert set(actors(opened, case)) == {replace(agent, on_behalf_of=PERSON_ID, mandate=mandate)}


def test_what_a_clerk_does_at_the_counter_names_both(opened: Office) -> None:
    case = opened.done(submit_application, CLERK).id
    mandate = grant(opened, CLERK)
    opened.done(RevokeMandate(mandate), CLERK)
    helping = replace(CLERK, on_behalf_of=PERSON_ID)
    assert set(actors(opened, case)) == {helping}
    assert actors(opened, mandate) == [helping, helping]


def test_what_one_does_for_himself_names_him_alone(opened: Office) -> None:
    case = opened.done(submit_application, APPLICANT).id
    mandate = grant(opened)
    opened.done(RevokeMandate(mandate), STRANGER)
    assert set(actors(opened, case)) == {APPLICANT}
    assert actors(opened, mandate) == [APPLICANT, STRANGER]


def test_nobody_files_for_another_on_his_word(opened: Office) -> None:
    refused(opened.do(ask(submit_application, STRANGER))[0], NotYours)
    refused(opened.do(ask(replace(submit_application, mandate=uuid4()), STRANGER))[0], UnknownMandate)
    stranger = replace(submit_application, applicant=STRANGER_ID, mandate=grant(opened))
    answered(opened.do(ask(stranger, STRANGER))[0])


def test_a_stream_of_another_kind_is_no_mandate(opened: Office) -> None:
    case = opened.done(submit_application, APPLICANT).id
    for stream in (PERSON_ID, STRANGER_ID, case):
        refused(opened.do(ask(replace(submit_application, mandate=stream), AGENT))[0], UnknownMandate)


def test_a_mandate_runs_from_day_to_day(opened: Office) -> None:
    later = grant(opened, from_=TODAY + timedelta(days=2))
    refused(opened.do(ask(replace(submit_application, mandate=later), AGENT))[0], MandateNotYetValid)
    # A clerk who enters late what took effect before the mandate was given finds no mandate either.
    given_now = grant(opened, CLERK, from_=TODAY - timedelta(days=9))
    yesterday = datetime.now(UTC) - timedelta(days=1)
    late = ask(replace(submit_application, mandate=given_now), CLERK, effective_at=yesterday)
    refused(opened.do(late)[0], MandateNotYetValid)
    past = grant(opened, CLERK, to=TODAY)
    answered(opened.do(ask(replace(submit_application, mandate=past), AGENT))[0])


def test_an_expired_mandate_covers_nothing(opened: Office) -> None:
    old = replace(grant_mandate, from_=date(2020, 1, 1), to=date(2020, 12, 31))
    entered = ask(old, CLERK, effective_at=datetime(2020, 1, 1, tzinfo=UTC))
    mandate = answered(opened.do(entered)[0]).id
    refused(opened.do(ask(replace(submit_application, mandate=mandate), AGENT))[0], MandateExpired)


def test_where_the_law_wants_the_person_only_a_guardian_stands_in(opened: Office) -> None:
    opened.done(PublishItem({**DEFINITION, "inPerson": True}), ADMIN)
    everything = grant(opened, items=None)
    refused(opened.do(ask(replace(submit_application, mandate=everything), AGENT))[0], InPersonRequired, items=[ITEM])
    guardian = grant(opened, CLERK, kind=MandateKind.GUARDIAN)
    answered(opened.do(ask(replace(submit_application, mandate=guardian), STRANGER))[0])
    answered(opened.do(ask(submit_application, APPLICANT))[0])


def test_a_mandate_for_an_unknown_item_is_refused(opened: Office) -> None:
    unknown = replace(grant_mandate, items=("none",), to=TODAY, from_=TODAY)
    refused(opened.do(ask(unknown, APPLICANT))[0], ScopeUnknown, items=["none"])


def test_an_agent_rates_for_the_applicant_under_a_mandate(opened: Office) -> None:
    case = opened.closed_case()
    rate = replace(rate_case, case_id=case)
    refused(opened.do(ask(rate, STRANGER))[0], NotYours)
    only_files = grant(opened, steps=(Step.FILE,))
    refused(opened.do(ask(replace(rate, mandate=only_files), AGENT))[0], OutsideMandate, step=Step.RATE)
    mandate = grant(opened, steps=None)
    rating = opened.done(replace(rate, mandate=mandate), AGENT).id
    assert actors(opened, rating) == [replace(AGENT, on_behalf_of=PERSON_ID, mandate=mandate)]
    [recorded] = events(opened, rating)
    assert recorded.event.rater == PERSON_ID


# ── what is taken back while others act ──────────────────────────────────────────────────────────────────────────────


def test_in_one_batch_each_command_sees_those_before_it(opened: Office) -> None:
    mandate = grant(opened)
    file = replace(submit_application, mandate=mandate)
    first, revoked, second = opened.do(
        ask(file, AGENT), ask(RevokeMandate(mandate), APPLICANT), ask(replace(file, draft=None), AGENT)
    )
    answered(first)
    answered(revoked)
    refused(second, MandateRevokedAlready, mandate_id=mandate)


def test_what_is_revoked_elsewhere_while_a_batch_is_in_flight_covers_nothing(opened: Office, there: Office) -> None:
    mandate = grant(opened)
    file = ask(replace(submit_application, mandate=mandate), AGENT)
    own = ask(submit_application, APPLICANT)
    decided = opened.batch.decide([file, own])
    assert decided.unchanged == {mandate: 1}
    there.done(RevokeMandate(mandate), APPLICANT)
    with pytest.raises(Exception) as stale:  # noqa: PT011 - whatever it is, it is what the bus would be told
        opened.batch.start_append(decided).wait()
    by_agent, by_himself = opened.batch.after_failure([file, own], stale.value)
    refused(by_agent, MandateRevokedAlready)
    answered(by_himself)


def test_what_is_in_flight_before_a_revocation_stands(opened: Office, there: Office) -> None:
    mandate = grant(opened)
    file = ask(replace(submit_application, mandate=mandate), AGENT)
    decided = opened.batch.decide([file])
    [filed] = opened.batch.conclude(decided, opened.batch.start_append(decided).wait())
    there.done(RevokeMandate(mandate), APPLICANT)
    case = events(opened, answered(filed).id)[0]
    [_, revocation] = events(opened, mandate)
    assert case.position < revocation.position
    assert case.envelope.effective_at < revocation.envelope.effective_at


@pytest.mark.parametrize("seed", range(6))
def test_revoking_and_filing_at_once_are_in_one_order_or_the_other(opened: Office, there: Office, seed: int) -> None:
    chance = Random(seed)
    mandates = [grant(opened) for _ in range(20)]
    filed: dict[UUID, list[Outcome]] = {}

    def file() -> None:
        for start in range(0, len(mandates), 4):
            for mandate in mandates[start : start + 4]:
                requests = [ask(replace(submit_application, mandate=mandate), AGENT) for _ in range(3)]
                filed[mandate] = opened.do(*requests)
                sleep(chance.random() / 300)

    with ThreadPoolExecutor(1) as pool:
        filing = pool.submit(file)
        for mandate in mandates:
            there.done(RevokeMandate(mandate), APPLICANT)
        filing.result()
    for mandate, outcomes in filed.items():
        revocation = events(opened, mandate)[-1]
        for outcome in outcomes:
            if isinstance(outcome, Exception):
                refused(outcome, MandateRevokedAlready)
                continue
            case = events(opened, outcome.id)[0]
            # Their times may cross by the moment in which both were decided; the store says what came first.
            assert case.position < revocation.position


def test_a_batch_that_relies_on_nobodys_right_checks_nothing(opened: Office) -> None:
    assert opened.batch.decide([ask(submit_application, APPLICANT), ask(submit_application, CLERK)]).unchanged == {}


# ── a second round of reading ────────────────────────────────────────────────────────────────────────────────────────


def covering(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """Make EndAbsence look at the absences of the cover it finds. Returns what it saw, command by command."""
    seen: list[Any] = []
    before: Handler = HANDLERS["EndAbsence"]

    def decide(asked: Asked) -> list[Any]:
        seen.append([asked.other(absence_stream(a.cover), ABSENCE) for a in asked.state.standing])
        return before.decide(asked)

    more = replace(
        before, more=lambda _, state, __: tuple(absence_stream(a.cover) for a in state.standing), decide=decide
    )
    monkeypatch.setattr(handlers, "HANDLERS", {**HANDLERS, "EndAbsence": more})
    monkeypatch.setattr("tongban.commands.batch.HANDLERS", {**HANDLERS, "EndAbsence": more})
    return seen


def absence(officer: str, cover: str) -> Any:
    return replace(register_absence, officer=officer, cover=cover, from_=TODAY, to=TODAY)


def test_streams_that_only_the_state_names_are_read_too(opened: Office, monkeypatch: pytest.MonkeyPatch) -> None:
    opened.done(absence(ACCEPTOR.id, "second"), HEAD)
    opened.done(absence("second", "third"), HEAD)
    seen = covering(monkeypatch)
    decided = opened.batch.decide([ask(end_absence, HEAD)])
    assert seen[0][0].standing[0].cover == "third"
    assert decided.unchanged == {absence_stream("second"): 1}


def test_a_state_that_names_another_stream_within_the_batch_takes_the_batch_apart(
    opened: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    opened.done(absence("second", "third"), HEAD)
    seen = covering(monkeypatch)
    both = [ask(absence(ACCEPTOR.id, "second"), HEAD), ask(end_absence, HEAD)]
    with pytest.raises(Exception):  # noqa: B017, PT011 - a signal of the batch to itself
        opened.batch.decide(both)
    assert seen == []
    named, ended = opened.do(*both)
    assert answered(named).events == ("absence.AbsenceRegistered",)
    assert answered(ended).events == ("absence.AbsenceEnded",)
    assert [cover.standing[0].cover for cover in seen[0]] == ["third"]


# ── windows ──────────────────────────────────────────────────────────────────────────────────────────────────────────

AT_WINDOWS = {
    *("RegisterParty", "GrantMandate", "RevokeMandate", "RegisterAbsence", "EndAbsence"),
    # Taking in, and telling what is wrong (一次性告知 itself is the acceptor's).
    *("SubmitApplication", "ReceiveMaterials", "PassPreCheck", "ReturnPreCheck", "CorrectOnSpot", "ObtainMaterial"),
    # Helping the applicant with what is his to do (帮办).
    *("SubmitCorrection", "SupplementMaterial", "SignCommitment", "WithdrawCommitment", "RequestHearing"),
    *("WithdrawApplication", "SubmitBundle", "SubmitBundleCorrection", "WithdrawBundle"),
    # Paying, making and handing over what others decided.
    *("RequestFee", "RecordPayment", "RecordRefund", "IssueLicence", "ConfirmDelivery", "ArchiveCase"),
}
"""What a window may be asked for: it takes in, helps, hands over, and never decides. Extend it only after a thought."""


def test_a_window_has_its_tasks_and_no_other() -> None:
    assert {name for name, handler in HANDLERS.items() if Role.CLERK in handler.roles} <= AT_WINDOWS


@pytest.mark.parametrize("name", sorted(set(HANDLERS) - AT_WINDOWS))
def test_windows_never_decide(shared: Office, name: str) -> None:
    refused(shared.do(ask(COMMANDS[name], CLERK))[0], RoleNotAllowed, role=Role.CLERK)
