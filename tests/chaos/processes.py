"""Some of Tongban's processes on one database and without a broker, each of which a test may kill and start again."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import httpx
import psycopg

from tests.running import eventually
from tests.servers import Database
from tongban.domain.actor import Role
from tongban.infra.embedded import ports
from tongban.infra.embedded.process import Child
from tongban.infra.issuer import Issuer
from tongban.infra.settings import Settings


class Processes:
    """`api`, `project` and `react`, as many of them as are started."""

    def __init__(self, database: Database, folder: Path) -> None:
        self.database = database
        self.folder = folder
        self.port = ports.free_ports(1)[0]
        self.url = f"http://127.0.0.1:{self.port}"
        self.issuer = Issuer(Settings(data=folder))
        self.children: dict[str, Child] = {}

    def start(self, *names: str) -> None:
        """Start processes; one named such as `react-2` is one more of its kind. Waits for the API."""
        env = {
            **os.environ,
            "TONGBAN_DATABASE_URL": self.database.url,
            "TONGBAN_PORT": str(self.port),
            "TONGBAN_DATA": str(self.folder),
            "TONGBAN_BATCH_LIMIT": "25",  # many commits, so that there is a middle to kill it in
        }
        for name in names:
            command = [sys.executable, "-m", "tongban", name.partition("-")[0]]
            self.children[name] = Child(command, log=self.folder / f"{name}.log", env=env)
        if "api" in names:
            eventually(self.answers)

    def kill(self, name: str) -> None:
        """SIGKILL."""
        self.children.pop(name).stop(0.0)

    def stop(self) -> None:
        """Kill all."""
        for name in list(self.children):
            self.kill(name)

    def answers(self) -> bool:
        try:
            return httpx.get(f"{self.url}/livez", timeout=2).is_success
        except httpx.HTTPError:
            return False

    def give(
        self,
        path: str,
        body: Any,
        role: Role,
        subject: str,
        *,
        department: str | None = None,
        key: UUID | None = None,
    ) -> httpx.Response:
        """POST to `commands/{Name}` or `batches/{Name}`."""
        headers = {
            "authorization": f"Bearer {self.issuer.issue(role, subject, department=department)}",
            "idempotency-key": str(key or uuid4()),
        }
        return httpx.post(f"{self.url}/{path}", json=body, headers=headers, timeout=30)

    def select(self, query: str, *parameters: Any) -> list[tuple[Any, ...]]:
        """Rows, as the superuser sees them."""
        with psycopg.connect(self.database.admin_url) as conn:
            return conn.execute(query.encode(), parameters).fetchall()
