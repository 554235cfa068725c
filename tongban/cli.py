"""The `tongban` command: one command per process, plus `up` and the tools of an operator."""

from __future__ import annotations

import secrets
import sys
from datetime import datetime
from pathlib import Path
from typing import Annotated

import typer

from tongban import printing
from tongban import up as launch
from tongban.bootstrap import catalogue, loading, processes, tools
from tongban.bootstrap.errors import OPERATOR_ERRORS, one_line
from tongban.domain.actor import Role
from tongban.infra.settings import Settings, load_settings
from tongban.simulate import drive

app = typer.Typer(
    name="tongban",
    help="Tongban (通办): an event-sourced case system for one-stop government service.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    add_completion=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)
parked_app = typer.Typer(help="Events that could not be applied, with all later ones of their streams.")
app.add_typer(parked_app, name="parked", invoke_without_command=True)

catalogue_app = typer.Typer(help="The catalogue of service items.", no_args_is_help=True)
app.add_typer(catalogue_app, name="catalogue")
calendar_app = typer.Typer(help="The working-day calendar.", no_args_is_help=True)
app.add_typer(calendar_app, name="calendar")

Json = Annotated[bool, typer.Option("--json", help="Print one JSON document.")]


@app.command()
def up(
    port: Annotated[
        int | None, typer.Option(min=1, max=65535, help="Port of the API (default: TONGBAN_PORT, 8000).")
    ] = None,
    data: Annotated[Path | None, typer.Option(help="Data directory (default: TONGBAN_DATA, ./.tongban).")] = None,
    cases: Annotated[int, typer.Option(min=0, help="Cases to simulate at the first start.")] = 300,
    broker: Annotated[str, typer.Option(help="auto, local or none.")] = "auto",
) -> None:
    """Run everything on this machine until Ctrl-C."""
    settings = Settings()  # addresses that a killed `up` left behind are of no use here
    raise typer.Exit(launch.up(port=port or settings.port, data=data or settings.data, cases=cases, broker=broker))


@app.command()
def api() -> None:
    """Serve commands, GraphQL, documents, health and metrics over HTTP."""
    processes.run_api(load_settings())


@app.command()
def relay() -> None:
    """Publish events from the store to Kafka."""
    processes.run_relay(load_settings())


@app.command()
def project() -> None:
    """Apply events to the read tables."""
    processes.run_projector(load_settings())


@app.command()
def react() -> None:
    """Run the policies: events that ask for commands."""
    processes.run_reactor(load_settings())


@app.command()
def migrate() -> None:
    """Bring the database up to date."""
    applied = tools.run_migrations(load_settings())
    typer.echo("\n".join(f"applied {version}" for version in applied) or "up to date")


@app.command()
def seed() -> None:
    """Import the published calendars and the sample catalogue by the command API. Doing it again changes nothing."""
    settings = load_settings()
    tools.need_api(settings)
    typer.echo(printing.json_line(loading.run_seed(settings)))


@catalogue_app.command("import")
def catalogue_import(
    file: Annotated[Path, typer.Argument(help="JSON: a list of entries, or an object with one under items.")],
    *,
    check: Annotated[bool, typer.Option("--check", help="Judge every entry; publish none.")] = False,
    effective_from: Annotated[
        datetime | None, typer.Option("--from", formats=["%Y-%m-%d"], help="First day (default: today).")
    ] = None,
    json: Json = False,
) -> None:
    """Publish entries by the command API, each judged alone. Exit code 1 when one is refused."""
    settings = load_settings()
    if check:
        judged = catalogue.check_items(settings, file)
    else:
        tools.need_api(settings)
        judged = catalogue.import_items(settings, file, effective_from.date() if effective_from else None)
    printing.print_judged(judged, as_json=json)
    if any(entry.result == "refused" for entry in judged):
        raise typer.Exit(1)


@catalogue_app.command("export")
def catalogue_export(*, json: Json = False) -> None:
    """Print the items in force; with --json as a file that `catalogue import` takes and that changes nothing."""
    printing.print_items(catalogue.export_items(load_settings()), as_json=json)


@calendar_app.command("import")
def calendar_import(
    file: Annotated[Path, typer.Argument(help="JSON: calendars of year, off, worked, source.")],
) -> None:
    """Import the working-day calendar of one or more years by the command API: all of a file or nothing of it."""
    settings = load_settings()
    tools.need_api(settings)
    typer.echo(printing.json_line(loading.import_calendars(settings, file)))


@app.command()
def simulate(
    cases: Annotated[int, typer.Option(min=1, help="How many cases.")],
    seed: Annotated[
        int | None, typer.Option(help="The same seed on the same data adds nothing twice; none: new cases each time.")
    ] = None,
    days: Annotated[int, typer.Option(min=1, help="Over how many past days.")] = 1,
) -> None:
    """Drive the public API with people, items, channels and delays as in life. The last line is a JSON summary."""
    settings = load_settings()
    tools.need_api(settings)
    summary = drive.simulate(
        tools.base_url(settings),
        lambda role, subject, department: tools.issue_token(settings, role, subject, department),
        cases,
        secrets.randbelow(10**6) if seed is None else seed,
        days,
        show_progress=sys.stderr.isatty(),
    )
    typer.echo(printing.json_line(summary))
    if "stopped" in summary:
        raise typer.Exit(1)


@app.command()
def replay(
    case: Annotated[str, typer.Argument(help="The case's id or number (办件编号).")],
    at: Annotated[datetime | None, typer.Option(help="Only what had taken effect by then.")] = None,
    known_at: Annotated[datetime | None, typer.Option(help="Only what was written by then.")] = None,
    *,
    json: Json = False,
) -> None:
    """Print a case step by step, with what each event changed."""
    steps = tools.replay_case(load_settings(), case, at=at, known_at=known_at)
    if json:
        typer.echo(printing.json_line([printing.step_as_json(step) for step in steps]))
    else:
        printing.print_steps(steps)


@app.command()
def rebuild(
    projections: Annotated[list[str] | None, typer.Argument(help="Read tables; none or --all: all.")] = None,
    *,
    everything: Annotated[bool, typer.Option("--all", help="All read tables.")] = False,
    check: Annotated[bool, typer.Option("--check", help="Compare only; exchange nothing.")] = False,
    json: Json = False,
) -> None:
    """Fold the event store into new read tables beside the live ones, compare, and exchange them."""
    if projections and everything:
        raise SystemExit("tongban rebuild: name read tables or say --all, not both")
    report = tools.run_rebuild(load_settings(), projections or None, check=check)
    printing.print_rebuild(report, as_json=json)
    if check and not report.equal:
        raise typer.Exit(1)


@parked_app.callback(invoke_without_command=True)
def parked(context: typer.Context) -> None:
    """List parked events (without a subcommand)."""
    if context.invoked_subcommand is None:
        parked_list(json=False)


@parked_app.command("list")
def parked_list(*, json: Json = False) -> None:
    """List the parked streams."""
    printing.print_parked(tools.parked_events(load_settings()), as_json=json)


@parked_app.command("retry")
def parked_retry(case: Annotated[str, typer.Argument(help="The case's id or number, or a stream's id.")]) -> None:
    """Apply the parked events of a case again, after the fix."""
    retried = tools.retry_parked(load_settings(), case)
    printing.print_retried(retried)
    if any(stream.problem for stream in retried):
        raise typer.Exit(1)


@app.command()
def token(
    role: Annotated[str, typer.Option(help=", ".join(role for role in Role if role is not Role.SYSTEM))],
    subject: Annotated[str, typer.Option(help="Party id of an applicant, officer id of an officer.")],
    department: Annotated[str | None, typer.Option(help="An officer's department.")] = None,
    district: Annotated[str | None, typer.Option(help="An officer's district.")] = None,
    ttl: Annotated[int, typer.Option(min=1, help="Seconds the token is good for.")] = 3600,
) -> None:
    """Print a token of the embedded issuer. Refused where TONGBAN_OIDC_ISSUER names another."""
    typer.echo(tools.issue_token(load_settings(), role, subject, department, district, ttl))


@app.command()
def export(
    what: Annotated[str, typer.Argument(help="openapi, asyncapi, sdl or events.")],
) -> None:
    """Print a document of the interfaces, or every event as JSON lines in replay order."""
    for line in tools.export(load_settings(), what):
        sys.stdout.buffer.write(line + b"\n")


@app.command()
def verify(
    case: Annotated[str | None, typer.Option(help="Only this case, by id or number.")] = None, *, json: Json = False
) -> None:
    """Check the hash chain of every stream. Exit code 1 when something was changed, removed or reordered."""
    report = tools.verify(load_settings(), case)
    printing.print_chains(report, as_json=json)
    if report.problems:
        raise typer.Exit(1)


@app.command()
def status(*, json: Json = False) -> None:
    """Say where everything stands: events, lag of relay and projection, parked events."""
    printing.print_status(tools.status(load_settings()), as_json=json)


_MENDABLE: tuple[type[Exception], ...] = (*OPERATOR_ERRORS, drive.CannotSimulate)


def main() -> None:
    """Run the command line. A failure that an operator can mend is one line on stderr and exit code 1."""
    try:
        app(standalone_mode=True)
    except _MENDABLE as error:
        print(f"tongban: {one_line(error)}", file=sys.stderr)
        raise SystemExit(1) from None
