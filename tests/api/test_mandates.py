"""Acting for another over HTTP: by the names of the interface, with an agent's own token."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from uuid import uuid4

import pytest

from tests.api.serving import CITIZEN_IDS, Tongban
from tongban.domain.actor import Role
from tongban.domain.office_time import office_day

TODAY = office_day(datetime.now(UTC))
TO = (TODAY + timedelta(days=30)).isoformat()


@pytest.fixture
def agent(system: Tongban) -> str:
    return system.register(CITIZEN_IDS[1], "李代办")


def test_an_agent_files_under_a_mandate_until_it_is_given_back(system: Tongban, agent: str) -> None:
    principal = system.register()
    mandate = {"principal": principal, "agent": agent, "items": ["food-licence"], "from": TODAY.isoformat(), "to": TO}
    granted = system.give("GrantMandate", mandate, system.token(Role.CITIZEN, principal))
    assert granted.status_code == 201, granted.text
    assert granted.json()["events"] == ["mandate.MandateGranted"]
    by_agent = system.token(Role.AGENT, agent)
    application = {"item": "food-licence", "applicant": principal, "channel": "WEB"}
    assert system.give("SubmitApplication", application, by_agent).json()["code"] == "not-yours"
    under = application | {"mandate": granted.json()["id"]}
    # A food licence is for organisations: that this is what stands in the way says that the agent may act.
    assert system.give("SubmitApplication", under, by_agent).json()["code"] == "applicant-not-served"
    back = system.give("RevokeMandate", {"mandate_id": granted.json()["id"]}, by_agent)
    assert back.json()["events"] == ["mandate.MandateRevoked"]
    assert system.give("SubmitApplication", under, by_agent).json()["code"] == "mandate-revoked-already"


def test_days_are_named_from_and_to(system: Tongban, agent: str) -> None:
    body = {"principal": str(uuid4()), "agent": agent, "items": None, "from": TODAY.isoformat(), "to": TO}
    clerk = system.officer(Role.CLERK)
    for wrong, pointer in (({"from_": TO}, "/from_"), ({"valid_from": TO}, "/valid_from"), ({"to": "soon"}, "/to")):
        refusal = system.give("GrantMandate", body | wrong, clerk)
        assert (refusal.status_code, refusal.json()["pointer"]) == (400, pointer)
    absence = {"officer": "a", "cover": "b", "from": TODAY.isoformat(), "to": TODAY.isoformat()}
    head = system.officer(Role.HEAD, "samr")
    assert system.give("RegisterAbsence", absence, head).json()["events"] == ["absence.AbsenceRegistered"]
    assert system.give("EndAbsence", {"officer": "a"}, head).json()["events"] == ["absence.AbsenceEnded"]
