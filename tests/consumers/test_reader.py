"""The reader rule alone: repeats are dropped, what follows a gap waits, what repairs it is applied."""

from __future__ import annotations

from uuid import UUID

from tongban.consumers.feed import Batch, Message, Partition
from tongban.consumers.reader import ALARM_EVERY, PATIENCE, PartitionReader

PLACE = Partition("tongban.case.v1", 0)
STREAM = UUID(int=1)


def batch(*messages: tuple[int, int, int | None]) -> Batch:
    """(offset, position, previous position) of each message."""
    return Batch(
        PLACE,
        [Message(*PLACE, offset, position, prev, STREAM, 1, b"") for offset, position, prev in messages],
        messages[-1][0] + 1,
    )


def read(reader: PartitionReader, *messages: tuple[int, int, int | None], now: float = 0.0) -> list[int]:
    reading = reader.read(batch(*messages), now)
    reader.moved(reading)
    return [message.position for message in reading.accepted]


def test_new_messages_are_accepted_in_order() -> None:
    reader = PartitionReader(0, -1)
    assert read(reader, (0, 3, -1), (1, 7, 3), (2, 9, 7)) == [3, 7, 9]
    assert (reader.next_offset, reader.last_position) == (3, 9)


def test_repeats_are_dropped_and_the_place_moves_past_them() -> None:
    reader = PartitionReader(2, 7)
    assert read(reader, (2, 3, -1), (3, 7, 3), (4, 9, 7)) == [9]
    assert (reader.next_offset, reader.last_position) == (5, 9)


def test_a_message_after_a_gap_waits_until_what_is_missing_comes() -> None:
    reader = PartitionReader(1, 3)
    assert read(reader, (1, 9, 7)) == []
    assert (reader.next_offset, reader.last_position) == (1, 3)
    assert read(reader, (2, 11, 9), (3, 7, 3), (4, 9, 7), (5, 11, 9)) == [7, 9, 11]
    assert (reader.next_offset, reader.last_position, reader.gap) == (6, 11, None)


def test_a_gap_that_stays_open_rewinds_once_and_then_alarms_again_and_again() -> None:
    reader = PartitionReader(1, 3)
    read(reader, (1, 9, 7), now=100.0)
    assert not reader.must_rewind(100.0 + PATIENCE - 0.1)
    assert reader.must_rewind(100.0 + PATIENCE)
    assert not reader.must_rewind(100.0 + PATIENCE)
    assert not reader.must_alarm(100.0 + PATIENCE)
    assert reader.must_alarm(100.0 + 2 * PATIENCE)
    assert not reader.must_alarm(100.0 + 2 * PATIENCE + 1)
    assert reader.must_alarm(100.0 + 2 * PATIENCE + ALARM_EVERY)


def test_a_topic_that_was_made_again_is_read_from_its_beginning_without_a_second_effect() -> None:
    reader = PartitionReader(50, 9)
    read(reader, (50, 200, 190), now=0.0)
    assert reader.must_rewind(PATIENCE)
    assert read(reader, (0, 3, -1), (1, 7, 3), (2, 9, 7), (3, 11, 9)) == [11]
    assert read(reader, (4, 190, 11), (5, 200, 190)) == [190, 200]
    assert (reader.next_offset, reader.gap) == (6, None)


def test_a_feed_without_previous_positions_has_no_gaps() -> None:
    reader = PartitionReader(0, -1)
    assert read(reader, (5, 5, None), (900, 900, None)) == [5, 900]
