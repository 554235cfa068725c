"""What people come for: how often each item of the sample catalogue is asked for, by which channel, and who may."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from random import Random
from typing import Any

from tongban.domain.case.events import Channel, Means
from tongban.domain.catalogue.item import ItemDefinition, read_item
from tongban.domain.party.events import IdentifierKind, PartyKind
from tongban.infra.reference import sample_items
from tongban.simulate.randomness import part_at
from tongban.simulate.shares import CHANNELS

# Cases a year are published for few items (near 12,000 restaurants, 38,000 registrations of property in ten weeks);
# the rest is a guess of their order. An item that is not named here weighs 1.
_WEIGHTS: Mapping[str, float] = {
    "property-transfer": 12, "mortgage-registration": 8, "mortgage-cancel": 8, "inheritance-transfer": 1.5,
    "residence-permit": 10, "id-card-renewal": 9, "driver-licence-renewal": 9, "social-card": 7,
    "medical-reimbursement": 7, "unemployment-benefit": 5, "pension-claim": 4, "maternity-benefit": 4,
    "fertility-registration": 4, "birth-certificate": 4, "vaccination-certificate": 4, "hukou-birth": 4,
    "resident-medical-enrol": 4, "resident-medical-pay": 4, "power-transfer": 3, "water-transfer": 3,
    "company-registration": 12, "invoice": 10, "seal-filing": 8, "employer-social-insurance": 7,
    "employer-housing-fund": 6, "food-licence": 8, "fire-safety-check": 4, "outdoor-sign": 4, "liquor-retail": 4,
    "kitchen-waste": 3, "waste-oil": 3, "hygiene-licence": 3, "power-connection": 3, "tobacco-retail": 2,
    "foreigner-work-permit": 2, "construction-permit": 1.5, "hazchem-licence": 0.5,
}  # fmt: skip
_CITIZENS_ONLY = frozenset({"id-card-renewal", "hukou-birth", "resident-medical-enrol", "resident-medical-pay"})

ONLINE = frozenset({Channel.WEB, Channel.APP})
"""Channels by which the applicant files, who cannot enter anything late."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """A service item as an applicant meets it; days are promised working days."""

    definition: ItemDefinition
    immediate: bool
    promised_days: int

    @property
    def delivery(self) -> tuple[Means, ...]:
        """The ways in which its result can reach the applicant."""
        return tuple(map(Means, self.definition.terms["delivery"]))


def choose_item(random: Random, kind: PartyKind, identifier_kind: IdentifierKind) -> Wanted:
    """An item that serves this kind of party."""
    items, weights = _on_offer(kind, identifier_kind is IdentifierKind.CITIZEN_ID)
    return random.choices(items, weights)[0]


def channel_at(share: float) -> Channel:
    """How the application comes in, `share` in [0, 1) standing for all applications."""
    return part_at(CHANNELS, share)


@cache
def _on_offer(kind: PartyKind, citizen: bool) -> tuple[Sequence[Wanted], Sequence[float]]:  # noqa: FBT001
    items = [_wanted(entry) for entry in sample_items()]
    person = kind is PartyKind.PERSON
    served = [
        item
        for item in items
        if (item.definition.serves & {"NATURAL_PERSON"} if person else item.definition.serves - {"NATURAL_PERSON"})
        and (citizen or not person or item.definition.id not in _CITIZENS_ONLY)
    ]
    return served, [_WEIGHTS.get(item.definition.id, 1.0) for item in served]


def _wanted(entry: Mapping[str, Any]) -> Wanted:
    definition = read_item(entry)
    return Wanted(
        definition=definition,
        immediate=not definition.promised,
        promised_days=entry["promisedTimeLimit"]["value"],
    )
