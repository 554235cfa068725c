"""A licence that is issued enters the e-licence library at once (上海市优化营商环境条例 art. 32)."""

from __future__ import annotations

from collections.abc import Sequence

from tongban.domain.case.events import LicenceIssued
from tongban.domain.licence.commands import CollectLicence
from tongban.domain.personal import Withheld
from tongban.domain.recorded import Recorded


def collect_issued_licence(recorded: Recorded) -> Sequence[CollectLicence]:
    """LicenceIssued → CollectLicence. A face that can no longer be read (erased) enters empty."""
    event = recorded.event
    if not isinstance(event, LicenceIssued):
        return ()
    collect = CollectLicence(
        licence_id=event.licence_id,
        case_id=recorded.envelope.stream,
        licence_type=event.licence_type,
        licence_number=event.licence_number,
        holder=event.holder,
        valid_from=event.valid_from,
        valid_to=event.valid_to,
        face={} if isinstance(event.face, Withheld) else event.face,
        correlation=recorded.envelope.correlation,
    )
    return (collect,)
