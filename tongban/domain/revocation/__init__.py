"""The revocation (撤销) of a decision: an act of its own, beside the closed case."""
