"""Who works at a department: a fixed staff, the same for every seed. Who accepts never decides."""

from __future__ import annotations

from dataclasses import dataclass
from random import Random

from tongban.domain.actor import Role

_POSTS = {Role.CLERK: 3, Role.ACCEPTOR: 2, Role.REVIEWER: 3, Role.DECIDER: 2, Role.HEAD: 1, Role.INSPECTOR: 4}


@dataclass(frozen=True, slots=True)
class Officer:
    """One officer, as a token names them."""

    id: str
    role: Role
    department: str


def officer(random: Random, department: str, role: Role) -> Officer:
    """One of those who have this role there."""
    return _post(department, role, random.randint(1, _POSTS[role]))


def another(random: Random, one: Officer) -> Officer:
    """A colleague in the same role."""
    own = int(one.id.rpartition("-")[2])
    return _post(one.department, one.role, random.choice([n for n in range(1, _POSTS[one.role] + 1) if n != own]))


def inspectors(random: Random, department: str) -> list[str]:
    """Two of its inspectors: nobody checks a place alone (行政许可法 art. 34)."""
    both = random.sample(range(1, _POSTS[Role.INSPECTOR] + 1), 2)
    return [_post(department, Role.INSPECTOR, number).id for number in both]


def away(department: str) -> Officer:
    """The reviewer who claimed work and then fell ill."""
    return _post(department, Role.REVIEWER, _POSTS[Role.REVIEWER] + 1)


def cover(department: str) -> Officer:
    """Who covers for the one who is away."""
    return _post(department, Role.REVIEWER, 1)


def head(department: str) -> Officer:
    """Its head."""
    return _post(department, Role.HEAD, 1)


def chair(department: str) -> str:
    """Who chairs its hearings and reviews nothing (行政许可法 art. 48)."""
    return f"{department}-chair-1"


def _post(department: str, role: Role, number: int) -> Officer:
    return Officer(f"{department}-{role}-{number}", role, department)
