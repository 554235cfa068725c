-- migrate:up
-- What comes after a decision: the check of a promise, a revocation, and what they leave with party and licence.
CREATE TABLE commitment_view (
    id uuid PRIMARY KEY,
    case_id uuid NOT NULL,
    item_id text NOT NULL,
    department text NOT NULL,
    due date NOT NULL,
    clock jsonb NOT NULL,
    result text,
    checked_at timestamptz,
    version bigint NOT NULL,
    position bigint NOT NULL
);
CREATE INDEX commitment_view_case ON commitment_view (case_id);
CREATE TABLE revocation_view (
    id uuid PRIMARY KEY,
    case_id uuid NOT NULL,
    item_id text NOT NULL,
    ground text NOT NULL,
    protected boolean NOT NULL,
    revoked_at timestamptz NOT NULL,
    sealed jsonb NOT NULL,
    version bigint NOT NULL,
    position bigint NOT NULL
);
CREATE INDEX revocation_view_case ON revocation_view (case_id);

-- {item: last day}, and the cases whose promises the party broke.
ALTER TABLE party_view
    ADD COLUMN bars jsonb NOT NULL DEFAULT '{}',
    ADD COLUMN broken_promises text[] NOT NULL DEFAULT '{}';
ALTER TABLE licence_view ADD COLUMN status text NOT NULL DEFAULT 'VALID';

DO $$
DECLARE name text;
BEGIN
    FOREACH name IN ARRAY ARRAY['commitment_view', 'revocation_view'] LOOP
        EXECUTE format('ALTER TABLE %I ENABLE ROW LEVEL SECURITY', name);
        EXECUTE format('ALTER TABLE %I FORCE ROW LEVEL SECURITY', name);
        EXECUTE format('CREATE POLICY project ON %I FOR ALL TO tongban_projector USING (true) WITH CHECK (true)', name);
        EXECUTE format('GRANT SELECT ON %I TO tongban_reader', name);
    END LOOP;
END $$;
-- Both hang on a case and defer to its rule.
CREATE POLICY see ON commitment_view FOR SELECT TO tongban_reader USING (
    EXISTS (SELECT FROM case_view seen WHERE seen.id = commitment_view.case_id)
);
CREATE POLICY see ON revocation_view FOR SELECT TO tongban_reader USING (
    EXISTS (SELECT FROM case_view seen WHERE seen.id = revocation_view.case_id)
);
