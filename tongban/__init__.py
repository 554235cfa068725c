"""Tongban (通办): an event-sourced case system for one-stop government service."""

__version__ = "0.1.0"
