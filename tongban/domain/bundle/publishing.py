"""Published versions of a bundle, side by side, and which one an application falls under.

A version has a label of its own (`2019`); whoever names none gets the label that came into force last, in its newest
version. Open bundles keep theirs.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, NamedTuple

from tongban.domain.aggregate import Aggregate, Circumstances
from tongban.domain.bundle.checks import check_bundle
from tongban.domain.bundle.definition import BundleDefinition, read_bundle
from tongban.domain.catalogue.item import ItemDefinition
from tongban.domain.catalogue.refusals import EffectiveFromInPast
from tongban.domain.office_time import office_day
from tongban.domain.recorded import ItemVersion, Rules


@dataclass(frozen=True, slots=True)
class PublishBundle:
    """Publish a bundle (一件事), or a new version of it. Open bundles keep the version they were filed under.

    `effective_from` is the first day of the version, by default the day of publication.
    """

    bundle: dict[str, Any]
    effective_from: date | None = None


@dataclass(frozen=True, slots=True)
class BundlePublished:
    """A version of a bundle was published. `bundle_version` counts them all, `label` is what the version is called.

    It is in force from the day `effective_from`; null: from the day of its publication.
    """

    bundle_id: str
    bundle_version: int
    label: str
    definition: dict[str, Any]
    effective_from: date | None


class BundleVersion(NamedTuple):
    """One version: its definition as published and as read, and its first day."""

    version: int
    label: str
    entry: Mapping[str, Any]
    read: BundleDefinition
    starts: date


class Published(NamedTuple):
    """Every version ever published."""

    id: str = ""
    versions: tuple[BundleVersion, ...] = ()

    def in_force(self, day: date, label: str | None = None) -> BundleVersion | None:
        """The version that a filing of this day falls under; None where there is none (of that label)."""
        newest: dict[str, BundleVersion] = {}
        first: dict[str, tuple[date, int]] = {}
        for version in self.versions:
            if version.starts <= day:
                known = newest.get(version.label)
                if known is None or version.starts >= known.starts:
                    newest[version.label] = version
                place = (version.starts, version.version)
                first[version.label] = min(first.get(version.label, place), place)
        # A label that is mended keeps its place: it does not become what everybody is offered.
        wanted = label if label is not None else max(first, key=lambda each: first[each], default=None)
        return None if wanted is None else newest.get(wanted)


def publish_bundle(
    command: PublishBundle, circumstances: Circumstances, published: Published, items: Mapping[str, ItemDefinition]
) -> list[BundlePublished]:
    """Publish the next version, or nothing if its label says the same already. `items` are those in force by id.

    Raises InvalidBundle, CircularBundle, PromiseOverItem, EffectiveFromInPast.
    """
    definition = check_bundle(command.bundle, items)
    today = office_day(circumstances.effective_at)
    if command.effective_from is not None and command.effective_from < today:
        raise EffectiveFromInPast(asked=command.effective_from, today=today)
    ruling = published.in_force(command.effective_from or today, definition.label)
    if ruling is not None and ruling.entry == command.bundle:
        return []
    return [
        BundlePublished(
            bundle_id=definition.id,
            bundle_version=len(published.versions) + 1,
            label=definition.label,
            definition=dict(command.bundle),
            effective_from=command.effective_from,
        )
    ]


def evolve(published: Published, event: BundlePublished, at: datetime) -> Published:
    """The versions after an event."""
    # A first version without a date also rules what was filed before its publication and is entered late.
    starts = event.effective_from or (office_day(at) if published.versions else date.min)
    version = BundleVersion(event.bundle_version, event.label, event.definition, read_bundle(event.definition), starts)
    return Published(event.bundle_id, (*published.versions, version))


def rules(published: Published) -> Rules:
    """A publication is made under the version it makes."""
    return Rules(bundle=ItemVersion(published.id, len(published.versions)) if published.versions else None)


BUNDLE_DEFINITION = Aggregate(
    category="bundle_definition",
    events=(BundlePublished,),
    initial=Published(),
    evolve=evolve,
    rules=rules,
)
