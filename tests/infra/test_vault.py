from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from time import monotonic
from uuid import UUID, uuid4

import psycopg
import pytest
from psycopg import errors

from tests.examples import PERSON_ID, envelope, party_registered
from tests.servers import Database
from tongban.commands.ports import LogUnavailable
from tongban.domain.personal import ERASED
from tongban.infra.database import DbRole, connect, open_pool
from tongban.infra.event_codec import decode, encode
from tongban.infra.sealing import BrokenSeal
from tongban.infra.vault import CACHE_SECONDS, Vault

KEK = bytes(range(32))


@pytest.fixture
def vault(database: Database) -> Iterator[Vault]:
    with open_pool(database.url, DbRole.KEYS, size=4) as pool:
        yield Vault(pool, KEK)


@pytest.fixture
def other(database: Database) -> Iterator[Vault]:
    """The vault of another process."""
    with open_pool(database.url, DbRole.KEYS, size=4) as pool:
        yield Vault(pool, KEK)


def destroy(database: Database, person: UUID) -> None:
    with connect(database.url, DbRole.KEYS) as conn:
        conn.execute("UPDATE keys.person_key SET state = 'destroyed', wrapped = NULL WHERE subject = %s", (person,))


def test_a_key_is_made_once_and_is_the_same_for_everyone(vault: Vault, other: Vault) -> None:
    person = uuid4()
    assert vault.keys([person]) == {}
    made = vault.keys([person], create=True)
    assert len(made[person][1]) == 32
    assert other.keys([person]) == made
    assert other.keys([person], create=True) == made


def test_many_makers_at_once_agree_on_one_key(vault: Vault, other: Vault) -> None:
    people = [uuid4() for _ in range(20)]
    with ThreadPoolExecutor(8) as pool:
        made = list(pool.map(lambda n: (vault, other)[n % 2].keys(people[n % 4 :], create=True), range(16)))
    first: dict[UUID, tuple[UUID, bytes]] = {}
    for keys in made:
        for person, key in keys.items():
            assert first.setdefault(person, key) == key
    assert len({key for _, key in first.values()}) == len(first) == 20


def test_a_destroyed_key_is_never_made_again(database: Database, vault: Vault, other: Vault) -> None:
    person = uuid4()
    vault.keys([person], create=True)
    destroy(database, person)
    assert other.keys([person]) == {}
    assert other.keys([person], create=True) == {}
    assert other.keys([person]) == {}


def test_what_was_sealed_for_an_erased_person_shows_as_erased(database: Database, vault: Vault, other: Vault) -> None:
    keys = vault.keys([PERSON_ID], create=True)
    state = encode(envelope(party_registered), party_registered, keys)
    assert decode(state, 1, vault).event == party_registered
    destroy(database, PERSON_ID)
    assert decode(state, 1, other).event.name is ERASED


def test_a_key_is_remembered_for_a_while(database: Database, vault: Vault, monkeypatch: pytest.MonkeyPatch) -> None:
    person = uuid4()
    made = vault.keys([person], create=True)
    with psycopg.connect(database.admin_url, autocommit=True) as admin:
        admin.execute("ALTER TABLE keys.person_key RENAME TO person_key_away")
        assert vault.keys([person]) == made
        later = monotonic() + CACHE_SECONDS + 1
        monkeypatch.setattr("tongban.infra.vault.monotonic", lambda: later)
        with pytest.raises(LogUnavailable):
            vault.keys([person])
        admin.execute("ALTER TABLE keys.person_key_away RENAME TO person_key")
    assert vault.keys([person]) == made


def test_keys_stand_wrapped_in_the_database_each_differently(database: Database, vault: Vault) -> None:
    made = vault.keys([uuid4() for _ in range(5)], create=True)
    with connect(database.url, DbRole.KEYS) as conn:
        wrapped = [row[0] for row in conn.execute("SELECT wrapped FROM keys.person_key")]
    assert len(set(wrapped)) == 5
    assert all(key not in stored for _, key in made.values() for stored in wrapped)


def test_a_box_sealed_with_another_key_than_the_persons_is_a_broken_seal(vault: Vault) -> None:
    [(_, key)] = vault.keys([PERSON_ID], create=True).values()
    state = encode(envelope(party_registered), party_registered, {PERSON_ID: (uuid4(), key)})
    with pytest.raises(BrokenSeal, match="another key"):
        decode(state, 1, vault)


def test_the_module_database_takes_no_key_without_its_state(module_database: Database) -> None:
    with connect(module_database.url, DbRole.KEYS) as conn:
        insert = "INSERT INTO keys.person_key (subject, key_id, state, wrapped) VALUES (%s, %s, %s, %s)"
        for state, wrapped in (("active", None), ("destroyed", b"x" * 40), ("asleep", b"x" * 40)):
            with pytest.raises(errors.CheckViolation):
                conn.execute(insert, (uuid4(), uuid4(), state, wrapped))


@pytest.mark.parametrize("role", [DbRole.WRITER, DbRole.RELAY, DbRole.PROJECTOR, DbRole.READER])
def test_no_other_role_reads_or_changes_keys(module_database: Database, role: DbRole) -> None:
    with connect(module_database.url, role) as conn:
        for statement in (
            "SELECT wrapped FROM keys.person_key",
            "UPDATE keys.person_key SET state = 'destroyed', wrapped = NULL",
            "DELETE FROM keys.person_key",
        ):
            with pytest.raises(errors.InsufficientPrivilege):
                conn.execute(statement)


def test_the_keys_role_reads_no_events(module_database: Database) -> None:
    with connect(module_database.url, DbRole.KEYS) as conn, pytest.raises(errors.InsufficientPrivilege):
        conn.execute("SELECT state FROM events.stored_events")
