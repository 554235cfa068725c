"""What may be asked of the exchange log."""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

from tongban.domain.sharing.events import ExchangeRecorded


@dataclass(frozen=True, slots=True)
class RecordExchanges:
    """Write down what sources were asked when a form was opened or an application filed. Asked by the API only."""

    opening: UUID
    exchanges: tuple[ExchangeRecorded, ...]
