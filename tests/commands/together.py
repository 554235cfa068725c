"""A write side with the reactor on it: commands, and what the policies make of their events, until all is quiet."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from threading import Lock
from typing import Any
from uuid import UUID, uuid4

from tests.bundles import COMPANY as COMPANY_ITEM
from tests.bundles import SHOP, SHOP_BUNDLE
from tests.commands.office import Office, answered, ask
from tests.servers import Database
from tongban.bootstrap.reacting import recalling, request_of
from tongban.commands.requests import Answer, Outcome
from tongban.consumers.orders import Order
from tongban.consumers.reactor import Reactor
from tongban.consumers.store_feed import STORE, StoreFeed
from tongban.domain.actor import Actor, Role
from tongban.domain.bundle.commands import SubmitBundle
from tongban.domain.bundle.publishing import PublishBundle
from tongban.domain.case import commands as c
from tongban.domain.case.commands import How, MaterialOffered
from tongban.domain.case.events import Channel, Opinion
from tongban.domain.catalogue.commands import PublishItem
from tongban.domain.ids import sub_case_stream
from tongban.domain.party.commands import RegisterParty
from tongban.domain.party.events import IdentifierKind, PartyKind
from tongban.domain.recorded import Evidence, Recorded
from tongban.infra import event_codec
from tongban.infra.reference import sample_bundles, sample_items

COMPANY_ID = UUID("0191d6a0-0000-7000-8000-0000000000c1")
COMPANY = Actor(id=str(COMPANY_ID), role=Role.ENTERPRISE)
ADMIN = Actor(id="admin", role=Role.ADMIN)
A_CLERK = Actor(id="clerk", role=Role.CLERK, department="samr", district="310101")

register_company = RegisterParty(
    kind=PartyKind.ORGANISATION,
    identifier_kind=IdentifierKind.USCC,
    identifier="91310000MA1K35QY6B",
    name="好味道餐饮",
    id=COMPANY_ID,
)


def officer(department: str, role: Role, who: str = "") -> Actor:
    """An officer of a department."""
    return Actor(id=f"{department}-{role}{who}", role=role, department=department, district="310101")


@dataclass
class Together:
    """`done` gives a command and lets the policies act on what it made happen."""

    office: Office
    feed: StoreFeed
    reactor: Reactor
    parked: list[str]

    def give(self, command: Any, by: Actor, evidence: Sequence[Evidence] = ()) -> Outcome:
        [outcome] = self.office.do(replace(ask(command, by), evidence=tuple(evidence)))
        self.settle()
        return outcome

    def done(self, command: Any, by: Actor, evidence: Sequence[Evidence] = ()) -> Answer:
        return answered(self.give(command, by, evidence))

    def settle(self) -> None:
        """React until nothing new happens."""
        while batches := self.feed.poll(0):
            for batch in batches:
                self.parked += [parking.problem for parking in self.reactor.prepare(batch.messages)]
        assert self.parked == []

    def events(self, stream: UUID) -> list[Recorded]:
        tails = self.office.log.read(after={stream: 0}, commands=(), identifiers=()).tails
        return [event_codec.decode(stored.state, stored.position, self.office.vault) for stored in tails]

    def of_kind(self, stream: UUID, kind: type) -> list[Any]:
        return [recorded.event for recorded in self.events(stream) if isinstance(recorded.event, kind)]

    def accept(self, case: UUID, lead: str) -> None:
        self.done(c.AcceptApplication(case), officer(lead, Role.ACCEPTOR))

    def review(self, case: UUID, branches: Sequence[str]) -> None:
        for branch in branches:
            self.done(c.RecordOpinion(case, branch, Opinion.PASS, "t"), officer(branch, Role.REVIEWER))

    def grant(self, case: UUID, lead: str) -> None:
        self.done(c.GrantApproval(case, "t"), officer(lead, Role.DECIDER))

    def deny(self, case: UUID, lead: str) -> None:
        self.done(c.DenyApproval(case, "reason", "remedy"), officer(lead, Role.DECIDER))

    def issue(self, case: UUID, lead: str) -> None:
        self.done(c.IssueLicence(case), officer(lead, Role.DECIDER))


@contextmanager
def together(office: Office, database: Database) -> Iterator[Together]:
    """The office with a reactor that gives its orders to it."""
    lock = Lock()

    def give(order: Order) -> None:
        with lock:  # the batch is one thread's
            [outcome] = office.do(request_of(order))
        if isinstance(outcome, Exception):
            raise outcome

    reactor = Reactor(give, office.vault, recall=recalling(office.log, office.vault))
    feed = StoreFeed(database.url)
    feed.assign({STORE: 0})
    try:
        yield Together(office, feed, reactor, [])
    finally:
        feed.close()
        reactor.close()


@contextmanager
def town_of(office: Office, database: Database) -> Iterator[Together]:
    """The made-up items and bundle of `tests.bundles`, and a company."""
    with together(office, database) as found:
        found.done(register_company, A_CLERK)
        for entry in (*SHOP, COMPANY_ITEM):
            found.done(PublishItem(entry), ADMIN)
        found.done(PublishBundle(SHOP_BUNDLE), ADMIN)
        yield found


@contextmanager
def city_of(office: Office, database: Database) -> Iterator[Together]:
    """The sample catalogue, and a company."""
    with together(office, database) as found:
        found.done(register_company, A_CLERK)
        for item in sample_items():
            found.done(PublishItem(item), ADMIN)
        for bundle in sample_bundles():
            found.done(PublishBundle(bundle), ADMIN)
        yield found


def vouched(material: str, source: str = "samr") -> Evidence:
    """What a source vouched for."""
    return Evidence(material, "E_LICENCE", source, "1", str(uuid4()))


BUSINESS = vouched("copy-lt-business")
submit_shop = SubmitBundle(
    "a-shop",
    COMPANY_ID,
    Channel.WEB,
    answers={"sells": True},
    form={"address": "人民路1号", "goods": "茶", "owner": "王", "note": "x"},
    materials=(
        MaterialOffered("one-form", How.FORM_PREFILL),
        MaterialOffered("copy-lt-business", How.E_LICENCE),
        MaterialOffered("paper", How.UPLOAD, "sha256:" + "0" * 64),
    ),
)


def shop(town: Together) -> tuple[UUID, dict[str, UUID]]:
    """A shop that is applied for, and the cases of its parts."""
    bundle = town.done(submit_shop, COMPANY, [BUSINESS]).id
    return bundle, {name: sub_case_stream(bundle, name) for name in ("permit", "sale", "bins")}
