"""What holds for an item whose entry does not say otherwise, as the JSON objects a case carries along."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from tongban.domain import rules


def _span(term: rules.Term) -> Mapping[str, Any]:
    limit, _ = term
    return {"value": limit.value, "unit": limit.unit.value}


CORRECTION: Final = _span(rules.CORRECTION_BY_OFFICE)
APPLICANT_CORRECTION: Final = _span(rules.CORRECTION_BY_APPLICANT)
TOLERANT: Final = _span(rules.TOLERATED_MATERIAL)

LICENSING: Final = "01"
"""行政许可: the one type of item whose decision has a limit in law that holds without being named."""

DECISION: Final[Mapping[str, Any]] = {**_span(rules.DECISION), "basis": rules.DECISION[1]}
"""Within what time a licence is decided on where no law of its own says it (行政许可法 art. 42)."""

COMMITMENT_CHECK: Final[Mapping[str, Any]] = {"value": 2, "unit": "MONTH"}
"""Within what time a commitment is checked after the decision (告知承诺)."""

DELIVERY: Final[tuple[str, ...]] = ("ONLINE", "COUNTER", "COURIER")
"""How a result can be handed over."""

ACCEPTED_ON_FILING: Final = False
CURRENCY: Final = "CNY"
