"""One thing (一件事) from one form to several results, online and now: who files it, and what each part goes through.

What one step leads to reaches the other parts by the system's own policies. A step that rests on that is given again
until it is there: `awaits` names the refusals that say no more than that.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from functools import cache
from random import Random
from typing import Any
from uuid import UUID

from tongban.domain.actor import Role
from tongban.domain.bundle.definition import BundleDefinition, Kind, read_bundle
from tongban.domain.bundle.events import SubItem
from tongban.domain.bundle.plan import chosen_items, narrowed, plan_items, without_idle_tasks
from tongban.domain.case.commands import How
from tongban.domain.catalogue.guide import inspected, needed_materials
from tongban.domain.catalogue.item import ItemDefinition, read_item
from tongban.domain.catalogue.state import Item
from tongban.domain.party.events import IdentifierKind, PartyKind
from tongban.infra.reference import sample_bundles, sample_items
from tongban.simulate import papers, shares, wording
from tongban.simulate.people import Applicant
from tongban.simulate.script import Step
from tongban.simulate.shares import Ending
from tongban.simulate.staff import Officer, inspectors, officer

_NO_STREAM = UUID(int=0)
_NOT_FILED = frozenset({"unknown-case"})
_NOT_MENDED = frozenset({"unknown-case", "materials-missing", "correction-outstanding"})
_NOT_NOTIFIED = frozenset({"no-correction-asked"})
_NOT_ALL_ACCEPTED = frozenset({"task-not-ready"})
_GATES = frozenset({"gate-closed", "inspection-outstanding"})
_NOT_OVER = frozenset({"case-not-closed"})


def choose_bundle(random: Random, who: Applicant) -> BundleDefinition:
    """One that serves this applicant, in one of its versions."""
    citizen = who.identifier_kind is IdentifierKind.CITIZEN_ID
    served = [
        definition
        for definition in _definitions()
        if all(_serves(_items()[name], who.kind) for name in definition.names)
        and (citizen or definition.id != "childbirth")
    ]
    return random.choices(served, [shares.BUNDLES.get(definition.id, 1.0) for definition in served])[0]


def _serves(item: ItemDefinition, kind: PartyKind) -> bool:
    persons = {"NATURAL_PERSON"}
    return bool(item.serves & persons if kind is PartyKind.PERSON else item.serves - persons)


class BundleCourse:
    """One bundle as it goes; `steps` are all of it."""

    def __init__(self, random: Random, definition: BundleDefinition, who: Applicant, channel: str) -> None:
        """Draws what happens, and writes it."""
        self._random = random
        self._answers: dict[str, Any] = {}
        for name in definition.names:
            self._answers |= papers.answers(random, _items()[name], who.kind, committed=False, agent=False)
        published = _published()
        chosen = narrowed(definition, chosen_items(definition, published, self._answers))
        self._definition = without_idle_tasks(chosen, published, self._answers)
        self._planned = plan_items(self._definition, published, _NO_STREAM)
        self._asked = self._materials()
        self._defect = self._choose_defect()
        self._denied = self._choose_denied()
        self.ending = Ending.WITHDRAWN if random.random() < shares.BUNDLE_WITHDRAWN else Ending.GRANTED
        self.steps: list[Step] = []
        self._write(who, channel)
        if random.random() < shares.BUNDLE_OPEN:
            self.ending = Ending.OPEN
            self.steps = self.steps[: random.randint(1, len(self.steps) - 1)]

    def _materials(self) -> dict[str, list[tuple[str, str, How | None]]]:
        """What the bundle asks for: name → item, material and how it can be had; None: on paper only."""
        asked: dict[str, list[tuple[str, str, How | None]]] = {}
        for part in self._planned:
            item = _items()[part.item]
            needed = needed_materials(item, self._answers)
            for found in part.materials:
                if found.asked_as is not None and found.material in needed:
                    way = item.terms["materials"][found.material]["exempt_by"]
                    how = None if way == "NONE" else How(way)
                    asked.setdefault(found.asked_as, []).append((part.item, found.material, how))
        return asked

    def _choose_defect(self) -> tuple[str, str, str] | None:
        """What is missing at the filing: the bundle's name of it, and the one part with its own name."""
        first = {part.item for part in self._levels()[0]}
        single = [
            (name, *parts[0][:2])
            for name, parts in self._asked.items()
            if len(parts) == 1 and parts[0][2] is None and parts[0][0] in first
        ]
        return self._random.choice(single) if single and self._random.random() < shares.BUNDLE_CORRECTED else None

    def _choose_denied(self) -> str | None:
        """A part that is refused; one on which no other depends."""
        needed = {each.before for each in self._definition.dependencies}
        leaves = [part.item for part in self._planned if part.item not in needed]
        return self._random.choice(leaves) if self._random.random() < shares.BUNDLE_PART_DENIED else None

    def _levels(self) -> list[list[SubItem]]:
        """The parts by how many others come before them."""
        before: dict[str, list[str]] = {}
        for each in self._definition.dependencies:
            if each.kind is Kind.FINISH_TO_START:
                before.setdefault(each.after, []).append(each.before)

        def level(name: str) -> int:
            return max((1 + level(each) for each in before.get(name, ())), default=0)

        found: dict[int, list[SubItem]] = {}
        for part in self._planned:
            found.setdefault(level(part.item), []).append(part)
        return [found[number] for number in sorted(found)]

    def _write(self, who: Applicant, channel: str) -> None:
        left_out = self._defect[0] if self._defect else None
        offered = []
        for name, parts in self._asked.items():
            how = next((way for _, material, way in parts if material == name), parts[0][2])
            if name != left_out:
                offered.append(papers.uploaded(name) if how is None else {"material": name, "how": how, "ref": None})
        filing = {
            "bundle": self._definition.id,
            "version": self._definition.label,
            "channel": channel,
            "answers": self._answers,
            "form": {"address": who.address, "email": who.email},
            "materials": offered,
        }
        self._add("SubmitBundle", None, filing)
        for level in self._levels():
            self._accept(level)
            if self.ending is Ending.WITHDRAWN:
                self._add("WithdrawBundle", None, {"reason": self._random.choice(wording.WITHDRAWN)})
                return
            self._review(level)
            self._decide(level)
        last = self._planned[-1].item
        grade = self._random.choices(list(shares.GRADES), list(shares.GRADES.values()))[0]
        self._add("RateCase", None, {"grade": grade}, part=last, awaits=_NOT_OVER)

    def _accept(self, level: Sequence[SubItem]) -> None:
        defect, self._defect = self._defect, None
        mends = defect[1] if defect else None
        if defect is not None and mends is not None:
            problem = {"material": defect[2], "problem": self._random.choice(wording.DEFECTS)}
            by = self._officer(_items()[mends].lead, Role.ACCEPTOR)
            self._add("RequestCorrection", by, {"defects": [problem]}, part=mends, awaits=_NOT_FILED)
        for part in level:
            if part.item != mends:
                self._add("AcceptApplication", self._officer(part.lead, Role.ACCEPTOR), {}, part.item, _NOT_FILED)
        if defect is not None and mends is not None:
            brought = {"materials": [papers.uploaded(defect[0])]}
            self._add("SubmitBundleCorrection", None, brought, awaits=_NOT_NOTIFIED)
            by = self._officer(_items()[mends].lead, Role.ACCEPTOR)
            self._add("AcceptApplication", by, {}, part=mends, awaits=_NOT_MENDED)

    def _review(self, level: Sequence[SubItem]) -> None:
        names = {part.item for part in level}
        served = {name for task in self._definition.tasks for name in task.serves}
        for task in self._definition.tasks:
            if names & set(task.serves):
                both = inspectors(self._random, self._definition.lead)
                found = {"task": task.id, "inspectors": both, "result": "PASS", "text": wording.INSPECTED}
                inspector = Officer(both[0], Role.INSPECTOR, self._definition.lead)
                self._add("RecordBundleInspection", inspector, found, awaits=_NOT_ALL_ACCEPTED)
        for part in level:
            item = _items()[part.item]
            if fee := item.terms["fee"]:
                paid = {"amount": fee["amount"], "provider_ref": f"PAY-{self._random.randrange(10**12):012d}"}
                self._add("RecordPayment", self._officer(part.lead, Role.CLERK), paid, part.item)
            if part.item not in served and inspected(item, self._answers):
                seen = {"branches": [part.lead], "inspectors": inspectors(self._random, part.lead), "result": "PASS"}
                self._add("RecordInspection", self._officer(part.lead, Role.INSPECTOR), seen, part.item)
            against = self._random.choice(item.branches) if part.item == self._denied else None
            for branch in self._random.sample(item.branches, len(item.branches)):
                opinion = {
                    "branch": branch,
                    "opinion": "FAIL" if branch == against else "PASS",
                    "text": self._random.choice(wording.FAILED if branch == against else wording.PASSED),
                }
                self._add("RecordOpinion", self._officer(branch, Role.REVIEWER), opinion, part.item)

    def _decide(self, level: Sequence[SubItem]) -> None:
        for part in level:
            decider = self._officer(part.lead, Role.DECIDER)
            if part.item == self._denied:
                refusal = {"reason": self._random.choice(wording.REASONS), "remedy": wording.REMEDY}
                self._add("DenyApproval", decider, refusal, part.item)
                if _items()[part.item].terms["fee"]:
                    back = {"provider_ref": f"REFUND-{self._random.randrange(10**12):012d}"}
                    self._add("RecordRefund", self._officer(part.lead, Role.CLERK), back, part.item)
            else:
                granted = {"text": self._random.choice(wording.GRANTED)}
                self._add("GrantApproval", decider, granted, part.item, _GATES)
        for part in self._in_order_of_effect(level):
            if part.licence_type and part.item != self._denied:
                self._add("IssueLicence", self._officer(part.lead, Role.CLERK), {"face": {}}, part.item, _GATES)

    def _in_order_of_effect(self, level: Sequence[SubItem]) -> Iterable[SubItem]:
        """Who comes into force only after another is made after it."""
        after = {each.after for each in self._definition.dependencies if each.kind is Kind.EFFECTIVE_AFTER}
        return sorted(level, key=lambda part: part.item in after)

    def _officer(self, department: str, role: Role) -> Officer:
        return officer(self._random, department, role)

    def _add(
        self,
        command: str,
        by: Officer | None,
        body: Mapping[str, Any],
        part: str | None = None,
        awaits: frozenset[str] = frozenset(),
    ) -> None:
        self.steps.append(Step(command, by, body, None, part=part, awaits=awaits))


@cache
def _definitions() -> tuple[BundleDefinition, ...]:
    return tuple(read_bundle(entry) for entry in sample_bundles())


@cache
def _items() -> Mapping[str, ItemDefinition]:
    return {entry["id"]: read_item(entry) for entry in sample_items()}


@cache
def _published() -> Mapping[str, Item]:
    return {name: Item(version=1, read=item) for name, item in _items().items()}
