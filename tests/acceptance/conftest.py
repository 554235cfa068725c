"""One running system for the acceptance tests, and a caller who speaks HTTP to it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any
from uuid import uuid4

import httpx
import pytest

from tests.system import System, running_system
from tongban.domain.actor import Role
from tongban.infra.issuer import Issuer
from tongban.infra.settings import Settings

OK = (200, 201)


@pytest.fixture(scope="session")
def system(request: pytest.FixtureRequest) -> Iterator[System]:
    """Everything running on real servers, shared by all acceptance tests."""
    with running_system(request) as running:
        yield running


@dataclass(frozen=True, slots=True)
class Caller:
    """Gives commands and asks queries as anybody."""

    system: System
    client: httpx.Client = field(repr=False)

    def token(self, role: str, subject: str, department: str | None = None) -> str:
        """A token of the system's own issuer."""
        return Issuer(Settings(data=self.system.folder)).issue(Role(role), subject, department=department)

    def headers(self, role: str, subject: str, department: str | None = None) -> dict[str, str]:
        """The headers of a new command."""
        return {"Authorization": f"Bearer {self.token(role, subject, department)}", "Idempotency-Key": str(uuid4())}

    def command(self, name: str, body: dict[str, Any], role: str, subject: str, department: str | None = None) -> Any:
        """The answer to a command that must be done."""
        headers = self.headers(role, subject, department)
        answer = self.client.post(f"/commands/{name}", json=body, headers=headers)
        assert answer.status_code in OK, f"{name}: {answer.status_code} {answer.text}"
        return answer.json()

    def refused(self, name: str, body: dict[str, Any], role: str, subject: str, department: str | None = None) -> Any:
        """The problem document of a command that must be refused."""
        headers = self.headers(role, subject, department)
        answer = self.client.post(f"/commands/{name}", json=body, headers=headers)
        assert answer.is_client_error, f"{name}: {answer.status_code} {answer.text}"
        return answer.json()

    def upload(self, content: bytes, role: str, subject: str) -> str:
        """The name of a paper that a party uploaded."""
        headers = {"Authorization": f"Bearer {self.token(role, subject)}", "Content-Type": "text/plain"}
        answer = self.client.post("/uploads", content=content, headers=headers)
        assert answer.status_code in OK, f"upload: {answer.status_code} {answer.text}"
        return str(answer.json()["ref"])

    def query(self, text: str, role: str, subject: str, department: str | None = None, **variables: Any) -> Any:
        """The data of a query that must have no errors."""
        headers = {"Authorization": f"Bearer {self.token(role, subject, department)}"}
        answer = self.client.post("/graphql", json={"query": text, "variables": variables}, headers=headers)
        told = answer.json()
        assert "errors" not in told, told["errors"]
        return told["data"]


@pytest.fixture
def caller(system: System) -> Iterator[Caller]:
    """A caller of the running system."""
    with httpx.Client(base_url=system.url, timeout=30) as client:
        yield Caller(system, client)
