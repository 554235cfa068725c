"""Tests of what talks to PostgreSQL, Kafka and the operating system."""
