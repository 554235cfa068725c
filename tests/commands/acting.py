"""Words for tests of who may: mandates, and what the store says of who acted."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from tests.commands.office import Office
from tests.examples import APPLICANT, grant_mandate
from tongban.domain.actor import Actor
from tongban.domain.mandate.commands import GrantMandate
from tongban.domain.office_time import office_day
from tongban.domain.recorded import Recorded
from tongban.infra.event_codec import decode

TODAY = office_day(datetime.now(UTC))


def grant(office: Office, by: Actor = APPLICANT, **changes: Any) -> UUID:
    """A mandate from the applicant to the stranger, from today on."""
    command: GrantMandate = replace(grant_mandate, **{"from_": TODAY, "to": TODAY + timedelta(days=30), **changes})
    return office.done(command, by).id


def events(office: Office, stream: UUID) -> Sequence[Recorded]:
    tails = office.log.read(after={stream: 0}, commands=(), identifiers=()).tails
    return [decode(stored.state, stored.position) for stored in tails]


def actors(office: Office, stream: UUID) -> list[Actor]:
    return [recorded.envelope.actor for recorded in events(office, stream)]
