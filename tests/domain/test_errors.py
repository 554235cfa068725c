"""Every rule has its text, its code, and a test that breaks it."""

import re
from collections import Counter
from pathlib import Path

import pytest

import tongban.commands.batch
import tongban.commands.requests
import tongban.domain.authority
import tongban.domain.registry  # noqa: F401 - loads every rule
from tongban.domain.errors import Conflict, DomainError, Forbidden, NotFound, RuleBroken

FAMILIES = {RuleBroken, Forbidden, NotFound, Conflict}

RELEASED_CODES = {
    "already-decided",
    "already-rated",
    "applicant-not-registered",
    "applicant-not-served",
    "case-closed-already",
    "case-not-closed",
    "effective-time-before-cause",
    "effective-time-in-future",
    "empty-name",
    "id-taken",
    "event-too-large",
    "grade-out-of-range",
    "identifier-kind-mismatch",
    "invalid-calendar",
    "invalid-identifier",
    "invalid-item",
    "invalid-validity",
    "item-not-published",
    "key-in-flight",
    "key-reused",
    "late-entry-not-allowed",
    "licence-already-issued",
    "material-repeated",
    "no-licence-results",
    "not-a-branch",
    "not-accepted",
    "not-granted",
    "not-yours",
    "opinion-already-given",
    "opinions-against",
    "opinions-outstanding",
    "other-department",
    "party-id-taken",
    "person-erased",
    "reason-and-remedy-required",
    "role-not-allowed",
    "same-officer",
    "stale-version",
    "absence-overlaps",
    "absence-too-long",
    "agent-is-principal",
    "cover-is-absent",
    "guardianship-at-counter",
    "in-person-required",
    "mandate-expired",
    "mandate-kind-mismatch",
    "mandate-not-yet-valid",
    "mandate-required",
    "mandate-revoked-already",
    "mandate-too-long",
    "not-your-absence",
    "other-district",
    "outside-mandate",
    "party-not-registered",
    "period-over",
    "period-reversed",
    "scope-empty",
    "scope-unknown",
    "unavailable",
    "unknown-mandate",
    "unknown-case",
    "unknown-material",
}
"""Clients switch on these: one that stands here is never renamed or dropped."""


def every_rule() -> list[type[DomainError]]:
    found: list[type[DomainError]] = []
    waiting = list(DomainError.__subclasses__())
    while waiting:
        rule = waiting.pop()
        waiting += rule.__subclasses__()
        if rule.__module__.startswith(("tongban.domain", "tongban.commands")):
            found.append(rule)
    return found


RULES = sorted((rule for rule in every_rule() if rule not in FAMILIES), key=lambda rule: rule.__name__)


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.__name__)
def test_a_rule_says_itself_in_chinese_and_english(rule: type[DomainError]) -> None:
    assert "zh" in vars(rule), "it has no Chinese text of its own"
    assert re.search(r"[\u4e00-\u9fff]", rule.zh)
    assert rule.__doc__
    assert rule.__doc__.strip().endswith(".")
    assert "\n" not in rule().message


def test_codes_are_unique_and_in_kebab_case() -> None:
    codes = Counter(rule.code for rule in RULES)
    assert max(codes.values()) == 1
    assert all(re.fullmatch(r"[a-z]+(-[a-z]+)*", code) for code in codes)


def test_no_released_code_was_lost() -> None:
    assert {rule.code for rule in RULES} >= RELEASED_CODES


def test_every_rule_is_of_one_of_the_families_that_have_an_http_status() -> None:
    assert [rule for rule in RULES if not issubclass(rule, tuple(FAMILIES)) and rule.code != "unavailable"] == []


def test_a_refusal_keeps_its_fields() -> None:
    refusal = RuleBroken(number="NR-1", branches=("tax",))
    assert refusal.fields == {"number": "NR-1", "branches": ("tax",)}
    assert str(refusal) == "A rule of the procedure was broken."


def test_every_rule_is_broken_by_some_test() -> None:
    tests = Path(__file__).parents[1]
    source = "".join(
        file.read_text("utf-8")
        for folder in ("domain", "commands")
        for file in sorted((tests / folder).glob("test_*.py"))
    )
    refusals = re.findall(r"(?:then_refuses|refused|raises)\(([^)]*)", source)
    broken = set(re.findall(r"\w+", " ".join(refusals)))
    assert {rule.__name__ for rule in RULES} - broken == set()
