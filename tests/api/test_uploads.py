"""Uploads over HTTP: who may leave what, and who sees it again."""

from __future__ import annotations

import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from hashlib import sha256
from pathlib import Path
from typing import Any
from uuid import uuid4

import httpx
import pytest

from tests.api.serving import CITIZEN_IDS, Tongban, citizen_id, settings_for, tongban
from tests.servers import Database
from tongban.domain.actor import Role

PAPER = b"%PDF-1.4 lease"
REF = f"sha256:{sha256(PAPER).hexdigest()}"


@pytest.fixture(scope="module")
def person(system: Tongban) -> str:
    return system.register(CITIZEN_IDS[0])


@pytest.fixture(scope="module")
def stranger(system: Tongban) -> str:
    return system.register(CITIZEN_IDS[1], "李静")


def upload(
    system: Tongban, token: str | None, content: Any = PAPER, media_type: str = "application/pdf", **query: str
) -> httpx.Response:
    headers = {"content-type": media_type} | ({"authorization": f"Bearer {token}"} if token else {})
    return system.client.post("/uploads", content=content, headers=headers, params=query)


def download(system: Tongban, token: str, ref: str, **query: str) -> httpx.Response:
    return system.client.get(f"/uploads/{ref}", headers={"authorization": f"Bearer {token}"}, params=query)


def code_of(answer: httpx.Response) -> tuple[int, str]:
    return answer.status_code, answer.json()["code"]


def test_an_upload_is_named_by_its_content_and_comes_back_to_its_owner(system: Tongban, person: str) -> None:
    token = system.token(Role.CITIZEN, person)
    answer = upload(system, token, media_type="application/pdf; name=lease")
    assert answer.status_code == 201
    assert answer.json() == {"ref": REF, "size": len(PAPER), "media_type": "application/pdf"}
    assert answer.headers["location"] == f"/uploads/{REF}"
    again = upload(system, token)
    assert (again.status_code, again.json()) == (200, answer.json())
    back = download(system, token, REF)
    assert (back.status_code, back.content, back.headers["content-type"]) == (200, PAPER, "application/pdf")
    assert back.headers["content-disposition"] == "attachment"
    assert back.headers["cache-control"] == "private, no-store"
    assert back.headers["x-content-type-options"] == "nosniff"
    assert "sandbox" in back.headers["content-security-policy"]


def test_a_clerk_leaves_a_paper_for_an_applicant(system: Tongban, person: str) -> None:
    clerk = system.officer(Role.CLERK, "samr")
    answer = upload(system, clerk, b"from the counter", "text/plain", party=person)
    assert answer.status_code == 201
    assert download(system, system.token(Role.CITIZEN, person), answer.json()["ref"]).content == b"from the counter"
    # Until a case rests on it, it is the applicant's alone.
    assert code_of(download(system, clerk, answer.json()["ref"])) == (404, "no-such-upload")
    assert code_of(upload(system, clerk)) == (400, "party-required")
    assert code_of(upload(system, clerk, party="x")) == (400, "invalid-body")
    assert code_of(upload(system, clerk, party=str(uuid4()))) == (404, "applicant-not-registered")


def test_nobody_uploads_for_or_sees_another(system: Tongban, person: str, stranger: str) -> None:
    other = system.token(Role.CITIZEN, stranger)
    upload(system, system.token(Role.CITIZEN, person))
    assert code_of(download(system, other, REF)) == (404, "no-such-upload")
    assert code_of(upload(system, other, party=person)) == (403, "not-yours")
    assert code_of(upload(system, system.officer(Role.DECIDER, "samr"), party=person)) == (403, "role-not-allowed")
    assert code_of(upload(system, None)) == (401, "token-missing")
    assert code_of(download(system, "x.y.z", REF)) == (401, "token-invalid")


def test_only_some_types_and_no_empty_file_are_taken(system: Tongban, person: str) -> None:
    token = system.token(Role.CITIZEN, person)
    refused = upload(system, token, b"<script>", "text/html")
    assert code_of(refused) == (415, "media-type-not-taken")
    assert "application/pdf" in refused.json()["types"]
    assert code_of(upload(system, token, b"x", "")) == (415, "media-type-not-taken")
    assert code_of(upload(system, token, b"")) == (400, "empty-upload")


@pytest.mark.parametrize("ref", ["sha256:" + "0" * 64, "nonsense", "sha256:%00", "..%2F..%2Fetc", "sha256:'--"])
def test_what_is_not_there_is_told_as_such(system: Tongban, person: str, ref: str) -> None:
    for token, query in (
        (system.token(Role.CITIZEN, person), {}),
        (system.officer(Role.REVIEWER, "samr"), {"case": str(uuid4())}),
        (system.officer(Role.REVIEWER, "samr"), {"case": "x"}),
    ):
        assert download(system, token, ref, **query).status_code == 404


def test_the_same_upload_by_many_at_once_is_kept_once(system: Tongban, person: str) -> None:
    token = system.token(Role.CITIZEN, person)
    with ThreadPoolExecutor(12) as pool:
        answers = list(pool.map(lambda _: upload(system, token, b"at once", "text/plain"), range(12)))
    assert sorted(answer.status_code for answer in answers) == [200] * 11 + [201]
    assert len({answer.json()["ref"] for answer in answers}) == 1


@pytest.fixture
def small(module_database: Database, tmp_path: Path) -> Iterator[Tongban]:
    settings = settings_for(module_database, tmp_path, upload_limit=1000, upload_types="text/plain")
    with tongban(settings) as running:
        yield running


def test_limits_are_settings(small: Tongban) -> None:
    person = small.register(citizen_id(7))
    token = small.token(Role.CITIZEN, person)
    assert upload(small, token, b"x" * 1000, "text/plain").status_code == 201
    too_large = upload(small, token, b"x" * 1001, "text/plain")
    assert (*code_of(too_large), too_large.json()["limit"]) == (413, "body-too-large", 1000)

    def chunks() -> Iterator[bytes]:
        yield from [b"y" * 600] * 2

    assert code_of(upload(small, token, chunks(), "text/plain")) == (413, "body-too-large")
    assert code_of(upload(small, token, b"x", "application/pdf")) == (415, "media-type-not-taken")


def filed(system: Tongban, person: str, ref: str) -> str:
    body = {
        "item": "property-transfer",
        "applicant": person,
        "channel": "WEB",
        "materials": [{"material": "form", "how": "UPLOAD", "ref": ref}],
    }
    answer = system.give("SubmitApplication", body, system.token(Role.CITIZEN, person))
    assert answer.status_code == 201, answer.text
    return str(answer.json()["id"])


def test_officers_see_a_paper_through_their_departments_case_that_rests_on_it(
    system: Tongban, person: str, stranger: str
) -> None:
    system.publish("property-transfer")
    ref = upload(system, system.token(Role.CITIZEN, person), b"deed", "text/plain").json()["ref"]
    other = upload(system, system.token(Role.CITIZEN, person), b"diary", "text/plain").json()["ref"]
    upload(system, system.token(Role.CITIZEN, stranger), b"deed", "text/plain")
    case, foreign = filed(system, person, ref), filed(system, stranger, ref)
    system.project()
    for department in ("nr", "tax", "housing"):
        officer = system.officer(Role.REVIEWER, department)
        assert download(system, officer, ref, case=case).content == b"deed"
        assert download(system, officer, other, case=case).status_code == 404
        assert download(system, officer, ref).status_code == 404
    assert download(system, system.officer(Role.SUPERVISOR), ref, case=case).content == b"deed"
    assert download(system, system.officer(Role.REVIEWER, "fire"), ref, case=case).status_code == 404
    assert download(system, system.officer(Role.ADMIN), ref, case=case).status_code == 404
    # A case names the owner: an applicant cannot reach another's paper through one.
    assert download(system, system.token(Role.CITIZEN, person), other, case=foreign).content == b"diary"
    assert download(system, system.token(Role.CITIZEN, stranger), other, case=case).status_code == 404


def test_a_paper_is_gone_with_its_owners_key(system: Tongban) -> None:
    person = system.register(citizen_id(9))
    token = system.token(Role.CITIZEN, person)
    upload(system, token, b"secret", "text/plain")
    system.erase(person)
    with tongban(system.settings) as fresh:  # another process, which has no key at hand
        refused = download(fresh, fresh.token(Role.CITIZEN, person), f"sha256:{sha256(b'secret').hexdigest()}")
        assert code_of(refused) == (410, "upload-erased")
        assert code_of(upload(fresh, fresh.token(Role.CITIZEN, person))) == (404, "applicant-not-registered")


def test_a_damaged_file_is_told_and_not_shown(system: Tongban, person: str) -> None:
    token = system.token(Role.CITIZEN, person)
    content = f"damaged {time.time_ns()}".encode()
    before = set(system.settings.uploads_folder.rglob("*"))
    ref = upload(system, token, content, "text/plain").json()["ref"]
    [file] = [path for path in system.settings.uploads_folder.rglob("*") if path not in before and path.is_file()]
    file.write_bytes(file.read_bytes()[::-1])
    assert code_of(download(system, token, ref)) == (500, "upload-damaged")
