"""Drafts on a real database: for their applicant and their maker only, by version, for a time, gone with the person."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from typing import Any
from uuid import UUID, uuid4

import psycopg
import pytest

from tests.servers import Database
from tongban.domain.actor import Actor, Role
from tongban.infra.database import DbRole, open_pool
from tongban.infra.drafts import Draft, DraftChanged, DraftGone, DraftMissing, Drafts, TooManyDrafts
from tongban.infra.uploads import OwnerUnknown
from tongban.infra.vault import Vault

KEK = bytes(range(32))
CONTENT = {"item": "food-licence", "form": {"name": "面馆老板"}}
CLERK = Actor("clerk-1", Role.CLERK, "samr")


class Desk:
    """Drafts of one process, with a database to look into."""

    def __init__(self, database: Database, drafts: Drafts, vault: Vault) -> None:
        self.database, self.drafts, self.vault = database, drafts, vault

    def citizen(self) -> tuple[UUID, Actor]:
        person = uuid4()
        self.vault.keys([person], create=True)
        return person, Actor(str(person), Role.CITIZEN)

    def sql(self, query: str, *parameters: Any) -> list[tuple[Any, ...]]:
        with psycopg.connect(self.database.admin_url, autocommit=True) as conn:
            cursor = conn.execute(query, parameters)
            return cursor.fetchall() if cursor.description else []

    def made(self, by: Actor | None = None) -> tuple[Draft, Actor]:
        person, citizen = self.citizen()
        return self.drafts.create(uuid4(), person, by or citizen, CONTENT), citizen


@pytest.fixture
def desk(database: Database) -> Iterator[Desk]:
    with ExitStack() as stack:
        keys = stack.enter_context(open_pool(database.url, DbRole.KEYS, size=4))
        pool = stack.enter_context(open_pool(database.url, DbRole.MATERIALS, size=4))
        vault = Vault(keys, KEK)
        yield Desk(database, Drafts(pool, vault, days=30, per_party=3), vault)


def test_a_draft_comes_back_as_it_was_left(desk: Desk) -> None:
    draft, citizen = desk.made()
    assert draft.version == 1
    assert (draft.expires_at - draft.updated_at).days == 30
    assert desk.drafts.get(draft.id, citizen) == draft
    assert desk.drafts.get(draft.id, citizen).content == CONTENT
    assert desk.drafts.listed(citizen) == [draft]


def test_nothing_of_it_stands_in_clear(desk: Desk) -> None:
    desk.made()
    [(sealed, row)] = desk.sql("SELECT sealed, d::text FROM materials.draft d")
    for clear in ("food-licence", "面馆老板"):
        assert clear.encode() not in sealed
        assert clear not in row


def test_its_applicant_and_its_maker_see_it_and_nobody_else(desk: Desk) -> None:
    draft, citizen = desk.made(by=CLERK)
    assert desk.drafts.get(draft.id, citizen) == desk.drafts.get(draft.id, CLERK) == draft
    _, stranger = desk.citizen()
    for other in (stranger, Actor("clerk-2", Role.CLERK, "samr"), Actor(citizen.id, Role.CLERK)):
        for attempt in (
            lambda other=other: desk.drafts.get(draft.id, other),
            lambda other=other: desk.drafts.delete(draft.id, other),
            lambda other=other: desk.drafts.replace(draft, other, {}),
        ):
            with pytest.raises(DraftMissing):
                attempt()
        assert desk.drafts.listed(other) == []


def test_each_change_is_a_version_and_one_of_two_at_once_is_refused(desk: Desk) -> None:
    draft, citizen = desk.made()
    changed = desk.drafts.replace(draft, citizen, {"item": "food-licence", "form": {}})
    assert (changed.version, changed.content["form"]) == (2, {})
    with pytest.raises(DraftChanged) as refused:
        desk.drafts.replace(draft, citizen, {"mine": 1})
    assert refused.value.current == 2
    with pytest.raises(DraftChanged):
        desk.drafts.delete(draft.id, citizen, version=1)

    def change(number: int) -> bool:
        try:
            desk.drafts.replace(changed, citizen, {"from": number})
        except DraftChanged:
            return False
        return True

    with ThreadPoolExecutor(8) as pool:
        assert sum(pool.map(change, range(8))) == 1
    assert desk.drafts.get(draft.id, citizen).version == 3


def test_a_deleted_draft_is_gone(desk: Desk) -> None:
    draft, citizen = desk.made()
    desk.drafts.delete(draft.id, citizen, version=1)
    with pytest.raises(DraftMissing):
        desk.drafts.get(draft.id, citizen)
    with pytest.raises(DraftMissing):
        desk.drafts.delete(draft.id, citizen)


def test_an_expired_draft_is_not_shown_and_swept(desk: Desk) -> None:
    draft, citizen = desk.made()
    assert desk.drafts.sweep() == 0
    desk.sql("UPDATE materials.draft SET expires_at = now() - interval '1 second'")
    with pytest.raises(DraftGone):
        desk.drafts.get(draft.id, citizen)
    with pytest.raises(DraftGone):
        desk.drafts.replace(draft, citizen, {})
    assert desk.drafts.listed(citizen) == []
    assert desk.drafts.sweep() == 1
    assert desk.sql("SELECT sealed FROM materials.draft") == [(b"",)]
    desk.sql("UPDATE materials.draft SET expires_at = now() - interval '31 days'")
    assert desk.drafts.sweep() == 1
    with pytest.raises(DraftMissing):
        desk.drafts.get(draft.id, citizen)


def test_a_change_keeps_a_draft_longer(desk: Desk) -> None:
    draft, citizen = desk.made()
    desk.sql("UPDATE materials.draft SET expires_at = now() + interval '1 minute'")
    changed = desk.drafts.replace(desk.drafts.get(draft.id, citizen), citizen, {})
    assert (changed.expires_at - changed.updated_at).days == 30


def test_nobody_has_more_drafts_than_may_be(desk: Desk) -> None:
    person, citizen = desk.citizen()
    for _ in range(3):
        desk.drafts.create(uuid4(), person, citizen, CONTENT)
    with pytest.raises(TooManyDrafts):
        desk.drafts.create(uuid4(), person, citizen, CONTENT)
    desk.made()  # another one's are not counted


def test_with_its_applicants_key_a_draft_is_gone_for_ever(desk: Desk) -> None:
    draft, citizen = desk.made()
    desk.sql("UPDATE keys.person_key SET state = 'destroyed', wrapped = NULL WHERE subject = %s", draft.owner)
    with open_pool(desk.database.url, DbRole.KEYS, size=1) as keys:
        drafts = Drafts(desk.drafts._pool, Vault(keys, KEK), days=30, per_party=3)
        with pytest.raises(DraftGone):
            drafts.get(draft.id, citizen)
        assert drafts.listed(citizen) == []
        with pytest.raises(OwnerUnknown):
            drafts.create(uuid4(), draft.owner, citizen, CONTENT)
