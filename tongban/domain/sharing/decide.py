"""What an exchange leads to."""

from __future__ import annotations

from tongban.domain.sharing.commands import RecordExchanges
from tongban.domain.sharing.events import ExchangeResult, ExemptionFailed, SharingEvent
from tongban.domain.sharing.state import Sharing


def record_exchanges(command: RecordExchanges, sharing: Sharing) -> list[SharingEvent]:
    """Each exchange once; one without an answer is held against its source."""
    events: list[SharingEvent] = []
    for exchange in command.exchanges:
        if exchange.request_id in sharing.recorded:
            continue
        events.append(exchange)
        if exchange.result is not ExchangeResult.FOUND:
            failed = ExemptionFailed(
                request_id=exchange.request_id,
                item=exchange.item,
                material=exchange.material,
                source=exchange.source,
                problem=exchange.result,
            )
            events.append(failed)
    return events
