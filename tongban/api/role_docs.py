"""The table of commands in docs/roles.md, made from the handlers: `python -m tongban.api.role_docs docs/roles.md`."""

from __future__ import annotations

import sys
from pathlib import Path

from tongban.commands.handlers import HANDLERS
from tongban.domain.actor import Role

BEGIN = "<!-- made by python -m tongban.api.role_docs docs/roles.md -->\n"
END = "<!-- end -->\n"


def role_table() -> str:
    """One row per command, one column per role that may give any."""
    roles = [role for role in Role if any(role in handler.roles for handler in HANDLERS.values())]
    lines = ["| command | " + " | ".join(roles) + " |", "|---|" + ":-:|" * len(roles)]
    for name, handler in HANDLERS.items():
        marks = " | ".join("●" if role in handler.roles else "" for role in roles)
        lines.append(f"| `{name}` | {marks} |")
    return "\n".join(lines) + "\n"


def with_table(document: str) -> str:
    """The document with the table of today between its two marks."""
    before, _, rest = document.partition(BEGIN)
    _, _, after = rest.partition(END)
    return before + BEGIN + role_table() + END + after


if __name__ == "__main__":
    path = Path(sys.argv[1])
    path.write_text(with_table(path.read_text("utf-8")), "utf-8")
