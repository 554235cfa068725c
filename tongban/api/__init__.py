"""HTTP: commands in, problems out, documents about both. Knows the bus and the tokens, no rule and no table."""
