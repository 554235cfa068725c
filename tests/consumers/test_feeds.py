"""The contract of every feed."""

from __future__ import annotations

import time
from contextlib import closing
from uuid import uuid4

from tests.consumers.conftest import Source
from tests.events_in_store import some_events
from tongban.consumers.feed import Batch, Feed, Message


def poll_until(feed: Feed, count: int) -> list[Message]:
    """Poll until `count` messages have come."""
    batches: list[Batch] = []
    deadline = time.monotonic() + 20
    while sum(len(batch.messages) for batch in batches) < count:
        assert time.monotonic() < deadline
        batches += feed.poll(0.5)
    return [message for batch in batches for message in batch.messages]


def from_the_start(feed: Feed) -> None:
    feed.assign(dict.fromkeys(feed.partitions, 0))


def test_every_event_is_shown_as_stored_and_streams_in_order(source: Source) -> None:
    streams = [uuid4() for _ in range(12)]
    events = list(some_events(streams, range(1, 21)))
    positions = source.append(*events)
    with closing(source.feed()) as feed:
        from_the_start(feed)
        messages = poll_until(feed, len(events))
    assert {(m.position, m.stream, m.version, m.state) for m in messages} == {
        (position, stream, version, state)
        for position, (stream, version, _, state) in zip(positions, events, strict=True)
    }
    for stream in streams:
        assert [m.version for m in messages if m.stream == stream] == list(range(1, 21))


def test_reading_resumes_at_the_offset_that_is_asked_for(source: Source) -> None:
    streams = [uuid4() for _ in range(6)]
    source.append(*some_events(streams, range(1, 6)))
    offsets: dict[object, int] = {}
    with closing(source.feed()) as feed:
        from_the_start(feed)
        partitions = feed.partitions
        for message in poll_until(feed, 30):
            offsets[(message.topic, message.partition)] = message.offset + 1
    later = source.append(*some_events(streams, range(6, 8)))
    with closing(source.feed()) as feed:
        feed.assign({place: offsets.get(place, 0) for place in partitions})
        messages = poll_until(feed, 12)
        assert feed.poll(0.3) == []
    assert sorted(m.position for m in messages) == later


def test_seek_shows_messages_again_and_rewind_shows_all(source: Source) -> None:
    stream = uuid4()
    source.append(*some_events([stream], range(1, 6)))
    with closing(source.feed()) as feed:
        from_the_start(feed)
        messages = poll_until(feed, 5)
        place = next(p for p in feed.partitions if p == (messages[0].topic, messages[0].partition))
        feed.seek(place, messages[3].offset)
        assert [m.version for m in poll_until(feed, 2)] == [4, 5]
        feed.rewind(place)
        assert [m.version for m in poll_until(feed, 5)] == [1, 2, 3, 4, 5]


def test_a_new_event_ends_the_wait(source: Source) -> None:
    stream = uuid4()
    with closing(source.feed()) as feed:
        from_the_start(feed)
        assert feed.poll(0.1) == []
        source.append(*some_events([stream], range(1, 2)))
        began = time.monotonic()
        assert [m.stream for m in poll_until(feed, 1)] == [stream]
        assert time.monotonic() - began < 5


def test_a_partition_that_is_not_assigned_is_not_read(source: Source) -> None:
    source.append(*some_events([uuid4() for _ in range(8)], range(1, 4)))
    with closing(source.feed()) as feed:
        feed.assign({})
        assert feed.poll(0.3) == []


def test_the_end_offset_tells_how_far_behind_a_reader_is(source: Source) -> None:
    stream = uuid4()
    source.append(*some_events([stream], range(1, 6)))
    with closing(source.feed()) as feed:
        from_the_start(feed)
        last = poll_until(feed, 5)[-1]
        place = next(p for p in feed.partitions if p == (last.topic, last.partition))
        assert feed.end_offset(place) == last.offset + 1
