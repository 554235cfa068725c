"""The homepage of a party: its cases and its licences."""

from __future__ import annotations

from datetime import date, datetime
from typing import Annotated
from uuid import UUID

import strawberry
from strawberry.scalars import JSON

from tongban.domain.actor import PARTY_ROLES
from tongban.graphql.bundle import Bundle, bundle
from tongban.graphql.case import Case, CaseState, announce, case
from tongban.graphql.connection import After, Connection, First, Node, connect
from tongban.graphql.context import Info, Lang
from tongban.graphql.ids import uuid_of
from tongban.graphql.terms import Language
from tongban.projections.bundles import bundles_of
from tongban.projections.cases import CaseRow, cases_of, cases_under
from tongban.projections.keyset import check_first
from tongban.projections.licences import LicenceRow, licences_of
from tongban.projections.mandates import MandateRow, mandates_by_ids
from tongban.projections.parties import PartyRow

_SHOWN_START, _SHOWN_END = 3, 2


@strawberry.type(description="An e-licence (电子证照) in the licence library.")
class Licence(Node):
    """A licence."""

    row: strawberry.Private[LicenceRow]
    number: str = strawberry.field(description="The number of the licence.")
    type: str = strawberry.field(description="The code of its type in the catalogue.")
    valid_from: date = strawberry.field(description="The first day it is valid.")
    valid_to: date | None = strawberry.field(description="The last day it is valid; null: without end.")
    collected_at: datetime = strawberry.field(description="归集: when it entered the library (UTC).")

    @strawberry.field(description="The name of its type.")
    def type_name(self, info: Info, lang: Language = Lang.ZH) -> str | None:
        """By the catalogue."""
        return info.context.names.licence_type(self.type, lang.value)

    @strawberry.field(description="Who holds it.")
    def holder(self, info: Info) -> Annotated[Party, strawberry.lazy("tongban.graphql.homepage")] | None:
        """Read together with its siblings'."""
        return party_of(info, self.row.holder)

    @strawberry.field(description="The case it came from, if that may be seen.")
    def case(self, info: Info) -> Case | None:
        """Read together with its siblings'."""
        row = info.context.cases.get(self.row.case_id)
        return case(row) if row else None

    @strawberry.field(description="What stands on its face, opened; null if it was erased.")
    def face(self, info: Info) -> JSON | None:
        """Opened together with its siblings'."""
        face: JSON | None = info.context.unsealed.open(self.row.sealed)[0].get("face")
        return face

    @strawberry.field(description="Whether what stands on its face was erased for good.")
    def erased(self, info: Info) -> bool:
        """Known once the box was opened."""
        return info.context.unsealed.open(self.row.sealed)[1]


@strawberry.type(description="A natural person or an organisation that applies, holds licences and rates (办事主体).")
class Party(Node):
    """A party."""

    row: strawberry.Private[PartyRow]
    kind: str = strawberry.field(description="PERSON or ORGANISATION.")
    identifier_kind: str = strawberry.field(description="CITIZEN_ID, USCC, RESIDENCE_PERMIT or PASSPORT.")

    @strawberry.field(description="The name; null if it was erased.")
    def name(self, info: Info) -> str | None:
        """Opened together with its siblings'."""
        name = info.context.unsealed.open(self.row.sealed)[0].get("name")
        return None if name is None else str(name)

    @strawberry.field(
        description="The identifier: whole for the party itself, masked for others; null if it was erased."
    )
    def number(self, info: Info) -> str | None:
        """Opened together with its siblings'."""
        number = info.context.unsealed.open(self.row.sealed)[0].get("identifier")
        if number is None:
            return None
        return str(number) if _is_self(info, self.row.id) else _masked(str(number))

    @strawberry.field(description="Whether the personal data was erased for good.")
    def erased(self, info: Info) -> bool:
        """Known once the box was opened."""
        return info.context.unsealed.open(self.row.sealed)[1]

    @strawberry.field(description="The party's cases, newest first.")
    def cases(
        self,
        info: Info,
        first: First = 20,
        after: After = None,
        state: Annotated[CaseState | None, strawberry.argument(description="Only those that stand there.")] = None,
    ) -> Connection[Case]:
        """A page of those that the reader may see."""
        status = None if state is None else state.name
        page = cases_of(info.context.cursor, self.row.id, first=first, after=after, status=status)
        announce(info, [row for _, row in page.rows])
        return connect(page, after, _case)

    @strawberry.field(description="The party's bundles (一件事), newest first.")
    def bundles(self, info: Info, first: First = 20, after: After = None) -> Connection[Bundle]:
        """A page of those that the reader may see."""
        page = bundles_of(info.context.cursor, self.row.id, first=first, after=after)
        info.context.bundle_versions.want((row.bundle_id, row.bundle_version) for _, row in page.rows)
        return connect(page, after, bundle)

    @strawberry.field(description="The party's licences, newest first.")
    def licences(self, info: Info, first: First = 20, after: After = None) -> Connection[Licence]:
        """A page of those that the reader may see."""
        page = licences_of(info.context.cursor, self.row.id, first=first, after=after)
        info.context.cases.want(row.case_id for _, row in page.rows)
        info.context.unsealed.want([box for _, row in page.rows for box in row.sealed])
        return connect(page, after, licence)

    @strawberry.field(description="Mandates (委托授权) that the party gave or was given, newest first.")
    def mandates(
        self, info: Info, first: First = 20
    ) -> list[Annotated[Mandate, strawberry.lazy("tongban.graphql.homepage")]]:
        """Those of the newest hundred that the reader may see."""
        rows = (info.context.mandates.get(self.row.id) or [])[: check_first(first)]
        info.context.parties.want(party for row in rows for party in (row.principal, row.agent))
        return [mandate(row) for row in rows]


@strawberry.type(description="Who may act for whom, in what, and from when to when (委托授权).")
class Mandate(Node):
    """A mandate."""

    row: strawberry.Private[MandateRow]
    kind: str = strawberry.field(description="AGENT, OPERATOR, GUARDIAN or FAMILY.")
    items: list[str] | None = strawberry.field(description="The items it is for; null: all.")
    steps: list[str] | None = strawberry.field(description="The steps it is for; null: all.")
    valid_from: date = strawberry.field(description="The first day it covers.")
    valid_to: date = strawberry.field(description="The last day it covers.")
    granted_at: datetime = strawberry.field(description="When it was granted (UTC); it covers nothing before.")
    revoked_at: datetime | None = strawberry.field(description="When it was revoked (UTC).")
    document: str | None = strawberry.field(description="The content of the paper it rests on (`sha256:…`).")
    principal_id: str = strawberry.field(description="The party that is acted for.")
    agent_id: str = strawberry.field(description="The party that acts.")

    @strawberry.field(description="Who is acted for, if that may be seen.")
    def principal(self, info: Info) -> Party | None:
        """Read together with its siblings'."""
        return party_of(info, self.row.principal)

    @strawberry.field(description="Who acts, if that may be seen.")
    def agent(self, info: Info) -> Party | None:
        """Read together with its siblings'."""
        return party_of(info, self.row.agent)

    @strawberry.field(description="The cases that were filed under it, newest first.")
    def cases(self, info: Info, first: First = 20, after: After = None) -> Connection[Case]:
        """A page of those that the reader may see."""
        page = cases_under(info.context.cursor, self.row.id, first=first, after=after)
        announce(info, [row for _, row in page.rows])
        return connect(page, after, _case)


def mandate(row: MandateRow) -> Mandate:
    """The GraphQL object of a mandate."""
    return Mandate(
        id=strawberry.ID(str(row.id)),
        row=row,
        kind=row.kind,
        items=None if row.items is None else list(row.items),
        steps=None if row.steps is None else list(row.steps),
        valid_from=row.valid_from,
        valid_to=row.valid_to,
        granted_at=row.granted_at,
        revoked_at=row.revoked_at,
        document=row.document,
        principal_id=str(row.principal),
        agent_id=str(row.agent),
    )


def mandate_of(info: Info, mandate_id: UUID) -> Mandate | None:
    """A mandate, if it may be seen."""
    row = mandates_by_ids(info.context.cursor, [mandate_id]).get(mandate_id)
    return mandate(row) if row else None


def _case(row: CaseRow) -> Case:
    return case(row)


def _is_self(info: Info, party: UUID) -> bool:
    actor = info.context.actor
    return actor is not None and actor.role in PARTY_ROLES and uuid_of(actor.id) == party


def _masked(number: str) -> str:
    hidden = max(0, len(number) - _SHOWN_START - _SHOWN_END)
    return number[:_SHOWN_START] + "*" * hidden + (number[-_SHOWN_END:] if hidden else "")


def party(row: PartyRow) -> Party:
    """The GraphQL object of a party."""
    return Party(
        id=strawberry.ID(str(row.id)),
        row=row,
        kind=row.kind,
        identifier_kind=row.identifier_kind,
    )


def party_of(info: Info, party_id: UUID) -> Party | None:
    """A party, if it may be seen."""
    row = info.context.parties.get(party_id)
    if row is None:
        return None
    info.context.unsealed.want(row.sealed)
    return party(row)


def licence(row: LicenceRow) -> Licence:
    """The GraphQL object of a licence."""
    return Licence(
        id=strawberry.ID(str(row.id)),
        row=row,
        number=row.number,
        type=row.licence_type,
        valid_from=row.valid_from,
        valid_to=row.valid_to,
        collected_at=row.collected_at,
    )


def licence_of(info: Info, licence_id: UUID | None) -> Licence | None:
    """A licence, if it may be seen."""
    row = info.context.licences.get(licence_id) if licence_id is not None else None
    return licence(row) if row else None


def me(info: Info) -> Party | None:
    """The caller, if it is a party."""
    actor = info.context.actor
    if actor is None or actor.role not in PARTY_ROLES:
        return None
    party_id = uuid_of(actor.id)
    return party_of(info, party_id) if party_id is not None else None
