"""What the command line prints: tables for a person, one JSON document for a program."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import asdict, is_dataclass
from datetime import datetime, timedelta
from enum import Enum
from typing import Any

import orjson
from rich.console import Console
from rich.table import Table

from tongban.bootstrap.catalogue import Judged
from tongban.consumers.parked import Parked, Retried
from tongban.consumers.rebuild import RebuildReport
from tongban.domain.actor import Role
from tongban.domain.personal import Withheld
from tongban.domain.replay import Step
from tongban.infra.verify import ChainReport
from tongban.projections.items import ItemVersionRow

_MOST_PROBLEMS = 50


def json_line(document: Any) -> str:
    """One JSON document on one line."""
    return orjson.dumps(document, default=_plain, option=orjson.OPT_NON_STR_KEYS | orjson.OPT_UTC_Z).decode()


def _plain(value: Any) -> Any:
    if isinstance(value, Withheld):
        return None
    if isinstance(value, Mapping):
        return dict(value)
    if isinstance(value, frozenset | set):
        return sorted(value)
    if isinstance(value, tuple):  # a named one; plain ones are written as they are
        return value._asdict() if hasattr(value, "_asdict") else list(value)
    raise TypeError(type(value).__name__)


def step_as_json(step: Step) -> dict[str, Any]:
    """A step of a replay: the whole envelope, the event, and what it changed."""
    return {
        "position": step.recorded.position,
        "envelope": step.recorded.envelope._asdict(),
        "event": asdict(step.recorded.event),
        "changed": {name: {"before": before, "after": after} for name, (before, after) in step.changed.items()},
    }


def print_steps(steps: Sequence[Step]) -> None:
    """A case for a person: one block per event with who, when, who holds it afterwards, what changed, what it says."""
    console = Console(highlight=False, soft_wrap=True)
    for step in steps:
        envelope = step.recorded.envelope
        actor = envelope.actor
        who = f"{actor.role} {actor.id}" + (f" ({actor.department})" if actor.department else "")
        late = envelope.recorded_at - envelope.effective_at > _LATE and actor.role is not Role.SYSTEM
        console.print(f"[bold]{envelope.type}[/bold]  v{envelope.version}  position {step.recorded.position}")
        entered = f" (entered {envelope.recorded_at:%Y-%m-%d %H:%M:%S}Z)" if late else ""
        console.print(f"  in effect {envelope.effective_at:%Y-%m-%d %H:%M:%S}Z{entered}, by {who}")
        if envelope.holders:
            console.print(f"  held by {_short(envelope.holders)}", markup=False)
        for name, (before, after) in step.changed.items():
            console.print(f"  {name}: {_change(before, after)}", markup=False)
        for found in envelope.evidence:
            console.print(f"  material {found.material}: {found.how}", markup=False)
        for name, value in asdict(step.recorded.event).items():
            if name not in step.changed and name not in _SAID and value not in (None, "", {}, [], ()):
                console.print(f"  {name}: {_short(value)}", markup=False)


_LATE = timedelta(minutes=1)
# What the lines above say already, in the words of the state.
_SAID = frozenset(
    {"applicant", "holder", "evidence", "opinion", "branch", "case_id", "item_id", "item_version", "rater"}
)


def _change(before: Any, after: Any) -> str:
    """What changed: of a mapping what was added, of anything else the value before and after."""
    if isinstance(before, Mapping) and isinstance(after, Mapping):
        return "+ " + _short({name: value for name, value in after.items() if before.get(name) != value})
    return f"{_short(before)} → {_short(after)}"


def _short(value: Any) -> str:
    if value is None or (isinstance(value, str | tuple | Mapping) and not value):
        return "—"
    if isinstance(value, Withheld):
        return "erased" if value.erased else "withheld"
    if isinstance(value, Enum):
        return str(value.value)
    if isinstance(value, Mapping):
        return ", ".join(f"{key}: {_short(inner)}" for key, inner in value.items())
    if isinstance(value, tuple):
        return " ".join(_short(inner) for inner in value)
    if isinstance(value, datetime):
        return f"{value:%Y-%m-%d %H:%M:%S}Z"
    if hasattr(value, "isoformat"):
        return str(value.isoformat())
    if is_dataclass(value) and not isinstance(value, type):
        return " ".join(_short(inner) for inner in asdict(value).values() if not isinstance(inner, dict | list))
    return str(value)


def print_chains(report: ChainReport, *, as_json: bool) -> None:
    """What a verification of the hash chains found."""
    if as_json:
        print(json_line(report))
        return
    for problem in report.problems[:_MOST_PROBLEMS]:
        print(problem)
    if (more := len(report.problems) - _MOST_PROBLEMS) > 0:
        print(f"… and {more} more")
    verdict = "broken" if report.problems else "whole"
    print(f"{report.events} events in {report.streams} streams: chains are {verdict}")


def print_table(title: str, columns: Sequence[str], rows: Sequence[Sequence[Any]]) -> None:
    """A table for a person."""
    table = Table(*columns, title=title, title_justify="left")
    for row in rows:
        table.add_row(*("" if value is None else str(value) for value in row))
    Console(highlight=False).print(table)


def print_status(status: Mapping[str, Any], *, as_json: bool) -> None:
    """Where everything stands."""
    if as_json:
        print(json_line(status))
        return
    for name, value in status.items():
        if isinstance(value, Mapping):
            print(f"{name:<12}" + "  ".join(f"{key} {_short(inner)}" for key, inner in value.items()))
        else:
            print(f"{name:<12}{value}")


def print_parked(parked: Sequence[Parked], *, as_json: bool) -> None:
    """The parked events."""
    if as_json:
        print(json_line(parked))
    elif not parked:
        print("nothing is parked")
    else:
        columns = ("consumer", "stream", "version", "position", "problem", "since")
        rows = [(p.consumer, p.stream, p.version, p.position, p.problem, f"{p.parked_at:%F %T}") for p in parked]
        print_table("Parked events: the first of each stream says why", columns, rows)


def print_retried(retried: Sequence[Retried]) -> None:
    """What became of each stream that was tried again."""
    if not retried:
        print("nothing of this case is parked")
    for stream in retried:
        print(f"{stream.stream}: " + (stream.problem or f"{stream.handled} events applied"))


def print_judged(judged: Sequence[Judged], *, as_json: bool) -> None:
    """What became of each entry of a catalogue file."""
    if as_json:
        print(json_line(judged))
        return
    columns = ("entry", "item", "result", "at", "why")
    refused = [(entry.number, entry.id, entry.code, entry.at, entry.detail) for entry in judged if entry.code]
    if refused:
        print_table("Refused", columns, refused)
    tally = Counter(entry.result for entry in judged)
    print(", ".join(f"{count} {result}" for result, count in sorted(tally.items())))


def print_items(rows: Sequence[ItemVersionRow], *, as_json: bool) -> None:
    """The items in force: a table, or the entries as they were published."""
    if as_json:
        print(json_line({"items": [row.definition for row in rows]}))
        return
    columns = ("item", "version", "from", "department", "name")
    print_table(
        "Items in force",
        columns,
        [(row.item_id, row.item_version, row.effective_from, row.lead, row.name_zh) for row in rows],
    )


def print_rebuild(report: RebuildReport, *, as_json: bool) -> None:
    """What a rebuild found."""
    if as_json:
        print(json_line(report))
        return
    columns = ("table", "rows", "live", "rebuilt", "equal")
    rows = [(t.table, t.rows, t.live[:16], t.rebuilt[:16], "yes" if t.equal else "NO") for t in report.tables]
    print_table(f"{report.events} events folded", columns, rows)
    for stream, problem in report.parked.items():
        print(f"parked: stream {stream}: {problem}")
    print("the new tables are in place" if report.exchanged else "compared only")
