"""What is advised is what would be taken."""

from __future__ import annotations

from datetime import UTC, datetime
from uuid import uuid4

import pytest

from tests.lives import MONDAY, Life, Town, entry, staff
from tongban.commands.advice import _SAMPLES, allowed_commands
from tongban.commands.case_handlers import CASE_HANDLERS
from tongban.domain.actor import Actor, Role
from tongban.domain.calendar.state import CALENDAR
from tongban.domain.case import commands as c
from tongban.domain.case.events import Opinion, Procedure
from tongban.domain.case.state import CASE
from tongban.domain.ids import calendar_stream
from tongban.domain.mandate.events import MandateKind, Step
from tongban.domain.mandate.state import Mandate
from tongban.domain.rating.state import Rating


@pytest.fixture
def town() -> Town:
    """One item with two branches and a fee."""
    made = Town()
    made.import_calendars()
    fee = {"charged": True, "amount": "80.00", "currency": "CNY"}
    branches = {"departments": ["samr", "fire"]}
    made.publish(entry("food-licence", reviewBranches=branches, fee=fee, onSiteInspection=False))
    return made


def _allowed(life: Life, actor: Actor, **more: object) -> set[str]:
    calendar = life.town.other(calendar_stream(), CALENDAR)
    return set(allowed_commands(life.case, life.id, actor, life.at, calendar, **more))  # type: ignore[arg-type]


def _filed(town: Town) -> Life:
    return town.file("food-licence", town.register("店"))


def test_every_public_command_to_a_filed_case_is_thought_of() -> None:
    public = {handler.body for handler in CASE_HANDLERS if handler.public and not handler.creates}
    assert public == {body for body in _SAMPLES if body.__name__ != "RateCase"}


def test_step_by_step_who_may_go_on(town: Town) -> None:
    life = _filed(town)
    acceptor, decider = staff("samr", Role.ACCEPTOR), staff("samr", Role.DECIDER)
    assert "AcceptApplication" in _allowed(life, acceptor)
    assert "AcceptApplication" not in _allowed(life, staff("fire", Role.ACCEPTOR))
    assert "AcceptApplication" not in _allowed(life, staff("samr", Role.REVIEWER))
    life.by(Role.ACCEPTOR, c.AcceptApplication(life.id))
    assert "AcceptApplication" not in _allowed(life, acceptor)
    assert "GrantApproval" not in _allowed(life, decider)
    for branch in ("samr", "fire"):
        reviewer = staff(branch, Role.REVIEWER)
        assert "RecordOpinion" in _allowed(life, reviewer)
        life.by(Role.REVIEWER, c.RecordOpinion(life.id, branch, Opinion.PASS), branch)
        assert "RecordOpinion" not in _allowed(life, reviewer)
    assert {"GrantApproval", "DenyApproval"} <= _allowed(life, decider)
    # Who accepted a promised item does not decide it.
    assert "GrantApproval" not in _allowed(life, Actor(acceptor.id, Role.DECIDER, "samr"))
    life.by(Role.DECIDER, c.GrantApproval(life.id))
    assert "IssueLicence" not in _allowed(life, decider)
    assert "RecordPayment" in _allowed(life, staff("samr", Role.CLERK))
    life.by(Role.CLERK, c.RecordPayment(life.id, "80.00", "ref"))
    assert "IssueLicence" in _allowed(life, decider)


def test_suspended_branch_may_not_speak_and_may_go_on(town: Town) -> None:
    life = _filed(town)
    life.by(Role.ACCEPTOR, c.AcceptApplication(life.id))
    life.by(Role.REVIEWER, c.StartSpecialProcedure(life.id, "fire", Procedure.APPRAISAL, 5, "告知"), "fire")
    fire = _allowed(life, staff("fire", Role.REVIEWER))
    assert "RecordOpinion" not in fire
    assert "EndSpecialProcedure" in fire
    assert "RecordOpinion" in _allowed(life, staff("samr", Role.REVIEWER))


def test_extension_is_advised_once_and_only_in_time(town: Town) -> None:
    life = _filed(town)
    life.by(Role.ACCEPTOR, c.AcceptApplication(life.id))
    head = staff("samr", Role.HEAD)
    assert "ExtendDeadline" in _allowed(life, head)
    life.at = datetime(2026, 6, 1, 1, 0, tzinfo=UTC)
    assert "ExtendDeadline" not in _allowed(life, head)
    life.at = MONDAY.replace(day=4)
    life.by(Role.HEAD, c.ExtendDeadline(life.id, 5, "案情复杂"))
    assert "ExtendDeadline" not in _allowed(life, head)


def test_agent_is_advised_what_his_mandate_covers(town: Town) -> None:
    life = _filed(town)
    agent, mandate_id = uuid4(), uuid4()
    actor = Actor(str(agent), Role.AGENT)
    assert _allowed(life, actor) == set()
    mandate = Mandate(
        principal=life.case.applicant,
        agent=agent,
        kind=MandateKind.AGENT,
        steps=frozenset({Step.WITHDRAW}),
        valid_from=MONDAY.date(),
        valid_to=MONDAY.date().replace(year=2027),
        granted_at=MONDAY,
    )
    assert _allowed(life, actor, mandate=(mandate_id, mandate)) == {"WithdrawApplication"}


def test_applicant_rates_a_closed_case_once(town: Town) -> None:
    life = _filed(town)
    assert "RateCase" not in _allowed(life, life.applicant)
    life.by(Role.ENTERPRISE, c.WithdrawApplication(life.id, "不办了"))
    assert _allowed(life, life.applicant) == {"RateCase"}
    assert _allowed(life, life.applicant, rating=Rating(grade=1)) == set()


def test_nothing_is_advised_for_a_case_that_does_not_exist(town: Town) -> None:
    life = Life(town, uuid4(), "samr", Actor(str(uuid4()), Role.CITIZEN))
    assert life.case == CASE.initial
    for role in (Role.CLERK, Role.ACCEPTOR, Role.DECIDER, Role.HEAD):
        assert _allowed(life, staff("samr", role)) == set()
