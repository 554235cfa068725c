"""Publishing bundles: what is not consistent is refused at its place; versions go side by side."""

from __future__ import annotations

from collections.abc import Mapping
from copy import deepcopy
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.bundles import COMPANY, SHOP, SHOP_BUNDLE, a_bundle, an_item, edge, in_force
from tests.examples import ADMIN, NEW_ID
from tongban.domain.aggregate import Circumstances
from tongban.domain.bundle.checks import bundle_id_of, check_bundle
from tongban.domain.bundle.definition import items_named, read_bundle
from tongban.domain.bundle.graph import longest_way
from tongban.domain.bundle.plan import own_days
from tongban.domain.bundle.publishing import BundlePublished, PublishBundle, Published, evolve, publish_bundle
from tongban.domain.bundle.refusals import CircularBundle, InvalidBundle, PromiseOverItem
from tongban.domain.catalogue.refusals import EffectiveFromInPast
from tongban.domain.errors import DomainError
from tongban.infra.reference import sample_bundles, sample_items

NOW = datetime(2026, 3, 2, 1, 0, tzinfo=UTC)
TODAY = date(2026, 3, 2)


def items(*entries: Mapping[str, Any]) -> dict[str, Any]:
    return {name: item.read for name, item in in_force(*entries).items()}


SHOP_ITEMS = items(*SHOP, COMPANY)
ABC = items(*(an_item(name, licence=f"lt-{name}") for name in "abc"))


def published(*commands: PublishBundle, at: datetime = NOW) -> Published:
    state = Published()
    for day, command in enumerate(commands):
        when = at + timedelta(days=day)
        for event in publish_bundle(command, Circumstances(ADMIN, when, when, NEW_ID), state, SHOP_ITEMS):
            state = evolve(state, event, when)
    return state


def labelled(label: str, **changes: Any) -> PublishBundle:
    return PublishBundle(SHOP_BUNDLE | {"version": label} | changes)


def test_a_bundle_is_published_with_its_label() -> None:
    [event] = publish_bundle(
        PublishBundle(SHOP_BUNDLE), Circumstances(ADMIN, NOW, NOW, NEW_ID), Published(), SHOP_ITEMS
    )
    assert event == BundlePublished("a-shop", 1, "2026", SHOP_BUNDLE, None)


def test_the_same_again_changes_nothing_even_after_another_version() -> None:
    state = published(labelled("2019"), labelled("2024"), labelled("2019"))
    assert [version.label for version in state.versions] == ["2019", "2024"]


def test_versions_go_side_by_side_and_a_mended_one_does_not_become_the_default() -> None:
    state = published(labelled("2019"), labelled("2024"), labelled("2019", nameEn="mended"))
    later = TODAY + timedelta(days=9)
    default, old = state.in_force(later), state.in_force(later, "2019")
    assert default is not None
    assert old is not None
    assert (default.label, default.version) == ("2024", 2)
    assert (old.version, old.read.name_en) == (3, "mended")
    assert state.in_force(later, "1999") is None


def test_a_version_is_in_force_from_its_first_day() -> None:
    first = TODAY + timedelta(days=30)
    state = published(labelled("2019"), PublishBundle(SHOP_BUNDLE | {"version": "2027"}, first))
    before, after = state.in_force(first - timedelta(days=1)), state.in_force(first)
    assert before is not None
    assert after is not None
    assert (before.label, after.label) == ("2019", "2027")


def test_no_version_begins_in_the_past() -> None:
    with pytest.raises(EffectiveFromInPast):
        published(PublishBundle(SHOP_BUNDLE, TODAY - timedelta(days=1)))


def changed(path: str, value: Any) -> dict[str, Any]:
    entry: Any = deepcopy(SHOP_BUNDLE)
    at = entry
    *keys, last = path.strip("/").split("/")
    for key in keys:
        at = at[int(key)] if isinstance(at, list) else at[key]
    at[int(last) if isinstance(at, list) else last] = value
    changed_entry: dict[str, Any] = entry
    return changed_entry


@pytest.mark.parametrize(
    ("path", "value", "at"),
    [
        ("/id", "No id!", "/id"),
        ("/version", "", "/version"),
        ("/subItems", [], "/subItems"),
        ("/subItems", [{"itemId": f"i{number}"} for number in range(51)], "/subItems"),
        ("/subItems/0/itemId", "unheard-of", "/subItems/0/itemId"),
        ("/subItems/2/itemId", "permit", "/subItems"),
        ("/subItems/1/when", {"question": "unasked", "is": True}, "/subItems/1/when/question"),
        ("/subItems/0/afterPromisedWorkingDays", 0, "/subItems/0/afterPromisedWorkingDays"),
        ("/sharedTasks/0/id", "permit", "/sharedTasks/0/id"),
        ("/sharedTasks/0/serves", ["nothing"], "/sharedTasks/0/serves"),
        ("/dependencies/0/type", "WHENEVER", "/dependencies/0/type"),
        ("/dependencies/0/before", "permit", "/dependencies/0/before"),
        ("/dependencies/0/before", "unheard-of", "/dependencies/0/before"),
        ("/dependencies/1/after", "unheard-of", "/dependencies/1/after"),
        ("/dependencies/1/before", "visit", "/dependencies/1/before"),
        ("/dependencies/1/after", "permit", "/dependencies/1/after"),
        ("/mergedMaterials/0/replaces", [], "/mergedMaterials/0/replaces"),
        ("/mergedMaterials/0/replaces/0/itemId", "company", "/mergedMaterials/0/replaces/0/itemId"),
        ("/mergedMaterials/0/replaces/0/materialId", "x", "/mergedMaterials/0/replaces/0/materialId"),
        ("/mergedMaterials/0/replaces/1/itemId", "permit", "/mergedMaterials/0/replaces/1/materialId"),
        ("/droppedMaterials/0/materialId", "paper", "/droppedMaterials/0/materialId"),
        ("/sharedForm/sections/0/usedBy", ["company"], "/sharedForm/sections/0/usedBy"),
    ],
)
def test_what_is_not_consistent_is_refused_at_its_place(path: str, value: Any, at: str) -> None:
    with pytest.raises(InvalidBundle) as refused:
        check_bundle(changed(path, value), SHOP_ITEMS)
    assert refused.value.fields["at"] == at


def test_what_has_no_id_belongs_to_no_stream() -> None:
    with pytest.raises(InvalidBundle):
        bundle_id_of({"id": 5})
    with pytest.raises(InvalidBundle):
        bundle_id_of(None)


@pytest.mark.parametrize(
    "edges",
    [
        [edge("a", "FINISH_TO_START", "b"), edge("b", "FINISH_TO_START", "a")],
        [edge("a", "EFFECTIVE_AFTER", "b"), edge("b", "FINISH_TO_DECIDE", "c"), edge("c", "FINISH_TO_START", "a")],
        # B begins when A's licence is made, and A's licence is made when B is decided.
        [edge("a", "FINISH_TO_START", "b"), edge("ALL_DECIDED", "FINISH_TO_START", "ISSUE")],
        [edge("a", "FINISH_TO_DECIDE", "*"), edge("b", "FINISH_TO_DECIDE", "*")],
    ],
)
def test_parts_that_would_wait_for_each_other_for_ever_are_refused(edges: list[dict[str, str]]) -> None:
    with pytest.raises(CircularBundle) as refused:
        check_bundle(a_bundle(["a", "b", "c"], dependencies=edges), ABC)
    circle = refused.value.fields["circle"]
    assert isinstance(circle, tuple)
    assert circle[0] == circle[-1]


def test_a_grant_that_is_the_result_itself_does_not_wait_for_a_licence_that_waits_for_it() -> None:
    """Where no licence is made, what the effect waits for, the grant waits for; all licences wait for all grants."""
    two = items(an_item("bins"), an_item("permit", licence="lt-permit"))
    edges = [edge("permit", "EFFECTIVE_AFTER", "bins"), edge("ALL_DECIDED", "FINISH_TO_START", "ISSUE")]
    with pytest.raises(CircularBundle):
        check_bundle(a_bundle(["permit", "bins"], dependencies=edges), two)
    check_bundle(a_bundle(["permit", "bins"], dependencies=edges[:1]), two)


def test_a_limit_in_the_bundle_is_at_most_what_the_item_promises_alone() -> None:
    with pytest.raises(PromiseOverItem) as refused:
        check_bundle(changed("/subItems/0/afterPromisedWorkingDays", 11), SHOP_ITEMS)
    assert refused.value.fields["at"] == "/subItems/0/afterPromisedWorkingDays"


@pytest.mark.parametrize(
    ("edges", "tasks", "longest"),
    [
        ([], [], 10),
        ([edge("a", "FINISH_TO_START", "b")], [], 20),
        ([edge("a", "FINISH_TO_START", "b"), edge("b", "FINISH_TO_START", "c")], [], 30),
        ([edge("a", "FINISH_TO_DECIDE", "b"), edge("a", "EFFECTIVE_AFTER", "c")], [], 10),
        ([edge("a", "FINISH_TO_START", "*")], [], 20),
        ([], [{"id": "visit", "serves": ["a", "b"], "withinWorkingDays": 5}], 10),
        ([], [{"id": "visit", "serves": ["a", "b"], "withinWorkingDays": 25}], 25),
    ],
)
def test_the_longest_way_is_the_last_gate(
    edges: list[dict[str, str]], tasks: list[dict[str, Any]], longest: int
) -> None:
    definition = read_bundle(a_bundle(["a", "b", "c"], dependencies=edges, sharedTasks=tasks))
    entries = in_force(*(an_item(name, licence=f"lt-{name}") for name in "abc"))
    assert longest_way(definition, own_days(definition, entries)) == longest


def test_every_bundle_of_the_sample_catalogue_can_be_published() -> None:
    known = in_force(*sample_items())
    ways = {}
    for entry in sample_bundles():
        definition = check_bundle(entry, {name: item.read for name, item in known.items() if item.read is not None})
        ways[definition.id, definition.label] = longest_way(definition, own_days(definition, known))
    assert ways["open-restaurant", "2019"] == 10
    assert ways["childbirth", "2020"] == 16


ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers(-3, 99) | st.text(max_size=4) | st.sampled_from(["permit", "visit", "*"]),
    lambda inside: st.lists(inside, max_size=2) | st.dictionaries(st.text(max_size=4), inside, max_size=2),
    max_leaves=4,
)


@settings(max_examples=500, deadline=None)
@given(st.data())
def test_whatever_stands_in_the_place_of_a_part_is_refused_or_can_be_read(data: st.DataObject) -> None:
    entry: Any = deepcopy(SHOP_BUNDLE)
    place = entry
    while True:
        keys = list(place) if isinstance(place, dict) else list(range(len(place)))
        key = data.draw(st.sampled_from(keys))
        inside = place[key]
        if not isinstance(inside, dict | list) or not inside or data.draw(st.booleans()):
            break
        place = inside
    place[key] = data.draw(ANYTHING)
    assert isinstance(items_named(entry), tuple)
    try:
        definition = check_bundle(entry, SHOP_ITEMS)
    except DomainError:
        return
    assert longest_way(definition, {}) >= 0
