"""Asking data sources what an applicant need not bring; every question is written down before its answer is used."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from hashlib import sha256
from uuid import UUID, uuid4

from uuid_utils.compat import uuid7

from tongban.api.giving import Giver
from tongban.commands.requests import Request
from tongban.domain.actor import Actor, Role
from tongban.domain.sharing.commands import RecordExchanges
from tongban.domain.sharing.events import ExchangeRecorded, ExchangeResult, Purpose
from tongban.domain.sharing.exemption import NOT_CONNECTED, Found, Need
from tongban.infra.sources.asking import NOT_ASKED, Exchange
from tongban.infra.sources.protocol import Question
from tongban.infra.sources.registry import Sources


class Inquiry:
    """Asks side by side, and gives the exchange log its events."""

    def __init__(self, sources: Sources, giver: Giver) -> None:
        """`giver` leads to the command bus."""
        self._sources = sources
        self._giver = giver

    async def ask(
        self,
        wanted: Sequence[Need],
        opening: UUID,
        item: str,
        applicant: UUID,
        actor: Actor,
        purpose: Purpose,
        *,
        draft: UUID | None,
    ) -> dict[str, Found | str]:
        """What sources say, by material, side by side; a text says why one said nothing. All of it is written down."""
        if not wanted:
            return {}
        questions = [
            Question(uuid4(), need.how, need.source or "", applicant, need.material, need.licence_type, item, purpose)
            for need in wanted
        ]
        exchanged = await asyncio.gather(*map(self._sources.ask, questions))
        recorded = tuple(_recorded(exchange, actor, draft) for exchange in exchanged)
        await self._record(opening, recorded, applicant, actor)
        return {exchange.question.material: _answer(exchange) for exchange in exchanged}

    async def _record(
        self, opening: UUID, exchanges: tuple[ExchangeRecorded, ...], applicant: UUID, actor: Actor
    ) -> None:
        key = uuid7()
        await self._giver.give(
            Request(
                name=RecordExchanges.__name__,
                body=RecordExchanges(opening, exchanges),
                actor=Actor("form", Role.SYSTEM, actor.department, actor.district, on_behalf_of=applicant),
                idempotency_key=key,
                fingerprint=sha256(key.bytes).digest(),
            )
        )


def _answer(exchange: Exchange) -> Found | str:
    answer = exchange.answer
    if exchange.result is ExchangeResult.FOUND and answer is not None and answer.as_of is not None:
        return Found(exchange.question.source, answer.version, answer.as_of, answer.evidence_id)
    return NOT_CONNECTED if exchange.attempts == NOT_ASKED else exchange.result.value


def _recorded(exchange: Exchange, actor: Actor, draft: UUID | None) -> ExchangeRecorded:
    question, answer = exchange.question, exchange.answer
    return ExchangeRecorded(
        request_id=question.request_id,
        purpose=Purpose(question.purpose),
        item=question.item,
        subject=question.subject,
        draft=draft,
        asked_by=f"{actor.role.value}:{actor.id}",
        material=question.material,
        how=question.kind,
        source=question.source,
        result=exchange.result,
        status=answer.status if answer else None,
        evidence_id=answer.evidence_id if answer else None,
        data_version=answer.version if answer else None,
        data_as_of=answer.as_of if answer else None,
        latency_ms=exchange.latency_ms,
        attempts=exchange.attempts,
    )
