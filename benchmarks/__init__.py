"""Benchmarks: each figure with its unit and what it is compared with in the same run. `python -m benchmarks` runs all."""
