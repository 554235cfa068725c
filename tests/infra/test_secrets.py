import multiprocessing
import os
import stat
from pathlib import Path

import pytest

from tongban.infra.secrets import IDENTIFIER_PEPPER, KEY_ENCRYPTION_KEY, BrokenSecret, load_secret


def load_together(folder: Path, go: "multiprocessing.synchronize.Event", found: "multiprocessing.Queue[bytes]") -> None:
    go.wait()
    found.put(load_secret(folder, KEY_ENCRYPTION_KEY))


def test_a_secret_is_made_on_first_use_and_kept(tmp_path: Path) -> None:
    made = load_secret(tmp_path / "new" / "secrets", KEY_ENCRYPTION_KEY)
    assert len(made) == 32
    assert load_secret(tmp_path / "new" / "secrets", KEY_ENCRYPTION_KEY) == made
    assert load_secret(tmp_path / "new" / "secrets", IDENTIFIER_PEPPER) != made


def test_processes_that_start_at_once_get_one_secret(tmp_path: Path) -> None:
    context = multiprocessing.get_context("spawn")
    go, found = context.Event(), context.Queue()
    children = [context.Process(target=load_together, args=(tmp_path, go, found)) for _ in range(4)]
    for child in children:
        child.start()
    go.set()
    secrets = {found.get(timeout=30) for _ in children}
    for child in children:
        child.join(timeout=30)
    assert len(secrets) == 1
    assert [file.name for file in tmp_path.iterdir()] == [KEY_ENCRYPTION_KEY]


def test_only_the_owner_can_read_it(tmp_path: Path) -> None:
    load_secret(tmp_path / "secrets", KEY_ENCRYPTION_KEY)
    assert stat.S_IMODE((tmp_path / "secrets" / KEY_ENCRYPTION_KEY).stat().st_mode) == 0o600
    assert stat.S_IMODE((tmp_path / "secrets").stat().st_mode) == 0o700


def test_a_start_that_was_killed_before_leaves_nothing_in_the_way(tmp_path: Path) -> None:
    for leftover in range(5):
        (tmp_path / f".{KEY_ENCRYPTION_KEY}.{leftover}").write_text("half")
    (tmp_path / f".{KEY_ENCRYPTION_KEY}.{os.getpid()}").write_text("half")
    assert len(load_secret(tmp_path, KEY_ENCRYPTION_KEY)) == 32


@pytest.mark.parametrize("content", [b"", b"abc", b"zz" * 32, b"ab" * 31, b"ab" * 33, b"\xff\xfe", b"\0" * 64])
def test_a_broken_file_is_told_in_one_line_that_names_it(tmp_path: Path, content: bytes) -> None:
    file = tmp_path / KEY_ENCRYPTION_KEY
    file.write_bytes(content)
    with pytest.raises(BrokenSecret) as told:
        load_secret(tmp_path, KEY_ENCRYPTION_KEY)
    assert str(file) in str(told.value)
    assert "\n" not in str(told.value)
    assert file.read_bytes() == content, "a secret that might be mended by hand is never overwritten"


def test_a_folder_that_cannot_be_made_is_told_in_one_line(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(BrokenSecret) as told:
        load_secret(tmp_path / "file" / "secrets", KEY_ENCRYPTION_KEY)
    assert "\n" not in str(told.value)


def test_a_mounted_secret_may_end_with_a_line_break(tmp_path: Path) -> None:
    (tmp_path / IDENTIFIER_PEPPER).write_text("ab" * 32 + "\n")
    assert load_secret(tmp_path, IDENTIFIER_PEPPER) == b"\xab" * 32
