"""Randomness that can be had again: a generator per name, and numberings that never give one number twice."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from itertools import count
from math import gcd
from random import Random
from typing import TypeVar

Part = TypeVar("Part")

_GOLDEN = 0.6180339887498949
_R2 = (0.7548776662466927, 0.5698402909980532)


def seeded(*name: object) -> Random:
    """The generator of this name. Each case and each party has its own, so that none depends on how many there are."""
    return Random("/".join(map(str, name)))  # noqa: S311 - a simulation wants the same numbers again


def scattered(seed: int, name: str, index: int, space: int) -> int:
    """The `index`-th number below `space`, in an order that looks random; `space` different ones before any repeat."""
    return (_offset(seed, name, space) + index * _step(space)) % space


def spread(seed: int, index: int) -> tuple[float, float]:
    """The `index`-th point of an even sequence in the unit square.

    Any prefix has close to its share in any part of it. M. Roberts' R2: steps of one over the plastic number and its
    square.
    """
    return (
        (_offset(seed, "first", 1_000_000) / 1_000_000 + index * _R2[0]) % 1.0,
        (_offset(seed, "second", 1_000_000) / 1_000_000 + index * _R2[1]) % 1.0,
    )


def part_at(shares: Mapping[Part, float], point: float) -> Part:
    """The part of the whole in which a point in [0, 1) lies, the parts laid end to end; the last, past their end."""
    part: Part
    for part, share in shares.items():
        if point < share:
            return part
        point -= share
    return part


@cache
def _offset(seed: int, name: str, space: int) -> int:
    return seeded(seed, name).randrange(space)


@cache
def _step(space: int) -> int:
    return next(step for step in count(max(1, int(space * _GOLDEN))) if gcd(step, space) == 1)
