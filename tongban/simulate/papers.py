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

_OFFERED = {"REQUIRED": 1.0, "TOLERABLE": 0.85, "CONDITIONAL": 0.4}
_SOURCE_FAILS = 0.06  # then the paper is uploaded after all


def materials(random: Random, wanted: Wanted) -> list[dict[str, Any]]:
    """The `materials` of SubmitApplication: without a paper wherever the guide says it can be had otherwise."""
    return [
        _offered(random, material)
        for material in wanted.materials
        if random.random() < _OFFERED.get(material["necessity"], 1.0)
    ]


def _offered(random: Random, material: Mapping[str, Any]) -> dict[str, Any]:
    exempt_by = material["exemptBy"]
    fails = exempt_by in (How.E_LICENCE, How.DATA_SHARING) and random.random() < _SOURCE_FAILS
    how = How.UPLOAD if exempt_by == "NONE" or fails else How(exempt_by)
    ref = f"sha256:{sha256(random.randbytes(16)).hexdigest()}" if how is How.UPLOAD else None
    return {"material": material["materialId"], "how": str(how), "ref": ref}


def form(random: Random, wanted: Wanted, applicant: Applicant) -> dict[str, Any]:
    """The `form` of SubmitApplication: personal data, as in life."""
    filled: dict[str, Any] = {"address": applicant.address, "email": applicant.email}
    if applicant.kind is PartyKind.ORGANISATION:
        filled["employees"] = random.randint(1, 60)
    if wanted.definition.id in ("property-transfer", "mortgage-registration", "inheritance-transfer"):
        area = random.randint(35, 180)
        filled |= {"area_m2": area, "price_yuan": area * random.randint(30_000, 95_000)}
    return filled
