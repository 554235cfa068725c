"""What a bundle asks an applicant for, by its own names, and by which means each part would take it."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Any, NamedTuple
from uuid import UUID

from tongban.domain.bundle.plan import chosen_items, narrowed, plan_items
from tongban.domain.bundle.publishing import Published
from tongban.domain.bundle.state import Bundle
from tongban.domain.case.commands import How
from tongban.domain.catalogue.state import Item


class Way(NamedTuple):
    """One means for a material: as which of a part's own materials, and by which licence if by one."""

    material: str
    how: How
    licence_type: str | None


def ways_at_filing(
    published: Published, label: str | None, items: Mapping[str, Item], answers: Mapping[str, Any], day: date
) -> dict[str, tuple[Way, ...]]:
    """Name in the bundle → the means beside an upload, in the order of the parts. Empty: there is no such bundle.

    `items` are those the version names, as of `day`. Raises what the filing itself is refused with.
    """
    version = published.in_force(day, label)
    if version is None or any(items[name].read is None for name in version.read.names):
        return {}
    part = narrowed(version.read, chosen_items(version.read, items, answers))
    ways: dict[str, tuple[Way, ...]] = {}
    for plan in plan_items(part, items, UUID(int=0)):  # the plan's case ids are not looked at
        read = items[plan.item].read
        assert read is not None
        for material in plan.materials:
            if material.asked_as is None:
                continue
            exempt_by = read.terms["materials"][material.material]["exempt_by"]
            found = () if exempt_by == "NONE" else (Way(material.material, How(exempt_by), material.licence_type),)
            ways[material.asked_as] = (*ways.get(material.asked_as, ()), *found)
    return ways


def ways_at_correction(bundle: Bundle) -> dict[str, tuple[Way, ...]]:
    """As `ways_at_filing`, for what a filed bundle asked for: licences, and data of whoever holds them."""
    ways: dict[str, tuple[Way, ...]] = {}
    for part in bundle.parts.values():
        for material in part.plan.materials:
            if material.asked_as is None:
                continue
            how = How.DATA_SHARING if material.licence_type is None else How.E_LICENCE
            way = Way(material.material, how, material.licence_type)
            ways[material.asked_as] = (*ways.get(material.asked_as, ()), way)
    return ways
