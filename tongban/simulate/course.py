"""What happens to one case: drawn by the shares, written step by step. Nothing here is refused by any rule.

In: who wants what, by which channel, and how it is to end. Out: the steps with their times after the filing. Limits in
working days are kept with a margin, or broken on purpose.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from random import Random
from typing import Any

from tongban.domain.actor import Role
from tongban.domain.case.events import Channel, Means, Opinion, Procedure
from tongban.domain.catalogue.guide import inspected
from tongban.infra.reference import sample_items
from tongban.simulate import papers, shares, wording
from tongban.simulate.demand import ONLINE, Wanted
from tongban.simulate.office_hours import DAY
from tongban.simulate.people import Applicant
from tongban.simulate.script import Script, Step
from tongban.simulate.shares import Ending
from tongban.simulate.staff import Officer, another, away, chair, cover, head, inspectors, officer

LAPSES_AFTER_NOTICE = 16 * DAY
LAPSES_AFTER_ACCEPTANCE = 11 * DAY
"""Once the applicant's 15 days for a correction, or the 10 for what was tolerated, are surely over."""

_TIME_TO_ACCEPT = 2 * DAY
"""At most; claims and the receipt of what came by post fit into the 5 days of the law besides."""
_DECLARED: Mapping[Procedure, tuple[int, int]] = {
    Procedure.EXPERT_REVIEW: (8, 15),
    Procedure.PUBLIC_ANNOUNCEMENT: (60, 66),
    Procedure.INSPECTION_TEST: (4, 8),
    Procedure.HEARING: (10, 12),
}
_CALLED: Mapping[Procedure, str] = {
    Procedure.EXPERT_REVIEW: "专家评审",
    Procedure.PUBLIC_ANNOUNCEMENT: "公告",
    Procedure.INSPECTION_TEST: "检验检测",
    Procedure.HEARING: "听证",
}
_HELD_ON = 12
"""Working days from the notice to the hearing: the law wants seven at least."""


class Course:
    """One case as it goes. `script` has its steps once it is written; `lapses_after` is when a case left so lapses."""

    def __init__(
        self, random: Random, wanted: Wanted, who: Applicant, channel: Channel, ending: Ending, *, agent: bool
    ) -> None:
        """`ending` OPEN is written like GRANTED, and cut by whoever asked."""
        self._random = random
        self._wanted = wanted
        self._item = wanted.definition
        self._terms = wanted.definition.terms
        self._lead = wanted.definition.lead
        self._channel = channel
        self._ending = ending
        self._agent = agent
        self._now = channel in ONLINE
        self._day = 600 if wanted.immediate else DAY * wanted.promised_days
        self._paid = False
        self._by_law = False
        self._accepted_at = 0
        self._asked: set[str] = set()
        self.script = Script()
        self.lapses_after: int | None = None
        self.overdue = False
        going_well = ending in (Ending.GRANTED, Ending.OPEN, Ending.WITHDRAWN)
        self.committed = bool(self._terms["commitment"]) and going_well and self._draw(shares.COMMITTED)
        self._answers = papers.answers(random, self._item, who.kind, committed=self.committed, agent=agent)
        self._needed = papers.needed(self._item, self._answers)
        self._form = papers.form(random, wanted, who)
        self._delivery = self._choose_delivery()
        self._write()

    def _write(self) -> None:
        way = self._way_in()
        left_out = way[1]
        self._file(left_out)
        if not self._accept(*way):
            return
        self._review(late=left_out if way[0] == "tolerated" else None)
        if self._ending is Ending.DENIED:
            self._deny()
        else:
            self._grant()

    # ── filing ───────────────────────────────────────────────────────────────────────────────────────────────────────

    def _way_in(self) -> tuple[str, str | None]:
        """How it comes to be accepted, and the material that is not claimed with the filing."""
        tolerable = self._tolerable()
        if self._ending is Ending.LAPSED:
            if tolerable and self._draw(shares.TOLERATED_NEVER_BROUGHT):
                return "tolerated", tolerable
            return "corrected", self._to_ask()
        if self._ending is Ending.NOT_ACCEPTED:
            return "plain", None
        if not self._now and not self.committed and self._draw(shares.DEEMED_ACCEPTED):
            return "deemed", None
        if tolerable and self._draw(shares.TOLERATED):
            return "tolerated", tolerable
        if self._draw(shares.CORRECTED):
            return "corrected", self._to_ask()
        if self._draw(shares.OBTAINED) and (held := self._from_sources()):
            return "obtained", held
        if self._channel in (Channel.COUNTER, Channel.KIOSK) and self._draw(shares.ON_THE_SPOT):
            return "on-the-spot", self._to_ask()
        return "plain", None

    def _tolerable(self) -> str | None:
        listed = self._terms["materials"]
        found = [name for name in self._needed if listed[name]["necessity"] == "TOLERABLE"]
        return found[0] if found and self._terms["tolerant"] else None

    def _to_ask(self) -> str:
        return papers.mendable(self._item, self._needed)[0]

    def _from_sources(self) -> str | None:
        listed = self._terms["materials"]
        found = [name for name in self._needed if listed[name]["exempt_by"] in papers.FROM_SOURCES]
        return self._random.choice(found) if found else None

    def _file(self, left_out: str | None) -> None:
        filing = {
            "item": self._item.id,
            "channel": str(self._channel),
            "answers": self._answers,
            "form": self._form,
            "materials": papers.materials(self._item, [name for name in self._needed if name != left_out]),
            "delivery": str(self._delivery),
        }
        self.script.add("SubmitApplication", self._applicant(), filing, mandated=self._agent)
        if self._channel is Channel.POST:
            self.script.then(self._random.uniform(0.2, 1.5) * DAY, "ReceiveMaterials", self._officer(Role.CLERK))
        if self.committed:
            self.script.then(30, "SignCommitment", self._applicant(), mandated=self._agent)
        if self._now and self._draw(shares.PRE_CHECKED):
            checks = self._officer(Role.CLERK)
            if self._draw(shares.PRE_CHECK_RETURNED):
                self.script.then(30, "ReturnPreCheck", checks, {"text": self._random.choice(wording.RETURNED)})
            self.script.then(30, "PassPreCheck", checks)

    def _choose_delivery(self) -> Means:
        if self._item.licence_type is None:
            return self._wanted.delivery[0]
        ways = {means: share for means, share in shares.DELIVERY.items() if means in self._wanted.delivery}
        return self._random.choices(list(ways), list(ways.values()))[0]

    # ── acceptance ───────────────────────────────────────────────────────────────────────────────────────────────────

    def _accept(self, way: str, left_out: str | None) -> bool:
        """Whether it is accepted."""
        if way == "deemed":
            self._by_law = True
            waits = self._random.uniform(6.2, 9) * DAY
            self.script.then(waits, "AcceptApplication", self._officer(Role.ACCEPTOR), {}, slow=True)
            return True
        acceptor = self._claimed(self._officer(Role.ACCEPTOR))
        self.script.wait(self._time_to_look())
        if self._ending is Ending.NOT_ACCEPTED:
            refusal = {"reason": self._random.choice(wording.NOT_ACCEPTED), "remedy": wording.REMEDY}
            self.script.add("RefuseAcceptance", acceptor, refusal)
            return False
        if left_out is not None and way == "corrected":
            self._ask(acceptor, left_out)
            if self._ending is Ending.LAPSED:
                self.lapses_after = LAPSES_AFTER_NOTICE
                return False
            self._mend(left_out, self._random.uniform(0.1, 12) * DAY, slow=self._draw(0.5))
            self.script.wait(self._time_to_look())
        if left_out is not None and way == "obtained":
            uploads = Step("CorrectOnSpot", self._officer(Role.CLERK), self._uploading(left_out), self.script.at)
            self.script.add("ObtainMaterial", acceptor, {"material": left_out}, otherwise=uploads)
        if left_out is not None and way == "on-the-spot":
            mended = {"materials": papers.materials(self._item, [left_out])}
            self.script.add("CorrectOnSpot", self._officer(Role.CLERK), mended)
        tolerated = [left_out] if left_out is not None and way == "tolerated" else []
        self.script.then(60, "AcceptApplication", acceptor, {"tolerate": tolerated})
        if self._ending is Ending.LAPSED:
            self.lapses_after = LAPSES_AFTER_ACCEPTANCE
            return False
        return True

    def _claimed(self, acceptor: Officer) -> Officer:
        """Who accepts: at times one who claimed it, or another after it was put back."""
        if not self._draw(shares.CLAIMED):
            return acceptor
        self.script.then(60, "ClaimCase", acceptor, {"branch": "main"})
        if not self._draw(shares.RELEASED):
            return acceptor
        self.script.then(600, "ReleaseCase", acceptor, {"branch": "main"})
        return another(self._random, acceptor)

    def _time_to_look(self) -> int:
        on_the_spot = self._terms["accepted_on_filing"]
        middle = 120 if self._wanted.immediate else 900 if on_the_spot else 5400
        return 60 + int(min(self._random.expovariate(1 / middle), DAY // 4 if on_the_spot else _TIME_TO_ACCEPT))

    def _ask(self, by: Officer, material: str) -> None:
        self._asked.add(material)
        defect = {"material": material, "problem": self._random.choice(wording.DEFECTS)}
        self.script.add("RequestCorrection", by, {"defects": [defect]})

    def _mend(self, material: str, after: float, *, slow: bool) -> None:
        answer = self._uploading(material)
        self.script.then(after, "SubmitCorrection", self._applicant(), answer, mandated=self._agent, slow=slow)

    # ── review ───────────────────────────────────────────────────────────────────────────────────────────────────────

    def _review(self, late: str | None) -> None:
        """All that lies between acceptance and decision; time stands at its end afterwards."""
        accepted = self._accepted_at = self.script.at
        ends = [accepted]

        def side(begins: int) -> None:
            ends.append(self.script.at)
            self.script.at = begins

        if self._terms["fee"] and self._draw(shares.PAID_EARLY):
            self._pay()
        side(accepted)
        if late is not None:
            after = min(self._random.uniform(0.1, 9) * DAY, 0.6 * self._day)
            brought = self._uploading(late)
            who, slow = self._applicant(), self._draw(0.5)
            self.script.then(after, "SupplementMaterial", who, brought, mandated=self._agent, slow=slow)
            side(accepted)
        if self._draw(shares.CONSULTED):
            self._consult()
            side(accepted)
        if self._draw(shares.CORRECTED_IN_REVIEW):
            self._ask_again()
            side(accepted)
        if not self.committed:
            stopped, lead_begins = self._special_procedure()
            begins = lead_begins if stopped is None else accepted
            side(max(begins, lead_begins))
            self._inspect()
            inspected_at = self.script.at
            side(accepted)
            ends += self._opinions(begins, max(lead_begins, inspected_at))
        side(accepted)
        self.script.at = max(ends)

    def _pay(self) -> None:
        fee = self._terms["fee"]
        amount = fee["amount"]
        if amount is None:
            amount = f"{self._random.randint(50, 2000)}.00"
            self.script.then(60, "RequestFee", self._officer(Role.CLERK), {"amount": amount})
        paid = {"amount": amount, "provider_ref": self._reference("PAY")}
        self.script.then(300, "RecordPayment", self._officer(Role.CLERK), paid)
        self._paid = True

    def _reference(self, kind: str) -> str:
        return f"{kind}-{self._random.randrange(10**12):012d}"

    def _consult(self) -> None:
        asked = self._random.choice([name for name in _departments() if name not in self._item.branches])
        question = {"department": asked, "question": wording.QUESTION}
        self.script.then(0.05 * self._day, "RequestConsult", self._officer(Role.REVIEWER), question)
        answer = {"department": asked, "text": self._random.choice(wording.ANSWERED)}
        answers = officer(self._random, asked, Role.REVIEWER)
        self.script.then(0.4 * self._day * self._random.random(), "AnswerConsult", answers, answer)

    def _ask_again(self) -> None:
        others = [name for name in papers.mendable(self._item, self._needed) if name not in self._asked]
        if others:
            self.script.wait(0.1 * self._day)
            self._ask(self._officer(Role.REVIEWER), others[-1])
            self._mend(others[-1], 0.3 * self._day * self._random.random(), slow=False)

    def _special_procedure(self) -> tuple[str | None, int]:
        """Which branch stood still (None: all of them, or none), and when the lead's review begins."""
        kind = self._kind_of_procedure()
        if kind is None:
            return self._lead, self.script.at
        branch = None if kind in (Procedure.HEARING, Procedure.PUBLIC_ANNOUNCEMENT) else self._lead
        reviewer = self._officer(Role.REVIEWER)
        self.script.wait(0.05 * self._day)
        if kind is Procedure.HEARING:
            self.script.add("OfferHearing", reviewer)
            asks_after = self._random.uniform(0.2, 4) * DAY
            self.script.then(asks_after, "RequestHearing", self._applicant(), mandated=self._agent)
            self.script.wait(0.2 * DAY)
        shortest, longest = _DECLARED[kind]
        declared = self._random.randint(shortest, longest)
        started: dict[str, Any] = {
            "branch": branch,
            "kind": str(kind),
            "working_days": declared,
            "notice": wording.ANNOUNCED.format(what=_CALLED[kind], days=declared),
        }
        if kind is Procedure.INSPECTION_TEST:
            started["inspectors"] = inspectors(self._random, self._lead)
        held = {}
        if kind is Procedure.HEARING:
            started["chair"] = chair(self._lead)
            held = {"held_on": _HELD_ON}
        self.script.add("StartSpecialProcedure", reviewer, started, days=held)
        takes = _HELD_ON if kind is Procedure.HEARING else declared * self._random.uniform(0.8, 1.1)
        self.script.then(takes * DAY, "EndSpecialProcedure", reviewer, {"branch": branch}, slow=True)
        return branch, self.script.at

    def _kind_of_procedure(self) -> Procedure | None:
        if self._wanted.immediate:
            return None
        for name in self._terms["procedures"]:
            if self._draw(shares.PROCEDURES.get(Procedure(name), 0.0)):
                return Procedure(name)
        if self._draw(shares.INSPECTION_TESTS.get(self._item.id, 0.0)):
            return Procedure.INSPECTION_TEST
        return Procedure.HEARING if self._draw(shares.HEARINGS) else None

    def _inspect(self) -> None:
        if not inspected(self._item, self._answers):
            return
        branches = [self._lead]
        if len(self._item.branches) > 1 and self._draw(shares.JOINT_INSPECTION):
            branches = list(self._item.branches)
        faulty = self._draw(0.5 if self._ending is Ending.DENIED else shares.FAILED_INSPECTION)
        self._visit(branches, passed=not faulty)
        if faulty and self._ending is not Ending.DENIED:
            self._visit(branches, passed=True)

    def _visit(self, branches: list[str], *, passed: bool) -> None:
        both = inspectors(self._random, self._lead)
        inspector = Officer(both[0], Role.INSPECTOR, self._lead)
        who = {"branches": branches, "inspectors": both}
        self.script.wait(0.02 * self._day)
        days = self._random.randint(0, min(2, self._wanted.promised_days // 5))
        if self._draw(shares.ANNOUNCED_INSPECTION):
            self.script.add("ScheduleInspection", inspector, who, days={"day": days})
        result = Opinion.PASS if passed else Opinion.FAIL
        found = {**who, "result": str(result), "text": wording.INSPECTED if passed else wording.FAULTS}
        self.script.then(max(days * DAY, 600), "RecordInspection", inspector, found)

    def _opinions(self, begins: int, lead_begins: int) -> list[int]:
        """Those of all branches, side by side: nobody waits for another. When each was given."""
        branches = self._item.branches
        slowest = self._random.choice(branches)
        against = slowest if self._ending is Ending.DENIED else None
        longer = self._longer()
        given = [self.script.at]
        for branch in branches:
            self.script.at = max(begins, lead_begins) if branch == self._lead else begins
            took = shares.PACE.get(branch, shares.USUAL_PACE) * self._random.lognormvariate(0, 0.5) * self._day
            took = longer if longer and branch == slowest else min(took, 0.8 * self._day)
            self._opinion(branch, int(took), passed=branch != against)
            given.append(self.script.at)
        return given

    def _longer(self) -> float:
        """How long the slowest takes where the promise is not kept, or was extended; else 0."""
        if self._now or self._wanted.immediate:
            return 0
        extension = self._terms["extension"]
        if extension and not self._by_law and self._draw(shares.EXTENDED):
            self.script.at = self._accepted_at
            approved = {"working_days": extension["value"], "reason": self._random.choice(wording.EXTENSION)}
            self.script.then(0.6 * self._day, "ExtendDeadline", head(self._lead), approved)
            return self._random.uniform(0.8, 1.2) * self._day
        if self._draw(shares.OVERDUE):
            self.overdue = True
            return self._random.uniform(1.1, 1.7) * self._day + DAY
        return 0

    def _opinion(self, branch: str, took: int, *, passed: bool) -> None:
        reviewer = officer(self._random, branch, Role.REVIEWER)
        covers: Officer | None = None
        text = self._random.choice(wording.PASSED if passed else wording.FAILED)
        given = {"branch": branch, "opinion": str(Opinion.PASS if passed else Opinion.FAIL), "text": text}
        claimed = {"branch": branch}
        self.script.wait(took * 0.4)
        if self._draw(shares.ABSENT):
            covers, reviewer = away(branch), cover(branch)
            self.script.add("ClaimCase", covers, claimed)
        elif self._draw(shares.CLAIMED):
            self.script.add("ClaimCase", reviewer, claimed)
            if self._draw(shares.REASSIGNED):
                reviewer = another(self._random, reviewer)
                self.script.then(60, "ReassignCase", head(branch), {**claimed, "officer": reviewer.id})
        self.script.then(took * 0.6 + 60, "RecordOpinion", reviewer, given, covers=covers)

    # ── decision, and what comes after ───────────────────────────────────────────────────────────────────────────────

    def _decider(self) -> Officer:
        return self._officer(Role.HEAD if self._draw(shares.HEAD_DECIDES) else Role.DECIDER)

    def _time_to_decide(self) -> int:
        return 60 + int(min(self._random.expovariate(1 / (0.03 * self._day)), 0.1 * self._day))

    def _deny(self) -> None:
        refusal = {"reason": self._random.choice(wording.REASONS), "remedy": wording.REMEDY}
        self.script.then(self._time_to_decide(), "DenyApproval", self._decider(), refusal)
        if self._paid:
            self.refund()

    def refund(self) -> None:
        """Pay the fee back."""
        back = {"provider_ref": self._reference("REFUND")}
        self.script.then(1800, "RecordRefund", self._officer(Role.CLERK), back)

    def _grant(self) -> None:
        licence = self._item.licence_type is not None
        owing = bool(self._terms["fee"]) and not self._paid
        if owing and not licence:
            self._pay()
        granted = {"text": self._random.choice(wording.GRANTED)}
        piled = self._draw(shares.IN_A_PILE)
        self.script.then(self._time_to_decide(), "GrantApproval", self._decider(), granted, piled=piled)
        if not licence:
            return
        if owing:
            self._pay()
        issues = self._officer(Role.CLERK)
        self.script.then(30 + min(self._random.expovariate(1 / 1800), DAY), "IssueLicence", issues, {"face": {}})
        if self._delivery is not Means.ONLINE:
            handed = {"means": str(self._delivery)}
            collects = self._agent and self._delivery is Means.COUNTER
            takes, clerk, slow = self._random.uniform(0.1, 3) * DAY, self._officer(Role.CLERK), self._draw(0.3)
            self.script.then(takes, "ConfirmDelivery", clerk, handed, mandated=collects, slow=slow)

    # ── small things ─────────────────────────────────────────────────────────────────────────────────────────────────

    def _draw(self, share: float) -> bool:
        return self._random.random() < share

    def _officer(self, role: Role) -> Officer:
        return officer(self._random, self._lead, role)

    def _applicant(self) -> Officer | None:
        """Who gives the applicant's commands: online he himself, else a clerk who enters them late."""
        return None if self._now else self._officer(Role.CLERK)

    def _uploading(self, material: str) -> dict[str, Any]:
        return {"materials": [papers.uploaded(material)]}


@cache
def _departments() -> tuple[str, ...]:
    return tuple(sorted({entry["departmentId"] for entry in sample_items()}))
