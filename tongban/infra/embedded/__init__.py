"""Servers and child processes that Tongban starts itself, so that a fresh machine needs nothing but Python.

Everything here is for one machine: development, tests and a trial run. In production PostgreSQL and Kafka
are given by address and nothing of this package is used.
"""
