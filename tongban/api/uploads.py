"""POST /uploads and GET /uploads/{ref}: an applicant's papers, and who may see them."""

from __future__ import annotations

import asyncio
from typing import Any
from uuid import UUID

import orjson
import psycopg
import structlog
from psycopg_pool import PoolTimeout
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from tongban.api.limits import Rate, read_body
from tongban.api.materials import Materials
from tongban.api.principal import actor_from, pass_rate
from tongban.api.problems import (
    EMPTY_UPLOAD,
    INVALID_BODY,
    MEDIA_TYPE_NOT_TAKEN,
    NO_SUCH_UPLOAD,
    PARTY_REQUIRED,
    UPLOAD_DAMAGED,
    UPLOAD_ERASED,
    Problem,
)
from tongban.commands.requests import Unavailable
from tongban.domain.actor import APPLICANT_ROLES, PARTY_ROLES, Actor, Role
from tongban.domain.case.refusals import ApplicantNotRegistered
from tongban.domain.errors import RoleNotAllowed
from tongban.infra.read_access import ReadAccess
from tongban.infra.tokens import Verifier
from tongban.infra.uploads import OwnerUnknown, UploadDamaged, UploadErased, UploadMissing

PREPARERS = frozenset({Role.CLERK, *PARTY_ROLES})
"""Who prepares applications: applicants, their agents, and clerks at a window for them."""

# A case of this reader's whose events name the ref: row-level security decides which cases those are.
_NAMED_IN_CASE = """
SELECT seen.applicant FROM case_view seen JOIN timeline t ON t.case_id = seen.id
WHERE seen.id = %s AND t.data -> 'evidence' @> %s::jsonb LIMIT 1
"""

log = structlog.get_logger(__name__)


class UploadEndpoints:
    """The addresses of uploads."""

    def __init__(
        self, materials: Materials, access: ReadAccess | None, verifier: Verifier, rate: Rate, *, limit: int, types: str
    ) -> None:
        """`limit` in bytes; `types` are the media types taken, with commas. Without `access` no officer sees any."""
        self._materials = materials
        self._uploads = materials.uploads
        self._access = access
        self._verifier = verifier
        self._rate = rate
        self._limit = limit
        self._types = frozenset(part.strip().lower() for part in types.split(",") if part.strip())

    def routes(self) -> list[BaseRoute]:
        """For the application."""
        return [
            Route("/uploads", self.post, methods=["POST"]),
            Route("/uploads/{ref}", self.get, methods=["GET"]),
        ]

    async def post(self, request: Request) -> Response:
        """201 for a new upload, 200 for one this party had already; the same body."""
        actor = await actor_from(request.headers.get("authorization", "").encode("latin-1"), self._verifier)
        pass_rate(self._rate, actor)
        owner = await self._party(actor, request)
        media_type = request.headers.get("content-type", "").partition(";")[0].strip().lower()
        if media_type not in self._types:
            raise Problem(MEDIA_TYPE_NOT_TAKEN, types=sorted(self._types))
        announced = request.headers.get("content-length")
        content = await read_body(request.receive, announced.encode() if announced else None, self._limit)
        if not content:
            raise Problem(EMPTY_UPLOAD)
        try:
            stored = await asyncio.to_thread(self._uploads.put, owner, content, media_type)
        except OwnerUnknown:
            raise ApplicantNotRegistered(applicant=owner) from None
        told = {"ref": stored.ref, "size": stored.size, "media_type": stored.media_type}
        return Response(
            orjson.dumps(told),
            201 if stored.new else 200,
            media_type="application/json",
            headers={"location": f"/uploads/{stored.ref}", "cache-control": "no-store"},
        )

    async def get(self, request: Request) -> Response:
        """The content, for its owner, or for who may see the case (`?case=`) that rests on it."""
        actor = await actor_from(request.headers.get("authorization", "").encode("latin-1"), self._verifier)
        pass_rate(self._rate, actor)
        ref = request.path_params["ref"]
        owner = await self._owner(actor, ref, request.query_params.get("case"))
        try:
            content, media_type = await asyncio.to_thread(self._uploads.get, owner, ref)
        except UploadMissing:
            raise Problem(NO_SUCH_UPLOAD) from None
        except UploadErased:
            raise Problem(UPLOAD_ERASED) from None
        except UploadDamaged as damaged:
            log.error("upload_damaged", reason=str(damaged))
            raise Problem(UPLOAD_DAMAGED) from None
        headers = {
            "content-disposition": "attachment",
            "cache-control": "private, no-store",
            # Shown by a browser, an applicant's file must not act in our name.
            "content-security-policy": "sandbox; default-src 'none'",
        }
        return Response(content, media_type=media_type, headers=headers)

    async def _party(self, actor: Actor, request: Request) -> UUID:
        """The applicant for whom something is uploaded. Raises RoleNotAllowed, Problem (400), as `may_act_for`."""
        if actor.role not in PREPARERS:
            raise RoleNotAllowed(role=actor.role, allowed=PREPARERS)
        named = {name: request.query_params.get(name) for name in ("party", "mandate")}
        given = {name: _uuid(text) for name, text in named.items()}
        for name, text in named.items():
            if text is not None and given[name] is None:
                raise Problem(INVALID_BODY, f"{name}: a UUID is required.", pointer="")
        party = given["party"] or (UUID(actor.id) if actor.role in APPLICANT_ROLES else None)
        if party is None:
            raise Problem(PARTY_REQUIRED)
        await self._materials.check_acting(actor, party, given["mandate"])
        return party

    async def _owner(self, actor: Actor, ref: str, case: str | None) -> UUID:
        if actor.role in PARTY_ROLES:
            return UUID(actor.id)
        case_id = _uuid(case)
        if case_id is None or self._access is None:
            raise Problem(NO_SUCH_UPLOAD)
        try:
            applicant = await asyncio.to_thread(self._applicant, actor, case_id, ref)
        except (psycopg.Error, PoolTimeout) as error:
            raise Unavailable(reason=type(error).__name__) from error
        if applicant is None:
            raise Problem(NO_SUCH_UPLOAD)
        log.info("upload_shown", case_id=str(case_id), officer=actor.id, role=actor.role.value)
        return applicant

    def _applicant(self, actor: Actor, case_id: UUID, ref: str) -> UUID | None:
        assert self._access is not None
        named = orjson.dumps([{"ref": ref}]).decode()
        if "\\u0000" in named:
            return None
        with self._access.reading(actor) as cursor:
            row = cursor.execute(_NAMED_IN_CASE, (case_id, named)).fetchone()
        return row[0] if row else None


def _uuid(text: Any) -> UUID | None:
    try:
        return UUID(text)
    except (TypeError, ValueError, AttributeError):
        return None
