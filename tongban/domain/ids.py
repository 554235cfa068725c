"""Identifiers. Stream ids are UUIDs; departments and items are named by the short codes of the catalogue."""

from __future__ import annotations

from uuid import UUID, uuid5

_NAMESPACE = UUID("6b1f4a52-7a0e-5b57-9f43-3f2f6f9a7c10")


def item_stream(item_id: str) -> UUID:
    """The stream of a service item: a name-based UUID (RFC 9562 §5.5) of its catalogue id."""
    return uuid5(_NAMESPACE, f"item:{item_id}")


def calendar_stream() -> UUID:
    """The stream of the working-day calendar, of which there is one."""
    return uuid5(_NAMESPACE, "calendar")


def rating_stream(case_id: UUID) -> UUID:
    """The stream of a case's rating. One per case, so that version 1 can be written only once (一事一评)."""
    return uuid5(_NAMESPACE, f"rating:{case_id}")


def absence_stream(officer: str) -> UUID:
    """The stream of an officer's absences."""
    return uuid5(_NAMESPACE, f"absence:{officer}")


def commitment_stream(case_id: UUID) -> UUID:
    """The stream of the check of a case's promise, of which there is one."""
    return uuid5(_NAMESPACE, f"commitment:{case_id}")


def revocation_stream(case_id: UUID) -> UUID:
    """The stream of the revocation of a case's decision, of which there is one."""
    return uuid5(_NAMESPACE, f"revocation:{case_id}")


def policy_command(event_id: UUID, policy: str, place: int = 1) -> UUID:
    """The id of the command at `place` (from 1) of those a policy asks for because of an event, whenever it is read."""
    return uuid5(event_id, policy if place == 1 else f"{policy}#{place}")


def batch_command(batch: UUID, index: int) -> UUID:
    """The id of the command at `index` (from 0) of a batch, so that a batch that is sent again acts once."""
    return uuid5(batch, str(index))


def bundle_definition_stream(bundle_id: str) -> UUID:
    """The stream of a bundle's definition."""
    return uuid5(_NAMESPACE, f"bundle:{bundle_id}")


def sub_case_stream(bundle: UUID, item: str) -> UUID:
    """The stream of the case of one item of a bundle, known before it is filed."""
    return uuid5(bundle, item)
