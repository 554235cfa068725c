"""What is handed in: the answers to the item's questions, the materials its guide then asks for, and the form."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from hashlib import sha256
from random import Random
from typing import Any

from tongban.domain.case.commands import How
from tongban.domain.catalogue.guide import needed_materials
from tongban.domain.catalogue.item import ItemDefinition
from tongban.domain.party.events import PartyKind
from tongban.simulate.demand import Wanted
from tongban.simulate.people import Applicant

FROM_SOURCES = frozenset({How.E_LICENCE, How.DATA_SHARING})
_KINDS = {PartyKind.PERSON: "person", PartyKind.ORGANISATION: "company"}


def answers(
    random: Random, definition: ItemDefinition, kind: PartyKind, *, committed: bool, agent: bool
) -> dict[str, Any]:
    """An answer to each question of the item."""
    settled = {"agent": agent, "commitment-route": committed, "applicant-kind": _KINDS[kind]}
    given: dict[str, Any] = {}
    for question in definition.questions:
        name = question["id"]
        if name in settled:
            given[name] = settled[name]
        elif question["kind"] == "boolean":
            given[name] = random.choice((True, False))
        elif question["kind"] == "number":
            given[name] = random.randint(20, 400)
        else:
            given[name] = random.choice(question["options"])["value"]
    return given


def needed(definition: ItemDefinition, given: Mapping[str, Any]) -> list[str]:
    """The materials that the guide asks this applicant for."""
    asked = needed_materials(definition, given)
    return [material for material in definition.terms["materials"] if material in asked]


def materials(definition: ItemDefinition, names: Collection[str]) -> list[dict[str, Any]]:
    """The `materials` of a command: without a paper wherever the guide says it can be had otherwise.

    Where a source then does not have it, it is uploaded after all.
    """
    return [_offered(definition, name) for name in names]


def _offered(definition: ItemDefinition, name: str) -> dict[str, Any]:
    exempt_by = definition.terms["materials"][name]["exempt_by"]
    if exempt_by == "NONE":
        return uploaded(name)
    return {"material": name, "how": str(How(exempt_by)), "ref": None}


def mendable(definition: ItemDefinition, names: Collection[str]) -> list[str]:
    """Those that an office may ask for: not what a source vouches for. Papers come before what is filled in."""
    listed = definition.terms["materials"]
    own = [name for name in names if listed[name]["exempt_by"] not in FROM_SOURCES]
    return sorted(own, key=lambda name: listed[name]["exempt_by"] != "NONE")


def uploaded(material: str) -> dict[str, Any]:
    """A material that is met by uploading its paper."""
    return {"material": material, "how": str(How.UPLOAD), "ref": f"sha256:{sha256(paper(material)).hexdigest()}"}


def paper(material: str) -> bytes:
    """The file that stands for a paper: one content per material, so that a party uploads it once."""
    return f"模拟材料 {material}\n".encode()


def form(random: Random, wanted: Wanted, applicant: Applicant) -> dict[str, Any]:
    """The `form` of SubmitApplication: personal data, as in life."""
    filled: dict[str, Any] = {"address": applicant.address, "email": applicant.email}
    if applicant.kind is PartyKind.ORGANISATION:
        filled["employees"] = random.randint(1, 60)
    if wanted.definition.id in ("property-transfer", "mortgage-registration", "inheritance-transfer"):
        area = random.randint(35, 180)
        filled |= {"area_m2": area, "price_yuan": area * random.randint(30_000, 95_000)}
    return filled
