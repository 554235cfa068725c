"""Whose time a case's time was."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from tests.calendars import CALENDAR
from tongban.domain.waiting import Held, OfficeHours, Waited, waiting_ledger

NINE = datetime(2026, 3, 2, 1, 0, tzinfo=UTC)  # Monday, nine in the morning in the offices
HOURS = OfficeHours()


def _hours(count: float) -> datetime:
    return NINE + timedelta(hours=count)


def test_branch_that_is_held_longest_is_critical() -> None:
    held = [
        Held(NINE, {"main": "dept:samr"}),
        Held(_hours(1), {"samr": "dept:samr", "fire": "dept:fire"}),
        Held(_hours(3), {"fire": "dept:fire"}),
        Held(_hours(7), {"main": "dept:samr"}),
        Held(_hours(8), {"main": "none"}),
    ]
    ledger = waiting_ledger(held, _hours(99), CALENDAR, HOURS)
    assert ledger.total_minutes == 8 * 60
    assert ledger.entries == (
        Waited("fire", "dept:fire", True, 360, 360),
        Waited("main", "dept:samr", True, 120, 120),
        Waited("samr", "dept:samr", False, 120, 120),
    )


def test_open_case_is_held_until_now_and_working_time_leaves_nights_and_rest_days_out() -> None:
    friday = [Held(NINE + timedelta(days=4), {"main": "applicant"})]
    ledger = waiting_ledger(friday, NINE + timedelta(days=7, hours=1), CALENDAR, HOURS)
    assert ledger.entries == (Waited("main", "applicant", True, 3 * 24 * 60 + 60, 8 * 60 + 60),)
    holiday = [Held(datetime(2026, 10, 1, 1, 0, tzinfo=UTC), {"main": "applicant"})]
    (entry,) = waiting_ledger(holiday, datetime(2026, 10, 3, 1, 0, tzinfo=UTC), CALENDAR, HOURS).entries
    assert entry.working_minutes == 0


def test_late_entry_does_not_turn_time_back() -> None:
    held = [
        Held(NINE, {"main": "applicant"}),
        Held(_hours(5), {"main": "dept:samr"}),
        Held(_hours(2), {"samr": "dept:samr"}),
        Held(_hours(6), {"main": "none"}),
    ]
    ledger = waiting_ledger(held, _hours(9), CALENDAR, HOURS)
    assert [(entry.holder, entry.minutes) for entry in ledger.entries] == [("applicant", 300), ("dept:samr", 60)]
    assert waiting_ledger([], NINE, CALENDAR, HOURS) == (0, ())


@given(
    st.lists(
        st.tuples(
            st.integers(-3000, 30_000),
            st.dictionaries(
                st.sampled_from(["main", "samr", "fire", "consult:tax"]),
                st.sampled_from(["applicant", "dept:samr", "dept:fire", "suspended:HEARING"]),
                min_size=1,
            ),
        ),
        min_size=1,
        max_size=12,
    ),
    st.integers(0, 50_000),
)
def test_critical_minutes_add_up_to_the_whole_whatever_the_order(
    events: list[tuple[int, dict[str, str]]], now: int
) -> None:
    """Invariant 6, also where events took effect before others that were stored earlier."""
    held = [Held(NINE + timedelta(minutes=at), holders) for at, holders in events]
    ledger = waiting_ledger(held, NINE + timedelta(minutes=now), CALENDAR, HOURS)
    first = held[0].at
    last = max(*(each.at for each in held), NINE + timedelta(minutes=now))
    assert ledger.total_minutes == (last - first).total_seconds() // 60
    assert sum(entry.minutes for entry in ledger.entries if entry.critical) == ledger.total_minutes
    assert all(0 <= entry.working_minutes <= entry.minutes for entry in ledger.entries)
