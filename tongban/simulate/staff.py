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
    return Officer(f"{department}-{role}-{random.randint(1, _POSTS[role])}", role, department)


def inspectors(random: Random, department: str) -> list[str]:
    """Two of its inspectors: nobody checks a place alone (行政许可法 art. 34)."""
    both = random.sample(range(1, _POSTS[Role.INSPECTOR] + 1), 2)
    return [f"{department}-{Role.INSPECTOR}-{number}" for number in both]
