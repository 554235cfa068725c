"""Every projection, and how a batch of events is applied to all of them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from psycopg import Cursor

from tongban.domain.recorded import Recorded
from tongban.projections.absences import ABSENCES
from tongban.projections.apply import apply_events
from tongban.projections.bundle_definitions import BUNDLE_DEFINITIONS, BUNDLE_VERSIONS
from tongban.projections.bundles import BUNDLE_TIMERS_TABLE, BUNDLES
from tongban.projections.calendars import CALENDAR_VERSIONS, CALENDARS
from tongban.projections.cases import CASES
from tongban.projections.commitments import COMMITMENTS
from tongban.projections.items import ITEM_VERSIONS, ITEMS
from tongban.projections.licences import LICENCES
from tongban.projections.mandates import MANDATES
from tongban.projections.parties import PARTIES
from tongban.projections.projection import Projection
from tongban.projections.queue import QUEUE
from tongban.projections.ratings import RATINGS
from tongban.projections.revocations import REVOCATIONS
from tongban.projections.timeline import TIMELINE
from tongban.projections.timers import CASE_TIMERS

PROJECTIONS: tuple[Projection, ...] = (
    CASES,
    QUEUE,
    CASE_TIMERS,
    TIMELINE,
    LICENCES,
    PARTIES,
    MANDATES,
    ABSENCES,
    ITEMS,
    ITEM_VERSIONS,
    RATINGS,
    CALENDARS,
    CALENDAR_VERSIONS,
    COMMITMENTS,
    REVOCATIONS,
    BUNDLES,
    BUNDLE_TIMERS_TABLE,
    BUNDLE_DEFINITIONS,
    BUNDLE_VERSIONS,
)


def apply_batch(cursor: Cursor[tuple[Any, ...]], events: Sequence[Recorded]) -> None:
    """Apply events to every projection, in the caller's transaction (search_path = the read schema).

    Events of one stream come in version order; repeats are skipped. Raises PoisonEvent; then roll back.
    """
    apply_events(cursor, PROJECTIONS, events)
