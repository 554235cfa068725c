"""The part of the OpenAPI document that tells of uploads and drafts."""

from __future__ import annotations

from typing import Any

from pydantic import TypeAdapter

from tongban.api.drafts import DraftContent, NewDraft
from tongban.api.forms import form_of
from tongban.api.schemas import COMPONENTS, Schema, schema_of
from tongban.api.uploads import PREPARERS
from tongban.domain.case.commands import How

_TEXT: Schema = {"type": "string"}
_UUID: Schema = {"type": "string", "format": "uuid"}
_MOMENT: Schema = {"type": "string", "format": "date-time"}
_REF: Schema = {"type": "string", "pattern": "^sha256:[0-9a-f]{64}$"}
_MAYBE: Schema = {"type": ["string", "null"]}
_ROLES = f"Roles: {', '.join(f'`{role}`' for role in sorted(PREPARERS))}."


def material_paths(shared: dict[str, Schema]) -> dict[str, Any]:
    """The paths; their schemas are put into `shared`."""
    for body in (NewDraft, DraftContent):
        shared[body.__name__] = schema_of(TypeAdapter(form_of(body)), shared)
    shared["Upload"] = _object({"ref": _REF, "size": {"type": "integer", "minimum": 1}, "media_type": _TEXT})
    shared["MaterialOpened"] = _material()
    shared["DraftSummary"] = _object({**_TIMES, "item": _MAYBE, "bundle": _MAYBE})
    shared["Draft"] = _draft()
    one = {"name": "id", "in": "path", "required": True, "schema": _UUID}
    version = {"$ref": "#/components/parameters/IfMatch"}
    refused = (400, 401, 403, 404, 410, 412, 413, 415, 422, 429, 503)
    return {
        "/uploads": {"post": _upload()},
        "/uploads/{ref}": {"get": _download()},
        "/drafts": {
            "post": _operation(
                "createDraft",
                f"Begin an application and open its form: how each material is met for this applicant. {_ROLES}",
                {"201": _json("Draft", "The draft.")},
                refused=refused,
                body="NewDraft",
            ),
            "get": _operation(
                "listDrafts",
                "The caller's drafts, the last changed first; at most a hundred.",
                {"200": _json_of(_object({"drafts": {"type": "array", "items": _ref("DraftSummary")}}), "The drafts.")},
                refused=(401, 403, 429, 503),
            ),
        },
        "/drafts/{id}": {
            "get": _operation(
                "getDraft",
                "One draft, for its applicant and for who made it.",
                {"200": _json("Draft", "The draft.")},
                refused=(401, 403, 404, 410, 429, 503),
                parameters=[one],
            ),
            "put": _operation(
                "replaceDraft",
                "Replace what it holds; it is kept anew from now. Materials that are asked for only now are looked up.",
                {"200": _json("Draft", "The draft as it is now.")},
                refused=refused,
                parameters=[one, version],
                body="DraftContent",
            ),
            "delete": _operation(
                "deleteDraft",
                "Forget it.",
                {"204": {"description": "It is gone."}},
                refused=(400, 401, 403, 404, 410, 412, 429, 503),
                parameters=[one, version],
            ),
        },
    }


def _upload() -> dict[str, Any]:
    party = {
        "name": "party",
        "in": "query",
        "required": False,
        "description": "For whom; who is not the applicant must say it.",
        "schema": _UUID,
    }
    mandate = {
        "name": "mandate",
        "in": "query",
        "required": False,
        "description": "By which right, for an agent.",
        "schema": _UUID,
    }
    operation = _operation(
        "upload",
        f"Keep a paper as a file, sealed for the applicant. Name its `ref` in `materials`. {_ROLES}",
        {"201": _json("Upload", "It is kept."), "200": _json("Upload", "It was kept before.")},
        refused=(400, 401, 403, 404, 413, 415, 429, 503),
        parameters=[party, mandate],
    )
    operation["requestBody"] = {
        "required": True,
        "description": "The file itself; Content-Type is its media type. Size and types that are taken are settings.",
        "content": {"*/*": {"schema": {}}},
    }
    return operation


def _download() -> dict[str, Any]:
    ref = {"name": "ref", "in": "path", "required": True, "schema": _REF}
    case = {
        "name": "case",
        "in": "query",
        "required": False,
        "description": "The case that rests on it; an officer must say it, and must see that case.",
        "schema": _UUID,
    }
    return _operation(
        "download",
        "The file, for its owner and for who may see a case that rests on it.",
        {"200": {"description": "The file.", "content": {"*/*": {"schema": {}}}}},
        refused=(401, 403, 404, 410, 429, 500, 503),
        parameters=[ref, case],
    )


_TIMES: dict[str, Schema] = {
    "id": _UUID,
    "version": {"type": "integer", "minimum": 1},
    "applicant": _UUID,
    "created_at": _MOMENT,
    "updated_at": _MOMENT,
    "expires_at": _MOMENT,
}


def _draft() -> Schema:
    free = {"type": "object"}
    opening = _object(
        {
            "item_version": {"type": ["integer", "null"]},
            "materials": {"type": "array", "items": _ref("MaterialOpened")},
            "prefill": {"type": "object", "description": "What the party's registration says.", **_texts()},
        }
    )
    offered = {"type": "array", "items": _ref("MaterialOffered")}
    return _object(
        {
            **_TIMES,
            "item": _MAYBE,
            "bundle": _MAYBE,
            "channel": _ref("Channel"),
            "answers": free,
            "form": free,
            "materials": offered,
            "opening": opening,
        }
    )


def _material() -> Schema:
    evidence = _object({"source": _TEXT, "version": _TEXT, "as_of": _MOMENT, "id": _TEXT})
    return {
        **_object(
            {
                "material": _TEXT,
                "how": {"type": "string", "enum": [how.value for how in How]},
                "exempt": {"type": "boolean", "description": "No paper is needed."},
                "evidence": {"anyOf": [evidence, {"type": "null"}]},
                "fallback": {
                    "type": ["string", "null"],
                    "description": "Why a source could not spare the paper, so that it must be uploaded.",
                },
                "name_zh": _TEXT,
                "name_en": _TEXT,
                "asked_at": _MOMENT,
            }
        ),
        "description": "How one material of the item is met for this applicant.",
    }


def _object(properties: dict[str, Schema]) -> Schema:
    return {
        "type": "object",
        "required": list(properties),
        "properties": properties,
        "additionalProperties": False,
    }


def _texts() -> Schema:
    return {"additionalProperties": _TEXT}


def _ref(name: str) -> Schema:
    return {"$ref": COMPONENTS + name}


def _json(name: str, text: str) -> dict[str, Any]:
    return _json_of(_ref(name), text)


def _json_of(schema: Schema, text: str) -> dict[str, Any]:
    return {"description": text, "content": {"application/json": {"schema": schema}}}


def _operation(
    name: str,
    summary: str,
    found: dict[str, Any],
    *,
    refused: tuple[int, ...],
    parameters: list[dict[str, Any]] | None = None,
    body: str | None = None,
) -> dict[str, Any]:
    told = {str(status): {"$ref": f"#/components/responses/Problem{status}"} for status in refused}
    operation: dict[str, Any] = {
        "operationId": name,
        "tags": ["materials"],
        "summary": summary,
        "parameters": [*(parameters or []), {"$ref": "#/components/parameters/AcceptLanguage"}],
        "responses": {**found, **told},
    }
    if body is not None:
        operation["requestBody"] = {"required": True, "content": {"application/json": {"schema": _ref(body)}}}
    return operation
