"""The time of offices: China Standard Time, UTC+8 all year (no summer time since 1991)."""

from __future__ import annotations

from datetime import date, datetime, timedelta, timezone

OFFICE_TIME = timezone(timedelta(hours=8), "CST")


def office_day(moment: datetime) -> date:
    """The calendar day of a moment in the offices."""
    return moment.astimezone(OFFICE_TIME).date()
