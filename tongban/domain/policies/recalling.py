"""A command that is made of an earlier event, too: of what an applicant filled in, which no state may keep.

A policy looks at one event, and states hold nothing personal. Where a command needs what was told before, the policy
names the versions of a stream; the reactor reads and unseals them and hands them back to the policy's own function.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple
from uuid import UUID

from tongban.domain.recorded import Recorded


class Recalling(NamedTuple):
    """`then(events)` is the command, `events` being these versions of the stream, in order, unsealed."""

    stream: UUID
    versions: tuple[int, ...]
    then: Callable[[Sequence[Recorded]], Any]
