"""Problem documents: their members, languages, and that every kind is documented."""

from __future__ import annotations

import json
import re
from datetime import UTC, datetime
from pathlib import Path
from uuid import UUID

import pytest

from tongban.api.problem_docs import problems_markdown
from tongban.api.problems import URN, Problem, kinds, preferred_language, problem_of, render
from tongban.commands.requests import KeyInFlight, KeyReused, Unavailable
from tongban.domain.actor import Role
from tongban.domain.case.refusals import NotGranted, OpinionsOutstanding, UnknownCase
from tongban.domain.case.state import Status
from tongban.domain.errors import DomainError, EffectiveTimeInFuture, NotYours, RoleNotAllowed, StaleVersion

DOCUMENT = Path(__file__).parents[2] / "docs" / "problems.md"


def told(error: Exception, language: str = "") -> dict[str, object]:
    _, _, body = render(problem_of(error), language)
    document: dict[str, object] = json.loads(body)
    return document


@pytest.mark.parametrize(
    ("error", "status"),
    [
        (NotYours(id=1), 403),
        (UnknownCase(case_id=1), 404),
        (StaleVersion(expected=1, current=2), 409),
        (KeyInFlight(), 409),
        (KeyReused(), 422),
        (OpinionsOutstanding(branches=["fire"]), 422),
        (Unavailable(retry_after=7), 503),
        (ZeroDivisionError("secret"), 500),
    ],
    ids=lambda value: str(getattr(value, "code", value)),
)
def test_each_family_of_rules_has_its_status(error: Exception, status: int) -> None:
    assert told(error)["status"] == status


def test_a_document_has_the_members_of_rfc_9457_and_the_rules_fields() -> None:
    case = UUID("6b1f4a52-7a0e-4b57-9f43-3f2f6f9a7c10")
    assert told(UnknownCase(case_id=case)) == {
        "type": "urn:tongban:problem:unknown-case",
        "title": "There is no case with this id.",
        "status": 404,
        "detail": f"There is no case with this id. (case_id: {case})",
        "code": "unknown-case",
        "case_id": str(case),
    }


def test_a_rules_field_never_hides_a_member_of_the_document() -> None:
    document = told(NotGranted(number="SAMR-1", status=Status.ACCEPTED))
    assert (document["status"], document["rule_status"]) == (422, Status.ACCEPTED.value)


def test_fields_are_plain_json_in_a_fixed_order() -> None:
    moment = datetime(2026, 3, 2, 1, 30, tzinfo=UTC)
    assert told(EffectiveTimeInFuture(effective_at=moment))["effective_at"] == "2026-03-02T01:30:00+00:00"
    refused = RoleNotAllowed(role=Role.CLERK, allowed=frozenset({Role.HEAD, Role.ACCEPTOR}))
    assert told(refused)["allowed"] == ["acceptor", "head"]


def test_an_unforeseen_error_tells_nothing_of_itself() -> None:
    assert "secret" not in json.dumps(told(ZeroDivisionError("secret")))


def test_unavailable_says_when_to_come_back() -> None:
    _, headers, _ = render(problem_of(Unavailable(retry_after=7)))
    assert (b"retry-after", b"7") in headers


@pytest.mark.parametrize(
    ("accepted", "language"),
    [
        ("", "en"),
        ("zh", "zh"),
        ("zh-CN,zh;q=0.9,en;q=0.8", "zh"),
        ("en-GB,zh;q=0.9", "en"),
        ("zh;q=0.3, en;q=0.7", "en"),
        ("fr, zh-Hans;q=0.1", "zh"),
        ("zh;q=0", "en"),
        ("zh;q=x", "en"),
        ("*", "en"),
        (",;=,zh", "zh"),
    ],
)
def test_the_title_is_in_the_language_the_caller_prefers(accepted: str, language: str) -> None:
    assert preferred_language(accepted) == language
    title = told(UnknownCase(), accepted)["title"]
    assert title == ("没有该办件。" if language == "zh" else "There is no case with this id.")


def test_every_kind_of_problem_is_documented_as_it_is() -> None:
    assert DOCUMENT.read_text("utf-8") == problems_markdown(), (
        "run: python -m tongban.api.problem_docs > docs/problems.md"
    )


def test_codes_are_unique_kebab_case_with_a_sentence_in_both_languages() -> None:
    found = kinds()
    assert len({kind.code for kind in found}) == len(found)
    for kind in found:
        assert re.fullmatch(r"[a-z]+(-[a-z]+)*", kind.code), kind
        assert kind.uri == URN + kind.code
        assert kind.title.endswith("."), kind
        assert kind.zh.endswith("。"), kind
        assert kind.zh != DomainError.zh, f"{kind.code} has no Chinese sentence of its own"


def test_a_problem_that_is_one_already_stays_itself() -> None:
    problem = Problem(kinds()[0], "here")
    assert problem_of(problem) is problem
