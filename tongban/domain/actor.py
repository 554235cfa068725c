"""Who acts: stored in every event, so that the trace names person, role and department as they were then."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from uuid import UUID


class Role(StrEnum):
    """What a token may be for (domain: 角色). `system` is never in a token: policies and timers act as it."""

    CITIZEN = "citizen"
    ENTERPRISE = "enterprise"
    AGENT = "agent"
    CLERK = "clerk"
    ACCEPTOR = "acceptor"
    REVIEWER = "reviewer"
    DECIDER = "decider"
    HEAD = "head"
    INSPECTOR = "inspector"
    SUPERVISOR = "supervisor"
    HOTLINE = "hotline"
    DATA_CENTRE = "data_centre"
    ADMIN = "admin"
    INTEGRATOR = "integrator"
    SYSTEM = "system"


APPLICANT_ROLES = frozenset({Role.CITIZEN, Role.ENTERPRISE})
PARTY_ROLES = APPLICANT_ROLES | {Role.AGENT}
"""The roles whose token's subject is a party id; an agent acts for others only."""
CASE_OFFICER_ROLES = frozenset({Role.CLERK, Role.ACCEPTOR, Role.REVIEWER, Role.DECIDER, Role.HEAD, Role.INSPECTOR})
"""The officers who work on cases."""
OFFICER_ROLES = CASE_OFFICER_ROLES | {Role.HOTLINE, Role.ADMIN}


@dataclass(frozen=True, slots=True)
class Actor:
    """One caller. For applicants and agents `id` is the party id as text; for officers the officer id.

    `on_behalf_of` is the party an act was done for, `mandate` by which right: found by the decision, told by no token.
    """

    id: str
    role: Role
    department: str | None = None
    district: str | None = None
    on_behalf_of: UUID | None = None
    mandate: UUID | None = None
