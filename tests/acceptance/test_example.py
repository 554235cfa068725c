"""The example of the README does what it says."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.system import System

ROOT = Path(__file__).parent.parent.parent
TOOLS = ("bash", "curl")

pytestmark = [pytest.mark.kafka, pytest.mark.integration]


@pytest.mark.skipif(any(shutil.which(tool) is None for tool in TOOLS), reason="needs bash and curl")
def test_the_example_takes_an_application_to_its_rating(system: System, tmp_path: Path) -> None:
    (tmp_path / "python").symlink_to(sys.executable)
    tongban = tmp_path / "tongban"
    tongban.write_text(f'#!/bin/sh\nexec "{sys.executable}" -m tongban "$@"\n')
    tongban.chmod(0o755)
    env = {**system.env, "TONGBAN_BIN": str(tmp_path), "PYTHONPATH": os.pathsep.join([str(ROOT)])}
    command = ["bash", str(ROOT / "examples/one_application.sh"), system.url]
    done = subprocess.run(command, env=env, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    assert '"events":["rating.CaseRated"]' in done.stdout
    assert '"state":"CLOSED"' in done.stdout
    assert '"rating":{"grade":1}' in done.stdout
