"""The servers that are measured with: an embedded PostgreSQL and, where it can be had, an embedded Kafka."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tongban.infra.embedded import kafka_jars
from tongban.infra.embedded.kafka import Kafka
from tongban.infra.embedded.postgres import SUPERUSER, Postgres
from tongban.infra.migrate import migrate
from tongban.infra.settings import Settings

DATABASE = "bench"


@dataclass(frozen=True, slots=True)
class Servers:
    """What runs, and the settings that lead to it. `kafka` is None where none can be had; `missing` says why."""

    postgres: Postgres
    kafka: Kafka | None
    missing: str | None
    settings: Settings

    @property
    def admin_url(self) -> str:
        """The database as its superuser."""
        return self.postgres.url(SUPERUSER, DATABASE)


@contextmanager
def servers() -> Iterator[Servers]:
    """Start them in a folder of their own; stop and remove all at the end."""
    folder = Path(tempfile.mkdtemp(prefix="tongban-bench-"))
    postgres = Postgres(folder / "pg")
    kafka = Kafka(folder / "kafka", cache=kafka_jars.shared_cache())
    missing = kafka.why_unavailable()
    try:
        postgres.start()
        postgres.wait_ready()
        postgres.ensure_database(DATABASE)
        migrate(postgres.url(SUPERUSER, DATABASE))
        if missing is None:
            kafka.start()
            kafka.wait_ready()
        settings = Settings(
            database_url=postgres.url("tongban", DATABASE),
            kafka_bootstrap=kafka.bootstrap if missing is None else "",
            data=folder,
        )
        yield Servers(postgres, kafka if missing is None else None, missing, settings)
    finally:
        if missing is None:
            kafka.stop(2.0)
        postgres.stop(2.0)
        shutil.rmtree(folder, ignore_errors=True)
