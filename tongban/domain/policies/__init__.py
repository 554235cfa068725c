"""Pure reactions: what an event makes the system ask for. A policy never acts; the reactor gives its commands."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from tongban.domain.policies.bundles import file_sub_case, note_sub_case, tell_sub_cases
from tongban.domain.policies.collect_licence import collect_issued_licence
from tongban.domain.policies.follow_up import check_promise, hold_breach_against, undo_revoked
from tongban.domain.recorded import Recorded

Policy = Callable[[Recorded], Sequence[Any]]
"""Event → commands, given in this order; empty: nothing to ask for. A command takes effect when the event did; one that
takes effect at another moment is wrapped in `policies.dated.Dated`, one that is made of an earlier event, too, in
`policies.recalling.Recalling`.

The place of a command in the sequence is part of its id: a policy that is changed must keep the places of what it asked
for before, so that events that are read again ask for nothing twice.
"""

# Name → policy. The name is part of the command id (uuid5), so it never changes.
POLICIES: Mapping[str, Policy] = {
    "collect-issued-licence": collect_issued_licence,
    "check-promise": check_promise,
    "hold-breach-against": hold_breach_against,
    "undo-revoked": undo_revoked,
    "note-sub-case": note_sub_case,
    "file-sub-case": file_sub_case,
    "tell-sub-cases": tell_sub_cases,
}
