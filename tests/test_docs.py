"""The documents say what the code says: every event, command, setting, tool and read table is named in its place."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
import typer.main

from tongban import cli
from tongban.api.role_docs import with_table
from tongban.commands.handlers import HANDLERS
from tongban.domain.registry import EVENT_TYPES
from tongban.infra.settings import Settings
from tongban.projections.registry import PROJECTIONS

ROOT = Path(__file__).parent.parent
README = (ROOT / "README.md").read_text("utf-8")
ARCHITECTURE = (ROOT / "ARCHITECTURE.md").read_text("utf-8")
GLOSSARY = (ROOT / "docs/glossary.md").read_text("utf-8")
EVENTS = (ROOT / "docs/events.md").read_text("utf-8")


@pytest.mark.parametrize("name", EVENT_TYPES)
def test_every_event_type_is_described(name: str) -> None:
    assert f"`{name}`" in EVENTS


@pytest.mark.parametrize("name", HANDLERS)
def test_every_command_is_described(name: str) -> None:
    assert f"`{name}`" in EVENTS


@pytest.mark.parametrize("table", [projection.name for projection in PROJECTIONS])
def test_every_read_table_is_described(table: str) -> None:
    assert f"`{table}`" in EVENTS


def test_every_command_of_the_command_line_is_in_the_readme() -> None:
    app = typer.main.get_command(cli.app)
    assert [name for name in app.commands if not re.search(rf"[`( ]{name}\b", README)] == []  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    "name", ["database_url", "read_database_url", "kafka_bootstrap", "oidc_issuer", "data", "port"]
)
def test_settings_of_the_readme_exist(name: str) -> None:
    assert name in Settings.model_fields
    assert f"TONGBAN_{name.upper()}" in README


def test_every_setting_says_what_it_is_for() -> None:
    assert [name for name, field in Settings.model_fields.items() if name != "secrets" and not field.description] == []


@pytest.mark.parametrize(
    "path",
    sorted(set(re.findall(r"`((?:domain|commands|infra|consumers|projections|graphql|api)/[\w/.]+)`", ARCHITECTURE))),
)
def test_places_named_in_the_architecture_exist(path: str) -> None:
    assert (ROOT / "tongban" / path).exists()


def test_links_in_the_readme_lead_somewhere() -> None:
    links = re.findall(r"\]\((?!http)([^)#]+)\)", README)
    assert links
    assert [link for link in links if not (ROOT / link).exists()] == []


def test_the_glossary_gives_the_chinese_term_for_every_term_of_the_domain() -> None:
    domain_part = GLOSSARY.split("\n\n| term | meaning here |")[0]
    rows = [line for line in domain_part.splitlines() if line.startswith("| ") and not line.startswith("| term")]
    assert len(rows) > 20
    assert [row for row in rows if not re.search(r"[\u4e00-\u9fff]", row.split("|")[2])] == []


def test_the_table_of_roles_is_that_of_the_code() -> None:
    roles = (ROOT / "docs/roles.md").read_text("utf-8")
    assert with_table(roles) == roles, "run: python -m tongban.api.role_docs docs/roles.md"
