"""The commands that come after a decision: checks of promises, revocations, and what they leave with the party."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from tongban.commands.handling import Asked, Handler
from tongban.domain.actor import Role
from tongban.domain.calendar.state import CALENDAR
from tongban.domain.case.state import CASE, Case
from tongban.domain.commitment.commands import OpenCommitmentCheck, RecordCommitmentCheck
from tongban.domain.commitment.decide import open_commitment_check, record_commitment_check
from tongban.domain.commitment.state import COMMITMENT
from tongban.domain.ids import calendar_stream, commitment_stream, revocation_stream
from tongban.domain.licence.commands import RevokeIssuedLicence
from tongban.domain.licence.decide import revoke_issued_licence
from tongban.domain.licence.state import LICENCE
from tongban.domain.party.commands import BarApplicant, HoldPromiseAgainst, RepairTrust
from tongban.domain.party.standing import BarFacts, bar_applicant, hold_promise_against, repair_trust
from tongban.domain.party.state import PARTY
from tongban.domain.revocation.commands import RevokeDecision
from tongban.domain.revocation.decide import revoke_decision
from tongban.domain.revocation.state import REVOCATION


def _case_of(asked: Asked) -> Case:
    case: Case = asked.other(asked.command.case_id, CASE)
    return case


_CASE_AS_IT_STANDS = replace(CASE, binding=True)
"""A case that must not move on while the decision is written."""


def _revoke(asked: Asked) -> list[Any]:
    # A licence that is made at this very moment must be named, or it would outlive its grant.
    case = asked.other(asked.command.case_id, _CASE_AS_IT_STANDS)
    return list(revoke_decision(asked.command, asked.circumstances, asked.state, case))


def _correlation_of_case(asked: Asked) -> Any:
    return CASE.correlation(_case_of(asked)) or asked.command.case_id


FOLLOW_UP_HANDLERS: tuple[Handler, ...] = (
    Handler(
        body=OpenCommitmentCheck,
        roles=frozenset({Role.SYSTEM}),
        aggregate=COMMITMENT,
        stream=lambda command, _: commitment_stream(command.case_id),
        decide=lambda asked: list(
            open_commitment_check(asked.command, asked.state, asked.other(calendar_stream(), CALENDAR))
        ),
        reads=lambda _: (calendar_stream(),),
        correlation=lambda asked: asked.command.correlation,
        creates=True,
        public=False,
    ),
    Handler(
        body=RecordCommitmentCheck,
        roles=frozenset({Role.INSPECTOR, Role.REVIEWER, Role.HEAD}),
        aggregate=COMMITMENT,
        stream=lambda command, _: commitment_stream(command.case_id),
        decide=lambda asked: list(record_commitment_check(asked.command, asked.circumstances, asked.state)),
        reads=lambda command: (command.case_id,),
        correlation=_correlation_of_case,
    ),
    Handler(
        body=RevokeDecision,
        roles=frozenset({Role.HEAD}),
        aggregate=REVOCATION,
        stream=lambda command, _: revocation_stream(command.case_id),
        decide=_revoke,
        reads=lambda command: (command.case_id,),
        correlation=_correlation_of_case,
        creates=True,
    ),
    Handler(
        body=RevokeIssuedLicence,
        roles=frozenset({Role.SYSTEM}),
        aggregate=LICENCE,
        stream=lambda command, _: command.licence_id,
        decide=lambda asked: list(revoke_issued_licence(asked.command, asked.state)),
        correlation=lambda asked: asked.command.correlation,
        public=False,
    ),
    Handler(
        body=BarApplicant,
        roles=frozenset({Role.HEAD, Role.SYSTEM}),
        aggregate=PARTY,
        stream=lambda command, _: command.party,
        decide=lambda asked: list(
            bar_applicant(asked.command, asked.circumstances, asked.state, BarFacts(_case_of(asked)))
        ),
        reads=lambda command: (command.case_id,),
    ),
    Handler(
        body=HoldPromiseAgainst,
        roles=frozenset({Role.SYSTEM}),
        aggregate=PARTY,
        stream=lambda command, _: command.party,
        decide=lambda asked: list(hold_promise_against(asked.command, asked.state)),
        public=False,
    ),
    Handler(
        body=RepairTrust,
        roles=frozenset({Role.HEAD, Role.ADMIN}),
        aggregate=PARTY,
        stream=lambda command, _: command.party,
        decide=lambda asked: list(repair_trust(asked.command, asked.circumstances, asked.state)),
    ),
)
