"""Who may act for whom, and which window takes what. Pure; an officer's cover is in `absence.state`.

An act for somebody else is written with both names: the envelope then says on whose behalf and by which mandate.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from typing import NamedTuple
from uuid import UUID

from tongban.domain.actor import PARTY_ROLES, Actor, Role
from tongban.domain.errors import NotYours, OtherDistrict
from tongban.domain.mandate.events import MandateKind, Step
from tongban.domain.mandate.refusals import (
    InPersonRequired,
    MandateExpired,
    MandateNotYetValid,
    MandateRequired,
    MandateRevokedAlready,
    OutsideMandate,
    UnknownMandate,
)
from tongban.domain.mandate.state import Mandate
from tongban.domain.office_time import office_day

NO_MANDATE = Mandate()


class Acting(NamedTuple):
    """For whom somebody acts, and by which mandate; both None for who acts for himself."""

    on_behalf_of: UUID | None = None
    mandate: UUID | None = None

    def sign(self, actor: Actor) -> Actor:
        """The actor as the envelope names him."""
        if self.on_behalf_of is None:
            return actor
        return replace(actor, on_behalf_of=self.on_behalf_of, mandate=self.mandate)


HIMSELF = Acting()


def may_act_for(
    actor: Actor,
    applicant: UUID,
    *,
    item: str,
    step: Step,
    at: datetime,
    named: UUID | None = None,
    mandate: Mandate = NO_MANDATE,
    in_person: bool = False,
    late: bool = False,
) -> Acting:
    """How the actor stands to the applicant in one step of one item at the moment `at`, when the act takes effect.

    `named` is the mandate the command names, `mandate` its state; `in_person` says that the law wants the applicant
    to come himself (行政许可法 art. 29), which binds who was sent by choice, not a guardian; `late` that `at` is a
    past moment entered now. A clerk acts for whoever
    stands at the counter (帮办): the applicant, or an agent whose mandate he then names. The system acts for the
    applicant.

    Raises NotYours, MandateRequired, UnknownMandate, MandateNotYetValid, MandateExpired, MandateRevokedAlready,
    OutsideMandate, InPersonRequired.
    """
    by_party = actor.role in PARTY_ROLES
    if named is None:
        if not by_party:
            return Acting(applicant)
        if actor.id != str(applicant):
            raise NotYours  # and not whose it is
        if actor.role is Role.AGENT:
            raise MandateRequired
        return HIMSELF
    if by_party and actor.id == str(applicant) and actor.role is not Role.AGENT:
        return HIMSELF
    # What is not the caller's looks like what does not exist: ids of mandates are not to be tried out.
    if mandate.principal is None or (by_party and actor.id != str(mandate.agent)):
        raise UnknownMandate(mandate_id=named)
    if mandate.principal != applicant:
        raise OutsideMandate(mandate_id=named)
    _check_time(mandate, named, at, late=late)
    if (mandate.items is not None and item not in mandate.items) or (
        mandate.steps is not None and step not in mandate.steps
    ):
        raise OutsideMandate(mandate_id=named, item=item, step=step)
    if in_person and mandate.kind is not MandateKind.GUARDIAN:
        raise InPersonRequired(items=[item])
    return Acting(applicant, named)


def _check_time(mandate: Mandate, named: UUID, at: datetime, *, late: bool) -> None:
    """Both days count in full, in office time; but nothing is covered that was done before the mandate was given.

    What is done now looks at no moment: the clocks of two that act at once may cross, what is known has happened.
    """
    day = office_day(at)
    if mandate.revoked_at is not None and (mandate.revoked_at <= at or not late):
        raise MandateRevokedAlready(mandate_id=named, revoked_at=mandate.revoked_at)
    if day > mandate.valid_to:
        raise MandateExpired(mandate_id=named, valid_to=mandate.valid_to)
    if day < mandate.valid_from or (late and mandate.granted_at is not None and at < mandate.granted_at):
        raise MandateNotYetValid(mandate_id=named, valid_from=mandate.valid_from)


def case_district(actor: Actor, *, city_wide: bool, asked: str | None, lead: str | None = None) -> str | None:
    """The district a case is filed in: the one asked for, else the window's own. Raises OtherDistrict."""
    district = asked or actor.district
    check_window(actor, city_wide=city_wide, district=district, lead=lead)
    return district


def check_window(actor: Actor, *, city_wide: bool, district: str | None, lead: str | None = None) -> None:
    """Whether this window may take or hand over for a case of `district` (None: of no district in particular).

    A window takes what is city-wide (全市通办) for every district, the rest for its own only; the lead department's own
    window that is of no district (市级窗口) takes what the department decides. Binds clerks only: applicants file from
    anywhere. Raises OtherDistrict.
    """
    if city_wide or actor.role is not Role.CLERK or district in (None, actor.district):
        return
    if actor.district is not None or lead is None or actor.department != lead:
        raise OtherDistrict(district=district)
