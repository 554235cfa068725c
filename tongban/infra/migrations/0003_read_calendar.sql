-- migrate:up
-- The calendar: the version in force (one row), and what each version changed.
CREATE TABLE calendar_view (
    id uuid PRIMARY KEY,
    calendar_version int NOT NULL,
    -- The years that were imported, rising.
    years jsonb NOT NULL,
    version bigint NOT NULL,
    position bigint NOT NULL
);
CREATE TABLE calendar_version_view (
    calendar_version int PRIMARY KEY,
    year int NOT NULL,
    -- Days as YYYY-MM-DD.
    off text[] NOT NULL,
    worked text[] NOT NULL,
    source text NOT NULL,
    imported_at timestamptz NOT NULL,
    version bigint NOT NULL,
    position bigint NOT NULL
);

DO $$
DECLARE name text;
BEGIN
    FOREACH name IN ARRAY ARRAY['calendar_view', 'calendar_version_view'] LOOP
        EXECUTE format('ALTER TABLE %I ENABLE ROW LEVEL SECURITY', name);
        EXECUTE format('ALTER TABLE %I FORCE ROW LEVEL SECURITY', name);
        EXECUTE format('CREATE POLICY project ON %I FOR ALL TO tongban_projector USING (true) WITH CHECK (true)', name);
        EXECUTE format('GRANT SELECT ON %I TO tongban_reader', name);
        EXECUTE format('CREATE POLICY see ON %I FOR SELECT TO tongban_reader USING ((SELECT reader_role()) IS NOT NULL)',
                       name);
    END LOOP;
END $$;
