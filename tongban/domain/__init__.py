"""The pure core: what can be asked, what is decided, what has happened. Standard library only; no clock, no I/O."""
