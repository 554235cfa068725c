"""Callers that take cases through their whole life over HTTP, and never give up on a command they began."""

from __future__ import annotations

import random
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID, uuid4

import httpx

from tongban.domain.actor import Role

PATIENCE = 180.0
BRANCHES = ("housing", "tax", "nr")
IssueToken = Callable[[str, str, str | None], str]


@dataclass(frozen=True, slots=True)
class Acknowledged:
    """A command that was answered with 200 or 201."""

    key: UUID
    stream: UUID
    version: int
    events: tuple[str, ...]


@dataclass
class Load:
    """Callers in threads. `acknowledged` grows while they run; `refused` holds what should not have been refused."""

    url: str
    issue_token: IssueToken
    applicant: str
    acknowledged: list[Acknowledged] = field(default_factory=list)
    refused: list[str] = field(default_factory=list)
    retries: int = 0
    _materials: list[dict[str, str]] = field(default_factory=list)
    _stop: threading.Event = field(default_factory=threading.Event)
    _threads: list[threading.Thread] = field(default_factory=list)
    _tokens: dict[tuple[str, str, str | None], str] = field(default_factory=dict)

    def start(self, callers: int) -> None:
        """Begin: with one paper that stands for every material, since no source is to be asked under this load."""
        headers = {"Authorization": f"Bearer {self.issue_token(str(Role.CITIZEN), self.applicant, None)}"}
        paper = httpx.post(
            f"{self.url}/uploads", content=b"a paper", headers={**headers, "Content-Type": "text/plain"}, timeout=30
        )
        assert paper.is_success, paper.text
        papers = ("id-card", "sale-contract", "property-cert", "tax-clearance")
        self._materials = [{"material": name, "how": "UPLOAD", "ref": paper.json()["ref"]} for name in papers]
        self._materials.append({"material": "form", "how": "FORM_PREFILL"})
        for number in range(callers):
            thread = threading.Thread(target=self._call, args=(random.Random(number),), daemon=True)
            self._threads.append(thread)
            thread.start()

    def finish(self) -> None:
        """Let every caller end the case it is at, then stop."""
        self._stop.set()
        for thread in self._threads:
            thread.join(PATIENCE)
            assert not thread.is_alive(), "a caller still waits for its answer"

    def _call(self, rng: random.Random) -> None:
        with httpx.Client(base_url=self.url, timeout=10) as client:
            while not self._stop.is_set():
                self._one_case(client, rng)

    def _one_case(self, client: httpx.Client, rng: random.Random) -> None:
        case = self._do(
            client,
            "SubmitApplication",
            {
                "item": "property-transfer",
                "applicant": self.applicant,
                "channel": "WEB",
                "form": {"n": rng.random()},
                "materials": self._materials,
            },
            Role.CITIZEN,
            self.applicant,
            None,
        )
        if case is None:
            return
        named = {"case_id": str(case)}
        self._do(client, "AcceptApplication", named, Role.ACCEPTOR, "acceptor-nr", "nr")
        for branch in rng.sample(BRANCHES, len(BRANCHES)):
            opinion = {**named, "branch": branch, "opinion": "PASS", "text": "ok"}
            self._do(client, "RecordOpinion", opinion, Role.REVIEWER, f"reviewer-{branch}", branch)
        paid = {**named, "amount": "80.00", "provider_ref": "UP"}
        self._do(client, "RecordPayment", paid, Role.CLERK, "clerk-nr", "nr")
        self._do(client, "GrantApproval", named, Role.DECIDER, "decider-nr", "nr")
        self._do(client, "IssueLicence", named, Role.DECIDER, "decider-nr", "nr")
        self._do(client, "RateCase", {**named, "grade": 1}, Role.CITIZEN, self.applicant, None)

    def _do(
        self,
        client: httpx.Client,
        name: str,
        body: dict[str, Any],
        role: Role,
        subject: str,
        department: str | None,
    ) -> UUID | None:
        key = uuid4()
        who = (str(role), subject, department)
        if who not in self._tokens:
            self._tokens[who] = self.issue_token(*who)
        headers = {"Authorization": f"Bearer {self._tokens[who]}", "Idempotency-Key": str(key)}
        deadline = time.monotonic() + PATIENCE
        while time.monotonic() < deadline:
            try:
                answer = client.post(f"/commands/{name}", json=body, headers=headers)
            except httpx.HTTPError:
                self.retries += 1
                time.sleep(0.1)
                continue
            if answer.status_code in (200, 201):
                told = answer.json()
                stream = UUID(told["id"])
                self.acknowledged.append(Acknowledged(key, stream, told["version"], tuple(told["events"])))
                return stream
            if answer.status_code in (429, 503) or answer.json().get("code") == "key-in-flight":
                self.retries += 1
                time.sleep(0.1)
                continue
            self.refused.append(f"{name}: {answer.status_code} {answer.text[:300]}")
            return None
        self.refused.append(f"{name}: no answer within {PATIENCE} s")
        return None
