"""Commands of the right form with any content, by any role, on the real write side: never a 5xx."""

from __future__ import annotations

from datetime import date
from typing import Any
from uuid import uuid4

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.api.serving import CITIZEN_IDS, Tongban
from tongban.api.commands import public_handlers
from tongban.domain.actor import PARTY_ROLES, Role
from tongban.infra.reference import sample_bundles, sample_items

JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**62), 2**62) | st.floats(-1e9, 1e9) | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=8,
)
TEXT = st.text(st.characters(codec="utf-8"), max_size=40)
OBJECT = st.dictionaries(TEXT, JSON, max_size=4)
DAY = st.dates(date(1900, 1, 1), date(2999, 12, 31)).map(str) | st.none()
MOMENT = st.sampled_from(["1900-01-01T00:00:00+14:00", "2999-12-31T23:59:59-14:00", "2026-03-02T09:30:00+08:00"])
# An entry of the catalogue in which anything may stand in place of one of its parts.
ITEM = st.builds(
    lambda part, value: sample_items()[0] | {part: value}, st.sampled_from(sorted(sample_items()[0])), JSON
)
BUNDLE = st.builds(
    lambda part, value: sample_bundles()[0] | {part: value}, st.sampled_from(sorted(sample_bundles()[0])), JSON
)
MATERIAL = st.fixed_dictionaries(
    {"material": TEXT, "how": st.sampled_from(["UPLOAD", "E_LICENCE", "DATA_SHARING"])}, optional={"ref": TEXT}
)
FIELDS: dict[str, st.SearchStrategy[Any]] = {
    "item": TEXT | st.just("food-licence"),
    "channel": st.sampled_from(["WEB", "COUNTER", "POST"]),
    "answers": OBJECT,
    "form": OBJECT,
    "face": OBJECT,
    "materials": st.lists(MATERIAL, max_size=3),
    "draft": st.uuids().map(str) | st.none(),
    "branch": TEXT | st.sampled_from(["samr", "fire"]),
    "opinion": st.sampled_from(["PASS", "FAIL"]),
    "text": TEXT,
    "reason": TEXT,
    "remedy": TEXT,
    "valid_from": DAY,
    "valid_to": DAY,
    "kind": st.sampled_from(["PERSON", "ORGANISATION"]),
    "identifier_kind": st.sampled_from(["CITIZEN_ID", "USCC", "RESIDENCE_PERMIT", "PASSPORT"]),
    "identifier": TEXT | st.text("0123456789X", min_size=15, max_size=18) | st.sampled_from(CITIZEN_IDS),
    "name": TEXT,
    "grade": st.integers(-(2**62), 2**62) | st.integers(0, 6),
    "options": st.lists(TEXT, max_size=3),
    "anonymous": st.booleans(),
    "item_id": TEXT | st.just("food-licence"),
    "effective_from": DAY,
    "from_": DAY,
    "year": st.integers(2024, 2028) | st.integers(-(2**62), 2**62),
    "off": st.lists(DAY, max_size=3),
    "worked": st.lists(DAY, max_size=3),
    "source": TEXT,
    "to": DAY,
    "items": st.lists(TEXT | st.just("food-licence"), max_size=3) | st.none(),
    "steps": st.lists(st.sampled_from(["FILE", "CORRECT"]), max_size=3) | st.none(),
    "document": TEXT | st.none(),
    "officer": TEXT | st.just("o-1"),
    "cover": TEXT,
    "tolerate": st.lists(TEXT | st.just("equipment"), max_size=2),
    "delivery": st.sampled_from(["ONLINE", "COUNTER", "COURIER"]),
    "district": TEXT | st.none(),
    "renews": st.uuids().map(str) | st.none(),
    "defects": st.lists(st.fixed_dictionaries({"material": TEXT | st.just("layout"), "problem": TEXT}), max_size=3),
    "material": TEXT | st.just("licence-biz"),
    "department": TEXT | st.just("fire"),
    "question": TEXT,
    "branches": st.lists(TEXT | st.just("samr"), max_size=3),
    "inspectors": st.lists(TEXT, max_size=3),
    "day": DAY,
    "held_on": DAY,
    "result": st.sampled_from(["PASS", "FAIL"]),
    "working_days": st.integers(-(2**62), 2**62) | st.integers(0, 20),
    "notice": TEXT,
    "chair": TEXT | st.none(),
    "amount": TEXT | st.just("80.00"),
    "provider_ref": TEXT,
    "means": st.sampled_from(["ONLINE", "COUNTER", "COURIER"]),
    "ground": st.sampled_from(["FRAUD", "FALSE_PAPERS", "NOT_QUALIFIED"]),
}
FIELDS |= {
    "bundle": TEXT | st.just("open-restaurant"),
    "version": TEXT | st.none(),
    "task": TEXT | st.just("joint-inspection"),
}
COMMANDS = public_handlers()


@settings(max_examples=250, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_no_content_of_a_command_is_our_fault(system: Tongban, data: st.DataObject) -> None:
    party = system.register()
    ids = st.sampled_from([party, str(uuid4()), "00000000-0000-0000-0000-000000000000"])
    name = data.draw(st.sampled_from(sorted(COMMANDS)))
    handler = COMMANDS[name]
    required = {"case_id": ids, "applicant": ids, "id": ids, "principal": ids, "agent": ids} | FIELDS
    required |= {"bundle_id": ids, "mandate": ids | st.none(), "mandate_id": ids, "party": ids}
    if name == "PublishBundle":
        required["bundle"] = BUNDLE | OBJECT
    if name == "StartSpecialProcedure":
        required["kind"] = st.sampled_from(["HEARING", "INSPECTION_TEST", "PUBLIC_ANNOUNCEMENT"])
    if name == "GrantMandate":
        required["kind"] = st.sampled_from(["AGENT", "OPERATOR", "GUARDIAN", "FAMILY"])
    if name in ("DraftItem", "PublishItem"):
        required["item"] = ITEM | OBJECT | (st.none() if name == "PublishItem" else OBJECT)
    members = {each.removesuffix("_"): required[each] for each in handler.body.__dataclass_fields__}  # type: ignore[attr-defined]
    body = data.draw(st.fixed_dictionaries(members, optional={"effective_at": MOMENT}))
    role = data.draw(st.sampled_from(sorted(handler.roles - {Role.SYSTEM})))
    subject = party if role in PARTY_ROLES else "o-1"
    headers = data.draw(st.fixed_dictionaries({}, optional={"if_match": st.sampled_from(['"1"', '"9"'])}))
    answer = system.give(name, body, system.token(role, subject, "samr"), **headers)
    assert answer.status_code < 500, (name, body, answer.text)
    assert answer.status_code != 400 or "pointer" in answer.json()
