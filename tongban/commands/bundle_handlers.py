"""The commands to bundles and to their definitions: who may give each, and the facts their decisions need.

The applicant acts on the bundle as a whole, and so does the lead department; each part is a case, and whoever works on
it gives his commands to that.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from uuid import UUID

from tongban.commands.acting import mandate_of, named_by
from tongban.commands.handling import Asked, Handler, Look
from tongban.domain.actor import PARTY_ROLES, Actor, Role
from tongban.domain.authority import HIMSELF, case_district, check_window, may_act_for
from tongban.domain.bundle import commands as c
from tongban.domain.bundle.checks import bundle_id_of
from tongban.domain.bundle.decide import Facts, decide
from tongban.domain.bundle.definition import items_named
from tongban.domain.bundle.events import BundleEvent
from tongban.domain.bundle.filing import BundleFacts, submit_bundle
from tongban.domain.bundle.plan import chosen_items
from tongban.domain.bundle.publishing import (
    BUNDLE_DEFINITION,
    BundlePublished,
    BundleVersion,
    PublishBundle,
    Published,
    publish_bundle,
)
from tongban.domain.bundle.refusals import UnknownBundle
from tongban.domain.bundle.state import BUNDLE, Bundle
from tongban.domain.calendar.state import CALENDAR
from tongban.domain.catalogue.state import ITEM, Item
from tongban.domain.errors import DomainError, OtherDepartment
from tongban.domain.ids import bundle_definition_stream, calendar_stream, item_stream
from tongban.domain.mandate.events import Step
from tongban.domain.office_time import office_day
from tongban.domain.party.state import PARTY

_CALENDAR = (calendar_stream(),)

Departments = Callable[[Any, Bundle], tuple[str, ...]]


def _publish(asked: Asked) -> list[BundlePublished]:
    command: PublishBundle = asked.command
    day = command.effective_from or office_day(asked.circumstances.effective_at)
    found = {name: asked.other(item_stream(name), ITEM).as_of(day).read for name in items_named(command.bundle)}
    items = {name: item for name, item in found.items() if item is not None}
    return publish_bundle(command, asked.circumstances, asked.state, items)


# ── filing ───────────────────────────────────────────────────────────────────────────────────────────────────────────


def _version(asked: Asked) -> BundleVersion | None:
    command: c.SubmitBundle = asked.command
    published: Published = asked.other(bundle_definition_stream(command.bundle), BUNDLE_DEFINITION)
    return published.in_force(office_day(asked.circumstances.effective_at), command.version)


def _items(asked: Asked, version: BundleVersion | None) -> dict[str, Item]:
    """The items a version names, as a filing of this day falls under them."""
    day = office_day(asked.circumstances.effective_at)
    names = version.read.needs if version else ()
    return {name: asked.other(item_stream(name), ITEM).as_of(day) for name in names}


def _items_of_versions(command: c.SubmitBundle, look: Look) -> tuple[UUID, ...]:
    published: Published = look(bundle_definition_stream(command.bundle), BUNDLE_DEFINITION)
    names = dict.fromkeys(name for version in published.versions for name in version.read.needs)
    return tuple(map(item_stream, names))


def _filing_for(asked: Asked) -> Actor:
    """Who files, and for whom: a mandate must be for every item that the answers choose."""
    command: c.SubmitBundle = asked.command
    version = _version(asked)
    items = _items(asked, version)
    names = _chosen(version, items, command)
    actor = asked.circumstances.actor
    acting = HIMSELF
    for name in names or ("",):
        read = items[name].read if name in items else None
        acting = may_act_for(
            actor,
            command.applicant,
            item=name,
            step=Step.FILE,
            at=asked.circumstances.effective_at,
            late=asked.circumstances.is_late,
            named=command.mandate,
            mandate=mandate_of(asked, command.mandate),
            in_person=read is not None and read.in_person,
        )
    return acting.sign(actor)


def _chosen(version: BundleVersion | None, items: dict[str, Item], command: c.SubmitBundle) -> tuple[str, ...]:
    if version is None:
        return ()
    try:
        return tuple(chosen.item for chosen in chosen_items(version.read, items, command.answers))
    except DomainError:  # the decision refuses it, with what is wrong
        return version.read.names


def _submit(asked: Asked) -> list[BundleEvent]:
    command: c.SubmitBundle = asked.command
    circumstances = asked.circumstances
    version = _version(asked)
    items = _items(asked, version)
    reads = [items[name].read for name in _chosen(version, items, command)]
    city_wide = all(read is not None and read.terms["city_wide"] for read in reads)
    facts = BundleFacts(
        version=version,
        items=items,
        applicant=asked.other(command.applicant, PARTY),
        stream=asked.stream,
        number=_number(asked) if version is not None else "",
        calendar=asked.other(_CALENDAR[0], CALENDAR),
        evidence=asked.evidence,
        district=case_district(circumstances.actor, city_wide=city_wide, asked=command.district),
    )
    return submit_bundle(command, circumstances, facts)


def _number(asked: Asked) -> str:
    """一件事编号: day of filing and serial, the one number the applicant needs."""
    return f"YJS-{office_day(asked.circumstances.effective_at):%Y%m%d}-{asked.desk.numbers.next():07d}"


# ── a filed bundle ───────────────────────────────────────────────────────────────────────────────────────────────────


def _filed(asked: Asked) -> Bundle:
    bundle: Bundle = asked.state
    if bundle.applicant is None:
        raise UnknownBundle(bundle_id=asked.command.bundle_id)
    return bundle


def _lead(_: Any, bundle: Bundle) -> tuple[str, ...]:
    return (bundle.lead,)


def _taking_part(command: c.RecordBundleInspection, bundle: Bundle) -> tuple[str, ...]:
    task = bundle.tasks.get(command.task)
    return (bundle.lead, *(task.plan.participants if task is not None else ()))


def _anywhere(_: Any, __: Bundle) -> tuple[str, ...]:
    return ()


def _for_applicant(step: Step) -> Callable[[Asked], Actor]:
    """Who acts for the applicant in one step; a mandate must be for every part."""

    def acting(asked: Asked) -> Actor:
        bundle = _filed(asked)
        assert bundle.applicant is not None
        actor = asked.circumstances.actor
        acting = HIMSELF
        for item in bundle.parts:
            acting = may_act_for(
                actor,
                bundle.applicant,
                item=item,
                step=step,
                at=asked.circumstances.effective_at,
                late=asked.circumstances.is_late,
                named=asked.command.mandate,
                mandate=mandate_of(asked, asked.command.mandate),
            )
        return acting.sign(actor)

    return acting


def _command(
    body: type, *roles: Role, of: Departments = _lead, step: Step | None = None, public: bool = True
) -> Handler:
    def handle(asked: Asked) -> list[BundleEvent]:
        bundle = _filed(asked)
        actor = asked.circumstances.actor
        wanted = of(asked.command, bundle)
        if actor.role is not Role.SYSTEM and wanted and actor.department not in wanted:
            raise OtherDepartment(department=", ".join(dict.fromkeys(wanted)))
        if not wanted:
            check_window(actor, city_wide=bundle.city_wide, district=bundle.district, lead=bundle.lead)
        facts = Facts(calendar=asked.other(_CALENDAR[0], CALENDAR), evidence=asked.evidence)
        return decide(asked.command, asked.circumstances, bundle, facts)

    return Handler(
        body=body,
        roles=frozenset(roles),
        aggregate=BUNDLE,
        stream=lambda command, _: command.bundle_id,
        decide=handle,
        reads=lambda command: (*_CALENDAR, *named_by(command)),
        acting=_for_applicant(step) if step is not None else None,
        public=public,
    )


# The applicant, who acts for him, or a clerk who helps him at the window (帮办).
_APPLICANT = (Role.CLERK, *sorted(PARTY_ROLES))

BUNDLE_HANDLERS: tuple[Handler, ...] = (
    Handler(
        body=PublishBundle,
        roles=frozenset({Role.ADMIN}),
        aggregate=BUNDLE_DEFINITION,
        stream=lambda command, _: bundle_definition_stream(bundle_id_of(command.bundle)),
        decide=_publish,
        reads=lambda command: tuple(map(item_stream, items_named(command.bundle))),
        creates=True,
    ),
    Handler(
        body=c.SubmitBundle,
        roles=frozenset(_APPLICANT),
        aggregate=BUNDLE,
        stream=lambda _, new_id: new_id,
        decide=_submit,
        reads=lambda command: (
            bundle_definition_stream(command.bundle),
            command.applicant,
            *_CALENDAR,
            *named_by(command),
        ),
        follows=_items_of_versions,
        acting=_filing_for,
        creates=True,
    ),
    _command(c.NoteSubCase, Role.SYSTEM, public=False),
    _command(c.RecordBundleInspection, Role.INSPECTOR, Role.REVIEWER, Role.HEAD, of=_taking_part),
    _command(c.SendCorrectionNotice, Role.ACCEPTOR, Role.HEAD),
    _command(c.SendDueNotice, Role.SYSTEM, public=False),
    _command(c.SubmitBundleCorrection, *_APPLICANT, of=_anywhere, step=Step.CORRECT),
    _command(c.ExtendBundleDeadline, Role.HEAD),
    _command(c.RecomputeBundleDeadlines, Role.SYSTEM, public=False),
    _command(c.WithdrawBundle, *_APPLICANT, of=_anywhere, step=Step.WITHDRAW),
)
