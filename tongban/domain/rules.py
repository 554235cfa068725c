"""The limits of the law as data: rules R1 to R13, what may stop a clock, and what the law of single items says instead.

`RULES` is the whole table; the constants below it name what decisions ask for. Each limit comes with its basis. What an
item's entry says wins over all of them (`terms` of `catalogue.item`).
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from types import MappingProxyType
from typing import Any, Final, NamedTuple

from tongban.domain.clock import Extension, Limit, Unit

Term = tuple[Limit, str]
"""A limit and its basis in law; an empty basis: this project's choice."""


class Missed(StrEnum):
    """What follows when a limit is not kept."""

    DEEMED_ACCEPTED = "DEEMED_ACCEPTED"
    DEEMED_RENEWED = "DEEMED_RENEWED"
    OVERDUE = "OVERDUE"
    TIME_COUNTS = "TIME_COUNTS"
    TOO_LATE = "TOO_LATE"
    LAPSED = "LAPSED"
    NOTHING = "NOTHING"


class Rule(NamedTuple):
    """One limit of the law: of what, from when, on what basis, and what follows when it is not kept.

    `limit` is None where the rule orders something else than a time. `approver` is who must agree to it.
    """

    number: str
    name: str
    limit: Limit | None
    starts: str
    basis: str
    missed: Missed
    approver: str | None = None

    @property
    def term(self) -> Term:
        """Its limit with its basis."""
        assert self.limit is not None, f"{self.name} has no limit"
        return self.limit, self.basis

    @property
    def extension(self) -> Extension:
        """Its limit as time that is added to another."""
        return Extension(*self.term)


def _wd(value: int) -> Limit:
    return Limit(value, Unit.WORKING_DAY)


def _months(value: int) -> Limit:
    return Limit(value, Unit.MONTH)


_LAW = "行政许可法"

_TABLE: Final[tuple[Rule, ...]] = (
    Rule("R1", "correction-by-office", _wd(5), "receipt", f"{_LAW} art. 32(4)", Missed.DEEMED_ACCEPTED),
    # No law says how long the applicant has to mend, nor for how long what is tolerated may be missing.
    Rule("R1", "correction-by-applicant", _wd(15), "correction notice", "", Missed.LAPSED),
    Rule("R1", "tolerated-material", _wd(10), "acceptance", "", Missed.LAPSED),
    Rule("R2", "decision", _wd(20), "acceptance", f"{_LAW} art. 42(1)", Missed.OVERDUE),
    Rule("R3", "decision-extension", _wd(10), "end of R2", f"{_LAW} art. 42(1)", Missed.OVERDUE, "head of the organ"),
    Rule("R4", "joint-decision", _wd(45), "acceptance", f"{_LAW} art. 42(2)", Missed.OVERDUE),
    Rule("R4", "joint-extension", _wd(15), "end of R4", f"{_LAW} art. 42(2)", Missed.OVERDUE, "head of the government"),
    Rule("R5", "lower-level", _wd(20), "acceptance", f"{_LAW} art. 43", Missed.OVERDUE),
    Rule("R6", "delivery", _wd(10), "decision", f"{_LAW} art. 44", Missed.OVERDUE),
    Rule("R7", "excluded-time", None, "written notice", f"{_LAW} art. 45", Missed.TIME_COUNTS),
    Rule("R8", "inspectors-assigned", _wd(5), "acceptance", f"{_LAW} art. 55", Missed.OVERDUE),
    Rule("R9", "hearing-requested", _wd(5), "being told", f"{_LAW} art. 47", Missed.TOO_LATE),
    Rule("R9", "hearing-held", _wd(20), "request", f"{_LAW} art. 47", Missed.OVERDUE),
    Rule("R9", "hearing-announced", _wd(7), "before the hearing", f"{_LAW} art. 48", Missed.TOO_LATE),
    Rule("R10", "renewal-requested", _wd(30), "before the expiry", f"{_LAW} art. 50", Missed.TOO_LATE),
    Rule("R10", "renewal-decided", None, "before the expiry", f"{_LAW} art. 50", Missed.DEEMED_RENEWED),
    Rule("R11", "quota", None, "order of acceptance", f"{_LAW} art. 57", Missed.NOTHING),
    Rule("R12", "false-papers", _months(12), "finding", f"{_LAW} art. 78", Missed.NOTHING),
    Rule("R12", "fraud", _months(36), "finding", f"{_LAW} art. 79", Missed.NOTHING),
    Rule("R13", "revocation", None, "finding", f"{_LAW} art. 69", Missed.NOTHING),
    Rule("R13", "cancellation", None, "ground", f"{_LAW} art. 70", Missed.NOTHING),
)

RULES: Final[Mapping[str, Rule]] = MappingProxyType({rule.name: rule for rule in _TABLE})
"""Name → rule, in order of their numbers."""

# ── R1 ───────────────────────────────────────────────────────────────────────────────────────────────────────────
RULE_DEEMED_ACCEPTED: Final = "R1"
CORRECTION_BY_OFFICE: Final = RULES["correction-by-office"].term
# Where an item's law has no 5 days: who is not refused in writing on the spot is accepted as of the receipt.
ON_THE_SPOT: Final[Term] = (_wd(0), "上海市不动产登记若干规定 art. 12")
CORRECTION_BY_APPLICANT: Final = RULES["correction-by-applicant"].term
TOLERATED_MATERIAL: Final = RULES["tolerated-material"].term
# ── R2, R3, R4, R5 ───────────────────────────────────────────────────────────────────────────────────────────────
DECISION: Final = RULES["decision"].term
DECISION_EXTENSION: Final = RULES["decision-extension"].extension
JOINT_DECISION: Final = RULES["joint-decision"].term
JOINT_EXTENSION: Final = RULES["joint-extension"].extension
LOWER_LEVEL: Final = RULES["lower-level"].term
# ── R6 ───────────────────────────────────────────────────────────────────────────────────────────────────────────
ISSUE_AND_DELIVER: Final = RULES["delivery"].term
# ── R7 ───────────────────────────────────────────────────────────────────────────────────────────────────────────
ART_45: Final = frozenset(
    {"HEARING", "TENDER", "AUCTION", "INSPECTION_TEST", "QUARANTINE", "APPRAISAL", "EXPERT_REVIEW"}
)
LONGEST_PROCEDURE: Final = 250  # working days; a year: what is told must still be a time
# ── R8 ───────────────────────────────────────────────────────────────────────────────────────────────────────────
INSPECTORS_ASSIGNED: Final = RULES["inspectors-assigned"].term
FEWEST_INSPECTORS: Final = 2  # art. 34, 55
# ── R9 ───────────────────────────────────────────────────────────────────────────────────────────────────────────
HEARING_TO_BE_REQUESTED: Final = RULES["hearing-requested"].term
HEARING_TO_BE_HELD: Final = RULES["hearing-held"].term
HEARING_NOTICE: Final = RULES["hearing-announced"].term[0].value  # working days
# ── R10 ──────────────────────────────────────────────────────────────────────────────────────────────────────────
RULE_DEEMED_RENEWED: Final = "R10"
RENEWAL_IN_TIME: Final = RULES["renewal-requested"].term[0].value  # working days before the expiry
# ── R12 ──────────────────────────────────────────────────────────────────────────────────────────────────────────
BAN_FOR_FALSE_PAPERS: Final = RULES["false-papers"].term
BAN_FOR_FRAUD: Final = RULES["fraud"].term


class Override(NamedTuple):
    """What the law of some items says instead, as `clockRules` of an entry and as its legal limit and extension.

    `stops` are kinds of time that this law leaves out besides those of art. 45.
    """

    limit: Limit
    basis: str
    extension: Limit | None = None
    clock_rules: Mapping[str, Any] = MappingProxyType({})
    stops: frozenset[str] = frozenset()


_REAL_ESTATE = "上海市不动产登记若干规定"
# Who is not refused in writing on the spot is accepted, and the day of application is the day of acceptance.
_ON_FILING: Mapping[str, Any] = MappingProxyType({"acceptedOnFiling": True})
_ANNOUNCEMENT = frozenset({"PUBLIC_ANNOUNCEMENT"})

OVERRIDES: Final[Mapping[str, Override]] = MappingProxyType(
    {
        "real-estate-registration": Override(
            _wd(5), f"{_REAL_ESTATE} art. 14(4)", clock_rules=_ON_FILING, stops=_ANNOUNCEMENT
        ),
        "real-estate-mortgage-cancellation": Override(
            _wd(1), f"{_REAL_ESTATE} art. 14(2)", clock_rules=_ON_FILING, stops=_ANNOUNCEMENT
        ),
        "real-estate-inheritance-without-deed": Override(
            _wd(30), f"{_REAL_ESTATE} art. 14(3)", clock_rules=_ON_FILING, stops=_ANNOUNCEMENT
        ),
        "real-estate-seizure-or-objection": Override(_wd(0), f"{_REAL_ESTATE} art. 12 to 14", clock_rules=_ON_FILING),
        "company-registration": Override(_wd(3), "市场主体登记管理条例 art. 19", extension=_wd(3)),
        "company-start": Override(_wd(1), "上海市优化营商环境条例 art. 31"),
    }
)
"""Kind of item → its own law."""
