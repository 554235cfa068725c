from collections.abc import Iterator

import pytest

from tests.commands.office import Office, office
from tests.servers import Database


@pytest.fixture
def here(database: Database) -> Iterator[Office]:
    """One process's write side on a fresh database."""
    with office(database.url) as opened:
        yield opened


@pytest.fixture
def there(database: Database) -> Iterator[Office]:
    """The write side of another process on the same database."""
    with office(database.url) as opened:
        yield opened


@pytest.fixture(scope="module")
def shared(module_database: Database) -> Iterator[Office]:
    """A write side that the tests of a module share: for what leaves nothing behind."""
    with office(module_database.url) as opened:
        yield opened
