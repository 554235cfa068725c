"""Opening a form: for each material of an item, how it is met for this applicant (免于提交).

In: an item, an applicant, the answers so far. Out: what the item in force asks of him, what sources have already, what
must be uploaded since a source failed, and what the form need not ask.
"""

from __future__ import annotations

import asyncio
from collections.abc import Collection, Mapping
from dataclasses import asdict
from datetime import datetime
from typing import Any
from uuid import UUID

from tongban.api.inquiry import Inquiry
from tongban.commands.looking import Look, Looking
from tongban.commands.ports import EventLog, LogUnavailable
from tongban.commands.requests import Unavailable
from tongban.domain.actor import Actor
from tongban.domain.case.refusals import ApplicantNotRegistered
from tongban.domain.catalogue.questions import holds
from tongban.domain.catalogue.state import ITEM, Item, ItemVersionEntry
from tongban.domain.ids import item_stream
from tongban.domain.office_time import office_day
from tongban.domain.party.events import PartyRegistered
from tongban.domain.party.state import PARTY
from tongban.domain.personal import Withheld
from tongban.domain.sharing.events import Purpose
from tongban.domain.sharing.exemption import Met, met, needs
from tongban.infra import event_codec
from tongban.infra.sources.registry import source_of
from tongban.infra.vault import Vault


class FormOpening:
    """Opens forms."""

    def __init__(self, *, looking: Looking, event_log: EventLog, vault: Vault, inquiry: Inquiry) -> None:
        """`vault` opens the party's registration, for who prepares its application."""
        self._looking = looking
        self._log = event_log
        self._vault = vault
        self._inquiry = inquiry

    async def open(
        self,
        opening: UUID,
        item: str,
        applicant: UUID,
        answers: Mapping[str, Any],
        actor: Actor,
        before: Mapping[str, Any],
    ) -> dict[str, Any] | None:
        """How each material of the item is met for this applicant; None where no such item is in force.

        `before` is what the form opened with earlier: what was asked then is not asked again. Raises Unavailable,
        ApplicantNotRegistered.
        """
        look = await look_up(self._looking, [item_stream(item), applicant])
        if look.state(applicant, PARTY).kind is None:
            raise ApplicantNotRegistered(applicant=applicant)
        entry = in_force(look, item, look.now)
        if entry is None:
            return None
        known = needs(entry.definition, source_of, lambda material: _holds(material, answers) is True)
        kept = {each["material"]: each for each in before.get("materials", ())}
        wanted = [need for need in known.values() if need.source is not None and need.material not in kept]
        told = await self._inquiry.ask(wanted, opening, item, applicant, actor, Purpose.FORM_OPENING, draft=opening)
        materials = [
            kept.get(need.material) or _told(met(need, told.get(need.material)), look.now) for need in known.values()
        ]
        prefill = before.get("prefill") or await asyncio.to_thread(self._prefill, applicant)
        return {"item_version": entry.version, "materials": materials, "prefill": prefill}

    def _prefill(self, applicant: UUID) -> dict[str, str]:
        """What the form need not ask, because the party's registration says it."""
        tails = self._log.read(after={applicant: 0}, commands=(), identifiers=()).tails
        if not tails:
            return {}
        event = event_codec.decode(tails[0].state, tails[0].position, self._vault).event
        if not isinstance(event, PartyRegistered) or isinstance(event.name, Withheld):
            return {}
        return {"name": event.name, "identifier_kind": event.identifier_kind, "identifier": str(event.identifier)}


async def look_up(looking: Looking, streams: Collection[UUID], command: tuple[str, UUID] | None = None) -> Look:
    """Look at streams without holding up the event loop. Raises Unavailable."""
    try:
        return await asyncio.to_thread(looking.look, streams, command)
    except LogUnavailable as error:
        raise Unavailable(reason=str(error)) from error


def in_force(look: Look, item: str, moment: datetime) -> ItemVersionEntry | None:
    """The version of an item that was looked at which rules on the day of a moment."""
    state: Item = look.state(item_stream(item), ITEM)
    return state.version_in_force(office_day(moment))


def _holds(material: Mapping[str, Any], answers: Mapping[str, Any]) -> bool | None:
    """Whether a material is asked of this applicant; None while that is not known."""
    condition = material.get("condition")
    if condition is None and material.get("necessity") == "CONDITIONAL":
        return None
    try:
        return holds(condition, answers)
    except TypeError:  # a draft may still hold an answer that is none
        return None


def _told(opened: Met, now: datetime) -> dict[str, Any]:
    evidence = opened.evidence
    told = asdict(opened) | {"how": opened.how.value, "asked_at": now.isoformat()}
    if evidence is not None:
        told["evidence"] = asdict(evidence) | {"as_of": evidence.as_of.isoformat()}
    return told
