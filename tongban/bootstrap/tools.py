"""The tools of an operator: each function does one thing and gives back what the command line prints."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager
from datetime import datetime
from typing import Any
from uuid import UUID

import httpx
import orjson
import psycopg
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from tongban.api.asyncapi import asyncapi
from tongban.api.openapi import openapi
from tongban.bootstrap.errors import NotConfigured, need_database
from tongban.bootstrap.reacting import open_reactor, own_write_side
from tongban.consumers.parked import Parked, Retried, list_parked, retry
from tongban.consumers.projector import PROJECTOR, Projector
from tongban.consumers.reactor import REACTOR
from tongban.consumers.rebuild import RebuildReport, rebuild
from tongban.consumers.timers import NAME as TIMERS
from tongban.consumers.timers import list_refused, retry_timers
from tongban.domain.actor import Role
from tongban.domain.replay import Step, known_events, replay
from tongban.graphql.sdl import sdl
from tongban.infra import history
from tongban.infra.database import DbRole, connect
from tongban.infra.issuer import KEY_FILE, Issuer
from tongban.infra.migrate import migrate
from tongban.infra.settings import Settings
from tongban.infra.verify import ChainReport, verify_chains
from tongban.infra.write_side import open_vault
from tongban.projections.registry import apply_batch

_TOKEN_SECONDS = 3600


def run_migrations(settings: Settings) -> list[str]:
    """Bring the database up to date, as its owner."""
    url = settings.admin_database_url or settings.database_url
    if not url:
        raise NotConfigured("no database is named: set TONGBAN_ADMIN_DATABASE_URL to a login that owns the database")
    try:
        return migrate(url)
    except psycopg.errors.InsufficientPrivilege as error:
        raise NotConfigured(
            "this login may not change the schema: set TONGBAN_ADMIN_DATABASE_URL to one that owns the database"
        ) from error


def issue_token(
    settings: Settings,
    role: str,
    subject: str,
    department: str | None = None,
    district: str | None = None,
    ttl: int = _TOKEN_SECONDS,
) -> str:
    """A token of the embedded issuer."""
    try:
        wanted = Role(role)
    except ValueError:
        known = ", ".join(known for known in Role if known is not Role.SYSTEM)
        raise NotConfigured(f"there is no role {role!r}: it is one of {known}") from None
    if not settings.oidc_issuer and not (settings.secrets_folder / KEY_FILE).exists():
        folder = settings.secrets_folder.absolute()
        Console(stderr=True, soft_wrap=True).print(
            f"tongban: a new signing key was made in {folder}: only an API that uses this folder takes this token"
        )
    return Issuer(settings).issue(wanted, subject, department=department, district=district, ttl=ttl)


def need_api(settings: Settings) -> None:
    """Make sure that an API answers. Raises NotConfigured."""
    try:
        httpx.get(f"{base_url(settings)}/livez", timeout=5)
    except httpx.HTTPError as error:
        where = base_url(settings)
        raise NotConfigured(f"no API answers at {where}: start `tongban up`, or name its TONGBAN_PORT") from error


def base_url(settings: Settings) -> str:
    """Where the API of these settings is reached on this machine."""
    return f"http://{settings.host}:{settings.port}"


@contextmanager
def _events(settings: Settings) -> Iterator[psycopg.Connection[tuple[Any, ...]]]:
    need_database(settings)
    with closing(connect(settings.database_url, DbRole.PROJECTOR)) as conn:
        yield conn


@contextmanager
def _progress(what: str) -> Iterator[Callable[[int, int], None]]:
    """A progress bar on stderr when that is a terminal; tell it how much of how much is done."""
    console = Console(stderr=True)
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=console, disable=not console.is_terminal, transient=True) as bar:
        task = bar.add_task(what, total=None)
        yield lambda done, total: bar.update(task, completed=done, total=total)


def find_case(conn: psycopg.Connection[tuple[Any, ...]], text: str) -> UUID:
    """The id of a case that is named by its id or its number. Raises NotConfigured."""
    try:
        return UUID(text)
    except ValueError:
        row = conn.execute("SELECT id FROM read.case_view WHERE number = %s", (text,)).fetchone()
    if row is None:
        raise NotConfigured(f"there is no case {text}: name it by its id or its number")
    return UUID(str(row[0]))


def replay_case(
    settings: Settings, case: str, *, at: datetime | None = None, known_at: datetime | None = None
) -> list[Step]:
    """The steps of a case, its licence and its rating. Times without zone are local. Raises NotConfigured."""
    need_database(settings)
    vault, keys = open_vault(settings)
    with closing(keys), _events(settings) as conn:
        events = history.case_history(conn, find_case(conn, case), vault)
    if not events:
        raise NotConfigured(f"there is no case {case}: name it by its id or its number")
    known = known_events(events, at=_aware(at), known_at=_aware(known_at))
    if not known:
        raise NotConfigured(f"case {case} begins at {events[0].envelope.effective_at.isoformat()}: nothing before that")
    return list(replay(known))


def _aware(moment: datetime | None) -> datetime | None:
    return moment.astimezone() if moment is not None and moment.tzinfo is None else moment


def run_rebuild(settings: Settings, tables: Sequence[str] | None, *, check: bool) -> RebuildReport:
    """Rebuild read tables beside the live ones, compare, and exchange them unless `check`."""
    need_database(settings)
    with _progress("rebuilding") as progress:
        return rebuild(settings.database_url, tables=tables, check=check, progress=progress)


def parked_events(settings: Settings) -> list[Parked]:
    """The parked events of all consumers, and the timers that were refused."""
    with _events(settings) as conn:
        refused = [
            Parked(TIMERS, row.stream, 0, 0, "", f"timer:{row.kind}: {row.problem}", row.answered_at)
            for row in list_refused(conn)
        ]
        return [*list_parked(conn), *refused]


def retry_parked(settings: Settings, case: str) -> list[Retried]:
    """Handle the parked events of a case (or one stream) again, and have its refused timers given again."""
    with _events(settings) as conn, own_write_side(settings) as own, open_reactor(own) as reactor:
        found = find_case(conn, case)
        projected = retry(conn, PROJECTOR, Projector(apply_batch), case=found)
        reacted = retry(conn, REACTOR, reactor, case=found)
        timers = retry_timers(conn, found)
        return [*projected, *reacted, *([Retried(found, timers, None)] if timers else [])]


def verify(settings: Settings, case: str | None) -> ChainReport:
    """Check the hash chain of every stream, or of one case with its licence and rating. Raises NotConfigured."""
    with _events(settings) as conn:
        if case is not None:
            report = verify_chains(history.case_rows(conn, find_case(conn, case)))
            if not report.events:
                raise NotConfigured(f"there is no case {case}: name it by its id or its number")
            return report
        total = history.count(conn)
        with _progress("verifying") as progress:
            return verify_chains(history.all_events(conn), lambda done: progress(done, total))


def export(settings: Settings, what: str) -> Iterator[bytes]:
    """The lines of a document, or every event as a line of JSON in replay order."""
    match what:
        case "openapi":
            yield orjson.dumps(openapi(), option=orjson.OPT_INDENT_2)
        case "asyncapi":
            yield orjson.dumps(asyncapi(), option=orjson.OPT_INDENT_2)
        case "sdl":
            yield sdl().rstrip("\n").encode()
        case "events":
            with _events(settings) as conn:
                for position, _, _, _, state in history.all_events(conn):
                    yield b'{"position":%d,"event":%b}' % (position, state)
        case _:
            raise NotConfigured(f"there is no export {what!r}: it is one of openapi, asyncapi, sdl, events")


def status(settings: Settings) -> dict[str, Any]:
    """Where everything stands: newest event, relay, consumers, parked events, and what the API says of itself."""
    with _events(settings) as conn:
        newest = history.last_position(conn)
        relay = conn.execute("SELECT position, epoch, updated_at FROM relay.checkpoint WHERE name = 'main'").fetchone()
        consumers = conn.execute(
            "SELECT consumer, max(last_position), max(updated_at) FROM consumers.progress GROUP BY consumer ORDER BY 1"
        ).fetchall()
        parked = conn.execute(
            "SELECT consumer, count(DISTINCT stream), count(*) FROM consumers.parked GROUP BY consumer"
        ).fetchall()
        timers = conn.execute(
            "SELECT count(*) FILTER (WHERE answered_at IS NULL), count(*) FILTER (WHERE problem IS NOT NULL)"
            " FROM consumers.due_timer"
        ).fetchone()
    told: dict[str, Any] = {"events": {"newest_position": newest}}
    if settings.has_broker and relay is not None:
        told["relay"] = {"position": relay[0], "behind": newest - relay[0], "epoch": relay[1], "at": relay[2]}
    for name, position, at in consumers:
        told[name] = {"position": position, "behind": newest - position, "at": at}
    told["parked"] = {"streams": sum(row[1] for row in parked), "events": sum(row[2] for row in parked)}
    if timers is not None:
        told["timers"] = {"due": timers[0], "refused": timers[1]}
    told["api"] = _readiness(settings)
    return told


def _readiness(settings: Settings) -> dict[str, Any]:
    try:
        answer = httpx.get(f"{base_url(settings)}/readyz", timeout=5)
    except httpx.HTTPError as error:
        return {"status": f"does not answer ({type(error).__name__})"}
    told: dict[str, Any] = answer.json()
    return {"status": told["status"], **({"reasons": "; ".join(told["reasons"])} if told.get("reasons") else {})}
