"""Import and export of the catalogue: entries from a file through the command API, entries in force to a file."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any
from uuid import uuid4

import httpx
import orjson

from tongban.bootstrap.errors import NotConfigured, need_database
from tongban.bootstrap.tools import base_url, issue_token
from tongban.domain.actor import Role
from tongban.domain.catalogue.checks import check_item, item_id_of
from tongban.domain.errors import DomainError
from tongban.domain.office_time import office_day
from tongban.infra.database import DbRole, connect
from tongban.infra.settings import Settings
from tongban.projections.items import ItemVersionRow, items_in_force

_PAGE = 100


@dataclass(frozen=True, slots=True)
class Judged:
    """What became of one entry: `result` is published, unchanged, refused, or (checked only) lawful.

    A refusal says its code and, of a wrong entry, the place in it (JSON pointer).
    """

    number: int
    id: str | None
    result: str
    code: str | None = None
    at: str | None = None
    detail: str | None = None


def import_items(settings: Settings, file: Path, effective_from: date | None = None) -> list[Judged]:
    """Publish the entries of a file, each judged alone. Raises NotConfigured for a file that holds none.

    What is in force from that day on already is left as it is; so a file can be imported again after a refusal.
    """
    entries = read_entries(file)
    token = issue_token(settings, Role.ADMIN, "catalogue-import")
    with httpx.Client(base_url=base_url(settings), timeout=30, headers={"Authorization": f"Bearer {token}"}) as client:
        judged = []
        for number, entry in enumerate(entries):
            body = {"item": entry, "effective_from": effective_from}
            # A new key each time: going back to what was imported once is a change.
            headers = {"Idempotency-Key": str(uuid4()), "Content-Type": "application/json"}
            answer = client.post("/commands/PublishItem", content=orjson.dumps(body), headers=headers)
            judged.append(_judged(number, entry, answer))
        return judged


def check_items(settings: Settings, file: Path) -> list[Judged]:
    """Judge every entry of a file and publish none: by its content alone, and whether it is what is in force.

    Raises NotConfigured for a file that holds none.
    """
    in_force = {row.item_id: row.definition for row in export_items(settings)} if settings.database_url else {}
    seen: set[str] = set()
    judged = []
    for number, entry in enumerate(read_entries(file)):
        try:
            check_item(entry)
        except DomainError as refusal:
            place = refusal.fields.get("at")
            detail = str(refusal.fields.get("problem", refusal.message))
            at = None if place is None else str(place)
            judged.append(Judged(number, _id_of(entry), "refused", refusal.code, at, detail))
            continue
        name = item_id_of(entry)
        if name in seen:
            judged.append(Judged(number, name, "refused", "invalid-item", "/id", "an earlier entry has this id"))
        else:
            judged.append(Judged(number, name, "unchanged" if in_force.get(name) == entry else "lawful"))
        seen.add(name)
    return judged


def export_items(settings: Settings) -> list[ItemVersionRow]:
    """The items in force today, by id. Raises NotConfigured."""
    need_database(settings)
    today = office_day(datetime.now(UTC))
    rows: list[ItemVersionRow] = []
    after = None
    with closing(connect(settings.database_url, DbRole.PROJECTOR)) as conn, conn.transaction(), conn.cursor() as cursor:
        cursor.execute("SET LOCAL search_path TO read")
        while True:
            page = items_in_force(cursor, today=today, first=_PAGE, after=after)
            rows += [row for _, row in page.rows]
            if not page.has_next:
                return rows
            after = page.rows[-1][0]


def read_entries(file: Path) -> list[Any]:
    """The entries of a file: a list of them, or an object with such a list under `items`. Raises NotConfigured."""
    try:
        told = orjson.loads(file.read_bytes())
    except OSError as error:
        raise NotConfigured(f"{file} cannot be read: {error.strerror}") from None
    except orjson.JSONDecodeError as error:
        raise NotConfigured(f"{file}: {error.msg} in line {error.lineno}") from None
    entries = told.get("items") if isinstance(told, dict) else told
    if not isinstance(entries, list) or not entries:
        raise NotConfigured(f"{file}: a list of entries, or an object with one under items, is required")
    return entries


def _judged(number: int, entry: Any, answer: httpx.Response) -> Judged:
    told: Mapping[str, Any] = answer.json()
    if answer.is_success:
        return Judged(number, _id_of(entry), "published" if told["events"] else "unchanged")
    if answer.status_code in (401, 403, 429, 503):  # nothing that is wrong with the entry
        raise NotConfigured(f"entry {number} was not judged: {answer.status_code} {answer.text[:300]}")
    at = told.get("at", told.get("pointer"))
    return Judged(number, _id_of(entry), "refused", told.get("code"), at, told.get("problem") or told.get("detail"))


def _id_of(entry: Any) -> str | None:
    name = entry.get("id") if isinstance(entry, dict) else None
    return name if isinstance(name, str) else None
