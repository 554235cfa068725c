from concurrent.futures import ThreadPoolExecutor

import pytest

from tests.servers import Database
from tongban.commands.ports import LogUnavailable
from tongban.infra.database import DbRole, open_pool
from tongban.infra.numbers import BLOCK, SerialNumbers


def test_numbers_are_given_once_by_all_processes_and_threads_together(database: Database) -> None:
    with open_pool(database.url, DbRole.WRITER, size=2) as one, open_pool(database.url, DbRole.WRITER, size=2) as two:
        offices = [SerialNumbers(one), SerialNumbers(two)]
        with ThreadPoolExecutor(8) as pool:
            given = list(pool.map(lambda n: offices[n % 2].next(), range(3 * BLOCK)))
    assert len(set(given)) == len(given)
    assert min(given) == 1


def test_one_process_counts_up_without_gaps_inside_a_block(database: Database) -> None:
    with open_pool(database.url, DbRole.WRITER, size=1) as pool:
        numbers = SerialNumbers(pool)
        assert [numbers.next() for _ in range(BLOCK + 2)] == list(range(1, BLOCK + 3))


def test_without_the_database_no_number_is_made_up(database: Database) -> None:
    with open_pool(database.url, DbRole.WRITER, size=1) as pool:
        numbers = SerialNumbers(pool)
        pool.close()
        with pytest.raises(LogUnavailable):
            numbers.next()
