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
    "absence-overlaps",
    "absence-too-long",
    "accepted-by-law",
    "agent-is-principal",
    "already-accepted",
    "already-consulted",
    "already-corrected",
    "already-decided",
    "already-extended",
    "already-rated",
    "applicant-barred",
    "applicant-not-registered",
    "applicant-not-served",
    "asked-for-exempt",
    "asked-outside-guide",
    "branch-done",
    "case-closed-already",
    "case-not-closed",
    "catch-all-condition",
    "checked-already",
    "claimed-by-other",
    "commitment-excluded",
    "correction-outstanding",
    "correction-too-late",
    "cover-is-absent",
    "defects-remain",
    "defects-required",
    "delivery-other-means",
    "effective-from-in-past",
    "delivery-not-offered",
    "effective-time-before-cause",
    "effective-time-in-future",
    "empty-name",
    "event-too-large",
    "extension-not-allowed",
    "fee-unpaid",
    "fee-without-basis",
    "gate-closed",
    "grade-out-of-range",
    "guardianship-at-counter",
    "hearing-notice",
    "hearing-outstanding",
    "how-not-allowed",
    "id-taken",
    "identifier-kind-mismatch",
    "in-person-required",
    "inspection-outstanding",
    "invalid-answer",
    "invalid-calendar",
    "invalid-identifier",
    "invalid-item",
    "invalid-validity",
    "item-not-in-force",
    "item-not-published",
    "key-in-flight",
    "key-reused",
    "late-entry-not-allowed",
    "licence-already-issued",
    "mandate-expired",
    "mandate-kind-mismatch",
    "mandate-not-yet-valid",
    "mandate-required",
    "mandate-revoked-already",
    "mandate-too-long",
    "material-repeated",
    "material-without-basis",
    "materials-missing",
    "no-commitment",
    "no-correction-asked",
    "no-fee-due",
    "no-hearing-offered",
    "no-licence-results",
    "no-procedure-running",
    "not-a-branch",
    "not-a-source-material",
    "not-a-special-procedure",
    "not-accepted",
    "not-claimed",
    "not-closed",
    "not-collected-yet",
    "not-committed",
    "not-consulted",
    "not-granted",
    "not-offered",
    "not-received",
    "not-renewable",
    "not-tolerable",
    "not-your-absence",
    "not-yours",
    "nothing-drafted",
    "nothing-to-refund",
    "nothing-to-supplement",
    "notice-required",
    "opinion-already-given",
    "opinions-against",
    "opinions-outstanding",
    "other-department",
    "other-district",
    "outside-mandate",
    "party-id-not-random",
    "party-id-taken",
    "party-not-registered",
    "period-over",
    "period-reversed",
    "person-erased",
    "procedure-running",
    "procedures-overlap",
    "promise-over-legal",
    "reason-and-remedy-required",
    "reviewer-chairs",
    "role-not-allowed",
    "same-grounds",
    "same-officer",
    "scope-empty",
    "scope-unknown",
    "stale-version",
    "tolerated-outstanding",
    "too-late-to-extend",
    "two-inspectors",
    "unavailable",
    "unknown-answer",
    "unknown-case",
    "unknown-item",
    "unknown-mandate",
    "unknown-material",
    "unknown-party",
    "wrong-amount",
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
