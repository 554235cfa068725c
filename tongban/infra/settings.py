"""Every setting, read once from the environment (`TONGBAN_…`) into one frozen object."""

from __future__ import annotations

import os
from pathlib import Path

from pydantic import Field
from pydantic_settings import BaseSettings, SettingsConfigDict

PARTITIONS = 6
"""Partitions of every topic. Fixed for ever: the partition of a stream is murmur2(stream id) modulo this."""


class Settings(BaseSettings):
    """Names are those of the environment without the prefix, in lower case."""

    model_config = SettingsConfigDict(env_prefix="TONGBAN_", frozen=True, extra="ignore")

    database_url: str = Field(default="", description="PostgreSQL of the event store (login needs the tongban_* roles)")
    admin_database_url: str = Field(default="", description="PostgreSQL as its owner: `migrate` only")
    read_database_url: str = Field(default="", description="PostgreSQL of the read tables; unset: database_url")
    keys_database_url: str = Field(default="", description="PostgreSQL of the personal keys; unset: database_url")
    kafka_bootstrap: str = Field(default="", description="Kafka as host:port[,host:port]; unset: no topics")
    oidc_issuer: str = Field(default="", description="Issuer of bearer tokens; unset: the embedded development issuer")
    oidc_audience: str = Field(default="tongban", description="Audience that a bearer token must name")
    oidc_jwks_url: str = Field(
        default="", description="Key set of the issuer; unset: by the issuer's discovery document"
    )
    jurisdiction: str = Field(default="310000", description="Administrative division code (GB/T 2260) of this store")
    host: str = Field(default="127.0.0.1", description="Address the API listens on")
    port: int = Field(default=8000, description="Port of the API")
    data: Path = Field(default=Path(".tongban"), description="Folder of the embedded servers and development secrets")
    secrets: Path | None = Field(default=None, description="Folder of the secrets; unset: <data>/secrets")
    log_level: str = Field(default="INFO", description="Lowest level that is logged")
    queue_limit: int = Field(default=4096, description="Commands that may wait; past that the answer is 503")
    batch_limit: int = Field(default=384, description="Commands in one commit")
    batch_commands: int = Field(default=1000, description="Commands in one POST /batches/{Name}")
    command_deadline: float = Field(default=5.0, description="Seconds a command may wait for its answer before 503")
    mandate_years: int = Field(default=5, description="Years that a mandate can run at most")
    absence_days: int = Field(default=366, description="Days that an absence can be covered at most")
    filing_cut_off: int = Field(
        default=24, ge=1, le=24, description="Hour from which a filing counts for the next working day; 24: none"
    )
    timer_grace: float = Field(
        default=0.0, description="Seconds a moment that has passed waits for what is still being entered late"
    )
    metrics_port: int = Field(default=0, description="Port of /metrics of relay, project and react; 0: none")
    lag_limit: float = Field(default=30.0, description="Seconds of projection lag past which /readyz says not ready")

    uploads: Path | None = Field(
        default=None, description="Folder of the sealed uploads, one for all API processes; unset: <data>/uploads"
    )
    upload_limit: int = Field(default=10 * 1024 * 1024, description="Bytes of one upload; past that the answer is 413")
    upload_types: str = Field(
        default="application/pdf,application/ofd,image/jpeg,image/png,image/tiff,text/plain",
        description="Media types that may be uploaded, with commas; others are answered 415",
    )
    upload_days: int = Field(
        default=45, description="Days after which an upload that no case or draft names is deleted"
    )
    draft_days: int = Field(default=30, description="Days after its last change that a draft is kept")
    drafts_per_party: int = Field(default=100, description="Drafts that one party may have at once")
    sources: str = Field(
        default="",
        description=(
            "Data sources as name=URL with commas; the name `*` takes all others. Unset: simulated ones with the"
            " embedded issuer, none with a real one"
        ),
    )
    source_timeout: float = Field(default=1.0, description="Seconds that one question to a data source may take")
    source_attempts: int = Field(default=2, description="How often a data source is asked before giving up")
    source_failures: int = Field(default=5, description="Failures in a row after which a data source is left alone")
    source_rest: float = Field(default=10.0, description="Seconds that a failing data source is left alone")
    evidence_hours: float = Field(default=24.0, description="Hours after which a source's answer is asked for again")
    yellow_share: int = Field(
        default=20, ge=0, le=100, description="Percent of its limit from which on a deadline is yellow"
    )
    yellow_days: int = Field(default=1, ge=0, description="Working days from which on a deadline is yellow at any rate")
    office_opens: int = Field(default=9, ge=0, le=23, description="Hour from which waiting counts as working time")
    office_closes: int = Field(default=17, ge=1, le=24, description="Hour to which waiting counts as working time")
    simulated_missing: float = Field(default=0.02, description="Share of questions a simulated source has nothing for")
    simulated_failing: float = Field(default=0.01, description="Share of questions a simulated source fails at")
    simulated_slow: float = Field(default=0.005, description="Share of questions a simulated source is too slow for")

    @property
    def uploads_folder(self) -> Path:
        """Where sealed uploads are kept."""
        return self.uploads or self.data / "uploads"

    @property
    def secrets_folder(self) -> Path:
        """Where pepper, key-encryption key and the development issuer's key are kept."""
        return self.secrets or self.data / "secrets"

    @property
    def read_url(self) -> str:
        """The read tables' database."""
        return self.read_database_url or self.database_url

    @property
    def keys_url(self) -> str:
        """The personal keys' database."""
        return self.keys_database_url or self.database_url

    @property
    def has_broker(self) -> bool:
        """Whether topics are on; without them consumers follow the event store."""
        return bool(self.kafka_bootstrap)


ADDRESSES = "up.env"
"""In the data folder while `up` runs: the addresses of its servers, one `NAME=value` a line."""


def load_settings() -> Settings:
    """The settings of this environment; addresses it does not name are those of a running `up`, if there is one."""
    settings = Settings()
    file = settings.data / ADDRESSES
    if settings.database_url or not file.exists():
        return settings
    named = dict(line.split("=", 1) for line in file.read_text("utf-8").splitlines() if "=" in line)
    for name, value in named.items():
        os.environ.setdefault(name, value)
    return Settings()
