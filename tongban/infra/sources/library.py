"""Our own e-licence library as a source: licences that were issued here count before the city's."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime
from uuid import UUID

import psycopg
from psycopg_pool import PoolTimeout

from tongban.domain.actor import Actor, Role
from tongban.domain.office_time import office_day
from tongban.infra.read_access import ReadAccess
from tongban.infra.sources.protocol import Answer, Question, SourceFailed

_VALID = """
SELECT id, version, collected_at FROM licence_view
WHERE holder = %(holder)s AND licence_type = %(type)s
  AND valid_from <= %(day)s AND (valid_to IS NULL OR valid_to >= %(day)s)
ORDER BY valid_from DESC, id DESC LIMIT 1
"""


class OwnLibrary:
    """Looks for a valid licence of the holder and type, with the holder's own eyes (row-level security)."""

    def __init__(self, access: ReadAccess) -> None:
        """`access` reads the read tables."""
        self._access = access

    async def ask(self, question: Question) -> Answer:
        """See `protocol.Source`."""
        return await asyncio.to_thread(self._look, question)

    def _look(self, question: Question) -> Answer:
        wanted = {
            "holder": question.subject,
            "type": question.licence_type,
            "day": office_day(datetime.now(UTC)),
        }
        try:
            with self._access.reading(Actor(str(question.subject), Role.CITIZEN)) as cursor:
                row = cursor.execute(_VALID, wanted).fetchone()
        except (psycopg.Error, PoolTimeout) as error:
            raise SourceFailed(type(error).__name__) from error
        if row is None:
            return Answer(found=False, status="NONE", version="", as_of=None, evidence_id="")
        licence: UUID = row[0]
        return Answer(found=True, status="VALID", version=str(row[1]), as_of=row[2], evidence_id=str(licence))

    async def close(self) -> None:
        """The connections are the caller's."""
