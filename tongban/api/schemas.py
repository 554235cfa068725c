"""JSON Schemas out of our types, with their named parts moved to a document's shared components."""

from __future__ import annotations

from typing import Any

from pydantic import TypeAdapter

Schema = dict[str, Any]
COMPONENTS = "#/components/schemas/"


def schema_of(adapter: TypeAdapter[Any], shared: dict[str, Schema], *, written: bool = False) -> Schema:
    """The schema of what `adapter` reads (or of what is `written`); enums and nested objects are put into `shared`."""
    schema = adapter.json_schema(mode="serialization" if written else "validation", ref_template=COMPONENTS + "{model}")
    for name, part in schema.pop("$defs", {}).items():
        shared[name] = _untitled(part)
    return _untitled(schema)


def _untitled(schema: Schema) -> Schema:
    """Drop the titles that only repeat a field's name."""
    properties = schema.get("properties", {})
    return {
        **schema,
        **({"properties": {name: _without_title(each) for name, each in properties.items()}} if properties else {}),
    }


def _without_title(schema: Schema) -> Schema:
    return {key: value for key, value in schema.items() if key != "title"}
