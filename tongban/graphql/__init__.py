"""The GraphQL read side: thin types over the selects of `projections`. It never writes."""
