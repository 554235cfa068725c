"""/drafts: applications that are being filled in. Making one opens its form."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

import orjson
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route
from uuid_utils.compat import uuid7

from tongban.api.bodies import BodyReader
from tongban.api.limits import Rate, read_body
from tongban.api.materials import Materials
from tongban.api.principal import actor_from, pass_rate
from tongban.api.problems import (
    DRAFT_CHANGED,
    DRAFT_GONE,
    INVALID_BODY,
    INVALID_IF_MATCH,
    NO_SUCH_DRAFT,
    TOO_MANY_DRAFTS,
    UNSUPPORTED_MEDIA_TYPE,
    Problem,
)
from tongban.api.uploads import PREPARERS
from tongban.domain.actor import Actor
from tongban.domain.case.commands import How, MaterialOffered
from tongban.domain.case.events import Channel
from tongban.domain.case.refusals import ApplicantNotRegistered, ItemNotPublished
from tongban.domain.errors import RoleNotAllowed
from tongban.infra.drafts import Draft, DraftChanged, DraftGone, DraftMissing, TooManyDrafts
from tongban.infra.tokens import Verifier
from tongban.infra.uploads import OwnerUnknown

_VERSION = re.compile(r'\s*"([1-9][0-9]{0,8})"\s*')


@dataclass(frozen=True, slots=True)
class NewDraft:
    """An application that is begun, for one item or one bundle. Everything may be incomplete."""

    applicant: UUID
    item: str | None = None
    bundle: str | None = None
    channel: Channel = Channel.WEB
    answers: dict[str, Any] = field(default_factory=dict)
    form: dict[str, Any] = field(default_factory=dict)
    materials: tuple[MaterialOffered, ...] = ()
    mandate: UUID | None = None


@dataclass(frozen=True, slots=True)
class DraftContent:
    """What takes the place of a draft's content; item or bundle and applicant stay."""

    channel: Channel = Channel.WEB
    answers: dict[str, Any] = field(default_factory=dict)
    form: dict[str, Any] = field(default_factory=dict)
    materials: tuple[MaterialOffered, ...] = ()


class DraftEndpoints:
    """The addresses of drafts."""

    def __init__(self, materials: Materials, verifier: Verifier, rate: Rate, *, limit: int) -> None:
        """`limit` in bytes of a body."""
        self._materials = materials
        self._verifier = verifier
        self._rate = rate
        self._limit = limit
        self._new = BodyReader("drafts", NewDraft)
        self._content = BodyReader("draft", DraftContent)

    def routes(self) -> list[BaseRoute]:
        """For the application."""
        return [
            Route("/drafts", self.collection, methods=["GET", "POST"]),
            Route("/drafts/{id:uuid}", self.one, methods=["GET", "PUT", "DELETE"]),
        ]

    async def collection(self, request: Request) -> Response:
        """Make one, or list one's own."""
        actor = await self._actor(request)
        return await (self._create(request, actor) if request.method == "POST" else self._list(actor))

    async def one(self, request: Request) -> Response:
        """Show, change or delete one."""
        actor = await self._actor(request)
        draft: UUID = request.path_params["id"]
        if request.method == "DELETE":
            return await self._delete(draft, actor, _if_match(request))
        if request.method == "PUT":
            return await self._replace(draft, actor, request)
        return _shown(await self._materials.draft_of(draft, actor))

    async def _actor(self, request: Request) -> Actor:
        actor = await actor_from(request.headers.get("authorization", "").encode("latin-1"), self._verifier)
        pass_rate(self._rate, actor)
        if actor.role not in PREPARERS:
            raise RoleNotAllowed(role=actor.role, allowed=PREPARERS)
        return actor

    async def _create(self, request: Request, actor: Actor) -> Response:
        body: NewDraft = await self._read(request, self._new)
        if (body.item is None) == (body.bundle is None):
            raise Problem(INVALID_BODY, "/item: an item or a bundle is required, not both.", pointer="/item")
        await self._materials.check_acting(actor, body.applicant, body.mandate, body.item)
        drafts = self._materials.drafts
        if not await asyncio.to_thread(drafts.room_for, body.applicant):
            raise Problem(TOO_MANY_DRAFTS)
        identity = uuid7()
        content = {"item": body.item, "bundle": body.bundle, **_content(body)}
        content["opening"] = await self._open(identity, body.applicant, content, actor, {})
        try:
            draft = await asyncio.to_thread(drafts.create, identity, body.applicant, actor, content)
        except TooManyDrafts:
            raise Problem(TOO_MANY_DRAFTS) from None
        except OwnerUnknown:
            raise ApplicantNotRegistered(applicant=body.applicant) from None
        await self._want_uploads(draft)
        return _shown(draft, 201)

    async def _replace(self, identity: UUID, actor: Actor, request: Request) -> Response:
        expected = _if_match(request)
        body: DraftContent = await self._read(request, self._content)
        before = await self._materials.draft_of(identity, actor)
        if expected is not None and expected != before.version:
            raise Problem(DRAFT_CHANGED, current=before.version)
        held = before.content
        content = {"item": held["item"], "bundle": held["bundle"], **_content(body)}
        content["opening"] = await self._open(identity, before.owner, content, actor, held.get("opening") or {})
        try:
            draft = await asyncio.to_thread(self._materials.drafts.replace, before, actor, content)
        except DraftChanged as changed:
            raise Problem(DRAFT_CHANGED, current=changed.current) from None
        except DraftMissing:
            raise Problem(NO_SUCH_DRAFT, id=identity) from None
        except (DraftGone, OwnerUnknown):
            raise Problem(DRAFT_GONE, id=identity) from None
        await self._want_uploads(draft)
        return _shown(draft)

    async def _delete(self, identity: UUID, actor: Actor, version: int | None) -> Response:
        try:
            await asyncio.to_thread(self._materials.drafts.delete, identity, actor, version)
        except DraftChanged as changed:
            raise Problem(DRAFT_CHANGED, current=changed.current) from None
        except DraftMissing:
            raise Problem(NO_SUCH_DRAFT, id=identity) from None
        except DraftGone:
            raise Problem(DRAFT_GONE, id=identity) from None
        return Response(status_code=204)

    async def _list(self, actor: Actor) -> Response:
        drafts = await asyncio.to_thread(self._materials.drafts.listed, actor)
        told = [_times(draft) | {name: draft.content.get(name) for name in ("item", "bundle")} for draft in drafts]
        return Response(orjson.dumps({"drafts": told}), media_type="application/json", headers=_NO_STORE)

    async def _open(
        self, identity: UUID, applicant: UUID, content: Mapping[str, Any], actor: Actor, before: Mapping[str, Any]
    ) -> dict[str, Any]:
        item = content["item"]
        if item is None:
            return {"item_version": None, "materials": [], "prefill": {}}
        opened = await self._materials.form.open(identity, item, applicant, content["answers"], actor, before)
        if opened is None:
            raise ItemNotPublished(item=item)
        return opened

    async def _want_uploads(self, draft: Draft) -> None:
        refs = [each["ref"] for each in draft.content["materials"] if each["how"] == How.UPLOAD and each["ref"]]
        if refs:
            await asyncio.to_thread(self._materials.uploads.touch, draft.owner, refs)

    async def _read(self, request: Request, reader: BodyReader) -> Any:
        if request.headers.get("content-type", "").partition(";")[0].strip().lower() != "application/json":
            raise Problem(UNSUPPORTED_MEDIA_TYPE)
        announced = request.headers.get("content-length")
        raw = await read_body(request.receive, announced.encode() if announced else None, self._limit)
        body = reader.read(raw)
        if body.effective_at is not None:
            raise Problem(INVALID_BODY, "/effective_at: a draft takes no effect.", pointer="/effective_at")
        return body.command


_NO_STORE = {"cache-control": "no-store"}


def _content(body: NewDraft | DraftContent) -> dict[str, Any]:
    return {
        "channel": body.channel.value,
        "answers": body.answers,
        "form": body.form,
        "materials": [{"material": m.material, "how": m.how.value, "ref": m.ref} for m in body.materials],
    }


def _times(draft: Draft) -> dict[str, Any]:
    return {
        "id": draft.id,
        "version": draft.version,
        "applicant": draft.owner,
        "created_at": draft.created_at,
        "updated_at": draft.updated_at,
        "expires_at": draft.expires_at,
    }


def _shown(draft: Draft, status: int = 200) -> Response:
    return Response(
        orjson.dumps(_times(draft) | dict(draft.content), option=orjson.OPT_UTC_Z),
        status,
        media_type="application/json",
        headers={"etag": f'"{draft.version}"', "location": f"/drafts/{draft.id}", **_NO_STORE},
    )


def _if_match(request: Request) -> int | None:
    given = request.headers.get("if-match")
    if given is None:
        return None
    found = _VERSION.fullmatch(given)
    if found is None:
        raise Problem(INVALID_IF_MATCH)
    return int(found[1])
