"""What the benchmarks ask for: property transfers and food licences of registered parties, step by step."""

from __future__ import annotations

from collections.abc import Sequence
from hashlib import sha256
from typing import Any
from uuid import UUID, uuid4

from tongban.commands.batch import Batch
from tongban.commands.requests import Answer, Request
from tongban.domain.actor import Actor, Role
from tongban.domain.case.commands import (
    AcceptApplication,
    GrantApproval,
    How,
    IssueLicence,
    MaterialOffered,
    RecordOpinion,
    SubmitApplication,
)
from tongban.domain.case.events import Channel, Opinion
from tongban.domain.catalogue.commands import PublishItem
from tongban.domain.party.commands import RegisterParty
from tongban.domain.party.events import IdentifierKind, PartyKind
from tongban.infra.reference import sample_items

PEOPLE = 200
BRANCHES = ("housing", "tax", "nr")
FORM = {"name": "测试人", "address": "上海市浦东新区世纪大道 1 号", "phone": "13800000000", "area": 89.5}


def request(body: Any, actor: Actor) -> Request:
    """A command as the API would pass it on."""
    key = uuid4()
    return Request(type(body).__name__, body, actor, key, sha256(key.bytes).digest())


def prepare(batch: Batch) -> list[UUID]:
    """Publish the catalogue and register people (by made-up passports). Their party ids."""
    admin, clerk = Actor("bench", Role.ADMIN), Actor("bench", Role.CLERK)
    answers = batch.do([request(PublishItem(item), admin) for item in sample_items()])
    registrations = [
        RegisterParty(PartyKind.PERSON, IdentifierKind.PASSPORT, f"BENCH{number:07d}", "测试人")
        for number in range(PEOPLE)
    ]
    answers += batch.do([request(registration, clerk) for registration in registrations])
    return [answer_of(answer).id for answer in answers[-PEOPLE:]]


def answer_of(outcome: Answer | Exception) -> Answer:
    """The answer, or the refusal raised."""
    if isinstance(outcome, Exception):
        raise outcome
    return outcome


def filings(people: Sequence[UUID], count: int) -> list[Request]:
    """Applications for property transfers."""
    materials = tuple(MaterialOffered(name, How.E_LICENCE) for name in ("id-card", "property-cert"))
    return [
        request(
            SubmitApplication("property-transfer", person, Channel.WEB, form=FORM, materials=materials),
            Actor(str(person), Role.CITIZEN),
        )
        for person in (people[number % len(people)] for number in range(count))
    ]


def steps(cases: Sequence[UUID]) -> list[list[Request]]:
    """All that follows a filing, one list per step; the cases of a step do not wait for each other."""
    acceptor, decider = Actor("acceptor", Role.ACCEPTOR, "nr"), Actor("decider", Role.DECIDER, "nr")
    reviewers = {branch: Actor(f"reviewer-{branch}", Role.REVIEWER, branch) for branch in BRANCHES}
    return [
        [request(AcceptApplication(case), acceptor) for case in cases],
        *(
            [request(RecordOpinion(case, branch, Opinion.PASS, "材料齐全, 同意"), reviewers[branch]) for case in cases]
            for branch in BRANCHES
        ),
        [request(GrantApproval(case, "准予登记"), decider) for case in cases],
        [request(IssueLicence(case, face={"坐落": "世纪大道 1 号"}), decider) for case in cases],
    ]
