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
    command_deadline: float = Field(default=5.0, description="Seconds a command may wait for its answer before 503")
    metrics_port: int = Field(default=0, description="Port of /metrics of relay, project and react; 0: none")
    lag_limit: float = Field(default=30.0, description="Seconds of projection lag past which /readyz says not ready")

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
