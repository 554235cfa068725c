from dataclasses import replace

import pytest

from tests.examples import DRAFT_ID, SYSTEM, exchange_recorded, exemption_failed, record_exchanges
from tests.given import given
from tongban.domain.sharing.commands import RecordExchanges
from tongban.domain.sharing.events import ExchangeResult


def test_an_exchange_is_recorded() -> None:
    given().when(record_exchanges, by=SYSTEM).then(exchange_recorded)


@pytest.mark.parametrize("result", [ExchangeResult.EMPTY, ExchangeResult.ERROR, ExchangeResult.TIMEOUT])
def test_an_exchange_without_an_answer_is_held_against_its_source(result: ExchangeResult) -> None:
    failed = replace(exchange_recorded, result=result)
    command = RecordExchanges(DRAFT_ID, (failed,))
    given().when(command, by=SYSTEM).then(failed, replace(exemption_failed, problem=result))


def test_an_exchange_that_is_recorded_is_not_recorded_again() -> None:
    given(exchange_recorded).when(record_exchanges, by=SYSTEM).then_nothing()
