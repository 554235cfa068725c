"""Materials of an application: what is found out before a command reaches the bus.

In: a command that claims materials. Out: the command with what its draft holds, and evidence in the place of claims.
Sources, files and drafts are asked here, so that the writer waits for none of them. What was asked is written down in
the exchange log before it is relied on.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any, cast
from uuid import UUID

import structlog
from uuid_utils.compat import uuid7

from tongban.api.form_opening import FormOpening, in_force, look_up
from tongban.api.giving import Giver
from tongban.api.inquiry import Inquiry
from tongban.api.problems import DRAFT_DIFFERS, DRAFT_GONE, NO_SUCH_DRAFT, Problem
from tongban.commands.handlers import HANDLERS
from tongban.commands.handling import Asked, Desk
from tongban.commands.looking import Look, Looking
from tongban.commands.ports import EventLog, LogUnavailable
from tongban.commands.requests import Answer, Outcome, Request
from tongban.domain.actor import Actor
from tongban.domain.aggregate import Circumstances, effective_time
from tongban.domain.authority import NO_MANDATE, may_act_for
from tongban.domain.bundle.asked import Way, ways_at_correction, ways_at_filing
from tongban.domain.bundle.commands import SubmitBundle, SubmitBundleCorrection
from tongban.domain.bundle.publishing import BUNDLE_DEFINITION, Published
from tongban.domain.bundle.state import BUNDLE, Bundle
from tongban.domain.case.commands import How, MaterialOffered, ObtainMaterial
from tongban.domain.case.guards import SourceFailure
from tongban.domain.case.state import CASE, Case
from tongban.domain.catalogue.state import ITEM, Item
from tongban.domain.errors import Conflict, DomainError, RuleBroken, StaleVersion
from tongban.domain.ids import bundle_definition_stream, item_stream
from tongban.domain.mandate.events import Step
from tongban.domain.mandate.state import MANDATE
from tongban.domain.office_time import office_day
from tongban.domain.party.state import PARTY
from tongban.domain.sharing.events import Purpose
from tongban.domain.sharing.exemption import ASKED, Found, Need, needs, resolve, to_ask
from tongban.infra import event_codec
from tongban.infra.drafts import Draft, DraftChanged, DraftGone, DraftMissing
from tongban.infra.sources.registry import Sources, source_of
from tongban.infra.vault import Vault
from tongban.infra.write_side import Prepared

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Subject:
    """Whose materials a command is about, of which item or bundle, and how each can be met."""

    applicant: UUID
    item: str
    known: Mapping[str, Need]


class Materials:
    """Prepares commands. One event loop."""

    def __init__(
        self,
        *,
        prepared: Prepared,
        sources: Sources,
        event_log: EventLog,
        vault: Vault,
        giver: Giver,
        evidence_hours: float,
    ) -> None:
        """What a source said is taken again for `evidence_hours`; then it is asked anew."""
        self.uploads = prepared.uploads
        self.drafts = prepared.drafts
        self._looking = Looking(event_log, event_codec)
        self._giver = giver
        self._sources = sources
        self._inquiry = Inquiry(sources, giver)
        self.form = FormOpening(looking=self._looking, event_log=event_log, vault=vault, inquiry=self._inquiry)
        self._fresh = timedelta(hours=evidence_hours)

    async def close(self) -> None:
        """Let go of the sources' connections; by the loop that asked them."""
        await self._sources.close()

    async def give(self, request: Request) -> Answer:
        """Give a command, its materials made out. Raises as `Giver.give`, MaterialNotMet, UploadUnknown, Problem."""
        if not _claims(request):
            return await self._giver.give(request)
        ready = await self.made_out(request)
        if isinstance(ready, Exception):
            raise ready
        answer = await self._giver.give(ready)
        await self.done(request, answer)
        return answer

    async def made_out(self, request: Request | Exception) -> Request | Exception:
        """The request as it can be given to the bus, or what it is refused with."""
        if isinstance(request, Exception) or not _claims(request):
            return request
        try:
            return await self._prepare(request)
        except (DomainError, Problem) as refusal:
            # Done by the same request a moment ago, which used up the draft: then the same is answered again.
            look = await look_up(self._looking, [], (request.principal, request.idempotency_key))
            return request if look.answered else refusal.with_traceback(None)

    async def done(self, request: Request | Exception, outcome: Outcome) -> None:
        """Delete the draft of a command that was done. One that stays is harmless: it expires."""
        if not isinstance(request, Request) or not isinstance(outcome, Answer):
            return
        draft: UUID | None = getattr(request.body, "draft", None)
        if draft is None:
            return
        try:
            await asyncio.to_thread(self.drafts.delete, draft, request.actor)
        except (DraftMissing, DraftGone, DraftChanged, LogUnavailable) as error:
            log.info("draft_not_deleted", reason=type(error).__name__)

    async def _prepare(self, request: Request) -> Request:
        """The request with what its draft holds and with evidence for what it claims.

        It stays as it is where it was decided already. Raises as `give`, and what the decision would refuse it with.
        """
        command = request.body
        handler = HANDLERS[request.name]
        stream = handler.stream(command, uuid7())
        look = await look_up(
            self._looking, (stream, *handler.reads(command)), (request.principal, request.idempotency_key)
        )
        if look.answered:
            return request
        subject = await self._subject(command, look, request.effective_at or look.now)
        if subject is None:
            # The decision refuses it; should what is named come to be meanwhile, no claim stands in for evidence.
            return replace(request, body=replace(command, materials=())) if hasattr(command, "materials") else request
        # Nobody has sources asked about somebody else. What is refused now is refused for good: on a case that moved
        # on meanwhile its claims would be taken at their word.
        await self._check(request, stream, look)
        draft: Draft | None = None
        if getattr(command, "draft", None) is not None:
            draft = await self.draft_of(command.draft, request.actor)
            of = "bundle" if hasattr(command, "bundle") else "item"
            if draft.owner != subject.applicant or draft.content.get(of) != getattr(command, of, None):
                raise Problem(DRAFT_DIFFERS, applicant=draft.owner, item=draft.content.get(of))
            command = _filled(command, draft.content)
        known = subject.known
        obtain = isinstance(command, ObtainMaterial)
        claimed = _offered(command, known)
        if obtain and command.material in look.state(stream, CASE).met:
            return request
        opened = _found(draft.content, look.now - self._fresh) if draft else {}
        wanted = [need for need in to_ask(claimed, known) if need.material not in opened]
        asking = self._inquiry.ask(
            wanted,
            draft.id if draft else uuid7(),
            subject.item,
            subject.applicant,
            request.actor,
            Purpose.SUBMISSION,
            draft=draft.id if draft else None,
        )
        told, uploads = await asyncio.gather(asking, self._claim(request, subject.applicant, claimed))
        if obtain:
            # Here an empty answer is a result, too: it is recorded against the source.
            failures = tuple(
                SourceFailure(need.material, need.source or "", answer)
                for need in wanted
                if isinstance(answer := told[need.material], str)
            )
            claimed = [] if failures else claimed
            return replace(request, evidence=resolve(claimed, known, told, ()), failures=failures)
        return replace(request, body=command, evidence=resolve(claimed, known, {**opened, **told}, uploads))

    async def _check(self, request: Request, stream: UUID, look: Look) -> None:
        """Raises DomainError where the command's own rules refuse it, whatever is found out about its materials."""
        handler = HANDLERS[request.name]
        state = look.state(stream, handler.aggregate)
        streams = look.streams
        if handler.more is not None and (more := handler.more(request.body, state, request.actor)):
            streams = {**streams, **(await look_up(self._looking, more)).streams}
        if handler.follows is not None and (
            more := handler.follows(request.body, lambda stream, kind: streams[stream].state_as(kind))
        ):
            streams = {**streams, **(await look_up(self._looking, more)).streams}
        effective_at = effective_time(request.effective_at, look.now, request.actor)
        asked = Asked(
            command=request.body,
            stream=stream,
            circumstances=Circumstances(request.actor, look.now, effective_at, stream),
            state=state,
            other=lambda identity, kind: streams[identity].state_as(kind),
            holder=None,
            desk=cast("Desk", None),  # who acts is told by streams alone
        )
        try:
            if handler.acting is not None:
                handler.acting(asked)
            if hasattr(request.body, "case_id"):
                # Deciding is pure: what is refused whatever a source says is not asked for.
                handler.decide(asked)
        except (RuleBroken, Conflict) as refusal:
            expected, current = request.expected_version, streams[stream].version
            if expected not in (None, current):
                raise StaleVersion(id=stream, expected=expected, current=current) from refusal
            raise

    async def check_acting(self, actor: Actor, applicant: UUID, mandate: UUID | None, item: str | None = None) -> None:
        """Whether an actor may prepare an application of this party. Raises as `domain.authority.may_act_for`."""
        state = NO_MANDATE
        now = datetime.now(UTC)
        if mandate is not None:
            look = await look_up(self._looking, [mandate])
            state, now = look.state(mandate, MANDATE), look.now
        # What is uploaded is for no item yet: any that the mandate is for will do.
        item = item or next(iter(state.items or ()), "")
        step = Step.FILE if state.steps is None or Step.FILE in state.steps else Step.CORRECT
        may_act_for(actor, applicant, item=item, step=step, at=now, named=mandate, mandate=state)

    async def _subject(self, command: Any, look: Look, moment: datetime) -> Subject | None:
        """None where the command names nothing that there is."""
        if (case_id := getattr(command, "case_id", None)) is not None:
            case: Case = look.state(case_id, CASE)
            if case.applicant is None or case.item is None:
                return None
            stream = item_stream(case.item.id)
            item: Item = (await look_up(self._looking, [stream])).state(stream, ITEM)
            # A case keeps the version it was filed under.
            entry = next((each for each in item.versions if each.version == case.item.version), None)
            return Subject(case.applicant, case.item.id, _needs(entry.definition)) if entry else None
        if isinstance(command, SubmitBundle):
            return await self._of_bundle(command, look, moment)
        if isinstance(command, SubmitBundleCorrection):
            bundle: Bundle = look.state(command.bundle_id, BUNDLE)
            if bundle.applicant is None or bundle.definition is None:
                return None
            ways = ways_at_correction(bundle)
            return Subject(bundle.applicant, bundle.definition.id, _by_ways(ways, command.materials))
        if getattr(command, "item", None) is None or look.state(command.applicant, PARTY).kind is None:
            return None
        entry = in_force(look, command.item, moment)
        return Subject(command.applicant, command.item, _needs(entry.definition)) if entry else None

    async def _of_bundle(self, command: SubmitBundle, look: Look, moment: datetime) -> Subject | None:
        if look.state(command.applicant, PARTY).kind is None:
            return None
        published: Published = look.state(bundle_definition_stream(command.bundle), BUNDLE_DEFINITION)
        day = office_day(moment)
        version = published.in_force(day, command.version)
        if version is None:
            return None
        streams = {name: item_stream(name) for name in version.read.needs}
        found = await look_up(self._looking, tuple(streams.values()))
        items = {name: found.state(stream, ITEM).as_of(day) for name, stream in streams.items()}
        try:
            ways = ways_at_filing(published, command.version, items, command.answers, day)
        except DomainError:
            return None  # the decision refuses it, with what is wrong
        return Subject(command.applicant, command.bundle, _by_ways(ways, command.materials))

    async def draft_of(self, draft: UUID, actor: Actor) -> Draft:
        """A draft for who may see it. Raises Problem (404, 410), LogUnavailable."""
        try:
            return await asyncio.to_thread(self.drafts.get, draft, actor)
        except DraftMissing:
            raise Problem(NO_SUCH_DRAFT, id=draft) from None
        except DraftGone:
            raise Problem(DRAFT_GONE, id=draft) from None

    async def _claim(self, request: Request, applicant: UUID, claimed: Sequence[MaterialOffered]) -> set[str]:
        refs = {each.ref for each in claimed if each.how is How.UPLOAD and each.ref is not None}
        if not refs:
            return set()
        return await asyncio.to_thread(self.uploads.claim, applicant, refs, request.principal, request.idempotency_key)


def _needs(definition: Mapping[str, Any]) -> Mapping[str, Need]:
    return needs(definition, source_of, lambda _: True)


def _by_ways(ways: Mapping[str, Sequence[Way]], claimed: Sequence[MaterialOffered]) -> Mapping[str, Need]:
    """The needs of a bundle, by its own names: of several means the one that is claimed."""
    hows = {each.material: each.how for each in claimed}
    found: dict[str, Need] = {}
    for name, means in ways.items():
        way = next((each for each in means if each.how is hows.get(name)), means[0] if means else None)
        if way is None:
            found[name] = Need(name, How.UPLOAD, None, None, name, name)
            continue
        source = source_of(way.material, way.how, way.licence_type) if way.how in ASKED else None
        found[name] = Need(name, way.how, way.licence_type, source, name, name)
    return found


def _offered(command: Any, known: Mapping[str, Need]) -> Sequence[MaterialOffered]:
    """What a command says of materials; an officer who gets one himself does it as the guide says."""
    if isinstance(command, ObtainMaterial):
        need = known.get(command.material)
        return [] if need is None else [MaterialOffered(need.material, need.how)]
    offered: Sequence[MaterialOffered] = command.materials
    return offered


def _claims(request: Request) -> bool:
    """Whether there is anything to be found out about a command."""
    command = request.body
    if getattr(command, "draft", None) is not None or isinstance(command, ObtainMaterial):
        return True
    return any(each.how in ASKED or each.how is How.UPLOAD for each in getattr(command, "materials", ()))


def _filled(command: Any, content: Mapping[str, Any]) -> Any:
    """The command with what its body leaves empty taken from the draft.

    What the opening of the form found to be exempt is claimed with it; a promise is made by nobody but the applicant.
    """
    given = [MaterialOffered(each["material"], How(each["how"]), each["ref"]) for each in content.get("materials", ())]
    offered = list(command.materials or given)
    named = {each.material for each in offered}
    offered += [
        MaterialOffered(each["material"], How(each["how"]))
        for each in (content.get("opening") or {}).get("materials", ())
        if each["exempt"] and each["how"] in _CLAIMED and each["material"] not in named
    ]
    return replace(
        command,
        answers=command.answers or content.get("answers", {}),
        form=command.form or content.get("form", {}),
        materials=tuple(offered),
    )


_CLAIMED = frozenset({How.E_LICENCE, How.DATA_SHARING, How.ONLINE_AUTHORISATION, How.FORM_PREFILL})


def _found(content: Mapping[str, Any], not_before: datetime) -> dict[str, Found]:
    """What sources said when the draft's form was opened, as far as it is recent enough."""
    found: dict[str, Found] = {}
    for each in (content.get("opening") or {}).get("materials", ()):
        evidence = each["evidence"]
        if evidence is not None and datetime.fromisoformat(each["asked_at"]) >= not_before:
            as_of = datetime.fromisoformat(evidence["as_of"])
            found[each["material"]] = Found(evidence["source"], evidence["version"], as_of, evidence["id"])
    return found
