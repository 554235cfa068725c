"""The one place that wires things together: processes, and the tools of an operator."""
