"""What the OpenAPI document says of batches."""

from __future__ import annotations

from typing import Any

from tongban.api.commands import public_handlers
from tongban.api.limits import BATCH_BODY
from tongban.api.schemas import COMPONENTS, Schema

PATH = "/batches/{target}"
_GIVE = """Each command is judged alone: one that is refused stops none of the others, and each rests on those before.
The Idempotency-Key is the batch's id; the command at index n acts under the key uuid5(batch id, "n"), which the events
name as `command`. Sent again with the same key, after a cut or a 503, a batch does only what is missing, and is
answered as the first time. The rate limit counts commands: who gave many waits before the next request.
"""


def schemas() -> dict[str, Schema]:
    """The components of batches."""
    count: Schema = {"type": "integer", "minimum": 0}
    item: Schema = {
        "type": "object",
        "description": "What became of one command: the members of an Answer, or a Problem.",
        "required": ["index", "status"],
        "additionalProperties": False,
        "properties": {
            "index": {**count, "description": "Its place in the batch, from 0."},
            "status": {"type": "integer", "description": "The HTTP status it would have had alone."},
            "id": {"type": "string", "format": "uuid"},
            "number": {"type": ["string", "null"]},
            "version": {"type": "integer", "minimum": 1},
            "position": {"type": "integer", "minimum": 1},
            "events": {"type": "array", "items": {"type": "string"}},
            "problem": {"$ref": COMPONENTS + "Problem"},
        },
        "oneOf": [{"required": ["id", "number", "version", "position", "events"]}, {"required": ["problem"]}],
    }
    answer: Schema = {
        "type": "object",
        "description": "What a batch did.",
        "required": ["batch", "results", "done", "refused"],
        "additionalProperties": False,
        "properties": {
            "batch": {"type": "string", "format": "uuid"},
            "results": {"type": "array", "items": item, "description": "In the order of the commands."},
            "done": {**count, "description": "How many were done, or so already."},
            "refused": count,
            "missing": {
                **count,
                "description": "While it is unfinished: how many have no outcome yet; not in `results`.",
            },
        },
    }
    commands: Schema = {
        "type": "object",
        "required": ["commands"],
        "additionalProperties": False,
        "properties": {
            "commands": {
                "type": "array",
                "minItems": 1,
                "description": f"Bodies as of `POST /commands/{{Name}}`; 1000 by default, {BATCH_BODY} bytes in all.",
                "items": {
                    "type": "object",
                    "properties": {
                        "expected_version": {
                            "type": ["integer", "null"],
                            "minimum": 1,
                            "description": "The version that was seen, in place of If-Match.",
                        }
                    },
                    "additionalProperties": True,
                },
            }
        },
    }
    return {"BatchAnswer": answer, "Batch": commands}


def path() -> dict[str, Any]:
    """The path item of batches."""

    def target(about: str, schema: Schema) -> dict[str, Any]:
        return {"name": "target", "in": "path", "required": True, "description": about, "schema": schema}

    def refusals(*statuses: int) -> dict[str, Any]:
        return {str(status): {"$ref": f"#/components/responses/Problem{status}"} for status in statuses}

    answer = {"content": {"application/json": {"schema": {"$ref": COMPONENTS + "BatchAnswer"}}}}
    return {
        "post": {
            "operationId": "giveBatch",
            "tags": ["commands"],
            "summary": "Give many commands of one kind.",
            "description": _GIVE,
            "parameters": [
                target("The command's name.", {"type": "string", "enum": sorted(public_handlers())}),
                *(
                    {"$ref": f"#/components/parameters/{each}"}
                    for each in ("IdempotencyKey", "AcceptLanguage", "traceparent")
                ),
            ],
            "requestBody": {
                "required": True,
                "content": {"application/json": {"schema": {"$ref": COMPONENTS + "Batch"}}},
            },
            "responses": {
                "200": {"description": "Every command has its outcome.", **answer},
                **refusals(400, 401, 403, 404, 413, 415, 422, 429, 500, 503),
            },
        },
        "get": {
            "operationId": "lookAtBatch",
            "tags": ["commands"],
            "summary": "How far a batch is that the caller gave within the last 24 hours.",
            "parameters": [target("The batch's id.", {"type": "string", "format": "uuid"})],
            "responses": {
                "200": {"description": "As it was answered; with `missing` while it is unfinished.", **answer},
                **refusals(401, 404, 429, 503),
            },
        },
    }
