"""One batch after the other: who may ask, what is answered, and that one command never harms another."""

from __future__ import annotations

import json
from base64 import b64encode
from dataclasses import replace
from hashlib import sha256
from typing import Any
from uuid import UUID, uuid4

import psycopg
import pytest

from tests.commands.office import Office, answered, ask, refused
from tests.examples import (
    ACCEPTOR,
    ADMIN,
    APPLICANT,
    CLERK,
    COMMANDS,
    DECIDER,
    DEFINITION,
    ITEM,
    LEAD,
    PERSON_ID,
    STRANGER,
    SYSTEM,
    collect_licence,
    publish_item,
    register_party,
    reviewer,
    submit_application,
)
from tests.servers import Database
from tongban.commands.batch import IdTaken
from tongban.commands.encoding import LARGEST_EVENT, EventTooLarge, PersonErased
from tongban.commands.handlers import HANDLERS
from tongban.commands.ports import LogUnavailable
from tongban.commands.requests import Answer, KeyReused, Unavailable
from tongban.domain.actor import Actor, Role
from tongban.domain.case.commands import (
    AcceptApplication,
    DenyApproval,
    GrantApproval,
    IssueLicence,
    RecordOpinion,
)
from tongban.domain.case.events import Opinion
from tongban.domain.case.refusals import (
    ApplicantNotRegistered,
    ItemNotPublished,
    NotAccepted,
    UnknownCase,
)
from tongban.domain.case.state import CASE
from tongban.domain.catalogue.commands import PublishItem
from tongban.domain.catalogue.refusals import InvalidItem
from tongban.domain.errors import NotYours, OtherDepartment, RoleNotAllowed, StaleVersion
from tongban.domain.ids import item_stream, rating_stream
from tongban.domain.party.decide import InvalidIdentifier, PartyIdTaken
from tongban.domain.rating.commands import RateCase
from tongban.infra.event_codec import decode


def stream(database: Database, identity: UUID) -> list[bytes]:
    with psycopg.connect(database.admin_url) as conn:
        query = (
            "SELECT originator_version, state FROM events.stored_events"
            " WHERE originator_id = %s ORDER BY originator_version"
        )
        rows = conn.execute(query, (identity,)).fetchall()
    assert [version for version, _ in rows] == list(range(1, len(rows) + 1))
    return [bytes(state) for _, state in rows]


def count(database: Database) -> int:
    with psycopg.connect(database.admin_url) as conn:
        row = conn.execute("SELECT count(*) FROM events.stored_events").fetchone()
    assert row
    return int(row[0])


# ── the straight path ────────────────────────────────────────────────────────────────────────────────────────────────


def test_a_case_goes_from_filing_to_rating_in_a_verified_chain(database: Database, here: Office) -> None:
    case = here.closed_case()
    rated = here.done(RateCase(case, 1, text="好"), APPLICANT)
    assert rated.id == rating_stream(case)
    states = stream(database, case)
    recorded = [decode(state, 0) for state in states]
    assert [found.envelope.type.split(".")[1] for found in recorded] == [
        "ApplicationSubmitted",
        "MaterialsReceived",
        "ApplicationAccepted",
        *["OpinionRecorded"] * 3,
        "ApprovalGranted",
        "LicenceIssued",
        "LicenceDelivered",
        "CaseClosed",
    ]
    assert [found.envelope.prev for found in recorded] == [None, *(sha256(s).hexdigest() for s in states[:-1])]
    assert {found.envelope.correlation for found in recorded} == {case}
    assert recorded[0].envelope.evidence
    assert recorded[3].envelope.holders == {"tax": "dept:tax", "nr": "dept:nr"}
    assert recorded[-1].envelope.holders == {"main": "none"}
    assert recorded[-1].envelope.rules.item is not None
    assert (recorded[-1].envelope.rules.item.id, recorded[-1].envelope.rules.item.version) == (ITEM, 1)
    assert recorded[-2].envelope.command == recorded[-1].envelope.command


def test_an_answer_names_stream_number_version_position_and_events(database: Database, here: Office) -> None:
    here.done(publish_item, ADMIN)
    registered = here.done(register_party, CLERK)
    assert registered == Answer(PERSON_ID, None, 1, 2, ("party.PartyRegistered",), created=True)
    filed = here.done(submit_application, APPLICANT)
    assert (filed.version, filed.position, filed.created) == (2, 4, True)
    assert filed.number is not None
    assert filed.number.startswith("NR-20")
    accepted = here.done(AcceptApplication(filed.id), ACCEPTOR)
    assert accepted == Answer(filed.id, filed.number, 3, 5, ("case.ApplicationAccepted",), created=False)
    again = here.done(AcceptApplication(filed.id), ACCEPTOR)
    assert again == Answer(filed.id, filed.number, 3, 5, (), created=False)
    assert count(database) == 5


def test_commands_of_one_batch_rest_on_those_before_them(database: Database, here: Office) -> None:
    case = here.open_case()
    outcomes = here.do(
        ask(RecordOpinion(case, "tax", Opinion.PASS), reviewer("tax")),
        ask(AcceptApplication(case), ACCEPTOR),
        ask(RecordOpinion(case, "tax", Opinion.PASS), reviewer("tax")),
        ask(AcceptApplication(case), ACCEPTOR),
        ask(GrantApproval(case), DECIDER),
    )
    refused(outcomes[0], NotAccepted)
    assert answered(outcomes[1]).version == 3
    assert answered(outcomes[2]).version == 4
    spoken = answered(outcomes[2])
    assert answered(outcomes[3]) == Answer(case, spoken.number, 4, spoken.position, (), created=False)
    assert isinstance(outcomes[4], Exception)
    assert len(stream(database, case)) == 4


def test_a_party_registered_twice_in_one_batch_is_one_party(here: Office) -> None:
    nameless = replace(register_party, id=None)
    first, second, other_spelling = here.do(
        ask(nameless, CLERK),
        ask(nameless, CLERK),
        ask(replace(nameless, identifier="110101 19900307 109x"), CLERK),
    )
    assert answered(first).created
    assert answered(second).id == answered(other_spelling).id == answered(first).id
    assert answered(second).events == answered(other_spelling).events == ()
    assert answered(second).version == 1


def test_a_party_known_to_another_process_is_given_back(here: Office, there: Office) -> None:
    known = here.done(replace(register_party, id=None), CLERK)
    assert there.done(replace(register_party, id=None), CLERK).id == known.id
    [taken] = there.do(ask(replace(register_party, id=uuid4()), CLERK))
    refused(taken, PartyIdTaken)


def test_two_processes_on_one_stream_see_each_others_events(database: Database, here: Office, there: Office) -> None:
    case = here.open_case()
    there.done(AcceptApplication(case), ACCEPTOR)
    for number, branch in enumerate(("housing", "tax", "nr")):
        (here, there)[number % 2].done(RecordOpinion(case, branch, Opinion.PASS), reviewer(branch))
    assert here.done(GrantApproval(case), DECIDER).version == 7
    assert len(stream(database, case)) == 7


# ── who may ask ──────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("name", sorted(HANDLERS))
def test_no_other_role_may_give_the_command(shared: Office, name: str) -> None:
    allowed = HANDLERS[name].roles
    outcomes = shared.do(*(ask(COMMANDS[name], Actor("x", role, LEAD)) for role in Role if role not in allowed))
    for outcome in outcomes:
        refused(outcome, RoleNotAllowed, allowed=sorted(allowed))


def test_only_the_system_collects_licences_and_nobody_asks_for_it_from_outside() -> None:
    assert HANDLERS["CollectLicence"].roles == {SYSTEM.role}
    assert not HANDLERS["CollectLicence"].public


def test_an_officer_acts_for_their_own_department_only(here: Office) -> None:
    case = here.open_case()
    accepted, opinion = here.do(
        ask(AcceptApplication(case), replace(ACCEPTOR, department="tax")),
        ask(RecordOpinion(case, "housing", Opinion.PASS), reviewer("tax")),
    )
    refused(accepted, OtherDepartment, department=LEAD)
    refused(opinion, OtherDepartment, department="housing")


def test_an_applicant_files_for_nobody_else(here: Office) -> None:
    here.open_case()
    [outcome] = here.do(ask(submit_application, STRANGER))
    refused(outcome, NotYours)


# ── what names nothing, or something else ────────────────────────────────────────────────────────────────────────────


def test_an_id_of_another_kind_names_nothing_and_harms_nobody(database: Database, here: Office) -> None:
    """Ids come from callers. All of these are in one batch with each other and with good commands."""
    case = here.open_case()
    item = item_stream(ITEM)
    before = count(database)
    outcomes = here.do(
        ask(AcceptApplication(PERSON_ID), ACCEPTOR),
        ask(AcceptApplication(item), ACCEPTOR),
        ask(AcceptApplication(case), ACCEPTOR),
        ask(replace(submit_application, applicant=case), CLERK),
        ask(replace(submit_application, applicant=item), CLERK),
        ask(RateCase(PERSON_ID, 1), APPLICANT),
        ask(RateCase(item, 1), APPLICANT),
        ask(replace(register_party, id=case, identifier="310101198808080017"), CLERK),
        ask(replace(collect_licence, licence_id=case), SYSTEM),
        ask(submit_application, APPLICANT),
    )
    for place, rule in enumerate((UnknownCase, UnknownCase, None, ApplicantNotRegistered, ApplicantNotRegistered)):
        if rule:
            refused(outcomes[place], rule)
    for place in (5, 6):
        refused(outcomes[place], UnknownCase)
    for place in (7, 8):
        refused(outcomes[place], IdTaken, id=case)
    assert answered(outcomes[2]).version == 3
    assert answered(outcomes[9]).created
    assert count(database) == before + 3


def test_an_id_of_another_kind_names_nothing_to_a_process_that_has_just_started(here: Office, there: Office) -> None:
    case = here.open_case()
    wrong, right = there.do(ask(AcceptApplication(PERSON_ID), ACCEPTOR), ask(AcceptApplication(case), ACCEPTOR))
    refused(wrong, UnknownCase)
    answered(right)


def test_what_does_not_exist_is_refused(here: Office) -> None:
    unknown, unpublished, invalid, wrong = here.do(
        ask(AcceptApplication(uuid4()), ACCEPTOR),
        ask(submit_application, CLERK),
        ask(PublishItem({**DEFINITION, "id": ""}), ADMIN),
        ask(replace(register_party, identifier="110101199003071090"), CLERK),
    )
    refused(unknown, UnknownCase)
    refused(unpublished, ItemNotPublished)
    refused(invalid, InvalidItem, at="/id")
    refused(wrong, InvalidIdentifier)


# ── idempotency and versions ─────────────────────────────────────────────────────────────────────────────────────────


def test_the_same_key_with_the_same_body_gets_the_same_answer(database: Database, here: Office, there: Office) -> None:
    case = here.open_case()
    request = ask(AcceptApplication(case), ACCEPTOR)
    first = answered(here.do(request)[0])
    here.done(RecordOpinion(case, "tax", Opinion.PASS), reviewer("tax"))
    for place in (here, there):
        again = answered(place.do(request)[0])
        assert (again, again.repeated, first.repeated) == (first, True, False)
    assert len(stream(database, case)) == 4


def test_filing_again_with_the_same_key_opens_no_second_case(here: Office, there: Office) -> None:
    here.open_case()
    request = ask(submit_application, APPLICANT)
    first = answered(here.do(request)[0])
    assert first.created
    assert answered(there.do(request)[0]) == first


def test_the_same_key_with_another_body_is_refused(here: Office) -> None:
    case = here.open_case()
    key = uuid4()
    here.done(AcceptApplication(case), ACCEPTOR, key=key)
    [outcome] = here.do(ask(AcceptApplication(uuid4()), ACCEPTOR, key=key))
    refused(outcome, KeyReused, idempotency_key=key)


def test_keys_belong_to_who_uses_them(here: Office) -> None:
    case, key = here.open_case(), uuid4()
    here.done(AcceptApplication(case), ACCEPTOR, key=key)
    assert here.done(RecordOpinion(case, "tax", Opinion.PASS), reviewer("tax"), key=key).version == 4


def test_a_refused_command_may_be_asked_again_with_its_key(here: Office) -> None:
    case = here.open_case()
    request = ask(RecordOpinion(case, "tax", Opinion.PASS), reviewer("tax"))
    refused(here.do(request)[0], NotAccepted)
    here.done(AcceptApplication(case), ACCEPTOR)
    assert answered(here.do(request)[0]).version == 4


def test_a_version_that_was_seen_must_still_be_the_current_one(here: Office) -> None:
    case = here.open_case()
    [stale] = here.do(ask(AcceptApplication(case), ACCEPTOR, expected_version=7))
    refused(stale, StaleVersion, expected=7, current=2)
    assert here.done(AcceptApplication(case), ACCEPTOR, expected_version=2).version == 3
    [stale] = here.do(ask(RecordOpinion(case, "tax", Opinion.PASS), reviewer("tax"), expected_version=1))
    refused(stale, StaleVersion, expected=1, current=3)


# ── one command never harms another ──────────────────────────────────────────────────────────────────────────────────


def test_a_refused_command_leaves_no_trace_in_its_batch(database: Database, here: Office) -> None:
    case = here.open_case()
    other = here.open_case()
    bad, good = here.do(ask(GrantApproval(case), DECIDER), ask(AcceptApplication(other), ACCEPTOR))
    refused(bad, NotAccepted)
    answered(good)
    assert len(stream(database, case)) == 2


@pytest.mark.parametrize(
    "broken",
    [
        replace(submit_application, answers={"n": 10**30}),
        replace(submit_application, answers={"n": {1, 2}}),
        replace(submit_application, form={"text": "\ud800"}),
        replace(submit_application, item=7),  # type: ignore[arg-type]  # whatever is given
        replace(register_party, identifier="\ud800"),
        replace(register_party, identifier=7),  # type: ignore[arg-type]  # whatever is given
    ],
    ids=["an integer too long", "a set", "a lone surrogate", "an item that is a number", "surrogate id", "number id"],
)
def test_a_defect_in_one_command_is_that_commands_alone(here: Office, broken: Any) -> None:
    case = here.open_case()
    bad, good, unnamed = here.do(
        ask(broken, CLERK),
        ask(AcceptApplication(case), ACCEPTOR),
        replace(ask(AcceptApplication(case), ACCEPTOR), name="NoSuchCommand"),
    )
    assert isinstance(bad, Exception)
    assert isinstance(unnamed, Exception)
    assert answered(good).version == 3
    assert here.done(RecordOpinion(case, "tax", Opinion.PASS), reviewer("tax")).version == 4


class NoNumbers:
    """Serial numbers that cannot be had for now."""

    def next(self) -> int:
        raise LogUnavailable("no serial numbers can be had")


def test_a_command_that_needs_a_number_is_turned_away_while_none_can_be_had(here: Office) -> None:
    here.open_case()
    request = ask(submit_application, CLERK)
    desk = here.batch._desk
    here.batch._desk = replace(desk, numbers=NoNumbers())
    refused(here.do(request)[0], Unavailable)
    here.batch._desk = desk
    assert answered(here.do(request)[0]).created


def test_an_event_that_is_too_large_is_refused_and_the_rest_done(database: Database, here: Office) -> None:
    case = here.open_case()
    large = replace(submit_application, form={"text": "长" * (LARGEST_EVENT // 4)})
    bad, good = here.do(ask(large, CLERK), ask(AcceptApplication(case), ACCEPTOR))
    refused(bad, EventTooLarge, most=LARGEST_EVENT)
    assert answered(good).version == 3
    just_fits = replace(submit_application, form={"text": "x" * 380_000})
    assert here.done(just_fits, CLERK).created


def test_nothing_more_is_recorded_of_an_erased_person_and_the_stream_goes_on_without_a_hole(
    database: Database, here: Office, there: Office
) -> None:
    case = here.open_case()
    here.done(AcceptApplication(case), ACCEPTOR)
    with psycopg.connect(database.admin_url) as admin:
        admin.execute("UPDATE keys.person_key SET state = 'destroyed', wrapped = NULL")
    opinion = RecordOpinion(case, "tax", Opinion.PASS, "words")
    for requests in (
        [ask(opinion, reviewer("tax"))],
        [ask(opinion, reviewer("tax")), ask(AcceptApplication(case), ACCEPTOR)],
    ):
        outcomes = there.do(*requests)
        refused(outcomes[0], PersonErased)
        assert [answered(outcome).version for outcome in outcomes[1:]] == [3] * len(outcomes[1:])
    [erased] = there.do(ask(opinion, reviewer("tax"), expected_version=3))
    refused(erased, PersonErased)
    assert len(stream(database, case)) == 3


# ── nothing personal anywhere ────────────────────────────────────────────────────────────────────────────────────────


def test_no_personal_value_reaches_a_table_of_the_write_side_in_clear(database: Database, here: Office) -> None:
    canary = {
        "identifier": "310101198808080017",
        "name": "金丝雀Canary",
        "answer": "canary-answer-壹",
        "form": "canary-form-贰",
        "opinion": "canary-opinion-叁",
        "grant": "canary-grant-肆",
        "face": "canary-face-伍",
        "rating": "canary-rating-陆",
    }
    here.done(publish_item, ADMIN)
    person = here.done(replace(register_party, id=None, identifier=canary["identifier"], name=canary["name"]), CLERK).id
    application = replace(
        submit_application, applicant=person, answers={"q": canary["answer"]}, form={canary["form"]: canary["form"]}
    )
    case = here.done(application, CLERK).id
    here.done(AcceptApplication(case), ACCEPTOR)
    for branch in ("housing", "tax", "nr"):
        here.done(RecordOpinion(case, branch, Opinion.PASS, canary["opinion"]), reviewer(branch))
    here.done(GrantApproval(case, canary["grant"]), DECIDER)
    here.done(IssueLicence(case, face={"owner": canary["face"]}), DECIDER)
    here.done(RateCase(case, 5, text=canary["rating"]), Actor(str(person), Role.CITIZEN))
    denied = here.done(application, CLERK).id
    here.done(AcceptApplication(denied), ACCEPTOR)
    here.done(RecordOpinion(denied, "tax", Opinion.FAIL, canary["opinion"]), reviewer("tax"))
    here.done(DenyApproval(denied, canary["grant"], canary["rating"]), DECIDER)

    with psycopg.connect(database.admin_url) as conn:
        tables = conn.execute(
            "SELECT format('%I.%I', schemaname, tablename) FROM pg_tables"
            " WHERE schemaname IN ('events', 'keys', 'relay', 'consumers')"
        ).fetchall()
        dump = b""
        for (table,) in tables:
            with conn.cursor().copy(f"COPY {table} TO STDOUT (FORMAT binary)") as out:
                dump += b"".join(bytes(part) for part in out)
    assert dump.count(b"ApplicationSubmitted") >= 2
    for text in canary.values():
        escaped = json.dumps(text)[1:-1].encode()
        for spelling in (text.encode(), escaped, text.encode("utf-16-le"), text.encode().hex().encode()):
            assert spelling not in dump
        for start in range(3):
            inner = b64encode(text.encode()[start:])[:-4]
            assert inner not in dump


# ── what events belong to ────────────────────────────────────────────────────────────────────────────────────────────


def test_events_of_a_case_that_is_part_of_something_say_so(
    database: Database, here: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    case, bundle = here.granted_case(), uuid4()
    part = replace(CASE, correlation=lambda _: bundle)
    monkeypatch.setitem(HANDLERS, "IssueLicence", replace(HANDLERS["IssueLicence"], aggregate=part))
    here.done(IssueLicence(case), DECIDER)
    of_events = [decode(state, 0).envelope.correlation for state in stream(database, case)]
    assert of_events == [case] * 7 + [bundle] * 3


def test_a_licence_belongs_to_what_its_case_is_part_of(database: Database, here: Office) -> None:
    here.open_case()
    bundle = uuid4()
    licence = here.done(replace(collect_licence, correlation=bundle), SYSTEM).id
    alone = here.done(replace(collect_licence, licence_id=uuid4()), SYSTEM).id
    [of_bundle], [of_case] = stream(database, licence), stream(database, alone)
    assert decode(of_bundle, 0).envelope.correlation == bundle
    assert decode(of_case, 0).envelope.correlation == collect_licence.case_id
