"""No personal value of a canary person stands in clear anywhere at rest: store, topics, read tables, parked, logs."""

from __future__ import annotations

import base64
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest
from kafka import KafkaConsumer, TopicPartition
from psycopg import sql

from tests.acceptance.conftest import Caller
from tests.processes import eventually
from tests.system import DATABASE, System
from tongban.infra.embedded.postgres import SUPERUSER
from tongban.infra.settings import PARTITIONS
from tongban.infra.topics import TOPICS

pytestmark = [pytest.mark.kafka, pytest.mark.integration, pytest.mark.timeout(300)]

IDENTIFIER = "310101185003071233"
CANARIES = {
    "name": "金丝雀鸣",
    "identifier": IDENTIFIER,
    "form": "CANARY-FORM-7d1f",
    "answer": "CANARY-ANSWER-31c9",
    "opinion": "金丝雀意见甲",
    "text": "CANARY-GRANT-55ab",
    "face": "CANARY-FACE-90ee",
    "rating": "金丝雀评价乙",
    "paper": "CANARY-PAPER-8c42",
    "draft": "CANARY-DRAFT-e07b",
    "defect": "金丝雀补正丙",
}


def spellings(value: str) -> Iterator[bytes]:
    """The ways a value could stand in bytes: UTF-8, escaped, hexadecimal, and base64 at any of three offsets."""
    raw = value.encode()
    yield raw
    yield value.encode("ascii", "backslashreplace")
    yield raw.hex().encode()
    for offset in range(3):
        encoded = base64.b64encode(b"\0" * offset + raw)
        yield encoded[4 if offset else 0 : len(encoded) - 4]


def found_in(data: bytes) -> list[str]:
    return [name for name, value in CANARIES.items() if any(spelling in data for spelling in spellings(value))]


def test_a_search_that_finds_what_is_there_finds_nothing_of_the_canary(caller: Caller, system: System) -> None:
    assert found_in(f"x{CANARIES['name']}y".encode()) == ["name"]
    assert found_in(base64.b64encode(f"ab{CANARIES['form']}cd".encode())) == ["form"]

    case = live(caller)
    admin = system.postgres.url(SUPERUSER, DATABASE)
    poison(admin, case)
    assert eventually(lambda: parked(admin) > 0, timeout=30)

    for table, data in tables(admin):
        assert found_in(data) == [], f"in table {table}"
    for topic, data in topics(system):
        assert found_in(data) == [], f"on topic {topic}"
    uploads = [path for path in system.folder.glob("uploads/**/*") if path.is_file()]
    assert uploads
    for path in (*system.folder.glob("*.log"), *system.folder.glob("pg/**/log/*"), *uploads):
        assert found_in(Path(path).read_bytes()) == [], f"in {path.name}"


def live(caller: Caller) -> str:
    """The canary's whole life as a party: registered, applied, reviewed, granted, issued, rated, and refused once."""
    registration = {"kind": "PERSON", "identifier_kind": "CITIZEN_ID", "identifier": IDENTIFIER}
    party = caller.command("RegisterParty", {**registration, "name": CANARIES["name"]}, "clerk", "c", "nr")["id"]
    filing = {
        "item": "property-transfer",
        "applicant": party,
        "channel": "APP",
        "form": {"memo": CANARIES["form"]},
        "answers": {"q": CANARIES["answer"]},
        "materials": [
            {"material": "form", "how": "FORM_PREFILL"},
            {"material": "sale-contract", "how": "UPLOAD", "ref": paper(caller, party)},
            *({"material": name, "how": "E_LICENCE"} for name in ("id-card", "property-cert")),
            {"material": "tax-clearance", "how": "DATA_SHARING"},
        ],
    }
    draft(caller, party)
    case: str = caller.command("SubmitApplication", filing, "citizen", party)["id"]
    named = {"case_id": case}
    defect = {"material": "sale-contract", "problem": CANARIES["defect"]}
    caller.command("RequestCorrection", {**named, "defects": [defect]}, "acceptor", "a", "nr")
    mended = {"materials": [filing["materials"][1]], "form": {"memo": CANARIES["form"]}}
    caller.command("SubmitCorrection", {**named, **mended}, "citizen", party)
    caller.command("AcceptApplication", named, "acceptor", "a", "nr")
    for branch in ("tax", "housing", "nr"):
        opinion = {**named, "branch": branch, "opinion": "PASS", "text": CANARIES["opinion"]}
        caller.command("RecordOpinion", opinion, "reviewer", "r", branch)
    caller.command("GrantApproval", {**named, "text": CANARIES["text"]}, "decider", "d", "nr")
    paid = {**named, "amount": "80.00", "provider_ref": "UP-3"}
    caller.command("RecordPayment", paid, "clerk", "c", "nr")
    caller.command("IssueLicence", {**named, "face": {"owner": CANARIES["face"]}}, "decider", "d", "nr")
    caller.command("RateCase", {**named, "grade": 5, "text": CANARIES["rating"]}, "citizen", party)
    bad = {**filing, "channel": "NOWHERE"}
    headers = {"Authorization": f"Bearer {caller.token('citizen', party)}", "Idempotency-Key": case}
    assert caller.client.post("/commands/SubmitApplication", json=bad, headers=headers).status_code == 400
    query = "query($id: ID!) { party(id: $id) { name } }"
    assert eventually(lambda: shown_name(caller, query, party) == CANARIES["name"])
    return case


def paper(caller: Caller, party: str) -> str:
    """An upload whose content is a canary, too."""
    return caller.upload(CANARIES["paper"].encode(), "citizen", party)


def draft(caller: Caller, party: str) -> None:
    """A draft that is put aside."""
    body = {"item": "property-transfer", "applicant": party, "channel": "WEB", "form": {"memo": CANARIES["draft"]}}
    headers = {"Authorization": f"Bearer {caller.token('citizen', party)}"}
    assert caller.client.post("/drafts", json=body, headers=headers).status_code == 201


def shown_name(caller: Caller, query: str, party: str) -> str | None:
    """The name as GraphQL shows it to the person: it can be unsealed by who may."""
    told = caller.query(query, "citizen", party, id=party)["party"]
    return None if told is None else told["name"]


def poison(admin: str, case: str) -> None:
    """An event of the canary's case that no projector knows: its sealed bytes go to the parked rows."""
    with psycopg.connect(admin) as conn:
        conn.execute(
            "INSERT INTO events.stored_events (originator_id, originator_version, topic, state)"
            " SELECT originator_id, 99, 'case.Unheard', convert_to(replace(convert_from(state, 'UTF8'),"
            " 'case.LicenceIssued', 'case.Unheard'), 'UTF8') FROM events.stored_events"
            " WHERE originator_id = %s AND topic = 'case.LicenceIssued'",
            (case,),
        )


def parked(admin: str) -> int:
    with psycopg.connect(admin) as conn:
        row = conn.execute("SELECT count(*) FROM consumers.parked").fetchone()
    return int(row[0]) if row else 0


def tables(admin: str) -> Iterator[tuple[str, bytes]]:
    """Every table of the database as text, bytea columns decoded."""
    with psycopg.connect(admin) as conn:
        names = conn.execute(
            "SELECT n.nspname, c.relname FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace"
            " WHERE c.relkind = 'r'"
            " AND n.nspname IN ('events', 'keys', 'relay', 'consumers', 'materials', 'read', 'public')"
        ).fetchall()
        assert len(names) > 10
        for schema, table in names:
            rows = conn.execute(sql.SQL("SELECT * FROM {}").format(sql.Identifier(schema, table))).fetchall()
            parts = [value if isinstance(value, bytes) else repr(value).encode() for row in rows for value in row]
            yield f"{schema}.{table}", b"\n".join(parts)


def topics(system: System) -> Iterator[tuple[str, bytes]]:
    """Every topic's keys, values and headers."""
    consumer = KafkaConsumer(bootstrap_servers=system.kafka.bootstrap, enable_auto_commit=False, group_id=None)
    try:
        for topic in TOPICS:
            places = [TopicPartition(topic, number) for number in range(PARTITIONS)]
            consumer.assign(places)
            consumer.seek_to_beginning(*places)
            ends = consumer.end_offsets(places)
            data: list[bytes] = []
            while any(consumer.position(place) < ends[place] for place in places):
                for records in consumer.poll(timeout_ms=1000).values():
                    for record in records:
                        data += [record.key, record.value, *(value for _, value in record.headers)]
            yield topic, b"\n".join(data)
    finally:
        consumer.close()
