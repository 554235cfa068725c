-- migrate:up
-- Mandates and absences, and what is seen under a mandate. Days are those of the offices (UTC+8 all year).
CREATE FUNCTION office_today() RETURNS date LANGUAGE sql STABLE PARALLEL SAFE
    RETURN (now() AT TIME ZONE INTERVAL '8 hours')::date;
-- An agent's token bears its party id, as an applicant's does.
CREATE OR REPLACE FUNCTION reader_party() RETURNS uuid LANGUAGE sql STABLE PARALLEL SAFE
    RETURN CASE WHEN current_setting('app.role', true) IN ('citizen', 'enterprise', 'agent')
                 AND pg_input_is_valid(current_setting('app.subject', true), 'uuid')
           THEN current_setting('app.subject', true)::uuid END;

CREATE TABLE mandate_view (
    id uuid PRIMARY KEY,
    principal uuid NOT NULL,
    agent uuid NOT NULL,
    kind text NOT NULL,
    -- Null: all.
    items text[],
    steps text[],
    valid_from date NOT NULL,
    valid_to date NOT NULL,
    document text,
    granted_at timestamptz NOT NULL,
    granted_by text NOT NULL,
    revoked_at timestamptz,
    version bigint NOT NULL,
    position bigint NOT NULL
);
CREATE INDEX mandate_view_principal ON mandate_view (principal);
CREATE INDEX mandate_view_agent ON mandate_view (agent);

-- One row per officer: the absences that were not ended.
CREATE TABLE absence_view (
    id uuid PRIMARY KEY,
    officer text NOT NULL,
    departments text[] NOT NULL,
    -- [{cover, department, first, last}], as they were registered.
    standing jsonb NOT NULL,
    version bigint NOT NULL,
    position bigint NOT NULL
);
CREATE INDEX absence_view_departments ON absence_view USING gin (departments);

-- Under which mandate a case was filed, and on whose behalf each step was done.
ALTER TABLE case_view ADD COLUMN mandate uuid;
CREATE INDEX case_view_mandate ON case_view (mandate, submitted_at DESC, id DESC) WHERE mandate IS NOT NULL;
ALTER TABLE timeline ADD COLUMN on_behalf_of uuid, ADD COLUMN mandate uuid;

DO $$
DECLARE name text;
BEGIN
    FOREACH name IN ARRAY ARRAY['mandate_view', 'absence_view'] LOOP
        EXECUTE format('ALTER TABLE %I ENABLE ROW LEVEL SECURITY', name);
        EXECUTE format('ALTER TABLE %I FORCE ROW LEVEL SECURITY', name);
        EXECUTE format('CREATE POLICY project ON %I FOR ALL TO tongban_projector USING (true) WITH CHECK (true)', name);
        EXECUTE format('GRANT SELECT ON %I TO tongban_reader', name);
    END LOOP;
END $$;

-- The mandates in force that the reader acts under. For a party only: the rule of mandate_view asks case_view for
-- officers, whose rule asks this, and so it ends here.
CREATE FUNCTION reader_mandates() RETURNS uuid[] LANGUAGE sql STABLE PARALLEL SAFE
    RETURN CASE WHEN reader_party() IS NOT NULL THEN (
        SELECT array_agg(id) FROM mandate_view
        WHERE agent = reader_party() AND revoked_at IS NULL AND office_today() BETWEEN valid_from AND valid_to
    ) END;
-- Who stands on the other side of the reader's mandates in force.
CREATE FUNCTION reader_counterparts() RETURNS uuid[] LANGUAGE sql STABLE PARALLEL SAFE
    RETURN CASE WHEN reader_party() IS NOT NULL THEN (
        SELECT array_agg(CASE WHEN agent = reader_party() THEN principal ELSE agent END) FROM mandate_view
        WHERE (agent = reader_party() OR principal = reader_party())
          AND revoked_at IS NULL AND office_today() BETWEEN valid_from AND valid_to
    ) END;

CREATE POLICY see ON mandate_view FOR SELECT TO tongban_reader USING (
    principal = (SELECT reader_party())
    OR agent = (SELECT reader_party())
    OR granted_by = (SELECT reader_officer())
    OR (SELECT reader_role()) = 'supervisor'
    OR (
        (SELECT reader_departments()) IS NOT NULL
        AND EXISTS (SELECT FROM case_view seen WHERE seen.mandate = mandate_view.id)
    )
);
CREATE POLICY see ON absence_view FOR SELECT TO tongban_reader USING (
    officer = (SELECT reader_officer())
    OR departments && (SELECT reader_departments())
    OR (SELECT reader_role()) = 'supervisor'
);

-- An agent sees what was filed under its mandate, while that is in force.
DROP POLICY see ON case_view;
CREATE POLICY see ON case_view FOR SELECT TO tongban_reader USING (
    applicant = (SELECT reader_party())
    OR departments && (SELECT reader_departments())
    OR filed_by = (SELECT reader_officer())
    OR mandate = ANY ((SELECT reader_mandates())::uuid[])
    OR (SELECT reader_role()) = 'supervisor'
);
-- What an applicant rated anonymously is no business of who filed for him either.
DROP POLICY see ON timeline;
CREATE POLICY see ON timeline FOR SELECT TO tongban_reader USING (
    (
        NOT confidential
        OR (SELECT reader_role()) = 'supervisor'
        OR EXISTS (
            SELECT FROM case_view own WHERE own.id = timeline.case_id AND own.applicant = (SELECT reader_party())
        )
    )
    AND EXISTS (SELECT FROM case_view seen WHERE seen.id = timeline.case_id)
);
DROP POLICY see ON party_view;
CREATE POLICY see ON party_view FOR SELECT TO tongban_reader USING (
    id = (SELECT reader_party())
    OR id = ANY ((SELECT reader_counterparts())::uuid[])
    OR (SELECT reader_role()) = 'supervisor'
    OR (
        (SELECT reader_role()) NOT IN ('citizen', 'enterprise', 'agent')
        AND EXISTS (SELECT FROM case_view seen WHERE seen.applicant = party_view.id)
    )
);
