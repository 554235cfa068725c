"""W3C trace context: the trace a request belongs to, and our own place in it."""

from __future__ import annotations

import re
from random import SystemRandom

_TRACEPARENT = re.compile(r"(?!ff)[0-9a-f]{2}-(?!0{32})([0-9a-f]{32})-(?!0{16})[0-9a-f]{16}-([0-9a-f]{2})(?:-.*)?")
_LONGEST = 512
_bits = SystemRandom().getrandbits


def continue_trace(incoming: str | None) -> str:
    """A traceparent with a fresh span id: of the incoming trace when that is valid, else of a new one.

    An invalid one is dropped without complaint, as the recommendation asks.
    """
    span = f"{_bits(64) | 1:016x}"
    found = _TRACEPARENT.fullmatch(incoming) if incoming else None
    if found is None or len(found[0]) > _LONGEST:
        return f"00-{_bits(128) | 1:032x}-{span}-01"
    return f"00-{found[1]}-{span}-{found[2]}"


def trace_id(traceparent: str) -> str:
    """The trace id (32 hex digits) of a valid traceparent."""
    return traceparent[3:35]
