-- migrate:up
-- Roles are of the whole cluster: they may exist already from another database.
DO $$
DECLARE name text;
BEGIN
    FOREACH name IN ARRAY ARRAY['tongban_writer','tongban_keys','tongban_relay','tongban_projector','tongban_reader'] LOOP
        IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = name) THEN
            EXECUTE format('CREATE ROLE %I NOLOGIN NOINHERIT', name);
        END IF;
    END LOOP;
    IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'tongban') THEN
        CREATE ROLE tongban LOGIN NOINHERIT;
    END IF;
    GRANT tongban_writer, tongban_keys, tongban_relay, tongban_projector, tongban_reader TO tongban;
END $$;

CREATE SCHEMA events;
REVOKE ALL ON SCHEMA events FROM PUBLIC;
GRANT USAGE ON SCHEMA events TO tongban_writer, tongban_relay, tongban_projector;

-- The columns and keys are those the eventsourcing library's application recorder expects.
CREATE TABLE events.stored_events (
    originator_id uuid NOT NULL,
    originator_version bigint NOT NULL CHECK (originator_version > 0),
    topic text NOT NULL,
    -- Kafka's default largest request is 1 MiB; half of it leaves room for key and headers.
    state bytea NOT NULL CHECK (octet_length(state) <= 524288),
    notification_id bigserial NOT NULL,
    PRIMARY KEY (originator_id, originator_version)
) WITH (autovacuum_vacuum_threshold = 100000000, autovacuum_analyze_threshold = 1000, autovacuum_analyze_scale_factor = 0.01);
CREATE UNIQUE INDEX stored_events_notification_id_idx ON events.stored_events (notification_id);

CREATE FUNCTION events.refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'events.stored_events is append-only: % refused', TG_OP;
END $$;
CREATE TRIGGER stored_events_no_change BEFORE UPDATE OR DELETE ON events.stored_events
    FOR EACH ROW EXECUTE FUNCTION events.refuse_change();
CREATE TRIGGER stored_events_no_truncate BEFORE TRUNCATE ON events.stored_events
    FOR EACH STATEMENT EXECUTE FUNCTION events.refuse_change();

-- The answer to a command, written in the transaction of its events (idempotency).
CREATE TABLE events.command_log (
    principal text NOT NULL,
    idempotency_key uuid NOT NULL,
    fingerprint bytea NOT NULL,
    stream uuid NOT NULL,
    version bigint NOT NULL,
    human_number text,
    event_types text[] NOT NULL,
    recorded_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    PRIMARY KEY (principal, idempotency_key)
);
CREATE INDEX command_log_recorded_at ON events.command_log USING brin (recorded_at);

-- Blocks of human numbers are taken here, so that no command waits for one. Gaps are allowed.
CREATE SEQUENCE events.human_number AS bigint;

GRANT SELECT, INSERT ON events.stored_events TO tongban_writer;
GRANT USAGE ON SEQUENCE events.stored_events_notification_id_seq, events.human_number TO tongban_writer;
GRANT SELECT, INSERT, DELETE ON events.command_log TO tongban_writer;
GRANT SELECT ON events.stored_events TO tongban_relay, tongban_projector;

CREATE SCHEMA keys;
REVOKE ALL ON SCHEMA keys FROM PUBLIC;
GRANT USAGE ON SCHEMA keys TO tongban_keys, tongban_writer;
-- One data key per person, wrapped (RFC 3394) by a key that is not in the database.
CREATE TABLE keys.person_key (
    subject uuid PRIMARY KEY,
    key_id uuid NOT NULL UNIQUE,
    -- A destroyed key stays as a tombstone, so that no new key is ever made in its place.
    state text NOT NULL DEFAULT 'active' CHECK (state IN ('active', 'destroyed')),
    wrapped bytea CHECK ((state = 'active') = (wrapped IS NOT NULL)),
    created_at timestamptz NOT NULL DEFAULT clock_timestamp()
);
-- Who has an identifier: HMAC-SHA-256 with a pepper that is not in the database.
CREATE TABLE keys.identifier (
    digest bytea PRIMARY KEY CHECK (octet_length(digest) = 32),
    party uuid NOT NULL
);
GRANT SELECT, INSERT, UPDATE ON keys.person_key TO tongban_keys;
GRANT SELECT, DELETE ON keys.identifier TO tongban_keys;
GRANT SELECT, INSERT ON keys.identifier TO tongban_writer;

CREATE SCHEMA relay;
REVOKE ALL ON SCHEMA relay FROM PUBLIC;
GRANT USAGE ON SCHEMA relay TO tongban_relay, tongban_projector;
CREATE TABLE relay.checkpoint (
    name text PRIMARY KEY,
    epoch bigint NOT NULL DEFAULT 0,
    position bigint NOT NULL DEFAULT 0,
    -- Per topic-partition "topic:partition": {"prev": position, "offset": offset} of the last event sent to it.
    partitions jsonb NOT NULL DEFAULT '{}',
    -- Which cluster and topics those offsets belong to.
    incarnation jsonb NOT NULL DEFAULT '{}',
    updated_at timestamptz NOT NULL DEFAULT clock_timestamp()
);
INSERT INTO relay.checkpoint (name) VALUES ('main');
GRANT SELECT, UPDATE ON relay.checkpoint TO tongban_relay;
GRANT SELECT ON relay.checkpoint TO tongban_projector;

CREATE SCHEMA consumers;
REVOKE ALL ON SCHEMA consumers FROM PUBLIC;
GRANT USAGE ON SCHEMA consumers TO tongban_projector, tongban_reader;
-- Where each consumer stands; moved by compare-and-set in the transaction of what it wrote.
CREATE TABLE consumers.progress (
    consumer text NOT NULL,
    topic text NOT NULL,
    partition int NOT NULL,
    next_offset bigint NOT NULL DEFAULT 0,
    last_position bigint NOT NULL DEFAULT -1,
    updated_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    PRIMARY KEY (consumer, topic, partition)
);
-- Events that could not be applied, and all later ones of the same stream. `state` holds sealed personal fields only.
CREATE TABLE consumers.parked (
    consumer text NOT NULL,
    stream uuid NOT NULL,
    version bigint NOT NULL,
    position bigint NOT NULL,
    topic text NOT NULL,
    state bytea NOT NULL,
    error text NOT NULL,
    parked_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    PRIMARY KEY (consumer, position)
);
CREATE INDEX parked_stream ON consumers.parked (consumer, stream, position);
GRANT SELECT, INSERT, UPDATE, DELETE ON consumers.progress, consumers.parked TO tongban_projector;

-- What status and readiness say of lag; the bytes of a parked event are not part of it.
GRANT USAGE ON SCHEMA relay TO tongban_reader;
GRANT SELECT ON relay.checkpoint, consumers.progress TO tongban_reader;
GRANT SELECT (consumer, stream, version, position, topic, error, parked_at) ON consumers.parked TO tongban_reader;

-- The read tables belong to who writes them; rebuild makes its tables beside them.
DO $$ BEGIN EXECUTE format('GRANT CREATE ON DATABASE %I TO tongban_projector', current_database()); END $$;
CREATE SCHEMA read AUTHORIZATION tongban_projector;
REVOKE ALL ON SCHEMA read FROM PUBLIC;
GRANT USAGE ON SCHEMA read TO tongban_reader;
