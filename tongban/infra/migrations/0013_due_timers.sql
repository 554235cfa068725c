-- migrate:up
-- Timers whose time has come, in the order they are given; no part of the read tables, so a rebuild leaves them.
CREATE TABLE consumers.due_timer (
    stream uuid NOT NULL,
    kind text NOT NULL,
    due_at timestamptz NOT NULL,
    found_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    -- Null until the write side has answered.
    answered_at timestamptz,
    -- Why it was refused; null where it was not.
    problem text,
    PRIMARY KEY (stream, kind, due_at)
);
CREATE INDEX due_timer_open ON consumers.due_timer (due_at) WHERE answered_at IS NULL;
CREATE INDEX due_timer_refused ON consumers.due_timer (answered_at) WHERE problem IS NOT NULL;
-- How far the deadlines of open cases are reckoned anew after an import of the calendar.
CREATE TABLE consumers.recomputation (
    calendar_version int NOT NULL,
    -- 1, and 2 a while later for what was still on its way into the read tables.
    turn int NOT NULL,
    year int NOT NULL,
    not_before timestamptz NOT NULL,
    -- The last case that was done, in the order of their ids.
    after uuid NOT NULL DEFAULT '00000000-0000-0000-0000-000000000000',
    cases bigint NOT NULL DEFAULT 0,
    done boolean NOT NULL DEFAULT false,
    PRIMARY KEY (calendar_version, turn)
);
GRANT SELECT, INSERT, UPDATE, DELETE ON consumers.due_timer, consumers.recomputation TO tongban_projector;
GRANT SELECT ON consumers.due_timer, consumers.recomputation TO tongban_reader;
