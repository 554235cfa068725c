"""Which bundles are published? `bundle_definition_view`: which versions of each; `bundle_version_view`: all, whole."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, datetime
from typing import Any, NamedTuple
from uuid import UUID

from psycopg import Cursor, sql

from tongban.domain.bundle.definition import read_bundle
from tongban.domain.bundle.publishing import BundlePublished, Published, evolve
from tongban.domain.recorded import Recorded
from tongban.projections.projection import LogTable, StreamTable
from tongban.projections.selecting import fetch, fetch_one, selecting

BundleName = tuple[str, int]
"""Bundle id and version."""


class BundleDefinitionRow(NamedTuple):
    """A bundle and its newest version."""

    id: UUID
    bundle_id: str
    bundle_version: int
    lead: str
    version: int
    position: int


class BundleVersionRow(NamedTuple):
    """One published version of a bundle and its first day; `definition` is the entry as it was published."""

    bundle_id: str
    bundle_version: int
    label: str
    name_zh: str
    name_en: str
    lead: str
    published_at: datetime
    effective_from: date | None
    definition: Mapping[str, Any]
    version: int
    position: int


def fold(_: BundleDefinitionRow | None, recorded: Recorded) -> BundleDefinitionRow:
    """The bundle after one more version."""
    event: BundlePublished = recorded.event
    return BundleDefinitionRow(
        id=recorded.envelope.stream,
        bundle_id=event.bundle_id,
        bundle_version=event.bundle_version,
        lead=read_bundle(event.definition).lead,
        version=recorded.envelope.version,
        position=recorded.position,
    )


def entry(recorded: Recorded) -> BundleVersionRow:
    """The version that one publication makes."""
    event: BundlePublished = recorded.event
    read = read_bundle(event.definition)
    return BundleVersionRow(
        bundle_id=event.bundle_id,
        bundle_version=event.bundle_version,
        label=event.label,
        name_zh=read.name_zh,
        name_en=read.name_en,
        lead=read.lead,
        published_at=recorded.envelope.effective_at,
        effective_from=event.effective_from,
        definition=event.definition,
        version=recorded.envelope.version,
        position=recorded.position,
    )


BUNDLE_DEFINITIONS = StreamTable(
    name="bundle_definition_view", row=BundleDefinitionRow, events=(BundlePublished,), fold=fold
)
BUNDLE_VERSIONS = LogTable(name="bundle_version_view", row=BundleVersionRow, events=(BundlePublished,), entry=entry)

_SELECT = selecting("bundle_version_view", BundleVersionRow)


def bundle_versions_by_names(cursor: Cursor[Any], names: Sequence[BundleName]) -> dict[BundleName, BundleVersionRow]:
    """Those of the versions that there are."""
    query = _SELECT + sql.SQL(" WHERE (bundle_id, bundle_version) IN (SELECT * FROM unnest(%s::text[], %s::int[]))")
    parameters = [[name for name, _ in names], [version for _, version in names]]
    return {(row.bundle_id, row.bundle_version): row for row in fetch(cursor, BundleVersionRow, query, parameters)}


def bundle_in_force(
    cursor: Cursor[Any], bundle_id: str, *, today: date, label: str | None = None
) -> BundleVersionRow | None:
    """A bundle in the version that a filing of today falls under."""
    query = _SELECT + sql.SQL(" WHERE bundle_id = %s ORDER BY bundle_version")
    rows = fetch(cursor, BundleVersionRow, query, (bundle_id,))
    published = Published()
    for row in rows:
        event = BundlePublished(row.bundle_id, row.bundle_version, row.label, dict(row.definition), row.effective_from)
        published = evolve(published, event, row.published_at)
    ruling = published.in_force(today, label)
    return None if ruling is None else rows[ruling.version - 1]


def bundle_version(cursor: Cursor[Any], bundle_id: str, version: int) -> BundleVersionRow | None:
    """A bundle in one version."""
    query = _SELECT + sql.SQL(" WHERE bundle_id = %s AND bundle_version = %s")
    return fetch_one(cursor, BundleVersionRow, query, (bundle_id, version))
