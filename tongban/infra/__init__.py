"""The only code that knows PostgreSQL, Kafka, the eventsourcing library, keys and tokens."""
