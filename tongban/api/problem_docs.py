"""docs/problems.md, made from the kinds of problems: `python -m tongban.api.problem_docs > docs/problems.md`."""

from __future__ import annotations

import sys

from tongban.api.problems import OWN_KINDS, URN, kinds

_HEAD = f"""# Problems

Every refusal is one RFC 9457 document, `application/problem+json`:

| member | |
|---|---|
| `type` | `{URN}<code>`, the same for ever |
| `title` | one sentence, English, or Chinese where `Accept-Language` asks for it |
| `status` | the HTTP status |
| `detail` | what was wrong in this case |
| `code` | the name of the kind; GraphQL errors carry the same in `extensions.code` |
| `pointer`, `errors` | with 400: JSON pointers (RFC 6901) to what is not readable |
| others | the fields of the rule that was broken; one named like a member above is told as `rule_<name>` |

A refused command has changed nothing. After 503 send it again with the same `Idempotency-Key`: it acts once.

This file is made by `python -m tongban.api.problem_docs`.
"""

_SECTIONS = {
    400: "Not readable",
    401: "Who asks is not known",
    403: "Not allowed",
    404: "Not there",
    405: "Not this way",
    409: "Changed in the meantime",
    410: "No longer there",
    412: "Not the version that was seen",
    413: "Too large",
    415: "Not of this type",
    422: "A rule was broken",
    429: "Too often",
    500: "Our fault",
    503: "Not now",
}


def problems_markdown() -> str:
    """The whole document."""
    lines = [_HEAD]
    status = 0
    for kind in kinds():
        if kind.status != status:
            status = kind.status
            lines.append(f"\n## {status} {_SECTIONS.get(status, '')}\n\n| code | | |\n|---|---|---|\n")
        mark = "" if kind in OWN_KINDS else "rule"
        lines.append(f"| `{kind.code}` | {kind.title} {kind.zh} | {mark} |\n")
    return "".join(lines)


if __name__ == "__main__":
    sys.stdout.write(problems_markdown())
