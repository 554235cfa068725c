"""What holds for an item whose entry does not say otherwise: limits that come from law, as data. An entry wins.

`clockRules` of an entry overrides the three of them that are clocks of their own; each limit is a JSON object of value
and unit, as a case carries it along.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

CORRECTION: Final[Mapping[str, Any]] = {"value": 5, "unit": "WORKING_DAY"}
"""The one-time correction notice (行政许可法 art. 32(4))."""

APPLICANT_CORRECTION: Final[Mapping[str, Any]] = {"value": 15, "unit": "WORKING_DAY"}
"""How long an applicant has for a correction. No law sets it; a choice of this project that an entry may replace."""

TOLERANT: Final[Mapping[str, Any]] = {"value": 10, "unit": "WORKING_DAY"}
"""How long a tolerated material may follow after acceptance (容缺受理). A choice of this project."""

COMMITMENT_CHECK: Final[Mapping[str, Any]] = {"value": 2, "unit": "MONTH"}
"""Within what time a commitment is checked after the decision (告知承诺)."""

DELIVERY: Final[tuple[str, ...]] = ("ONLINE", "COUNTER", "COURIER")
"""How a result can be handed over."""

ACCEPTED_ON_FILING: Final = False
CURRENCY: Final = "CNY"
