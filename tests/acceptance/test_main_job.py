"""The main job on real servers: two applications from filing to rating, seen on every side of the system."""

from __future__ import annotations

import random
import shutil
import subprocess
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import orjson
import pytest
from kafka import KafkaConsumer, TopicPartition

from tests.acceptance.conftest import Caller
from tests.processes import eventually
from tests.system import System
from tongban.domain.registry import EVENT_NAMES, schema_of
from tongban.infra.reference import sample_items
from tongban.infra.settings import PARTITIONS

pytestmark = [pytest.mark.kafka, pytest.mark.integration, pytest.mark.timeout(300)]

SCHEMAS = {name: schema_of(event) for event, name in EVENT_NAMES.items()}
_QUEUE = "query($code: String!) { department(code: $code) { queue(first: 100) { edges { node { id } } } } }"
_CASE = """
query($id: ID!, $version: Int) {
  case(id: $id, minVersion: $version) {
    id number state version submittedAt acceptedAt decidedAt closedAt
    item { id version name }
    branches { department opinion }
    materials { material how }
    timeline(first: 50) { edges { node { type } } }
  }
}
"""
_HOMEPAGE = """
{ me { id cases(first: 20) { edges { node { id state licence { number } rating { grade } } } }
       licences(first: 20) { edges { node { id number } } } } }
"""


@dataclass(frozen=True, slots=True)
class Job:
    """One application and who is concerned with it."""

    item: str
    lead: str
    branches: tuple[str, ...]
    role: str
    registration: dict[str, str]
    inspected: bool = False

    def materials(self, caller: Caller, party: str) -> list[dict[str, Any]]:
        """What the item's guide asks for: without a paper wherever it can be had otherwise."""
        paper = caller.upload(b"a paper", self.role, party)
        [entry] = [entry for entry in sample_items() if entry["id"] == self.item]
        return [
            {"material": asked["materialId"], "how": "UPLOAD", "ref": paper}
            if asked["exemptBy"] == "NONE"
            else {"material": asked["materialId"], "how": asked["exemptBy"], "ref": None}
            for asked in entry["materials"]
            if asked["necessity"] != "CONDITIONAL"
        ]


JOBS = (
    Job(
        "property-transfer",
        "nr",
        ("housing", "tax", "nr"),
        "citizen",
        {"kind": "PERSON", "identifier_kind": "CITIZEN_ID", "identifier": "11010519491231002X", "name": "陈静"},
    ),
    Job(
        "food-licence",
        "samr",
        ("samr",),
        "enterprise",
        {"kind": "ORGANISATION", "identifier_kind": "USCC", "identifier": "11310000XX0000166P", "name": "好味餐厅"},
        inspected=True,
    ),
)


def in_queue(caller: Caller, department: str, case: str) -> bool:
    told = caller.query(_QUEUE, "reviewer", f"reviewer-{department}", department, code=department)
    return case in [edge["node"]["id"] for edge in told["department"]["queue"]["edges"]]


@pytest.mark.parametrize("job", JOBS, ids=[job.item for job in JOBS])
def test_an_application_goes_from_filing_to_rating_and_is_seen_everywhere(
    job: Job, caller: Caller, system: System
) -> None:
    party = caller.command("RegisterParty", job.registration, "clerk", "clerk-1", job.lead)["id"]
    filed = caller.command(
        "SubmitApplication",
        {
            "item": job.item,
            "applicant": party,
            "channel": "WEB",
            "answers": {},
            "form": {"地址": "浦东新区"},
            "materials": job.materials(caller, party),
        },
        job.role,
        party,
    )
    case = filed["id"]
    assert filed["events"][:2] == ["case.ApplicationSubmitted", "case.MaterialsReceived"]
    assert filed["version"] == len(filed["events"])
    assert filed["number"]
    assert eventually(lambda: in_queue(caller, job.lead, case))

    told = filed["events"]
    accepted = caller.command("AcceptApplication", {"case_id": case}, "acceptor", "acceptor-1", job.lead)
    told += accepted["events"]
    if "case.FeeRequested" in accepted["events"]:
        paid = {"case_id": case, "amount": "80.00", "provider_ref": "PAY-1"}
        told += caller.command("RecordPayment", paid, "clerk", "clerk-1", job.lead)["events"]
    for branch in job.branches:
        assert eventually(lambda: in_queue(caller, branch, case))  # noqa: B023 - called at once
    for branch in random.sample(job.branches, len(job.branches)):
        opinion = {"case_id": case, "branch": branch, "opinion": "PASS", "text": "材料齐全, 同意"}
        caller.command("RecordOpinion", opinion, "reviewer", f"reviewer-{branch}", branch)
    if job.inspected:
        visit = {"case_id": case, "branches": [job.lead], "inspectors": ["inspector-1", "inspector-2"]}
        caller.command("RecordInspection", {**visit, "result": "PASS"}, "inspector", "inspector-1", job.lead)
    caller.command("GrantApproval", {"case_id": case, "text": "准予"}, "decider", "decider-1", job.lead)
    issued = caller.command(
        "IssueLicence", {"case_id": case, "face": {"类型": "正本"}}, "decider", "decider-1", job.lead
    )
    caller.command("RateCase", {"case_id": case, "grade": 1, "options": [], "text": "很快"}, job.role, party)

    shown = caller.query(_CASE, job.role, party, id=case, version=issued["version"])["case"]
    assert (shown["id"], shown["number"], shown["state"]) == (case, filed["number"], "CLOSED")
    assert shown["item"]["id"] == job.item
    assert {b["department"]: b["opinion"] for b in shown["branches"]} == dict.fromkeys(job.branches, "PASS")
    assert shown["submittedAt"] <= shown["acceptedAt"] <= shown["decidedAt"] <= shown["closedAt"]
    assert not in_queue(caller, job.lead, case)

    expected = [
        *told,
        *["case.OpinionRecorded"] * len(job.branches),
        *["case.InspectionDone"] * job.inspected,
        "case.ApprovalGranted",
        "case.LicenceIssued",
        "case.LicenceDelivered",
        "case.CaseClosed",
    ]
    assert eventually(lambda: is_home(caller, job, party, case))
    types = [
        edge["node"]["type"] for edge in caller.query(_CASE, job.role, party, id=case)["case"]["timeline"]["edges"]
    ]
    assert [t for t in types if t.startswith("case.")] == expected
    assert sorted(t for t in types if not t.startswith("case.")) == ["licence.LicenceCollected", "rating.CaseRated"]

    assert topic_types(system, "tongban.case.v1", case) == [f"{name}.v{SCHEMAS[name]}" for name in expected]
    replayed = system.run("replay", case)
    assert [line.split()[0] for line in replayed.splitlines() if line and line[0] != " "] == types
    steps = orjson.loads(system.run("replay", case, "--json"))
    assert [step["envelope"]["type"] for step in steps] == types
    assert steps[0]["changed"]["status"] == {"before": "NOT_FILED", "after": "SUBMITTED"}


def is_home(caller: Caller, job: Job, party: str, case: str) -> bool:
    """Whether the homepage shows the case closed, rated, and with the licence that is among the licences."""
    me = caller.query(_HOMEPAGE, job.role, party)["me"]
    cases: dict[str, Any] = {edge["node"]["id"]: edge["node"] for edge in me["cases"]["edges"]}
    licences = [edge["node"]["number"] for edge in me["licences"]["edges"]]
    found = cases.get(case)
    if me["id"] != party or found is None or found["rating"] is None or found["licence"] is None:
        return False
    return found["state"] == "CLOSED" and found["rating"]["grade"] == 1 and found["licence"]["number"] in licences


def topic_types(system: System, topic: str, stream: str) -> list[str]:
    """The CloudEvents types of one stream on a topic, first occurrences in order; headers are checked on the way."""
    consumer = KafkaConsumer(bootstrap_servers=system.kafka.bootstrap, enable_auto_commit=False, group_id=None)
    places = [TopicPartition(topic, number) for number in range(PARTITIONS)]
    try:
        consumer.assign(places)
        consumer.seek_to_beginning(*places)
        ends = consumer.end_offsets(places)
        found: dict[int, str] = {}
        while any(consumer.position(place) < ends[place] for place in places):
            for records in consumer.poll(timeout_ms=1000).values():
                for record in records:
                    if record.key.decode() != stream:
                        continue
                    headers = {name: value.decode() for name, value in record.headers}
                    event = orjson.loads(record.value)
                    assert headers["ce_specversion"] == "1.0"
                    assert headers["content-type"] == "application/json"
                    assert headers["ce_id"] == event["id"]
                    assert headers["ce_subject"] == headers["ce_partitionkey"] == stream
                    assert headers["ce_time"] == event["effective_at"]
                    assert headers["ce_traceparent"] == event["trace"]
                    assert int(headers["ce_prevposition"]) < int(headers["ce_position"])
                    found.setdefault(int(headers["ce_sequence"]), headers["ce_type"])
        return [found[version] for version in sorted(found)]
    finally:
        consumer.close()


@pytest.mark.skipif(shutil.which("kcat") is None, reason="kcat is not installed")
def test_kcat_reads_the_topics_with_their_cloudevents_headers(caller: Caller, system: System) -> None:
    caller.command("RegisterParty", JOBS[0].registration, "clerk", "clerk-1", "nr")
    command = ["kcat", "-b", system.kafka.bootstrap, "-C", "-e", "-q", "-t", "tongban.catalogue.v1", "-f", "%k %h\n"]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    items = [line for line in done.stdout.splitlines() if "ce_type=catalogue.ItemPublished.v2" in line]
    others = [line for line in done.stdout.splitlines() if line not in items]
    assert len({UUID(line.split()[0]) for line in items}) == len(items) == len(sample_items())
    kinds = ("calendar.CalendarImported.v1", "bundle_definition.BundlePublished.v1")
    assert all(any(f"ce_type={kind}" in line for kind in kinds) for line in others)
