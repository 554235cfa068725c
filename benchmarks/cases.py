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
from tongban.infra.reference import sample_calendars, sample_items

PEOPLE = 200
BRANCHES = ("housing", "tax", "nr")
ITEM = "property-transfer"
FORM = {"name": "测试人", "address": "上海市浦东新区世纪大道 1 号", "phone": "13800000000", "area": 89.5}


def entries() -> list[dict[str, Any]]:
    """The sample catalogue, free of charge: nothing is issued unpaid, and paying is not what is measured."""
    return [item | {"fee": {"charged": False}} for item in sample_items()]


def materials() -> tuple[MaterialOffered, ...]:
    """Every material of the item, uploaded."""
    entry = next(entry for entry in entries() if entry["id"] == ITEM)
    return tuple(MaterialOffered(found["materialId"], How.UPLOAD, "sha256:0f") for found in entry["materials"])


def request(body: Any, actor: Actor) -> Request:
    """A command as the API would pass it on."""
    key = uuid4()
    return Request(type(body).__name__, body, actor, key, sha256(key.bytes).digest())


def prepare(batch: Batch) -> list[UUID]:
    """Import the calendars, publish the catalogue, register people (by made-up passports). Their party ids."""
    admin, clerk = Actor("bench", Role.ADMIN), Actor("bench", Role.CLERK)
    answers = batch.do([request(calendar, admin) for calendar in sample_calendars()])
    answers += batch.do([request(PublishItem(entry), admin) for entry in entries()])
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
    offered = materials()
    return [
        request(
            SubmitApplication(ITEM, person, Channel.WEB, form=FORM, materials=offered),
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
