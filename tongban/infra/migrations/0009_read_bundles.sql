-- migrate:up
-- Bundles: what was applied for as one thing, and what can be.
CREATE TABLE bundle_view (
    id uuid PRIMARY KEY,
    number text NOT NULL UNIQUE,
    bundle_id text NOT NULL,
    bundle_version int NOT NULL,
    label text NOT NULL,
    lead text NOT NULL,
    -- Those of the lead and of every part: whose officers see the bundle.
    departments text[] NOT NULL,
    applicant uuid NOT NULL,
    mandate uuid,
    filed_by text NOT NULL,
    channel text NOT NULL,
    submitted_at timestamptz NOT NULL,
    accepted_at timestamptz,
    decided_at timestamptz,
    completed_at timestamptz,
    state text NOT NULL,
    withdrawn boolean NOT NULL,
    -- [{item, case_id, lead, state, result, …}] in the definition's order.
    parts jsonb NOT NULL,
    -- [{id, participants, serves, ready, result}]
    tasks jsonb NOT NULL,
    -- {name: clock}: each deadline with all it was reckoned from.
    clocks jsonb NOT NULL,
    -- [{material, parts: [{item, materials}]}]: what the one notice asks for, until it is answered.
    correction jsonb NOT NULL,
    -- {item: boxes}: what is wrong with it.
    sealed jsonb NOT NULL,
    version bigint NOT NULL,
    position bigint NOT NULL
) WITH (fillfactor = 70);
CREATE INDEX bundle_view_applicant ON bundle_view (applicant, submitted_at DESC, id DESC);
-- What is to be done for a bundle when a time comes; as `timer` for cases.
CREATE TABLE bundle_timer (
    stream uuid NOT NULL,
    kind text NOT NULL,
    due_at timestamptz NOT NULL,
    PRIMARY KEY (stream, kind)
);
CREATE INDEX bundle_timer_due_at ON bundle_timer (due_at);
CREATE TABLE bundle_definition_view (
    id uuid PRIMARY KEY,
    bundle_id text NOT NULL UNIQUE,
    bundle_version int NOT NULL,
    lead text NOT NULL,
    version bigint NOT NULL,
    position bigint NOT NULL
);
CREATE TABLE bundle_version_view (
    bundle_id text NOT NULL,
    bundle_version int NOT NULL,
    label text NOT NULL,
    name_zh text NOT NULL,
    name_en text NOT NULL,
    lead text NOT NULL,
    published_at timestamptz NOT NULL,
    -- Null: from its publication on.
    effective_from date,
    definition jsonb NOT NULL,
    version bigint NOT NULL,
    position bigint NOT NULL,
    PRIMARY KEY (bundle_id, bundle_version)
);

DO $$
DECLARE name text;
BEGIN
    FOREACH name IN ARRAY ARRAY['bundle_view', 'bundle_timer', 'bundle_definition_view', 'bundle_version_view'] LOOP
        EXECUTE format('ALTER TABLE %I ENABLE ROW LEVEL SECURITY', name);
        EXECUTE format('ALTER TABLE %I FORCE ROW LEVEL SECURITY', name);
        EXECUTE format('CREATE POLICY project ON %I FOR ALL TO tongban_projector USING (true) WITH CHECK (true)', name);
        EXECUTE format('GRANT SELECT ON %I TO tongban_reader', name);
    END LOOP;
END $$;
CREATE POLICY see ON bundle_view FOR SELECT TO tongban_reader USING (
    applicant = (SELECT reader_party())
    OR departments && (SELECT reader_departments())
    OR filed_by = (SELECT reader_officer())
    OR mandate = ANY ((SELECT reader_mandates())::uuid[])
    OR (SELECT reader_role()) = 'supervisor'
);
CREATE POLICY see ON bundle_timer FOR SELECT TO tongban_reader USING (
    EXISTS (SELECT FROM bundle_view seen WHERE seen.id = bundle_timer.stream)
);
CREATE POLICY see ON bundle_definition_view FOR SELECT TO tongban_reader USING ((SELECT reader_role()) IS NOT NULL);
CREATE POLICY see ON bundle_version_view FOR SELECT TO tongban_reader USING ((SELECT reader_role()) IS NOT NULL);

-- The lead of a bundle sees all its cases, and so do the window and the agent who filed it.
DROP POLICY see ON case_view;
CREATE POLICY see ON case_view FOR SELECT TO tongban_reader USING (
    applicant = (SELECT reader_party())
    OR departments && (SELECT reader_departments())
    OR filed_by = (SELECT reader_officer())
    OR mandate = ANY ((SELECT reader_mandates())::uuid[])
    OR (SELECT reader_role()) = 'supervisor'
    OR (
        bundle IS NOT NULL
        AND EXISTS (
            SELECT FROM bundle_view whole
            WHERE whole.id = case_view.bundle AND (
                whole.lead = ANY ((SELECT reader_departments())::text[])
                OR whole.filed_by = (SELECT reader_officer())
                OR whole.mandate = ANY ((SELECT reader_mandates())::uuid[])
            )
        )
    )
);
