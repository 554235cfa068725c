"""The GraphQL read side on a real PostgreSQL."""
