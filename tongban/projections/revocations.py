"""Which decisions were revoked? One row per revocation (`revocation_view`); its texts stay sealed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, NamedTuple
from uuid import UUID

from tongban.domain.recorded import Recorded
from tongban.domain.revocation.events import DecisionRevoked
from tongban.projections.projection import StreamTable


class RevocationRow(NamedTuple):
    """A revocation. `ground` is a code of the domain."""

    id: UUID
    case_id: UUID
    item_id: str
    ground: str
    protected: bool
    revoked_at: datetime
    sealed: Sequence[Mapping[str, Any]]
    version: int
    position: int


def fold(_: RevocationRow | None, recorded: Recorded) -> RevocationRow:
    """The revocation: it has one event."""
    event: DecisionRevoked = recorded.event
    return RevocationRow(
        id=recorded.envelope.stream,
        case_id=event.case_id,
        item_id=event.item_id,
        ground=event.ground,
        protected=event.protected,
        revoked_at=recorded.envelope.effective_at,
        sealed=recorded.sealed,
        version=recorded.envelope.version,
        position=recorded.position,
    )


REVOCATIONS = StreamTable(name="revocation_view", row=RevocationRow, events=(DecisionRevoked,), fold=fold)
