"""Filing a bundle (一件事申请): one form, one set of materials, one number."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple
from uuid import UUID

from tongban.domain.aggregate import Circumstances
from tongban.domain.bundle.commands import SubmitBundle
from tongban.domain.bundle.definition import BundleDefinition
from tongban.domain.bundle.events import BundleEvent, BundleSubmitted, SubItem
from tongban.domain.bundle.follow import follow
from tongban.domain.bundle.plan import (
    chosen_items,
    limit_for,
    narrowed,
    plan_items,
    plan_tasks,
    without_idle_tasks,
)
from tongban.domain.bundle.publishing import BundleVersion
from tongban.domain.bundle.refusals import BundleNotPublished, PreconditionNotMet
from tongban.domain.bundle.state import Bundle, evolve
from tongban.domain.calendar.state import Calendar
from tongban.domain.case.commands import How, MaterialOffered
from tongban.domain.case.guards import evidence_of
from tongban.domain.case.refusals import (
    ApplicantNotRegistered,
    ApplicantNotServed,
    HowNotAllowed,
    ItemNotPublished,
    MaterialRepeated,
    UnknownMaterial,
)
from tongban.domain.catalogue.state import Item
from tongban.domain.party.events import PartyKind
from tongban.domain.party.state import Party
from tongban.domain.recorded import Evidence


class BundleFacts(NamedTuple):
    """What other streams say at the filing: the version in force, each item it names as of the day, the applicant.

    `stream` is the one the bundle will have, `number` what it will bear; `evidence` are the materials that were looked
    up, by the bundle's names for them.
    """

    version: BundleVersion | None
    items: Mapping[str, Item]
    applicant: Party
    stream: UUID
    number: str
    calendar: Calendar = Calendar()
    evidence: tuple[Evidence, ...] = ()
    district: str | None = None


def submit_bundle(command: SubmitBundle, circumstances: Circumstances, facts: BundleFacts) -> list[BundleEvent]:
    """File a bundle: its plan is made here, once, and the parts that wait for nothing are begun."""
    if facts.version is None:
        raise BundleNotPublished(bundle=command.bundle, version=command.version)
    if facts.applicant.kind is None:
        raise ApplicantNotRegistered(applicant=command.applicant)
    definition = facts.version.read
    for name in definition.names:
        if facts.items[name].read is None:
            raise ItemNotPublished(item=name)
    part = narrowed(definition, chosen_items(definition, facts.items, command.answers))
    part = without_idle_tasks(part, facts.items, command.answers)
    _served(part, facts)
    planned = plan_items(part, facts.items, facts.stream)
    evidence = tuple(_met(command, planned, facts).values())
    _preconditions(part, planned, facts, evidence)
    submitted = BundleSubmitted(
        number=facts.number,
        bundle_id=definition.id,
        bundle_version=facts.version.version,
        label=facts.version.label,
        lead=definition.lead,
        items=planned,
        tasks=plan_tasks(part, facts.items),
        limit=limit_for(part, facts.items),
        applicant=command.applicant,
        channel=command.channel,
        draft=command.draft,
        delivery=command.delivery,
        district=facts.district,
        evidence=evidence,
        answers=command.answers,
        form=command.form,
    )
    at = circumstances.effective_at
    return [submitted, *follow(evolve(Bundle(), submitted, at), at, facts.calendar)]


def _served(definition: BundleDefinition, facts: BundleFacts) -> None:
    """Every chosen item must be open to this kind of applicant, or its case could never be filed."""
    is_person = facts.applicant.kind is PartyKind.PERSON
    for name in definition.names:
        item = facts.items[name].read
        assert item is not None
        serves = item.serves & {"NATURAL_PERSON"} if is_person else item.serves - {"NATURAL_PERSON"}
        if not serves:
            raise ApplicantNotServed(item=name, applicant_kind=facts.applicant.kind)


def _met(command: SubmitBundle, planned: Sequence[SubItem], facts: BundleFacts) -> dict[str, Evidence]:
    exempt = {
        (plan.item, name): terms["exempt_by"]
        for plan in planned
        if (item := facts.items[plan.item].read) is not None
        for name, terms in item.terms["materials"].items()
    }
    ways: dict[str, set[str]] = {}
    for plan in planned:
        for material in plan.materials:
            if material.asked_as is not None:
                ways.setdefault(material.asked_as, set()).add(exempt[plan.item, material.material])
    claimed = offered(command.bundle, command.materials, ways)
    return {found.material: found for found in (*claimed, *facts.evidence)}


def offered(bundle: str, materials: Sequence[MaterialOffered], ways: Mapping[str, set[str]]) -> tuple[Evidence, ...]:
    """The evidence in what an applicant offers; `ways` are the means beside an upload, by the bundle's names.

    Raises UnknownMaterial, MaterialRepeated, HowNotAllowed.
    """
    names = [material.material for material in materials]
    if unknown := sorted(set(names) - ways.keys()):
        raise UnknownMaterial(item=bundle, materials=unknown)
    if len(set(names)) != len(names):
        raise MaterialRepeated(item=bundle, materials=sorted({name for name in names if names.count(name) > 1}))
    for material in materials:
        if material.how is not How.UPLOAD and material.how not in ways[material.material]:
            raise HowNotAllowed(
                material=material.material, how=material.how, allowed=sorted(ways[material.material] - {"NONE"})
            )
    return tuple(evidence_of(material) for material in materials)


def _preconditions(
    definition: BundleDefinition, planned: Sequence[SubItem], facts: BundleFacts, evidence: Sequence[Evidence]
) -> None:
    """前提条件: the licence that the bundle builds on must be shown: vouched for by its source, or on paper.

    On paper only where the source did not answer (免于提交 falls back to it); the acceptor then looks at it.
    """
    shown = {
        found.material
        for found in evidence
        if (found.how == How.UPLOAD and found.ref is not None) or found.source not in (None, "applicant")
    }
    for before in dict.fromkeys(before for before, _ in definition.preconditions):
        item = facts.items[before].read
        licence_type = item.licence_type if item is not None else None
        asked = {
            material.asked_as
            for plan in planned
            for material in plan.materials
            if material.licence_type is not None and material.licence_type == licence_type
        }
        if not asked & shown:
            raise PreconditionNotMet(item=before, licence_type=licence_type)
