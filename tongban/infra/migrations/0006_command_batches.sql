-- migrate:up
-- Many commands of one request. Its commands stand in the command log, each under a key made of the batch's id and the
-- command's place; refusals leave no trace there, so what was answered is kept here, once all of it is known.
CREATE TABLE events.command_batch (
    principal text NOT NULL,
    id uuid NOT NULL,
    command text NOT NULL,
    fingerprint bytea NOT NULL,
    size int NOT NULL CHECK (size > 0),
    -- The answer's JSON, as it was sent; null until every command has its outcome.
    answer bytea,
    recorded_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    PRIMARY KEY (principal, id)
);
CREATE INDEX command_batch_recorded_at ON events.command_batch USING brin (recorded_at);
GRANT SELECT, INSERT, UPDATE (answer), DELETE ON events.command_batch TO tongban_writer;

-- Which batch a command came in; null for one that came alone.
ALTER TABLE events.command_log ADD COLUMN batch uuid;
