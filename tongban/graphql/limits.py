"""How much one query may ask for, checked before validation, in one walk that ends as soon as it is too much.

The walk follows fragments as execution does. Rules that count without stopping can be made to count for ever by
fragments that spread each other twice, and so can validation itself; hence first, and with a budget.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from graphql import (
    DocumentNode,
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    GraphQLError,
    GraphQLNamedType,
    GraphQLSchema,
    InlineFragmentNode,
    IntValueNode,
    NoSchemaIntrospectionCustomRule,
    OperationDefinitionNode,
    SelectionSetNode,
    TokenKind,
    VariableNode,
    get_named_type,
    is_interface_type,
    is_object_type,
)
from strawberry.extensions import SchemaExtension
from strawberry.types import ExecutionContext

from tongban.graphql.errors import INVALID
from tongban.projections.keyset import LARGEST_PAGE

MAX_DEPTH = 12
MAX_DEPTH_OF_INTROSPECTION = 20
MAX_ALIASES = 15
MAX_ROOT_FIELDS = 10
MAX_COST = 5_000
MAX_TOKENS = 1_000
LONGEST_NUMBER = 100

TOO_MUCH = "query-too-large"


class _TooMuch(Exception):
    pass


class _Walk:
    def __init__(self, schema: GraphQLSchema, document: DocumentNode, variables: Mapping[str, Any]) -> None:
        self.schema = schema
        self.variables = variables
        self.fragments = {d.name.value: d for d in document.definitions if isinstance(d, FragmentDefinitionNode)}
        self.cost = 0
        self.steps = 0
        self.aliases = 0

    def check(self, document: DocumentNode) -> None:
        token = document.loc.start_token if document.loc else None
        while token is not None:
            # Python refuses to read thousands of digits, in the middle of an execution.
            if token.kind in (TokenKind.INT, TokenKind.FLOAT) and len(token.value or "") > LONGEST_NUMBER:
                raise _TooMuch(f"it has a number of more than {LONGEST_NUMBER} characters")
            token = token.next
        for definition in document.definitions:
            if isinstance(definition, OperationDefinitionNode):
                root = self.schema.get_root_type(definition.operation)
                self._selections(definition.selection_set, root, depth=1, times=1, inside=())

    def _selections(
        self,
        selections: SelectionSetNode | None,
        parent: GraphQLNamedType | None,
        *,
        depth: int,
        times: int,
        inside: tuple[str, ...],
    ) -> int:
        """Walk a selection set that is answered `times` times. Returns how many fields it has of its own."""
        fields = 0
        for node in selections.selections if selections else ():
            self.steps += 1
            if self.steps > MAX_COST:
                raise _TooMuch(f"it selects more than {MAX_COST} fields")
            if isinstance(node, FieldNode):
                fields += 1
                if depth == 1 and fields > MAX_ROOT_FIELDS:
                    raise _TooMuch(f"it has more than {MAX_ROOT_FIELDS} root fields")
                self._field(node, parent, depth=depth, times=times, inside=inside)
            elif isinstance(node, FragmentSpreadNode):
                name = node.name.value
                fragment = self.fragments.get(name)
                # An unknown or circular fragment is refused by validation.
                if fragment is not None and name not in inside:
                    condition = self.schema.get_type(fragment.type_condition.name.value)
                    fields += self._selections(
                        fragment.selection_set, condition, depth=depth, times=times, inside=(*inside, name)
                    )
            elif isinstance(node, InlineFragmentNode):
                named = node.type_condition
                inner = self.schema.get_type(named.name.value) if named else parent
                fields += self._selections(node.selection_set, inner, depth=depth, times=times, inside=inside)
            if depth == 1 and fields > MAX_ROOT_FIELDS:
                raise _TooMuch(f"it has more than {MAX_ROOT_FIELDS} root fields")
        return fields

    def _field(
        self,
        node: FieldNode,
        parent: GraphQLNamedType | None,
        *,
        depth: int,
        times: int,
        inside: tuple[str, ...],
    ) -> None:
        name = node.name.value
        introspection = name.startswith("__") or (parent is not None and parent.name.startswith("__"))
        deepest = MAX_DEPTH_OF_INTROSPECTION if introspection else MAX_DEPTH
        if depth > deepest:
            raise _TooMuch(f"it is more than {deepest} fields deep")
        if node.alias:
            self.aliases += 1
            if self.aliases > MAX_ALIASES:
                raise _TooMuch(f"it has more than {MAX_ALIASES} aliases")
        self.cost += times
        if self.cost > MAX_COST:
            raise _TooMuch(f"its fields times their page sizes are more than {MAX_COST}")
        if node.selection_set is None:
            return
        field = self.schema.get_field(parent, name) if is_object_type(parent) or is_interface_type(parent) else None
        self._selections(
            node.selection_set,
            get_named_type(field.type) if field else None,
            depth=depth + 1,
            times=times * self._page_size(node, field),
            inside=inside,
        )

    def _page_size(self, node: FieldNode, field: Any) -> int:
        size: Any = field.args["first"].default_value if field and "first" in field.args else 1
        for argument in node.arguments or ():
            if argument.name.value == "first":
                value = argument.value
                if isinstance(value, IntValueNode):
                    size = int(value.value) if len(value.value) < len(str(MAX_COST)) + 1 else LARGEST_PAGE
                elif isinstance(value, VariableNode):
                    size = self.variables.get(value.name.value, LARGEST_PAGE)
        # A page outside its bounds is refused where it is read.
        return max(1, min(size, LARGEST_PAGE)) if isinstance(size, int) else LARGEST_PAGE


def check_limits(schema: GraphQLSchema, document: DocumentNode, variables: Mapping[str, Any]) -> GraphQLError | None:
    """The error that refuses a document that asks for too much, or None."""
    try:
        _Walk(schema, document, variables).check(document)
    except _TooMuch as too_much:
        return GraphQLError(f"The query asks for too much: {too_much}.", extensions={"code": TOO_MUCH})
    return None


def _ambiguous(context: ExecutionContext) -> GraphQLError | None:
    """Several operations and no name for the one that is meant: Strawberry would take the first (spec §6.1)."""
    document = context.graphql_document
    operations = sum(isinstance(found, OperationDefinitionNode) for found in document.definitions) if document else 0
    if operations > 1 and context._provided_operation_name is None:  # noqa: SLF001 - `operation_name` is never None then
        return GraphQLError("Say by `operationName` which of the operations is meant.", extensions={"code": INVALID})
    return None


class Limits(SchemaExtension):
    """Refuses queries that ask for too much, and introspection by those who may not."""

    def on_operation(self) -> Iterator[None]:
        """Cap the parser; switch introspection off unless the context allows it."""
        context = self.execution_context
        context.parse_options["max_tokens"] = MAX_TOKENS
        if not context.context.may_introspect:
            context.validation_rules = (*context.validation_rules, NoSchemaIntrospectionCustomRule)
        yield

    def on_validate(self) -> Iterator[None]:
        """Walk the document before it is validated."""
        context = self.execution_context
        if context.graphql_document is not None:
            # The same schema object that execution uses; Strawberry keeps it here.
            schema = context.schema._schema  # noqa: SLF001
            error = _ambiguous(context) or check_limits(schema, context.graphql_document, context.variables or {})
            if error is not None:
                context.pre_execution_errors = [error]
        yield
