"""What an application claims is made out before it is decided: by sources that may fail, by uploads that are there."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any, cast
from uuid import UUID, uuid4

import httpx
import psycopg
import pytest

from tests.api.serving import CITIZEN_IDS, Tongban, citizen_id, prepared_materials, settings_for, tongban
from tests.commands.office import ask
from tests.servers import Database
from tests.source_server import SourceServer, nobody_listens, source_server
from tongban.api.giving import Giver
from tongban.domain.actor import Actor, Role
from tongban.domain.case.commands import How, MaterialOffered, SubmitCorrection
from tongban.domain.case.refusals import NoCorrectionAsked
from tongban.domain.office_time import office_day
from tongban.infra.sources.simulated import Shares, SimulatedSource
from tongban.infra.write_side import open_write_side, sweep_materials

TODAY = office_day(datetime.now(UTC))
NEXT_YEAR = date(TODAY.year + 1, 1, 1)
PATIENCE = {"source_timeout": 0.3, "source_attempts": 2, "source_failures": 1000}


@dataclass
class Hall:
    """A system with two offices' sources behind real connections; the others are down."""

    system: Tongban
    housing: SourceServer
    psb: SourceServer
    person: str
    token: str

    def file(
        self, *materials: dict[str, Any], token: str | None = None, key: UUID | None = None, **more: Any
    ) -> httpx.Response:
        body = {"item": "property-transfer", "applicant": self.person, "channel": "WEB", "materials": materials, **more}
        return self.system.give("SubmitApplication", body, token or self.token, key=key)

    def upload(self, content: bytes = b"paper", token: str | None = None, **query: str) -> str:
        headers = {"authorization": f"Bearer {token or self.token}", "content-type": "text/plain"}
        answer = self.system.client.post("/uploads", content=content, headers=headers, params=query)
        assert answer.status_code in (200, 201), answer.text
        return str(answer.json()["ref"])

    def draft(self, token: str | None = None, **more: Any) -> httpx.Response:
        headers = {"authorization": f"Bearer {token or self.token}"}
        body = {"item": "property-transfer", "applicant": self.person, **more}
        return self.system.client.post("/drafts", json=body, headers=headers)

    def evidence(self, case: str) -> dict[str, Any]:
        return {each.material: each for each in self.system.recorded(case)[0].event.evidence}

    def sharing(self) -> list[tuple[str, dict[str, Any]]]:
        """Type and data of every event of the exchange log, in order."""
        with psycopg.connect(self.system.settings.admin_database_url) as conn:
            return conn.execute(
                "SELECT topic, convert_from(state, 'UTF8')::json -> 'data' FROM events.stored_events"
                " WHERE topic LIKE 'sharing.%' ORDER BY notification_id"
            ).fetchall()


@pytest.fixture(scope="module")
def hall(module_database: Database, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Hall]:
    with source_server(SimulatedSource(Shares())) as housing, source_server(SimulatedSource(Shares())) as psb:
        sources = f"housing={housing.url},psb={psb.url},tax={nobody_listens()}"
        settings = settings_for(module_database, tmp_path_factory.mktemp("data"), sources=sources, **PATIENCE)
        with tongban(settings) as system:
            system.publish("property-transfer")
            system.publish("id-card-renewal")
            person = system.register(CITIZEN_IDS[0])
            yield Hall(system, housing, psb, person, system.token(Role.CITIZEN, person))


@pytest.fixture(autouse=True)
def well(hall: Hall) -> None:
    for source in (hall.housing, hall.psb):
        source.asked.clear()
        source.wrong.clear()


CONTRACT = {"material": "sale-contract", "how": "DATA_SHARING", "ref": None}
ID_CARD = {"material": "id-card", "how": "E_LICENCE", "ref": None}
TAX = {"material": "tax-clearance", "how": "DATA_SHARING", "ref": None}


def uploaded(material: str, ref: str | None) -> dict[str, Any]:
    return {"material": material, "how": "UPLOAD", "ref": ref}


def code_of(answer: httpx.Response) -> tuple[int, str]:
    return answer.status_code, answer.json()["code"]


def test_what_is_claimed_becomes_what_the_source_vouches_for(hall: Hall) -> None:
    filed = hall.file(CONTRACT | {"ref": "sha256:invented"}, ID_CARD)
    assert filed.status_code == 201, filed.text
    evidence = hall.evidence(filed.json()["id"])
    log = {data["material"]: data for _, data in hall.sharing()[-2:]}
    for material, source in (("sale-contract", "housing"), ("id-card", "psb")):
        found = evidence[material]
        assert (found.source, log[material]["source"]) == (source, source)
        assert found.source_version == log[material]["data_version"]
        assert found.ref == log[material]["evidence_id"]
        assert (log[material]["purpose"], log[material]["result"]) == ("SUBMISSION", "FOUND")
        assert log[material]["subject"] == hall.person
    assert [(asked["material"], asked["subject"]) for asked in hall.housing.asked] == [("sale-contract", hall.person)]


@pytest.mark.parametrize(
    ("wrong", "problem"),
    [
        (["empty"], "EMPTY"),
        (["500", "500"], "ERROR"),
        (["slow", "slow"], "TIMEOUT"),
        (["html"], "ERROR"),
        (["lying"], "ERROR"),
        (["huge"], "ERROR"),
    ],
)
def test_what_a_source_does_not_give_is_refused_with_what_to_do_instead(
    hall: Hall, wrong: list[str], problem: str
) -> None:
    hall.housing.wrong = list(wrong)
    refused = hall.file(CONTRACT, ID_CARD)
    assert code_of(refused) == (422, "material-not-met")
    assert refused.json()["materials"] == [
        {"material": "sale-contract", "source": "housing", "problem": problem, "instead": "UPLOAD"}
    ]
    kinds = [(kind, data["material"]) for kind, data in hall.sharing()[-3:]]
    assert ("sharing.ExemptionFailed", "sale-contract") in kinds
    failed = next(data for kind, data in hall.sharing()[-3:] if kind == "sharing.ExemptionFailed")
    assert (failed["source"], failed["problem"]) == ("housing", problem)
    # As a paper it is taken.
    assert hall.file(uploaded("sale-contract", hall.upload()), ID_CARD).status_code == 201


def test_a_source_that_is_down_costs_an_exemption_and_no_application(hall: Hall) -> None:
    refused = hall.file(TAX)
    assert code_of(refused) == (422, "material-not-met")
    assert refused.json()["materials"][0]["source"] == "tax"


def test_sources_are_asked_side_by_side(hall: Hall) -> None:
    hall.housing.wrong, hall.psb.wrong = ["slow", "slow"], ["slow", "slow"]
    started = time.monotonic()
    refused = hall.file(CONTRACT, ID_CARD)
    assert time.monotonic() - started < 1.1  # one after the other they would take 1.2 s
    assert len(refused.json()["materials"]) == 2


def test_a_passing_fault_is_not_noticed(hall: Hall) -> None:
    hall.housing.wrong = ["503"]
    assert hall.file(CONTRACT).status_code == 201
    assert hall.sharing()[-1][1]["attempts"] == 2


def test_a_means_that_the_guide_does_not_offer_is_not_asked_for(hall: Hall) -> None:
    refused = hall.file({"material": "sale-contract", "how": "E_LICENCE", "ref": None})
    assert code_of(refused) == (422, "how-not-allowed")
    assert hall.housing.asked == []


@pytest.mark.parametrize("ref", [None, "sha256:" + "0" * 64, "nonsense"])
def test_an_upload_that_is_not_there_is_refused(hall: Hall, ref: str | None) -> None:
    refused = hall.file(uploaded("form", ref))
    assert code_of(refused) == (422, "upload-unknown")
    assert refused.json()["materials"] == [{"material": "form", "ref": ref}]


def test_another_ones_upload_is_not_there(hall: Hall) -> None:
    stranger = hall.system.register(CITIZEN_IDS[1], "李静")
    ref = hall.upload(b"not yours", hall.system.token(Role.CITIZEN, stranger))
    assert code_of(hall.file(uploaded("form", ref))) == (422, "upload-unknown")


def test_nobody_has_sources_asked_about_another(hall: Hall) -> None:
    stranger = hall.system.register(CITIZEN_IDS[1], "李静")
    before = hall.system.events()
    assert code_of(hall.file(CONTRACT, token=hall.system.token(Role.CITIZEN, stranger))) == (403, "not-yours")
    unknown = str(uuid4())
    refused = hall.file(CONTRACT, token=hall.system.token(Role.CITIZEN, unknown), applicant=unknown)
    assert code_of(refused) == (404, "applicant-not-registered")
    assert hall.file(CONTRACT, item="no-such-item").status_code == 404
    assert (hall.housing.asked, hall.system.events()) == ([], before)


def test_what_is_refused_before_its_claims_are_made_out_is_not_left_to_a_later_decision(hall: Hall) -> None:
    """Or who sends corrections all the time has one taken at its word, once a correction is asked for."""
    case = UUID(hall.file().json()["id"])
    command = SubmitCorrection(case, (MaterialOffered("house-certificate", How.E_LICENCE, "own word"),))
    request = ask(command, Actor(hall.person, Role.CITIZEN))
    write_side = open_write_side(hall.system.settings)
    try:
        with prepared_materials(hall.system.settings, write_side) as (make, _):
            made_out = asyncio.run(make(cast("Giver", None)).made_out(request))
    finally:
        write_side.close()
    assert isinstance(made_out, NoCorrectionAsked)


def test_the_same_request_again_asks_nobody_again(hall: Hall) -> None:
    key = uuid4()
    first = hall.file(CONTRACT, key=key)
    before = hall.system.events()
    hall.housing.asked.clear()
    hall.housing.wrong = ["empty"]
    again = hall.file(CONTRACT, key=key)
    assert (again.status_code, again.json()) == (201, first.json())
    assert (hall.housing.asked, hall.system.events()) == ([], before)
    assert code_of(hall.file(ID_CARD, key=key)) == (422, "key-reused")


def test_what_an_application_names_is_kept_for_ever(hall: Hall) -> None:
    ref, other = hall.upload(b"named"), hall.upload(b"named by nothing")
    hall.upload(b"named by a refused application")
    assert hall.file(uploaded("form", ref)).status_code == 201
    refused = hall.file(uploaded("form", hall.upload(b"named by a refused application")), TAX)
    assert refused.status_code == 422
    with psycopg.connect(hall.system.settings.admin_database_url, autocommit=True) as conn:
        conn.execute("UPDATE materials.upload SET touched_at = now() - interval '1 year'")
        conn.execute("UPDATE materials.claim SET claimed_at = now() - interval '1 year'")
    swept = sweep_materials(hall.system.settings)
    assert swept["uploads"] >= 2
    headers = {"authorization": f"Bearer {hall.token}"}
    assert hall.system.client.get(f"/uploads/{ref}", headers=headers).content == b"named"
    assert hall.system.client.get(f"/uploads/{other}", headers=headers).status_code == 404


def test_a_form_falls_back_to_upload_where_a_source_fails_and_says_why(hall: Hall) -> None:
    hall.housing.wrong = ["empty"]
    opened = {each["material"]: each for each in hall.draft().json()["opening"]["materials"]}
    assert (opened["sale-contract"]["how"], opened["sale-contract"]["fallback"]) == ("UPLOAD", "EMPTY")
    assert (opened["tax-clearance"]["how"], opened["tax-clearance"]["fallback"]) == ("UPLOAD", "ERROR")
    assert (opened["id-card"]["how"], opened["id-card"]["exempt"]) == ("E_LICENCE", True)
    failures = {data["source"] for kind, data in hall.sharing() if kind == "sharing.ExemptionFailed"}
    assert {"housing", "tax"} <= failures
    assert not failures & {"applicant", hall.person}


def test_an_old_answer_is_asked_for_again_when_the_draft_is_filed(hall: Hall) -> None:
    draft = hall.draft(materials=[CONTRACT]).json()
    hall.housing.asked.clear()
    settings = hall.system.settings.model_copy(update={"evidence_hours": 0.0})
    with tongban(settings) as forgetful:
        body = {"item": "property-transfer", "applicant": hall.person, "channel": "WEB", "draft": draft["id"]}
        assert forgetful.give("SubmitApplication", body, hall.token).status_code == 201
    assert [asked["purpose"] for asked in hall.housing.asked] == ["SUBMISSION"]
    assert hall.sharing()[-1][1]["draft"] == draft["id"]


def test_an_agent_prepares_and_files_under_a_mandate_and_not_without(hall: Hall) -> None:
    agent = hall.system.register(citizen_id(31), "代办人")
    by = hall.system.token(Role.AGENT, agent)
    assert code_of(hall.draft(by)) == (403, "not-yours")
    grant = {
        "principal": hall.person,
        "agent": agent,
        "items": ["property-transfer"],
        "from": str(TODAY),
        "to": str(NEXT_YEAR),
    }
    granted = hall.system.give("GrantMandate", grant, hall.token)
    assert granted.status_code == 201, granted.text
    mandate = granted.json()["id"]
    ref = hall.upload(b"by the agent", by, party=hall.person, mandate=mandate)
    draft = hall.draft(by, mandate=mandate, materials=[uploaded("form", ref), CONTRACT])
    assert draft.status_code == 201, draft.text
    assert hall.draft(by, mandate=mandate, item="id-card-renewal").status_code in (403, 422)
    filed = hall.file(token=by, mandate=mandate, draft=draft.json()["id"])
    assert filed.status_code == 201, filed.text
    assert set(hall.evidence(filed.json()["id"])) == {"form", "id-card", "sale-contract"}


def test_in_a_batch_each_application_is_made_out_alone(hall: Hall) -> None:
    hall.housing.wrong = []
    common = {"item": "property-transfer", "applicant": hall.person, "channel": "WEB"}
    materials = [[CONTRACT], [TAX], [uploaded("form", "sha256:" + "0" * 64)], [uploaded("form", hall.upload())]]
    answer = hall.system.client.post(
        "/batches/SubmitApplication",
        json={"commands": [common | {"materials": each} for each in materials]},
        headers={"authorization": f"Bearer {hall.token}", "idempotency-key": str(uuid4())},
    )
    assert answer.status_code == 200, answer.text
    results = answer.json()["results"]
    assert [result["status"] for result in results] == [201, 422, 422, 201]
    assert [results[n]["problem"]["code"] for n in (1, 2)] == ["material-not-met", "upload-unknown"]
    assert hall.evidence(results[0]["id"])["sale-contract"].source == "housing"


def test_many_at_once_are_each_made_out(hall: Hall) -> None:
    with ThreadPoolExecutor(12) as pool:
        answers = list(pool.map(lambda _: hall.file(CONTRACT, ID_CARD), range(24)))
    assert {answer.status_code for answer in answers} == {201}


def test_our_own_licence_counts_before_the_citys(module_database: Database, tmp_path: Path) -> None:
    """The licence was issued here a moment ago; the city's library, which is down, is not needed."""
    with tongban(settings_for(module_database, tmp_path, sources=f"*={nobody_listens()}", **PATIENCE)) as system:
        person = system.register(citizen_id(41))
        licence = str(uuid4())
        with psycopg.connect(module_database.admin_url) as conn:
            conn.execute(
                "INSERT INTO read.licence_view (id, case_id, licence_type, number, holder, valid_from, valid_to,"
                " collected_at, sealed, version, position) VALUES (%s, %s, 'lt-id-card', 'n', %s, '2020-01-01', %s,"
                " now(), '[]', 1, 1)",
                (licence, uuid4(), person, NEXT_YEAR),
            )
        body = {"item": "property-transfer", "applicant": person, "channel": "WEB", "materials": [ID_CARD]}
        token = system.token(Role.CITIZEN, person)
        filed = system.give("SubmitApplication", body, token)
        assert filed.status_code == 201, filed.text
        [found] = system.recorded(filed.json()["id"])[0].event.evidence
        assert (found.source, found.source_version, found.ref) == ("psb", "1", licence)
        with psycopg.connect(module_database.admin_url) as conn:
            conn.execute("UPDATE read.licence_view SET valid_to = '2020-12-31' WHERE id = %s", (licence,))
        assert code_of(system.give("SubmitApplication", body, token)) == (422, "material-not-met")


def test_an_officer_gets_a_material_himself_and_an_empty_source_is_written_against_it(hall: Hall) -> None:
    case = hall.file().json()["id"]
    officer = hall.system.officer(Role.ACCEPTOR, "nr")
    hall.system.give("ReceiveMaterials", {"case_id": case}, officer)
    body = {"case_id": case, "material": "sale-contract"}
    foreign = hall.system.officer(Role.REVIEWER, "fire")
    assert code_of(hall.system.give("ObtainMaterial", body, foreign)) == (403, "other-department")
    assert hall.housing.asked == []  # what is refused anyhow is not asked for
    hall.housing.wrong = ["empty"]
    empty = hall.system.give("ObtainMaterial", body, officer)
    assert empty.json()["events"] == ["case.ExemptionFailed"], empty.text
    found = hall.system.give("ObtainMaterial", body, officer)
    assert found.json()["events"] == ["case.MaterialExempted"], found.text
    [evidence] = hall.system.recorded(case)[-1].event.evidence
    assert (evidence.how, evidence.source) == ("DATA_SHARING", "housing")
    assert evidence.ref == hall.sharing()[-1][1]["evidence_id"]
    hall.housing.asked.clear()
    assert hall.system.give("ObtainMaterial", body, officer).json()["events"] == []
    assert hall.housing.asked == []
