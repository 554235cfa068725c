"""What runs on this machine, read from /proc, for tests that must leave nothing running."""

import os
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

only_linux = pytest.mark.skipif(sys.platform != "linux", reason="death signals and /proc are Linux's")


def running(word: str) -> dict[int, str]:
    """The live processes whose command line or environment contains `word`: pid → command line."""
    found = {}
    for entry in Path("/proc").iterdir():
        if not entry.name.isdigit() or int(entry.name) == os.getpid():
            continue
        try:
            command = (entry / "cmdline").read_bytes()
            environment = (entry / "environ").read_bytes()
            state = (entry / "stat").read_text().rpartition(")")[2].split()[0]
        except OSError:
            continue
        if state != "Z" and word.encode() in command + environment:
            found[int(entry.name)] = command.replace(b"\0", b" ").decode(errors="replace")
    return found


def eventually(holds: Callable[[], bool], timeout: float = 20.0) -> bool:
    """Whether it holds within `timeout` seconds."""
    deadline = time.monotonic() + timeout
    while time.monotonic() < deadline:
        if holds():
            return True
        time.sleep(0.05)
    return holds()
