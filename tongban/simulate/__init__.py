"""A seeded day at the offices, lived through the public HTTP API only: people, papers, queues and ratings."""

from tongban.simulate.drive import DEFAULT_SEED, CannotSimulate, simulate

__all__ = ["DEFAULT_SEED", "CannotSimulate", "simulate"]
