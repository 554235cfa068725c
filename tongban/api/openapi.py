"""The OpenAPI 3.1 document, made from the command handlers and the kinds of problems: it cannot say what is not so."""

from __future__ import annotations

from functools import cache
from http import HTTPStatus
from typing import Any

from pydantic import TypeAdapter

from tongban import __version__
from tongban.api import batch_docs
from tongban.api.commands import PREFIX, public_handlers
from tongban.api.forms import EARLIEST, LATEST, form_of
from tongban.api.limits import COMMAND_BODY
from tongban.api.openapi_materials import material_paths
from tongban.api.problems import kinds
from tongban.api.schemas import COMPONENTS, Schema, schema_of
from tongban.commands.handling import Handler
from tongban.domain.actor import OFFICER_ROLES, Role

_ABOUT = """Commands in, problems out. Reading is GraphQL (`/graphql`), following is Kafka (`/asyncapi.json`).

A command is safe to repeat with the same `Idempotency-Key`: it acts once, and the first answer is given again. An
answer is given after the commit. Its `version` can be named in a query (`minVersion`) to read one's own write.
"""

_SHORT: dict[int, str] = {
    400: "The request is not readable; `pointer` is the JSON pointer of the first place that is wrong.",
    401: "No token, or not a good one.",
    403: "The caller may not do this.",
    404: "No such command, or something the body names does not exist.",
    409: "The stream is at another version (`changed`: what happened since), or this key is still being worked on.",
    410: "What is named was there once.",
    412: "The draft is at another version.",
    413: f"The body is larger than {COMMAND_BODY} bytes.",
    415: "The body is not application/json.",
    422: "A rule was broken; `code` is the rule, and its fields say where.",
    429: "Too many requests of this caller.",
    500: "Something failed here; it is logged under the trace id of the answer.",
    503: "Not now; try again with the same Idempotency-Key after Retry-After seconds.",
}


@cache
def openapi() -> dict[str, Any]:
    """The document, as plain JSON values."""
    shared: dict[str, Schema] = {"Answer": _answer(), "Problem": _problem(), **batch_docs.schemas()}
    paths: dict[str, Any] = {PREFIX + name: {"post": _command(name, handler, shared)} for name, handler in _public()}
    paths[batch_docs.PATH] = batch_docs.path()
    paths.update(_other_paths())
    paths.update(material_paths(shared))
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Tongban command API",
            "version": __version__,
            "description": _ABOUT,
            "license": {"name": "Apache-2.0", "identifier": "Apache-2.0"},
        },
        "servers": [{"url": "/"}],
        "security": [{"bearer": []}],
        "tags": [
            {"name": "commands"},
            {"name": "materials"},
            {"name": "reading"},
            {"name": "documents"},
            {"name": "operation"},
        ],
        "paths": paths,
        "components": {
            "schemas": dict(sorted(shared.items())),
            "responses": {f"Problem{status}": _problem_response(status, text) for status, text in _SHORT.items()},
            "parameters": _parameters(),
            "headers": _headers(),
            "securitySchemes": {
                "bearer": {
                    "type": "http",
                    "scheme": "bearer",
                    "bearerFormat": "JWT (RFC 9068, typ at+jwt)",
                    "description": "Claims: sub, role, and for officers department and district.",
                }
            },
        },
    }


def _public() -> list[tuple[str, Handler]]:
    return sorted(public_handlers().items())


def _command(name: str, handler: Handler, shared: dict[str, Schema]) -> dict[str, Any]:
    summary = " ".join((handler.body.__doc__ or "").split("\n\n")[0].split())
    roles = sorted(handler.roles)
    answer = {
        "content": {"application/json": {"schema": {"$ref": COMPONENTS + "Answer"}}},
        "headers": {
            each: {"$ref": f"#/components/headers/{each}"} for each in ("ETag", "Idempotency-Replayed", "traceparent")
        },
    }
    created = {"201": {"description": "Done; a new stream begins with it.", **answer}} if handler.creates else {}
    return {
        "operationId": name,
        "tags": ["commands"],
        "summary": summary,
        "description": f"Roles: {', '.join(f'`{role}`' for role in roles)}.",
        "x-roles": roles,
        "parameters": [
            {"$ref": f"#/components/parameters/{each}"}
            for each in ("IdempotencyKey", "IfMatch", "AcceptLanguage", "traceparent")
        ],
        "requestBody": {
            "required": True,
            "content": {"application/json": {"schema": {"$ref": COMPONENTS + _body(name, handler, shared)}}},
        },
        "responses": {
            **created,
            "200": {"description": "Done, or so already (`events` is empty then).", **answer},
            **{str(status): {"$ref": f"#/components/responses/Problem{status}"} for status in _SHORT},
        },
    }


def _body(name: str, handler: Handler, shared: dict[str, Schema]) -> str:
    schema = schema_of(TypeAdapter(form_of(handler.body)), shared)
    late = {role for role in handler.roles if role in OFFICER_ROLES}
    schema["properties"] = {**schema["properties"], "effective_at": _effective_at(late)}
    shared[name] = schema
    return name


def _effective_at(late: set[Role]) -> Schema:
    return {
        "anyOf": [{"type": "string", "format": "date-time"}, {"type": "null"}],
        "default": None,
        "description": (
            f"Late entry (补录): when it took effect, {EARLIEST} to {LATEST} and not in the future. "
            + (f"Roles: {', '.join(sorted(late))}." if late else "No role that may give this command may give it late.")
        ),
    }


def _answer() -> Schema:
    return {
        "type": "object",
        "description": "What a command did.",
        "required": ["id", "number", "version", "position", "events"],
        "additionalProperties": False,
        "properties": {
            "id": {
                "type": "string",
                "format": "uuid",
                "description": "The stream: case, party, item, rating.",
            },
            "number": {
                "type": ["string", "null"],
                "description": "The number people use for it (办件编号), if any.",
            },
            "version": {"type": "integer", "minimum": 1, "description": "The stream's version after it."},
            "position": {
                "type": "integer",
                "minimum": 1,
                "description": "Position of the stream's last event.",
            },
            "events": {
                "type": "array",
                "items": {"type": "string"},
                "description": "Types of the events it led to; empty when it was so already.",
            },
        },
        "examples": [
            {
                "id": "0198c9a4-6f0e-7b61-9a55-2c4e8f1d7a30",
                "number": "SAMR-20260302-0000042",
                "version": 1,
                "position": 1207,
                "events": ["case.ApplicationSubmitted"],
            }
        ],
    }


def _problem() -> Schema:
    return {
        "type": "object",
        "description": "RFC 9457. Rules add their own members; one named like a member here is told as `rule_<name>`.",
        "required": ["type", "title", "status", "detail", "code"],
        "properties": {
            "type": {"type": "string", "format": "uri", "description": "`urn:tongban:problem:<code>`"},
            "title": {
                "type": "string",
                "description": "English, or Chinese where Accept-Language asks for it.",
            },
            "status": {"type": "integer"},
            "detail": {"type": "string"},
            "code": {"type": "string", "enum": [kind.code for kind in kinds()]},
            "pointer": {"type": "string", "format": "json-pointer"},
            "errors": {
                "type": "array",
                "items": {
                    "type": "object",
                    "required": ["pointer", "detail"],
                    "properties": {"pointer": {"type": "string"}, "detail": {"type": "string"}},
                },
            },
            "changed": _changed(),
        },
        "additionalProperties": True,
    }


def _changed() -> Schema:
    text_or_null: Schema = {"type": ["string", "null"]}
    return {
        "type": "array",
        "description": "With `stale-version`: what happened since the version that was named, newest last, at most 20.",
        "items": {
            "type": "object",
            "required": ["version", "type", "effective_at", "actor"],
            "properties": {
                "version": {"type": "integer"},
                "type": {"type": "string", "description": "The event's type."},
                "effective_at": {"type": "string", "format": "date-time"},
                "actor": {
                    "type": "object",
                    "required": ["role", "department"],
                    "properties": {"role": {"type": "string"}, "department": text_or_null},
                },
            },
        },
    }


def _problem_response(status: int, text: str) -> dict[str, Any]:
    codes = [kind.code for kind in kinds() if kind.status == status]
    headers = {name: {"$ref": f"#/components/headers/{name}"} for name in _headers_of(status)}
    return {
        "description": f"{HTTPStatus(status).phrase}. {text}\n\nCodes: {', '.join(f'`{code}`' for code in codes)}.",
        "content": {"application/problem+json": {"schema": {"$ref": COMPONENTS + "Problem"}}},
        **({"headers": headers} if headers else {}),
    }


def _headers_of(status: int) -> list[str]:
    own = {401: ["WWW-Authenticate"], 429: ["Retry-After"], 503: ["Retry-After"]}
    return [*own.get(status, []), "traceparent"]


def _headers() -> dict[str, Any]:
    text = {"type": "string"}
    return {
        "ETag": {"description": "The stream's version in quotes, for If-Match.", "schema": text},
        "Idempotency-Replayed": {
            "description": "`true` when this is the answer that was given before to the same Idempotency-Key.",
            "schema": {"type": "string", "enum": ["true"]},
        },
        "traceparent": {"description": "W3C trace context of this request.", "schema": text},
        "Retry-After": {"description": "Seconds to wait.", "schema": {"type": "integer", "minimum": 1}},
        "WWW-Authenticate": {"description": "Bearer, with the error (RFC 6750).", "schema": text},
    }


def _parameters() -> dict[str, Any]:
    def header(name: str, about: str, schema: Schema, *, required: bool = False) -> dict[str, Any]:
        return {"name": name, "in": "header", "required": required, "description": about, "schema": schema}

    return {
        "IdempotencyKey": header(
            "Idempotency-Key",
            "A new UUID per command; the same one when the command is sent again.",
            {"type": "string", "format": "uuid"},
            required=True,
        ),
        "IfMatch": header(
            "If-Match",
            'The version that was seen, as `"3"`; another one is answered 409.',
            {"type": "string", "pattern": '^"[1-9][0-9]*"$'},
        ),
        "AcceptLanguage": header("Accept-Language", "`zh` for Chinese titles.", {"type": "string"}),
        "traceparent": header("traceparent", "W3C trace context to continue.", {"type": "string"}),
    }


def _other_paths() -> dict[str, Any]:
    def get(
        operation: str, tag: str, summary: str, media: str, *, also: dict[str, Any] | None = None
    ) -> dict[str, Any]:
        found = {"200": {"description": summary, "content": {media: {"schema": {}}}}, **(also or {})}
        return {
            "get": {
                "operationId": operation,
                "tags": [tag],
                "summary": summary,
                "security": [],
                "responses": found,
            }
        }

    not_ready = {
        "503": {
            "description": "Not ready; the body says why.",
            "content": {"application/json": {"schema": {}}},
        }
    }
    graphql = {
        "operationId": "graphql",
        "tags": ["reading"],
        "summary": "GraphQL over HTTP; its types are in /schema.graphql.",
        "requestBody": {
            "required": True,
            "content": {
                "application/json": {
                    "schema": {
                        "type": "object",
                        "required": ["query"],
                        "properties": {
                            "query": {"type": "string"},
                            "variables": {"type": ["object", "null"]},
                            "operationName": {"type": ["string", "null"]},
                        },
                    }
                }
            },
        },
        "responses": {
            "200": {
                "description": "The result.",
                "content": {"application/graphql-response+json": {"schema": {"type": "object"}}},
            },
            **{str(status): {"$ref": f"#/components/responses/Problem{status}"} for status in (401, 413, 429, 503)},
        },
    }
    return {
        "/graphql": {"post": graphql},
        "/openapi.json": get("openapi", "documents", "This document.", "application/json"),
        "/asyncapi.json": get("asyncapi", "documents", "The topics and their events.", "application/json"),
        "/schema.graphql": get("sdl", "documents", "The GraphQL schema.", "text/plain"),
        "/livez": get("livez", "operation", "The process serves.", "application/json"),
        "/readyz": get(
            "readyz", "operation", "Ready to serve; `?verbose` says more.", "application/json", also=not_ready
        ),
        "/metrics": get("metrics", "operation", "Metrics for Prometheus.", "text/plain"),
    }
