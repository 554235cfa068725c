"""Events in, rows out."""

from __future__ import annotations

import random
from dataclasses import replace
from datetime import date, timedelta

import psycopg
import pytest

from tests.projections.conftest import ReadTables
from tests.story import MORNING, Story, definition, officer
from tongban.domain.actor import Actor, Role
from tongban.domain.case.events import ApplicationAccepted, CaseClosed, Result
from tongban.domain.catalogue.events import ItemDrafted, ItemPublished, ItemWithdrawn
from tongban.domain.ids import item_stream
from tongban.domain.office_time import office_day
from tongban.domain.registry import EVENT_TYPES
from tongban.projections.cases import case_by_id, case_by_number, cases_of
from tongban.projections.items import item_by_id, items_in_force
from tongban.projections.keyset import BadCursor, BadPageSize
from tongban.projections.licences import licences_of
from tongban.projections.projection import PoisonEvent, StreamTable
from tongban.projections.queue import QUEUE, queue_of
from tongban.projections.ratings import ratings_of
from tongban.projections.registry import PROJECTIONS
from tongban.projections.timeline import applications_of, timeline_of

TODAY = office_day(MORNING)


def test_every_event_type_is_folded_by_exactly_one_stream_table() -> None:
    # The exchange log is read on its topic.
    shown = [event for name, event in EVENT_TYPES.items() if not name.startswith("sharing.")]
    folded = [event for table in PROJECTIONS if isinstance(table, StreamTable) for event in table.events]
    assert sorted(map(str, folded)) == sorted(map(str, shown))


def test_case_to_its_end_shows_in_every_table(tables: ReadTables) -> None:
    story = Story()
    story.publish_all()
    buyer = story.register("王小明")
    told = story.case(buyer, "property-transfer", grade=2)
    tables.apply(story.events)
    with tables.selecting() as cursor:
        case = case_by_id(cursor, told.id)
        assert case is not None
        assert case_by_number(cursor, told.number) == case
        assert (case.status, case.result, case.licence_id, case.version) == (
            "CLOSED",
            "GRANTED",
            told.licence,
            8,
        )
        assert case.departments == ["housing", "nr", "tax"]
        assert [(b["department"], b["opinion"]) for b in case.branches] == [
            ("housing", "PASS"),
            ("tax", "PASS"),
            ("nr", "PASS"),
        ]
        assert case.holders["main"]["holder"] == "none"
        assert case.closed_at is not None
        (licence,) = licences_of(cursor, buyer, first=10).rows
        assert licence[1].id == told.licence
        assert ratings_of(cursor, [told.id])[told.id].grade == 2
        lines = [line for _, line in timeline_of(cursor, told.id, first=100).rows]
        assert [line.type for line in lines][-3:] == [
            "case.CaseClosed",
            "licence.LicenceCollected",
            "rating.CaseRated",
        ]
        assert queue_of(cursor, "nr", first=10).rows == []
        application = applications_of(cursor, [told.id])[told.id]
        assert [material["how"] for material in application.data["evidence"]] == ["FORM_PREFILL", "UPLOAD"]
        assert story.unseal(application.sealed)[0] == {
            "answers": {"q": "a"},
            "form": {"address": "某某路1号", "notes": "x" * 200},
        }


def test_queue_follows_who_holds_the_case(tables: ReadTables) -> None:
    story = Story()
    told = story.case(story.register("王"), "property-transfer", steps=1)
    tables.apply(story.events)
    with tables.selecting() as cursor:
        ((_, row),) = queue_of(cursor, "nr", first=5).rows
        assert (row.case_id, row.since, row.branches) == (told.id, MORNING, ["main"])
        assert queue_of(cursor, "tax", first=5).rows == []
    accepted = story.append(told.id, ApplicationAccepted("a"), actor=officer("nr"), at=MORNING)
    tables.apply([accepted])
    with tables.selecting() as cursor:
        for department in ("housing", "tax", "nr"):
            ((_, row),) = queue_of(cursor, department, first=5).rows
            assert row.branches == [department]
    tables.apply([story.append(told.id, CaseClosed(Result.DENIED), actor=officer("nr"), at=MORNING)])
    assert tables.rows("department_queue") == []


def test_same_events_give_the_same_rows_whatever_the_batch_borders(tables: ReadTables) -> None:
    story = Story(seed=7, gap=3)
    story.publish_all()
    story.publish("food-licence", 2)
    story.day(60)
    tables.apply(story.events)
    whole = tables.texts()
    assert all(whole.values())
    for seed in range(3):
        names = ", ".join(f"read.{p.name}" for p in PROJECTIONS)
        tables.conn.execute(f"TRUNCATE {names}".encode())
        chance, rest = random.Random(seed), list(story.events)
        while rest:
            size = chance.choice((1, 2, 5, 50))
            tables.apply(rest[:size])
            rest = rest[size:]
        assert tables.texts() == whole


def test_redelivered_events_change_nothing(tables: ReadTables) -> None:
    story = Story(seed=3)
    story.day(20)
    tables.apply(story.events)
    before = tables.texts()
    tables.apply(story.events[5:])
    tables.apply([*story.events[10:], *story.events])
    assert tables.texts() == before


def test_gap_in_a_stream_is_poison(tables: ReadTables) -> None:
    story = Story()
    told = story.case(story.register("王"), "food-licence")
    events = [recorded for recorded in story.events if recorded.envelope.version != 2]
    with pytest.raises(PoisonEvent, match="a gap") as caught:
        tables.apply(events)
    assert caught.value.stream == told.id
    assert tables.rows("case_view") == []


def test_event_that_cannot_be_folded_is_poison_and_shows_no_value(tables: ReadTables) -> None:
    story = Story()
    story.publish("food-licence")
    (published,) = story.events
    definition = {**published.event.definition, "reviewBranches": "机密内容"}
    broken = published._replace(event=replace(published.event, definition=definition))
    with pytest.raises(PoisonEvent) as caught:
        tables.apply([broken])
    assert "机密" not in str(caught.value)
    assert caught.value.problem == "item_view: catalogue.ItemPublished cannot be folded (TypeError)"


def test_pages_follow_each_other_without_overlap(tables: ReadTables) -> None:
    story = Story(seed=5)
    story.publish_all()
    buyer = story.register("王")
    told = [story.case(buyer, "food-licence", steps=1) for _ in range(7)]
    tables.apply(story.events)
    with tables.selecting() as cursor:
        seen, after, more = [], None, True
        while more:
            page = cases_of(cursor, buyer, first=3, after=after)
            seen += [row.id for _, row in page.rows]
            after, more = page.rows[-1][0], page.has_next
        assert sorted(seen) == sorted(one.id for one in told)
        queued = queue_of(cursor, "samr", first=4)
        rest = queue_of(cursor, "samr", first=4, after=queued.rows[-1][0])
        assert (len(rest.rows), rest.has_next) == (3, False)
        assert [row.item_id for _, row in items_in_force(cursor, today=TODAY, first=2).rows] == [
            "food-licence",
            "kitchen-waste",
        ]
        item = item_by_id(cursor, "food-licence", today=TODAY)
        assert item is not None
        assert item.name_en == "food licence"
        assert item_by_id(cursor, "food-licence", today=TODAY, version=2) is None
        for bad in (
            "",
            "x",
            "你好",
            "a" * 9000,
            queued.rows[0][0],
            "WyJjYXNlcyJd",
            "WyJjYXNlcyIsICJ4IiwgInkiXQ",
        ):
            with pytest.raises(BadCursor):
                cases_of(cursor, buyer, first=3, after=bad)
        for size in (0, -1, 101):
            with pytest.raises(BadPageSize):
                cases_of(cursor, buyer, first=size)


def test_which_version_of_an_item_is_in_force_depends_on_the_day(tables: ReadTables) -> None:
    story = Story()
    stream, admin, entry = item_stream("food-licence"), Actor("admin", Role.ADMIN), definition("food-licence")
    for event in (
        ItemDrafted("food-licence", entry),
        ItemPublished("food-licence", 1, entry, None),
        ItemPublished("food-licence", 2, entry, TODAY + timedelta(10)),
        ItemWithdrawn("food-licence", TODAY + timedelta(20)),
        ItemPublished("food-licence", 3, entry, TODAY + timedelta(30)),
    ):
        story.append(stream, event, actor=admin, at=MORNING)
    tables.apply(story.events)
    days = {-1: 1, 0: 1, 9: 1, 10: 2, 19: 2, 20: None, 29: None, 30: 3}
    with tables.selecting() as cursor:
        for days_on, version in days.items():
            today = TODAY + timedelta(days_on)
            row = item_by_id(cursor, "food-licence", today=today)
            assert (row.item_version if row else None) == version
            assert len(items_in_force(cursor, today=today, first=5).rows) == (version is not None)
        row = item_by_id(cursor, "food-licence", today=TODAY, version=2)
        assert row is not None
        assert row.effective_from == date(2026, 3, 12)


def test_an_item_that_is_only_drafted_is_not_listed(tables: ReadTables) -> None:
    story = Story()
    draft = ItemDrafted("food-licence", {"id": "food-licence"})
    story.append(item_stream("food-licence"), draft, actor=Actor("admin", Role.ADMIN), at=MORNING)
    tables.apply(story.events)
    with tables.selecting() as cursor:
        assert items_in_force(cursor, today=TODAY, first=5).rows == []


def test_no_personal_value_stands_in_clear_in_a_read_table(tables: ReadTables) -> None:
    story = Story()
    story.publish_all()
    story.case(story.register("金丝雀王小明"), "property-transfer", denied=True)
    story.case(story.register("金丝雀王小明"), "food-licence")
    tables.apply(story.events)
    everything = str(tables.texts())
    for canary in ("金丝雀", "某某路", "意见 ", "缺件", "复议", "某人", "很好", "xxxx"):
        assert canary not in everything


def test_derived_rows_do_not_change_when_nothing_of_them_does(tables: ReadTables) -> None:
    assert QUEUE.source.name == "case_view"
    story = Story()
    told = story.case(story.register("王"), "property-transfer", steps=2)
    tables.apply(story.events)
    before = {row[0]: row for row in tables.rows("department_queue")}
    story2 = story.append(told.id, ApplicationAccepted("b"), actor=officer("nr"), at=MORNING)
    tables.apply([story2])
    assert {row[0]: row for row in tables.rows("department_queue")} == before


def test_refusal_of_the_database_is_named_and_leaves_the_connection_usable(tables: ReadTables) -> None:
    story = Story()
    first = story.case(story.register("甲"), "food-licence", steps=1)
    story.case(story.register("乙"), "food-licence", steps=1)
    *before, second = story.events
    twin = second._replace(event=replace(second.event, number=first.number))
    with pytest.raises(psycopg.errors.UniqueViolation):
        tables.apply([*before, twin])
    assert tables.rows("case_view") == []
    nul = second._replace(event=replace(second.event, item_id="a\0b"))
    with pytest.raises(psycopg.DataError):
        tables.apply([*before, nul])
    tables.apply(story.events)
    assert len(tables.rows("case_view")) == 2


def test_odd_texts_arrive_as_they_are(tables: ReadTables) -> None:
    story = Story()
    odd = "a\"b\\c,{d}'e NULL\n\t\x01 ü 办\U0001f600"
    told = story.case(story.register("甲"), "food-licence", steps=1)
    *before, filed = story.events
    event = replace(filed.event, item_id=odd, lead=odd, branches=(odd, "NULL", ""))
    tables.apply([*before, filed._replace(event=event)])
    with tables.selecting() as cursor:
        case = case_by_id(cursor, told.id)
        assert case is not None
        assert (case.item_id, case.lead) == (odd, odd)
        assert case.departments == sorted({odd, "NULL", ""})
        ((_, line),) = timeline_of(cursor, told.id, first=1).rows
        assert line.data["item_id"] == odd
