"""The schema: what can be asked, and how an answer is made. It never writes."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Annotated, Any

import strawberry
from graphql import GraphQLError
from strawberry.scalars import JSON
from strawberry.schema.config import StrawberryConfig
from strawberry.types import ExecutionResult
from strawberry.types.execution import ExecutionContext
from strawberry.types.graphql import OperationType

from tongban.graphql.bundle import Bundle, bundle_of, find_by_number
from tongban.graphql.case import Case, find_case
from tongban.graphql.case import case as case_object
from tongban.graphql.catalogue import ServiceItem, find_item, resolve_items
from tongban.graphql.connection import After, Connection, First, Node
from tongban.graphql.context import Info
from tongban.graphql.errors import presentable
from tongban.graphql.guide import Guide, resolve_guide
from tongban.graphql.homepage import Licence, Mandate, Party, licence_of, mandate_of, me, party_of
from tongban.graphql.ids import askable, uuid_of
from tongban.graphql.limits import Limits
from tongban.graphql.queue import Department, find_department
from tongban.projections.cases import case_by_number

AnId = Annotated[strawberry.ID, strawberry.argument(description="The id, the same as in commands and on topics.")]


@strawberry.type(description="What can be read. Whatever does not exist, or may not be seen, is null.")
class Query:
    """The entry points."""

    @strawberry.field(description="The caller's homepage; null for who is no party.")
    def me(self, info: Info) -> Party | None:
        """By the token's subject."""
        return me(info)

    @strawberry.field(description="A party.")
    def party(self, info: Info, id: AnId) -> Party | None:  # noqa: A002
        """By id."""
        key = uuid_of(id)
        return party_of(info, key) if key else None

    @strawberry.field(description="A case.")
    def case(
        self,
        info: Info,
        id: AnId,  # noqa: A002
        min_version: Annotated[
            int | None,
            strawberry.argument(
                description="The version a command has answered with: wait up to 2 seconds until it can be seen."
            ),
        ] = None,
    ) -> Case | None:
        """By id."""
        key = uuid_of(id)
        return find_case(info, key, min_version) if key else None

    @strawberry.field(description="A case by its human number.")
    def case_by_number(
        self, info: Info, number: Annotated[str, strawberry.argument(description="办件编号.")]
    ) -> Case | None:
        """By number."""
        row = case_by_number(info.context.cursor, number) if askable(number) else None
        return case_object(row) if row else None

    @strawberry.field(description="A bundle (一件事).")
    def bundle(self, info: Info, id: AnId) -> Bundle | None:  # noqa: A002
        """By id."""
        return bundle_of(info, uuid_of(id))

    @strawberry.field(description="A bundle (一件事) by its one number.")
    def bundle_by_number(
        self, info: Info, number: Annotated[str, strawberry.argument(description="一件事编号.")]
    ) -> Bundle | None:
        """By number."""
        return find_by_number(info, number) if askable(number) else None

    @strawberry.field(description="A department.")
    def department(
        self, info: Info, code: Annotated[str, strawberry.argument(description="Its code in the catalogue.")]
    ) -> Department | None:
        """By code."""
        return find_department(info, code)

    @strawberry.field(description="A service item.")
    def item(
        self,
        info: Info,
        id: AnId,  # noqa: A002
        version: Annotated[
            int | None, strawberry.argument(description="A published version; by default the one in force.")
        ] = None,
    ) -> ServiceItem | None:
        """By id and version."""
        return find_item(info, id, version)

    @strawberry.field(description="The service items in force, by id.")
    def items(
        self,
        info: Info,
        first: First,
        after: After = None,
        department: Annotated[
            str | None, strawberry.argument(description="Only those that this department decides.")
        ] = None,
        search: Annotated[
            str | None, strawberry.argument(description="Only those with this text in their id or a name.")
        ] = None,
    ) -> Connection[ServiceItem]:
        """A page of items."""
        return resolve_items(info, first, after, department, search)

    @strawberry.field(description="What exactly to do and to bring, given the answers, and how each material is met.")
    def guide(
        self,
        info: Info,
        item: Annotated[strawberry.ID | None, strawberry.argument(description="Of this item,")] = None,
        bundle: Annotated[strawberry.ID | None, strawberry.argument(description="or of this bundle.")] = None,
        answers: Annotated[
            JSON | None, strawberry.argument(description="Question id → answer; what is missing stays open.")
        ] = None,
        version: Annotated[
            str | None, strawberry.argument(description="Of a bundle: the version with this label, not the newest.")
        ] = None,
    ) -> Guide:
        """Refuses answers to what nobody asked."""
        return resolve_guide(info, item, bundle, answers, version)

    @strawberry.field(description="A licence.")
    def licence(self, info: Info, id: AnId) -> Licence | None:  # noqa: A002
        """By id."""
        return licence_of(info, uuid_of(id))

    @strawberry.field(description="A case, bundle, licence, party or service item by its id.")
    def node(
        self,
        info: Info,
        id: Annotated[strawberry.ID, strawberry.argument(description="The id of anything.")],  # noqa: A002
    ) -> Node | None:
        """A UUID names a case, a bundle, a licence, a party or a mandate; anything else may name a service item."""
        key = uuid_of(id)
        if key is None:
            return find_item(info, id, None)
        return (
            find_case(info, key)
            or bundle_of(info, key)
            or licence_of(info, key)
            or party_of(info, key)
            or mandate_of(info, key)
        )


class ReadSchema(strawberry.Schema):
    """A schema whose errors leave it coded and masked, and are logged without values."""

    def execute_sync(
        self,
        query: str | None,
        variable_values: dict[str, Any] | None = None,
        context_value: Any | None = None,
        root_value: Any | None = None,
        operation_name: str | None = None,
        allowed_operation_types: Iterable[OperationType] | None = None,
        operation_extensions: dict[str, Any] | None = None,
    ) -> ExecutionResult:
        """As Strawberry's, with presentable errors."""
        result = super().execute_sync(
            query,
            variable_values,
            context_value,
            root_value,
            operation_name,
            allowed_operation_types,
            operation_extensions,
        )
        if result.errors:
            result.errors = presentable(result.errors)
        return result

    def process_errors(self, errors: list[GraphQLError], execution_context: ExecutionContext | None = None) -> None:
        """Nothing: Strawberry would log the text of errors, which may hold personal values."""


SCHEMA = ReadSchema(
    query=Query,
    types=[Case, Bundle, Party, Licence, Mandate, ServiceItem],
    extensions=[Limits],
    config=StrawberryConfig(disable_field_suggestions=True),
)
