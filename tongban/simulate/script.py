"""The steps of one case: who gives which command, so many working seconds of the offices after the filing.

Steps that lie side by side are put in order of their time; those of one second keep the order they were written in.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from types import MappingProxyType
from typing import Any

from tongban.simulate.staff import Officer

_NONE: Mapping[str, Any] = MappingProxyType({})


@dataclass(frozen=True, slots=True)
class Step:
    """One command. `by` None is the applicant, or who has his mandate; `second` None is now.

    The case or party is named when it is known. `days` are members that are dates: so many working days after the step.
    `mandated`: done under the mandate of the case. `slow`: needs days to have passed, so that it cannot be now.
    `piled`: given in a batch with others. `awaits`: refusals that say only that the system has not come so far; it is
    given again. `part` is the item of a bundle's part that it is about.
    `covers` is whose absence lets `by` act. `otherwise` is done where a source turned out to have nothing.
    """

    command: str
    by: Officer | None
    body: Mapping[str, Any]
    second: int | None
    days: Mapping[str, int] = field(default_factory=dict)
    mandated: bool = False
    slow: bool = False
    piled: bool = False
    awaits: frozenset[str] = frozenset()
    part: str | None = None
    covers: Officer | None = None
    otherwise: Step | None = None


class Script:
    """Steps being written."""

    def __init__(self) -> None:
        """Empty; time stands at the filing."""
        self.at = 0
        self._steps: list[Step] = []

    def wait(self, seconds: float) -> None:
        """Let time pass."""
        self.at += int(seconds)

    def add(self, command: str, by: Officer | None, body: Mapping[str, Any] = _NONE, **more: Any) -> None:
        """A step now."""
        self._steps.append(Step(command, by, body, self.at, **more))

    def then(self, seconds: float, command: str, by: Officer | None, body: Mapping[str, Any] = _NONE, **m: Any) -> None:
        """A step after so many seconds."""
        self.wait(seconds)
        self.add(command, by, body, **m)

    def steps(self) -> list[Step]:
        """All of them in order."""
        return sorted(self._steps, key=lambda step: step.second or 0)


def now(steps: list[Step]) -> list[Step]:
    """Steps that happen now: up to the first that needs time."""
    slow = next((number for number, step in enumerate(steps) if step.slow), len(steps))
    return [_at(step, None) for step in steps[:slow]]


def moved(steps: list[Step], seconds: int) -> list[Step]:
    """The steps, their filing at a working second."""
    return [_at(step, (step.second or 0) + seconds) for step in steps]


def _at(step: Step, second: int | None) -> Step:
    otherwise = None if step.otherwise is None else _at(step.otherwise, second)
    return replace(step, second=second, otherwise=otherwise)
