"""Tests of the write side on a real PostgreSQL: batches, group commit, faults."""
