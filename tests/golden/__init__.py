"""The released bytes of every event type."""
