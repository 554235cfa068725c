"""Asking a document of the API whether a value is what it says."""

from __future__ import annotations

from typing import Any

from jsonschema import Draft202012Validator
from jsonschema.validators import validator_for


def resolved(document: dict[str, Any], schema: dict[str, Any]) -> Draft202012Validator:
    """A validator of one schema of a document, whose references lead into that document."""
    whole = schema | {"components": document["components"]}
    made = validator_for(whole, default=Draft202012Validator)(whole, format_checker=Draft202012Validator.FORMAT_CHECKER)
    assert isinstance(made, Draft202012Validator)
    return made
