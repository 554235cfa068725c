from collections.abc import Iterator
from dataclasses import replace

import pytest

from tests.commands.office import Office, office
from tests.examples import ADMIN, CLERK, STRANGER_ID, publish_item, register_party
from tests.servers import Database
from tongban.domain.party.events import IdentifierKind


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


@pytest.fixture
def opened(here: Office) -> Office:
    """An item to apply for, the applicant and the stranger."""
    here.done(publish_item, ADMIN)
    here.done(register_party, CLERK)
    stranger = replace(
        register_party, identifier_kind=IdentifierKind.PASSPORT, identifier="G12345678", name="司徒", id=STRANGER_ID
    )
    here.done(stranger, CLERK)
    return here
