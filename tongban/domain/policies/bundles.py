"""Between a bundle and its cases: what happens to a case is noted in its bundle, what follows there is asked of cases.

Each policy looks at one event and asks for commands of one kind. All that has to be known was written into the event by
the decision; only what the applicant filled in is recalled, since no state keeps it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from tongban.domain.bundle import events as b
from tongban.domain.bundle.commands import NoteSubCase
from tongban.domain.bundle.events import Noted
from tongban.domain.case import commands as c
from tongban.domain.case import events as e
from tongban.domain.personal import Withheld
from tongban.domain.policies.recalling import Recalling
from tongban.domain.recorded import Recorded

_PLAIN: Mapping[type, Noted] = {
    e.ApplicationSubmitted: Noted.FILED,
    e.ApplicationAccepted: Noted.ACCEPTED,
    e.CaseDeemedAccepted: Noted.ACCEPTED,
    e.CommitmentSigned: Noted.COMMITTED,
    e.ApprovalGranted: Noted.GRANTED,
    e.ApprovalDeemedGranted: Noted.GRANTED,
    e.ApprovalDenied: Noted.DENIED,
    e.AcceptanceRefused: Noted.NOT_ACCEPTED,
    e.ApplicationWithdrawn: Noted.WITHDRAWN,
    e.CaseLapsed: Noted.LAPSED,
    e.CorrectionSubmitted: Noted.CORRECTED,
}


def note_sub_case(recorded: Recorded) -> Sequence[NoteSubCase]:
    """What became of a case is noted in the bundle it belongs to."""
    event, envelope = recorded.event, recorded.envelope
    bundle, case = envelope.correlation, envelope.stream
    if bundle == case:
        return ()
    match event:
        case e.DefectsNoted():
            problems = _opened(event.problems)
            return (NoteSubCase(bundle, case, Noted.DEFECTS, materials=event.materials, problems=problems),)
        case e.LicenceIssued():
            return (NoteSubCase(bundle, case, Noted.ISSUED, licence_id=event.licence_id),)
        case e.CaseClosed():
            return (NoteSubCase(bundle, case, Noted.CLOSED, result=event.result),)
        case _:
            what = _PLAIN.get(event.__class__)
            return () if what is None else (NoteSubCase(bundle, case, what),)


def file_sub_case(recorded: Recorded) -> Sequence[Recalling]:
    """A part that can begin is filed, with its share of the one form; a fact typed once goes to all who need it."""
    event, bundle = recorded.event, recorded.envelope.stream
    if not isinstance(event, b.SubItemStarted):
        return ()

    def filed(told: Sequence[Recorded]) -> c.FileSubCase:
        submitted = told[0].event
        assert isinstance(submitted, b.BundleSubmitted)
        plan = next(plan for plan in submitted.items if plan.item == event.item)
        forms = (_opened(each.event.form) for each in told)
        answers = _opened(submitted.answers)
        return c.FileSubCase(
            case_id=event.case_id,
            bundle=bundle,
            item=event.item,
            applicant=submitted.applicant,
            channel=submitted.channel,
            answers={name: answers[name] for name in plan.questions if name in answers},
            form={name: value for form in forms for name, value in _share(form, plan.withheld_fields).items()},
            evidence=event.evidence,
            gates=plan.gates,
            delivery=submitted.delivery,
            district=submitted.district,
            item_version=plan.item_version,
            promised=plan.promised,
        )

    return (Recalling(bundle, event.told_in, filed),)


def _opened(value: Any) -> dict[str, Any]:
    """A personal object; empty where it was erased."""
    return {} if isinstance(value, Withheld) else value


def _share(form: Mapping[str, Any], withheld: Sequence[str]) -> dict[str, Any]:
    return {name: value for name, value in form.items() if name not in withheld}


def tell_sub_cases(recorded: Recorded) -> Sequence[Any]:
    """What follows in the bundle is asked of the cases it is about."""
    tell = _TOLD.get(recorded.event.__class__)
    return () if tell is None else tell(recorded.event)


def _inspected(event: b.JointInspectionDone) -> Sequence[c.RecordJointInspection]:
    text = "" if isinstance(event.text, Withheld) else event.text
    return [c.RecordJointInspection(case, event.inspectors, event.result, text) for case in event.cases]


def _corrected(event: b.BundleCorrected) -> Sequence[c.PassOnCorrection]:
    form = _opened(event.form)
    return [c.PassOnCorrection(part.case_id, part.evidence, _share(form, part.withheld_fields)) for part in event.parts]


def _notified(event: b.BundleCorrectionRequested) -> Sequence[c.NotifyDefects]:
    return [c.NotifyDefects(case) for case in event.cases]


_TOLD: Mapping[type, Callable[[Any], Sequence[Any]]] = {
    b.GateReached: lambda event: [c.OpenGate(event.case_id, event.gate)],
    b.DependantClosed: lambda event: [c.CloseDependant(event.case_id)],
    b.SubItemWithdrawn: lambda event: [c.WithdrawPart(event.case_id)],
    b.JointInspectionDone: _inspected,
    b.BundleCorrectionRequested: _notified,
    b.BundleCorrected: _corrected,
}
