-- migrate:up
-- What is to be done when a time comes, unless something is done before. Derived: rows come and go with the events.
CREATE TABLE timer (
    stream uuid NOT NULL,
    kind text NOT NULL,
    due_at timestamptz NOT NULL,
    PRIMARY KEY (stream, kind)
);
CREATE INDEX timer_due_at ON timer (due_at);
ALTER TABLE timer ENABLE ROW LEVEL SECURITY;
ALTER TABLE timer FORCE ROW LEVEL SECURITY;
CREATE POLICY project ON timer FOR ALL TO tongban_projector USING (true) WITH CHECK (true);
GRANT SELECT ON timer TO tongban_reader;
CREATE POLICY see ON timer FOR SELECT TO tongban_reader USING (
    EXISTS (SELECT FROM case_view seen WHERE seen.id = timer.stream)
);
