"""A command that is made of an earlier event, too: read again, unsealed, and waited for while it cannot be had."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from uuid import UUID

import pytest

from tests.story import Story
from tongban.commands.ports import LogUnavailable
from tongban.consumers.failures import TransientFailure
from tongban.consumers.feed import Message
from tongban.consumers.orders import Order
from tongban.consumers.reactor import Reactor
from tongban.domain.policies.recalling import Recalling
from tongban.domain.recorded import Recorded
from tongban.infra.event_codec import decode
from tongban.infra.sealing import BrokenSeal


def told() -> Story:
    story = Story(seed=3)
    story.publish_all()
    story.case(story.register("王小明"), "food-licence")
    return story


def first_again(recorded: Recorded) -> Sequence[Any]:
    """At the closing, what was filled in at the filing."""
    if recorded.envelope.type != "case.CaseClosed":
        return ()
    return [Recalling(recorded.envelope.stream, (1,), lambda events: [event.event.form for event in events])]


def messages(story: Story) -> list[Message]:
    return [
        Message("store", 0, place, place, None, stream, version, state)
        for place, (stream, version, _, state) in enumerate(story.states)
    ]


def recalling(story: Story) -> Any:
    def recall(stream: UUID, versions: Sequence[int]) -> Sequence[Recorded]:
        return [
            decode(state, 0, story)
            for found, version, _, state in story.states
            if found == stream and version in versions
        ]

    return recall


def test_what_was_told_before_is_opened_for_the_command() -> None:
    story, given = told(), []
    reactor = Reactor(lambda order: given.append(order.command), story, {"again": first_again}, recall=recalling(story))
    assert reactor.prepare(messages(story)) == []
    assert given == [[{"address": "某某路1号", "notes": "x" * 200}]]
    reactor.close()


def failing(error: Exception) -> Any:
    def recall(_: UUID, __: Sequence[int]) -> Sequence[Recorded]:
        raise error

    return recall


def test_while_the_store_does_not_answer_nothing_is_given_and_all_is_tried_again() -> None:
    story = told()
    given: list[Order] = []
    reactor = Reactor(given.append, story, {"again": first_again}, recall=failing(LogUnavailable("gone")))
    with pytest.raises(TransientFailure):
        reactor.prepare(messages(story))
    assert given == []
    reactor.close()


def test_what_cannot_be_opened_is_parked() -> None:
    story = told()
    given: list[Order] = []
    reactor = Reactor(given.append, story, {"again": first_again}, recall=failing(BrokenSeal("changed")))
    [parking] = reactor.prepare(messages(story))
    assert parking.problem == "changed"
    assert given == []
    reactor.close()


def test_where_nothing_is_recalled_it_is_said_and_not_guessed() -> None:
    story = told()
    reactor = Reactor(lambda _: None, story, {"again": first_again})
    with pytest.raises(TransientFailure):
        reactor.prepare(messages(story))
    reactor.close()
