"""Uploads on a real database and folder: kept once, sealed, swept when nobody wants them, gone with their owner."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import psycopg
import pytest
from psycopg import errors

from tests.servers import Database
from tongban.commands.ports import LogUnavailable
from tongban.infra.database import DbRole, connect, open_pool
from tongban.infra.uploads import (
    OwnerUnknown,
    UploadDamaged,
    UploadErased,
    UploadMissing,
    Uploads,
)
from tongban.infra.vault import Vault

KEK = bytes(range(32))
CONTENT = "经营场所平面布局图".encode() * 40
REF = f"sha256:{sha256(CONTENT).hexdigest()}"


@dataclass
class Shelf:
    """Uploads of one process, and what a test looks at behind them."""

    uploads: Uploads
    vault: Vault
    folder: Path
    database: Database

    def person(self) -> UUID:
        person = uuid4()
        self.vault.keys([person], create=True)
        return person

    def files(self) -> list[Path]:
        return [path for path in self.folder.rglob("*") if path.is_file()]

    def sql(self, query: str, *parameters: Any) -> list[tuple[Any, ...]]:
        with psycopg.connect(self.database.admin_url, autocommit=True) as conn:
            cursor = conn.execute(query, parameters)
            return cursor.fetchall() if cursor.description else []

    def age(self, days: float) -> None:
        self.sql("UPDATE materials.upload SET touched_at = now() - make_interval(secs => %s)", days * 86_400)
        self.sql("UPDATE materials.claim SET claimed_at = now() - make_interval(secs => %s)", days * 86_400)


@pytest.fixture
def shelf(database: Database, tmp_path: Path) -> Iterator[Shelf]:
    with ExitStack() as stack:
        keys = stack.enter_context(open_pool(database.url, DbRole.KEYS, size=4))
        pool = stack.enter_context(open_pool(database.url, DbRole.MATERIALS, size=4))
        vault = Vault(keys, KEK)
        yield Shelf(Uploads(pool, vault, tmp_path / "uploads"), vault, tmp_path / "uploads", database)


def test_an_upload_is_named_by_its_content_and_comes_back_as_it_was(shelf: Shelf) -> None:
    person = shelf.person()
    stored = shelf.uploads.put(person, CONTENT, "image/png")
    assert (stored.ref, stored.size, stored.media_type, stored.new) == (REF, len(CONTENT), "image/png", True)
    assert shelf.uploads.get(person, REF) == (CONTENT, "image/png")


def test_nothing_of_it_stands_in_clear_in_file_or_name(shelf: Shelf) -> None:
    shelf.uploads.put(shelf.person(), CONTENT, "image/png")
    [file] = shelf.files()
    assert CONTENT[:27] not in file.read_bytes()
    assert sha256(CONTENT).digest() not in file.read_bytes()
    assert REF.removeprefix("sha256:") not in str(file)


def test_the_same_content_is_kept_once_per_person_and_never_shared_between_persons(shelf: Shelf) -> None:
    one, other = shelf.person(), shelf.person()
    assert [shelf.uploads.put(one, CONTENT, "image/png").new for _ in range(3)] == [True, False, False]
    assert len(shelf.files()) == 1
    assert shelf.uploads.put(other, CONTENT, "image/png").ref == REF
    assert len({file.read_bytes() for file in shelf.files()}) == 2


def test_the_same_upload_at_the_same_moment_is_kept_once(shelf: Shelf) -> None:
    person = shelf.person()
    with ThreadPoolExecutor(8) as pool:
        stored = list(pool.map(lambda _: shelf.uploads.put(person, CONTENT, "image/png"), range(24)))
    assert {each.ref for each in stored} == {REF}
    assert sum(each.new for each in stored) == 1
    assert len(shelf.files()) == 1
    assert shelf.uploads.get(person, REF)[0] == CONTENT


def test_nobody_else_and_no_other_ref_finds_it(shelf: Shelf) -> None:
    person = shelf.person()
    shelf.uploads.put(person, CONTENT, "image/png")
    with pytest.raises(UploadMissing):
        shelf.uploads.get(shelf.person(), REF)
    for ref in ("sha256:" + "0" * 64, "nonsense", "sha256:", REF.upper(), "sha256:" + "zz" * 32, "md5:" + "0" * 64):
        with pytest.raises(UploadMissing):
            shelf.uploads.get(person, ref)


def test_nothing_is_kept_for_who_is_not_registered(shelf: Shelf) -> None:
    with pytest.raises(OwnerUnknown):
        shelf.uploads.put(uuid4(), CONTENT, "image/png")
    assert shelf.files() == []


def test_with_its_owners_key_an_upload_is_gone_for_ever(shelf: Shelf) -> None:
    person = shelf.person()
    shelf.uploads.put(person, CONTENT, "image/png")
    shelf.sql("UPDATE keys.person_key SET state = 'destroyed', wrapped = NULL WHERE subject = %s", person)
    with open_pool(shelf.database.url, DbRole.KEYS, size=1) as keys:
        uploads = Uploads(shelf.uploads._pool, Vault(keys, KEK), shelf.folder)
        with pytest.raises(UploadErased):
            uploads.get(person, REF)
        with pytest.raises(OwnerUnknown):
            uploads.put(person, CONTENT, "image/png")


@pytest.mark.parametrize("damage", ["change", "cut", "lose", "swap"])
def test_a_damaged_file_is_never_shown_and_the_same_upload_mends_a_lost_one(shelf: Shelf, damage: str) -> None:
    person = shelf.person()
    shelf.uploads.put(person, CONTENT, "image/png")
    [file] = shelf.files()
    sealed = file.read_bytes()
    if damage == "change":
        file.write_bytes(sealed[:-1] + bytes([sealed[-1] ^ 1]))
    elif damage == "cut":
        file.write_bytes(sealed[:-7])
    elif damage == "lose":
        file.unlink()
    else:
        shelf.uploads.put(person, b"another", "text/plain")
        [another] = [each for each in shelf.files() if each != file]
        file.write_bytes(another.read_bytes())
    with pytest.raises(UploadDamaged):
        shelf.uploads.get(person, REF)
    if damage == "lose":
        shelf.uploads.put(person, CONTENT, "image/png")
        assert shelf.uploads.get(person, REF)[0] == CONTENT


def test_a_crash_between_file_and_row_leaves_no_upload_and_a_file_that_is_swept(
    shelf: Shelf, monkeypatch: pytest.MonkeyPatch
) -> None:
    person = shelf.person()
    real = shelf.uploads._execute

    def crash(query: str, parameters: tuple[Any, ...]) -> list[tuple[Any, ...]]:
        if query.startswith("INSERT"):
            raise SystemExit
        return real(query, parameters)

    monkeypatch.setattr(shelf.uploads, "_execute", crash)
    with pytest.raises(SystemExit):
        shelf.uploads.put(person, CONTENT, "image/png")
    monkeypatch.undo()
    with pytest.raises(UploadMissing):
        shelf.uploads.get(person, REF)
    [file] = shelf.files()
    assert shelf.uploads.sweep(45).strays == 0  # it may be about to get its row
    long_ago = time.time() - 2 * 86_400
    os.utime(file, (long_ago, long_ago))
    assert shelf.uploads.sweep(45).strays == 1
    assert shelf.files() == []
    assert shelf.uploads.put(person, CONTENT, "image/png").new


def test_a_full_disk_is_told_and_leaves_nothing(shelf: Shelf, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(_: int) -> None:
        raise OSError(28, "No space left on device")

    person = shelf.person()
    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(LogUnavailable):
        shelf.uploads.put(person, CONTENT, "image/png")
    monkeypatch.undo()
    assert shelf.files() == []
    with pytest.raises(UploadMissing):
        shelf.uploads.get(person, REF)


def test_what_nobody_names_is_swept_after_its_time_and_not_before(shelf: Shelf) -> None:
    person = shelf.person()
    shelf.uploads.put(person, CONTENT, "image/png")
    shelf.age(44)
    assert shelf.uploads.sweep(45).uploads == 0
    shelf.age(46)
    assert shelf.uploads.touch(person, [REF]) == {REF}  # a draft names it again
    assert shelf.uploads.sweep(45).uploads == 0
    shelf.age(46)
    assert shelf.uploads.sweep(45).uploads == 1
    assert shelf.files() == []
    with pytest.raises(UploadMissing):
        shelf.uploads.get(person, REF)


def log_answer(shelf: Shelf, principal: str, key: UUID) -> None:
    shelf.sql(
        "INSERT INTO events.command_log VALUES (%s, %s, '', %s, 1, NULL, ARRAY['case.ApplicationSubmitted'])",
        principal,
        key,
        uuid4(),
    )


def test_what_a_done_command_named_is_kept_for_ever_and_what_a_refused_one_named_is_not(shelf: Shelf) -> None:
    person = shelf.person()
    done, refused = uuid4(), uuid4()
    shelf.uploads.put(person, CONTENT, "image/png")
    other = shelf.uploads.put(person, b"other", "text/plain").ref
    assert shelf.uploads.claim(person, [REF, "sha256:" + "0" * 64], "citizen:x", done) == {REF}
    assert shelf.uploads.claim(person, [other], "citizen:x", refused) == {other}
    log_answer(shelf, "citizen:x", done)
    shelf.sql("UPDATE materials.upload SET touched_at = now() - interval '1 year'")
    assert shelf.uploads.sweep(45) == (0, 0, 0)  # both may still be on their way
    shelf.age(400)
    assert shelf.uploads.sweep(45) == (1, 1, 0)
    shelf.age(4000)
    assert shelf.uploads.sweep(45) == (0, 0, 0)
    assert shelf.uploads.get(person, REF)[0] == CONTENT
    with pytest.raises(UploadMissing):
        shelf.uploads.get(person, other)


def test_two_commands_that_name_one_upload_are_settled_each(shelf: Shelf) -> None:
    person = shelf.person()
    refused, done = uuid4(), uuid4()
    shelf.uploads.put(person, CONTENT, "image/png")
    for key in (done, refused):
        shelf.uploads.claim(person, [REF], "citizen:x", key)
    log_answer(shelf, "citizen:x", done)
    shelf.age(400)
    assert shelf.uploads.sweep(45) == (1, 0, 0)


@pytest.mark.parametrize("role", [role for role in DbRole if role is not DbRole.MATERIALS])
@pytest.mark.parametrize("table", ["upload", "claim", "draft"])
def test_no_other_role_reaches_what_applicants_prepare(module_database: Database, role: DbRole, table: str) -> None:
    with connect(module_database.url, role) as conn, pytest.raises(errors.InsufficientPrivilege):
        conn.execute(f"SELECT * FROM materials.{table}")


@pytest.mark.parametrize("table", ["events.stored_events", "keys.person_key", "keys.identifier", "read.case_view"])
def test_the_role_of_materials_reaches_nothing_else(module_database: Database, table: str) -> None:
    with connect(module_database.url, DbRole.MATERIALS) as conn, pytest.raises(errors.InsufficientPrivilege):
        conn.execute(f"SELECT * FROM {table}")
