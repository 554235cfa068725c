"""Which source answers for what, and every source that is connected."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from importlib.resources import files
from typing import Any

import orjson

from tongban.domain.case.commands import How
from tongban.domain.sharing.events import ExchangeResult
from tongban.infra.read_access import ReadAccess
from tongban.infra.reference import load_reference
from tongban.infra.settings import Settings
from tongban.infra.sources.asking import NOT_ASKED, Asker, Exchange, Patience
from tongban.infra.sources.http import HttpSource
from tongban.infra.sources.library import OwnLibrary
from tongban.infra.sources.protocol import Question, Source
from tongban.infra.sources.simulated import Shares, SimulatedSource

ANY = "*"


class BadSources(Exception):
    """The setting of the data sources cannot be read; the message says why."""


@cache
def _duties() -> Mapping[str, Any]:
    loaded: Mapping[str, Any] = orjson.loads((files("tongban.data") / "duties.json").read_bytes())
    return loaded


def source_of(material: str, how: How, licence_type: str | None) -> str:
    """The source that answers for a material: the licence's issuer, or whose duty the data are (责任清单)."""
    listed = _duties()
    if how is How.E_LICENCE:
        known = load_reference().licence_types.get(licence_type or "")
        return known.department if known else str(listed["exchange"])
    if how is How.ONLINE_AUTHORISATION:
        return str(listed["authorisations"])
    return str(listed["duties"].get(material, listed["exchange"]))


class Sources:
    """Every connected source by name; `*` stands for all others. Our own library is asked first for licences."""

    def __init__(self, connected: Mapping[str, Source], asker: Asker, own: Source | None = None) -> None:
        """Usually made by `open_sources`."""
        self._connected = connected
        self._asker = asker
        self._own = own

    async def ask(self, question: Question) -> Exchange:
        """Never raises for what a source does."""
        if question.kind == How.E_LICENCE and self._own is not None:
            # Its health is its own: a library that is away must not count against the issuer.
            asked = await self._asker.ask(self._own, question._replace(source="own-library"))
            if asked.result is ExchangeResult.FOUND:
                return Exchange(question, asked.result, asked.answer, asked.latency_ms, asked.attempts)
        source = self._connected.get(question.source) or self._connected.get(ANY)
        if source is None:
            return Exchange(question, ExchangeResult.ERROR, None, 0, NOT_ASKED)
        return await self._asker.ask(source, question)

    async def close(self) -> None:
        """Let go of every connection."""
        for source in self._connected.values():
            await source.close()


def open_sources(settings: Settings, access: ReadAccess | None) -> Sources:
    """The sources that the settings name. Raises BadSources."""
    connected: dict[str, Source] = {}
    for part in filter(None, (part.strip() for part in settings.sources.split(","))):
        name, equals, url = part.partition("=")
        if not equals or not name.strip() or not url.strip().startswith(("http://", "https://")):
            raise BadSources(
                "TONGBAN_SOURCES must be name=URL with commas, such as psb=https://psb.example,*=https://…"
            )
        connected[name.strip()] = HttpSource(url.strip(), timeout=settings.source_timeout)
    if not settings.sources and not settings.oidc_issuer:
        # With a real issuer this is no play any more: what is made up must not spare anybody a paper.
        shares = Shares(settings.simulated_missing, settings.simulated_failing, settings.simulated_slow)
        connected[ANY] = SimulatedSource(shares, slow_seconds=10 * settings.source_timeout)
    patience = Patience(
        timeout=settings.source_timeout,
        attempts=settings.source_attempts,
        failures=settings.source_failures,
        rest=settings.source_rest,
    )
    return Sources(connected, Asker(patience), OwnLibrary(access) if access else None)
