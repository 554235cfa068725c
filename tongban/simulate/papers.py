"""What is handed in: the materials of the item's guide and how each is met, and the form."""

from __future__ import annotations

from collections.abc import Mapping
from hashlib import sha256
from random import Random
from typing import Any

from tongban.domain.case.commands import How
from tongban.domain.party.events import PartyKind
from tongban.simulate.demand import Wanted
from tongban.simulate.people import Applicant

_OFFERED = {"REQUIRED": 1.0, "TOLERABLE": 1.0, "CONDITIONAL": 0.4}


def materials(random: Random, wanted: Wanted) -> list[dict[str, Any]]:
    """The `materials` of SubmitApplication: without a paper wherever the guide says it can be had otherwise.

    Where a source then does not have it, it is uploaded after all.
    """
    return [
        _offered(material)
        for material in wanted.materials
        if random.random() < _OFFERED.get(material["necessity"], 1.0)
    ]


def _offered(material: Mapping[str, Any]) -> dict[str, Any]:
    exempt_by = material["exemptBy"]
    if exempt_by == "NONE":
        return uploaded(material["materialId"])
    return {"material": material["materialId"], "how": str(How(exempt_by)), "ref": None}


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
