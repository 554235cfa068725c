"""Benchmarks: each figure with its unit and what it is held against in the same run (`python -m benchmarks`)."""
