"""What the command line prints of a replay: every state that there is."""

from __future__ import annotations

import orjson
import pytest

from tests.examples import EFFECTIVE_AT, EVENTS
from tongban.domain.registry import AGGREGATES
from tongban.printing import json_line


@pytest.mark.parametrize("name", EVENTS)
def test_the_state_after_every_event_can_be_printed(name: str) -> None:
    aggregate = AGGREGATES[name.partition(".")[0]]
    begun = next((e for n, e in EVENTS.items() if n.partition(".")[0] == aggregate.category), None)
    state = aggregate.evolve(aggregate.initial, begun, EFFECTIVE_AT)
    if EVENTS[name] is not begun:
        state = aggregate.evolve(state, EVENTS[name], EFFECTIVE_AT)
    told = orjson.loads(json_line(state))
    assert told.keys() == set(state._fields)
