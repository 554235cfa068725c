"""OpenAPI and AsyncAPI: valid, complete, and true of what is really answered and stored."""

from __future__ import annotations

import json
from typing import Any

import psycopg
import pytest
from openapi_spec_validator import validate

from tests.api.documents import resolved
from tests.api.serving import Tongban
from tongban.api.asyncapi import asyncapi
from tongban.api.commands import public_handlers
from tongban.api.openapi import openapi
from tongban.domain.actor import Role
from tongban.domain.personal import personal_fields
from tongban.domain.registry import EVENT_TYPES, schema_of
from tongban.infra.cloudevents import headers_of, source_of
from tongban.infra.topics import topic_of


def references(value: Any) -> list[str]:
    if isinstance(value, dict):
        if isinstance(value.get("$ref"), str):
            return [value["$ref"]]
        value = list(value.values())
    return [found for each in value for found in references(each)] if isinstance(value, list) else []


def followed(document: Any, reference: str) -> Any:
    for step in reference.removeprefix("#/").split("/"):
        document = document[step]
    return document


def test_the_openapi_document_is_valid_and_names_every_public_command() -> None:
    document = json.loads(json.dumps(openapi()))
    validate(document)
    commands = {path.removeprefix("/commands/") for path in document["paths"] if path.startswith("/commands/")}
    assert commands == set(public_handlers())
    assert "CollectLicence" not in commands


@pytest.mark.parametrize("name", sorted(public_handlers()))
def test_every_command_tells_its_roles_and_what_it_does(name: str) -> None:
    post = openapi()["paths"][f"/commands/{name}"]["post"]
    handler = public_handlers()[name]
    assert post["x-roles"] == sorted(handler.roles)
    assert post["summary"]
    assert ("201" in post["responses"]) is handler.creates
    assert {"400", "401", "403", "404", "409", "413", "422", "429", "503"} <= set(post["responses"])


def test_what_is_answered_is_what_the_document_says(system: Tongban) -> None:
    document = system.client.get("/openapi.json").json()
    assert document == json.loads(json.dumps(openapi()))
    body = {"kind": "PERSON", "identifier_kind": "CITIZEN_ID", "identifier": "1", "name": "x"}
    refused = system.give("RegisterParty", body, system.officer(Role.CLERK))
    resolved(document, document["components"]["schemas"]["Problem"]).validate(refused.json())
    resolved(document, document["components"]["schemas"]["RegisterParty"]).validate(body)
    item = system.client.post(
        "/commands/PublishItem",
        json={"item": {}},
        headers={
            "authorization": f"Bearer {system.officer(Role.ADMIN)}",
            "idempotency-key": "0" * 8 + "-0000-4000-8000-" + "0" * 12,
        },
    )
    resolved(document, document["components"]["schemas"]["Problem"]).validate(item.json())


def test_every_reference_of_the_asyncapi_document_leads_somewhere() -> None:
    document = json.loads(json.dumps(asyncapi()))
    found = references(document)
    assert found
    for reference in found:
        assert followed(document, reference), reference


def test_every_event_type_is_a_message_of_its_topic_without_its_personal_fields() -> None:
    document = asyncapi()
    for name, event in EVENT_TYPES.items():
        topic = topic_of(name)
        current = f"{name}.v{schema_of(event)}"
        assert current in document["channels"][topic]["messages"]
        message = document["components"]["messages"][current]
        data = message["payload"]["allOf"][1]["properties"]["data"]
        hidden = set(personal_fields(event))
        assert set(message["x-personal-fields"]) == hidden
        assert not hidden & set(data.get("properties", {}))


def test_what_the_relay_sends_has_the_headers_the_document_names() -> None:
    document = asyncapi()
    state = json.dumps({"id": "i", "schema": 1, "effective_at": "2026-03-02T01:30:00Z", "trace": "t"}).encode()
    sent = dict(headers_of(source_of("310000"), b"k", 1, "case.CaseClosed", state, 5, -1))
    schema = document["components"]["schemas"]["CloudEventsHeaders"]
    assert set(schema["required"]) <= set(sent)
    assert set(sent) == set(schema["properties"])
    resolved(document, schema).validate({name: value.decode() for name, value in sent.items()})


def test_stored_events_are_what_the_asyncapi_document_says(system: Tongban) -> None:
    party = system.register()
    body = {"item": "food-licence", "applicant": party, "channel": "COUNTER", "form": {"a": 1}}
    answer = system.give("SubmitApplication", body, system.token(Role.CITIZEN, party))
    assert answer.status_code in (201, 422)
    document = system.client.get("/asyncapi.json").json()
    with psycopg.connect(system.settings.admin_database_url) as connection:
        stored = connection.execute("SELECT topic, state FROM events.stored_events").fetchall()
    assert {"party.PartyRegistered", "catalogue.ItemPublished"} <= {topic for topic, _ in stored}
    for topic, state in stored:
        event = json.loads(state)
        payload = document["components"]["messages"][f"{topic}.v{event['schema']}"]["payload"]
        resolved(document, payload).validate(event)
