"""A data source behind HTTP: one POST per question, one JSON document per answer."""

from __future__ import annotations

from http import HTTPStatus
from typing import Annotated

import httpx
import orjson
from pydantic import AwareDatetime, BaseModel, ConfigDict, StringConstraints, ValidationError

from tongban.infra.sources.protocol import Answer, Question, SourceFailed

LARGEST_ANSWER = 65_536
_CONNECTIONS = 32
_Text = Annotated[str, StringConstraints(max_length=200, pattern=r"^[^\x00]*$")]
_Name = Annotated[str, StringConstraints(min_length=1, max_length=200, pattern=r"^[^\x00]*$")]


class _Told(BaseModel):
    """The document. Members that are not known are left alone: a source may say more than is asked."""

    model_config = ConfigDict(strict=True, hide_input_in_errors=True)

    found: bool
    status: _Text = ""
    version: _Text = ""
    as_of: AwareDatetime
    evidence_id: _Name


class HttpSource:
    """Asks `POST {url}/answers`. 200: the document; 404: it has no such thing; 429 and 5xx: it may work later."""

    def __init__(self, url: str, *, timeout: float, transport: httpx.AsyncBaseTransport | None = None) -> None:
        """`timeout` in seconds is the connection's; the caller bounds the whole question."""
        self._client = httpx.AsyncClient(
            base_url=url.rstrip("/"),
            timeout=timeout,
            limits=httpx.Limits(max_connections=_CONNECTIONS),
            trust_env=False,
            transport=transport,
        )

    async def ask(self, question: Question) -> Answer:
        """See `protocol.Source`."""
        body = orjson.dumps(question._asdict())
        headers = {"content-type": "application/json", "accept": "application/json"}
        try:
            async with self._client.stream("POST", "/answers", content=body, headers=headers) as response:
                status = response.status_code
                content = await _read(response)
        except httpx.HTTPError as error:
            raise SourceFailed(type(error).__name__) from error
        if status == HTTPStatus.NOT_FOUND:
            return Answer(found=False, status="NONE", version="", as_of=None, evidence_id="")
        if status != HTTPStatus.OK:
            later = status == HTTPStatus.TOO_MANY_REQUESTS or status >= HTTPStatus.INTERNAL_SERVER_ERROR
            raise SourceFailed(f"HTTP {status}", passing=later)
        try:
            told = _Told.model_validate_json(content)
        except ValidationError as error:
            raise SourceFailed("not an answer", passing=False) from error
        return Answer(told.found, told.status, told.version, told.as_of, told.evidence_id)

    async def close(self) -> None:
        """See `protocol.Source`."""
        await self._client.aclose()


async def _read(response: httpx.Response) -> bytes:
    content = b""
    async for chunk in response.aiter_bytes():
        content += chunk
        if len(content) > LARGEST_ANSWER:
            raise SourceFailed("too large an answer", passing=False)
    return content
