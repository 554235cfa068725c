"""The schema as text (SDL): what `/schema.graphql` serves, and what `docs/schema.graphql` must equal."""

from __future__ import annotations

from tongban.graphql.schema import SCHEMA


def sdl() -> str:
    """The SDL, with every description."""
    return SCHEMA.as_str().strip() + "\n"
