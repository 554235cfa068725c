from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from uuid import uuid4

import psycopg
import pytest

from tests.servers import Database
from tongban.infra import migrate as module
from tongban.infra.embedded.postgres import SUPERUSER, Postgres
from tongban.infra.migrate import is_read_migration, migrate, migration_files

FOLDER = Path(module.__file__).parent / "migrations"


@pytest.fixture
def empty(migrated_server: Postgres) -> Iterator[str]:
    """The URL of a database without anything in it."""
    name = f"t_{uuid4().hex[:12]}"
    migrated_server.ensure_database(name)
    yield migrated_server.url(SUPERUSER, name)
    with psycopg.connect(migrated_server.url(), autocommit=True) as conn:
        conn.execute(f'DROP DATABASE "{name}" WITH (FORCE)')


def test_every_file_is_listed_in_order_and_numbered_once() -> None:
    listed = [version for version, _ in migration_files()]
    assert listed == sorted(file.stem for file in FOLDER.glob("*.sql"))
    numbers = [version.split("_")[0] for version in listed]
    assert len(set(numbers)) == len(numbers)


def test_all_are_applied_once(empty: str) -> None:
    everything = [version for version, _ in migration_files()]
    assert migrate(empty) == everything
    assert migrate(empty) == []
    with psycopg.connect(empty) as conn:
        assert [row[0] for row in conn.execute("SELECT version FROM schema_migrations ORDER BY 1")] == everything


def test_two_at_once_apply_everything_once(empty: str) -> None:
    with ThreadPoolExecutor(3) as pool:
        applied = list(pool.map(migrate, [empty] * 3))
    assert sorted(map(len, applied)) == [0, 0, len(migration_files())]


def test_a_failing_file_leaves_nothing_of_itself_and_is_tried_again(
    empty: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    good = migration_files()
    bad = ("9999_broken", "CREATE TABLE public.half (); SELECT no_such_function();")
    monkeypatch.setattr(module, "migration_files", lambda: [*good, bad])
    with pytest.raises(psycopg.errors.UndefinedFunction):
        migrate(empty)
    with psycopg.connect(empty) as conn:
        assert conn.execute("SELECT to_regclass('public.half')").fetchone() == (None,)
    monkeypatch.setattr(module, "migration_files", lambda: [*good, ("9999_broken", "CREATE TABLE public.half ()")])
    assert migrate(empty) == ["9999_broken"]


def test_read_tables_belong_to_the_projector_and_nothing_else_does(database: Database) -> None:
    with psycopg.connect(database.admin_url) as conn:
        owners = conn.execute(
            "SELECT schemaname, tableowner, count(*) FROM pg_tables"
            " WHERE schemaname IN ('events', 'keys', 'relay', 'consumers', 'read') GROUP BY 1, 2"
        ).fetchall()
    by_schema = {schema: owner for schema, owner, _ in owners}
    if any(is_read_migration(version) for version, _ in migration_files()):
        assert by_schema.pop("read") == "tongban_projector"
    assert set(by_schema.values()) == {SUPERUSER}


def test_the_login_has_no_power_of_its_own(database: Database) -> None:
    with psycopg.connect(database.url) as conn:
        row = conn.execute(
            "SELECT rolsuper, rolinherit, rolcreaterole, rolcreatedb, rolbypassrls FROM pg_roles"
            " WHERE rolname = current_user"
        ).fetchone()
        assert row == (False, False, False, False, False)
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            conn.execute("SELECT FROM events.stored_events")
