"""Pure reactions: what an event makes the system ask for. A policy never acts; the reactor gives its commands."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from tongban.domain.policies.collect_licence import collect_issued_licence
from tongban.domain.recorded import Recorded

Policy = Callable[[Recorded], Any | None]

# Name → policy. The name is part of the command id (uuid5), so it never changes.
POLICIES: Mapping[str, Policy] = {"collect-issued-licence": collect_issued_licence}
