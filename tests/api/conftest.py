"""One served write side for the tests of a module."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.api.serving import Tongban, settings_for, tongban
from tests.servers import Database


@pytest.fixture(scope="module")
def system(module_database: Database, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Tongban]:
    """A write side with the sample's food licence and property transfer published."""
    folder: Path = tmp_path_factory.mktemp("data")
    with tongban(settings_for(module_database, folder)) as running:
        running.publish("food-licence")
        yield running
