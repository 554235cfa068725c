"""Tests of decisions: pure, without any server."""
