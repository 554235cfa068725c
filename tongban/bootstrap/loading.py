"""Gives reference data to the command API as an administrator: the sample catalogue, working-day calendars."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict
from hashlib import sha256
from pathlib import Path
from typing import Any
from uuid import NAMESPACE_URL, UUID, uuid4, uuid5

import httpx
import orjson

from tongban.bootstrap.errors import NotConfigured
from tongban.bootstrap.tools import base_url, issue_token
from tongban.domain.actor import Role
from tongban.domain.calendar.decide import InvalidCalendar, check_calendar
from tongban.infra.reference import UnreadableCalendar, read_calendars, sample_bundles, sample_calendars, sample_items
from tongban.infra.settings import Settings

Give = Callable[[str, Any, UUID | None], bool]
"""(command, its body, idempotency key; None: that of the body) → whether it changed something now."""


def run_seed(settings: Settings) -> dict[str, int]:
    """Import the published calendars and publish every item and bundle of the sample catalogue, by the command API.

    What was seeded before is left as it is, also where it was changed since.
    """
    tally = {"imported": 0, "published": 0, "unchanged": 0}
    with _giving(settings, "seed") as give:
        # First, so that the deadlines of the first cases are not provisional.
        for calendar in sample_calendars():
            tally["imported" if give("ImportCalendar", asdict(calendar), None) else "unchanged"] += 1
        for item in sample_items():
            tally["published" if give("PublishItem", {"item": item}, None) else "unchanged"] += 1
        for bundle in sample_bundles():
            tally["published" if give("PublishBundle", {"bundle": bundle}, None) else "unchanged"] += 1
    return tally


def import_calendars(settings: Settings, file: Path) -> dict[str, int]:
    """Import every year of a calendar file. Where any year is wrong, none is imported. Raises NotConfigured."""
    try:
        calendars = read_calendars(file.read_bytes())
        for number, calendar in enumerate(calendars):
            try:
                check_calendar(calendar)
            except InvalidCalendar as invalid:
                at = f"/calendars/{number}{invalid.fields['at']}"
                raise UnreadableCalendar(f"{at}: {invalid.fields['problem']}") from None
    except OSError as error:
        raise NotConfigured(f"{file} cannot be read: {error.strerror}") from None
    except UnreadableCalendar as error:
        raise NotConfigured(f"{file}: {error}") from None
    tally = {"imported": 0, "unchanged": 0}
    with _giving(settings, "calendar-import") as give:
        for calendar in calendars:
            # A key of its own: going back to what was imported once is a change.
            tally["imported" if give("ImportCalendar", asdict(calendar), uuid4()) else "unchanged"] += 1
    return tally


@contextmanager
def _giving(settings: Settings, subject: str) -> Iterator[Give]:
    """Commands by an administrator. Raises NotConfigured for one that is refused."""
    token = issue_token(settings, Role.ADMIN, subject)
    with httpx.Client(base_url=base_url(settings), timeout=30, headers={"Authorization": f"Bearer {token}"}) as client:

        def give(name: str, body: Any, key: UUID | None) -> bool:
            content = orjson.dumps(body)
            key = key or uuid5(NAMESPACE_URL, sha256(content).hexdigest())
            headers = {"Idempotency-Key": str(key), "Content-Type": "application/json"}
            answer = client.post(f"/commands/{name}", content=content, headers=headers)
            if answer.is_error:
                raise NotConfigured(f"{name} was refused: {answer.status_code} {answer.text[:300]}")
            return bool(answer.json()["events"]) and "idempotency-replayed" not in answer.headers

        yield give
