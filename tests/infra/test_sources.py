"""Data sources: one contract over the simulated one in the process and one behind a real connection, and its faults."""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from collections.abc import Callable, Coroutine, Iterator
from typing import Any, TypeVar
from uuid import UUID, uuid4

import pytest

from tests.source_server import SourceServer, nobody_listens, source_server
from tongban.domain.case.commands import How
from tongban.domain.sharing.events import ExchangeResult
from tongban.infra.reference import load_reference, sample_items
from tongban.infra.settings import Settings
from tongban.infra.sources.asking import Asker, Exchange, Patience
from tongban.infra.sources.http import HttpSource
from tongban.infra.sources.protocol import Answer, Question, Source, SourceFailed
from tongban.infra.sources.registry import BadSources, Sources, open_sources, source_of
from tongban.infra.sources.simulated import Shares, SimulatedSource

Given = TypeVar("Given")
PATIENCE = Patience(timeout=0.3, attempts=2, pause=0.01, failures=3, rest=60)


def question(subject: UUID | None = None, **changes: Any) -> Question:
    asked = Question(
        request_id=uuid4(),
        kind=How.DATA_SHARING,
        source="housing",
        subject=subject or uuid4(),
        material="sale-contract",
        licence_type=None,
        item="property-transfer",
        purpose="FORM_OPENING",
    )
    return asked._replace(**changes)


def run(asking: Coroutine[Any, Any, Given]) -> Given:
    return asyncio.run(asking)


@pytest.fixture
def server() -> Iterator[SourceServer]:
    with source_server(SimulatedSource(Shares())) as running:
        yield running


async def over_http(url: str, use: Callable[[Source], Coroutine[Any, Any, Given]]) -> Given:
    source = HttpSource(url, timeout=5)
    try:
        return await use(source)
    finally:
        await source.close()


@pytest.fixture(params=["in process", "over http"])
def ask(request: pytest.FixtureRequest) -> Callable[..., Any]:
    """Ask a source with these shares, one way or the other; the answers in order, a failure as itself."""

    def asking(shares: Shares, *questions: Question) -> list[Answer | SourceFailed]:
        async def all_of(source: Source) -> list[Answer | SourceFailed]:
            told: list[Answer | SourceFailed] = []
            for each in questions:
                try:
                    told.append(await source.ask(each))
                except SourceFailed as failed:
                    told.append(failed)
            return told

        simulated = SimulatedSource(shares, slow_seconds=0.05)
        if request.param == "in process":
            return run(all_of(simulated))
        with source_server(simulated) as server:
            return run(over_http(server.url, all_of))

    return asking


def test_a_source_answers_with_its_version_its_time_and_a_name_for_the_answer(ask: Callable[..., Any]) -> None:
    [answer] = ask(Shares(), question())
    assert answer.found
    assert answer.status == "VALID"
    assert answer.version.isdigit()
    assert answer.as_of.tzinfo is not None
    assert answer.evidence_id.startswith("housing:")


def test_the_same_question_is_answered_the_same_and_another_otherwise(ask: Callable[..., Any]) -> None:
    one = question()
    told = ask(Shares(), one, one._replace(request_id=uuid4()), question(), one._replace(material="tax-clearance"))
    assert told[0] == told[1]
    assert len({answer.evidence_id for answer in told}) == 3


def test_what_a_source_does_not_have_is_an_answer_and_not_a_failure(ask: Callable[..., Any]) -> None:
    [answer] = ask(Shares(missing=1), question())
    assert not answer.found


def test_a_failing_source_fails(ask: Callable[..., Any]) -> None:
    [failed] = ask(Shares(failing=1), question())
    assert isinstance(failed, SourceFailed)
    assert failed.passing


def test_a_slow_source_answers_in_the_end(ask: Callable[..., Any]) -> None:
    [answer] = ask(Shares(slow=1), question())
    assert answer.found


def test_shares_are_what_they_are_set_to() -> None:
    async def many() -> Counter[str]:
        source = SimulatedSource(Shares(0.1, 0.05, 0.0))
        seen: Counter[str] = Counter()
        for number in range(4000):
            try:
                seen[str((await source.ask(question(UUID(int=number)))).found)] += 1
            except SourceFailed:
                seen["failed"] += 1
        return seen

    seen = run(many())
    assert 300 < seen["False"] < 500
    assert 130 < seen["failed"] < 270


def asked_over_http(url: str, *questions: Question, patience: Patience = PATIENCE) -> list[Exchange]:
    async def all_of(source: Source) -> list[Exchange]:
        asker = Asker(patience)
        return [await asker.ask(source, each) for each in questions]

    return run(over_http(url, all_of))


def test_an_answer_is_taken_at_once_and_its_time_is_measured(server: SourceServer) -> None:
    one = question()
    [asked] = asked_over_http(server.url, one)
    assert (asked.result, asked.attempts, asked.question) == (ExchangeResult.FOUND, 1, one)
    assert 0 <= asked.latency_ms < 300
    assert server.asked[0]["subject"] == str(one.subject)
    assert set(server.asked[0]) == set(Question._fields)


@pytest.mark.parametrize("wrong", ["500", "503", "429", "slow"])
def test_what_passes_by_itself_is_tried_again(server: SourceServer, wrong: str) -> None:
    server.wrong = [wrong]
    [asked] = asked_over_http(server.url, question())
    assert (asked.result, asked.attempts) == (ExchangeResult.FOUND, 2)


@pytest.mark.parametrize("wrong", ["html", "lying", "unnamed", "huge", "400", "403", "302"])
def test_rubbish_and_refusals_are_errors_and_not_tried_again(server: SourceServer, wrong: str) -> None:
    server.wrong = [wrong]
    [asked] = asked_over_http(server.url, question())
    assert (asked.result, asked.answer, asked.attempts) == (ExchangeResult.ERROR, None, 1)


def test_not_found_is_empty(server: SourceServer) -> None:
    server.wrong = ["empty"]
    [asked] = asked_over_http(server.url, question())
    assert (asked.result, asked.attempts) == (ExchangeResult.EMPTY, 1)


def test_patience_with_a_slow_source_ends(server: SourceServer) -> None:
    server.wrong = ["slow", "slow"]
    started = time.monotonic()
    [asked] = asked_over_http(server.url, question())
    assert (asked.result, asked.attempts) == (ExchangeResult.TIMEOUT, 2)
    assert time.monotonic() - started < 2
    assert asked.latency_ms >= 550


def test_a_source_that_is_down_is_an_error() -> None:
    [asked] = asked_over_http(nobody_listens(), question())
    assert (asked.result, asked.attempts) == (ExchangeResult.ERROR, 2)


def test_a_source_that_fails_again_and_again_is_left_alone_then_tried_by_one(server: SourceServer) -> None:
    now = [0.0]

    async def asking(source: Source) -> None:
        asker = Asker(PATIENCE, clock=lambda: now[0])
        server.wrong = ["400"] * 4
        for _ in range(3):
            assert (await asker.ask(source, question())).attempts == 1
        assert (await asker.ask(source, question())).attempts == 0
        assert (await asker.ask(source, question(source="tax"))).attempts == 1  # of another's failures: the fourth
        assert len(server.asked) == 4
        now[0] = 61.0
        answers = await asyncio.gather(*(asker.ask(source, question()) for _ in range(5)))
        assert sorted(asked.attempts for asked in answers) == [0, 0, 0, 0, 1]
        answers = await asyncio.gather(*(asker.ask(source, question()) for _ in range(5)))
        assert {asked.result for asked in answers} == {ExchangeResult.FOUND}

    run(over_http(server.url, asking))


def test_a_defect_of_an_adapter_costs_an_answer_and_nothing_else() -> None:
    class Broken:
        async def ask(self, _: Question) -> Answer:
            raise ZeroDivisionError

        async def close(self) -> None: ...

    asked = run(Asker(PATIENCE).ask(Broken(), question()))
    assert (asked.result, asked.attempts) == (ExchangeResult.ERROR, 1)


class Library:
    """Our own library, as far as a test wants it."""

    def __init__(self, answer: Answer | None) -> None:
        self.answer = answer
        self.asked = 0

    async def ask(self, _: Question) -> Answer:
        self.asked += 1
        if self.answer is None:
            raise SourceFailed("away")
        return self.answer

    async def close(self) -> None: ...


NOTHING = Answer(found=False, status="NONE", version="", as_of=None, evidence_id="")


@pytest.mark.parametrize(
    ("own", "expected"),
    [
        (Answer(found=True, status="VALID", version="1", as_of=None, evidence_id="ours"), "ours"),
        (NOTHING, "psb:"),
        (None, "psb:"),
    ],
)
def test_our_own_licence_counts_first_and_the_citys_library_after_it(own: Answer | None, expected: str) -> None:
    library = Library(own)
    sources = Sources({"*": SimulatedSource(Shares())}, Asker(PATIENCE), library)
    wanted = question(kind=How.E_LICENCE, licence_type="lt-id-card", source="psb")
    asked = run(sources.ask(wanted))
    assert asked.result is ExchangeResult.FOUND
    assert asked.question == wanted
    assert asked.answer is not None
    assert asked.answer.evidence_id.startswith(expected)


def test_only_licences_are_looked_for_in_the_library() -> None:
    library = Library(None)
    asked = run(Sources({"*": SimulatedSource(Shares())}, Asker(PATIENCE), library).ask(question()))
    assert (asked.result, library.asked) == (ExchangeResult.FOUND, 0)


def test_a_source_that_is_not_connected_is_an_error_without_an_attempt() -> None:
    asked = run(Sources({}, Asker(PATIENCE)).ask(question()))
    assert (asked.result, asked.attempts) == (ExchangeResult.ERROR, 0)


def test_settings_name_the_sources_and_nothing_is_made_up_where_the_issuer_is_real(server: SourceServer) -> None:
    def found(**settings: Any) -> bool:
        async def asking() -> bool:
            sources = open_sources(Settings(**settings), None)
            try:
                return (await sources.ask(question())).result is ExchangeResult.FOUND
            finally:
                await sources.close()

        return run(asking())

    quiet = {"simulated_missing": 0, "simulated_failing": 0, "simulated_slow": 0}
    assert found(**quiet)
    assert not found(oidc_issuer="https://issuer.example", **quiet)
    assert found(oidc_issuer="https://issuer.example", sources=f"housing={server.url}, tax={nobody_listens()}")
    assert found(sources=f"*={server.url}")
    assert not found(sources=f"tax={server.url}")
    assert len(server.asked) == 2


@pytest.mark.parametrize("setting", ["housing", "=http://x", "housing=ftp://x", "housing http://x"])
def test_a_setting_that_cannot_be_read_is_refused(setting: str) -> None:
    with pytest.raises(BadSources):
        open_sources(Settings(sources=setting), None)


def test_every_material_of_the_sample_that_can_be_asked_for_has_a_source_that_answers_for_it() -> None:
    asked = {
        (each["materialId"], source_of(each["materialId"], How(each["exemptBy"]), each["licenceTypeId"]))
        for item in sample_items()
        for each in item["materials"]
        if each["exemptBy"] in ("E_LICENCE", "DATA_SHARING", "ONLINE_AUTHORISATION")
    }
    assert {source for _, source in asked} <= {*load_reference().departments, "data-centre", "authorisation"}
    # A bank is no department: what it says comes through the exchange.
    assert {material for material, source in asked if source == "data-centre"} == {"loan-settled"}
