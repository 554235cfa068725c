-- migrate:up
-- The read tables (unqualified names: the same file makes `read` and, beside it, a rebuild's `read_next`).
-- Every row carries the version and the position of the event that last changed it. Personal values are sealed boxes.
--
-- Who asks is told per transaction by three settings (SET LOCAL): app.role, app.subject, app.departments (comma list).
-- The policies read them through these functions; unset means nobody, and nobody sees nothing.
CREATE FUNCTION reader_role() RETURNS text LANGUAGE sql STABLE PARALLEL SAFE
    RETURN NULLIF(current_setting('app.role', true), '');
-- The party that asks; null for an officer, and for a subject that is not a UUID.
CREATE FUNCTION reader_party() RETURNS uuid LANGUAGE sql STABLE PARALLEL SAFE
    RETURN CASE WHEN current_setting('app.role', true) IN ('citizen', 'enterprise')
                 AND pg_input_is_valid(current_setting('app.subject', true), 'uuid')
           THEN current_setting('app.subject', true)::uuid END;
-- The departments of the officer who asks; null for anybody else.
CREATE FUNCTION reader_departments() RETURNS text[] LANGUAGE sql STABLE PARALLEL SAFE
    RETURN CASE WHEN current_setting('app.role', true)
                     IN ('clerk', 'acceptor', 'reviewer', 'decider', 'head', 'inspector')
           THEN string_to_array(NULLIF(current_setting('app.departments', true), ''), ',') END;
-- The officer who asks, who also sees what he filed himself; null for anybody else.
CREATE FUNCTION reader_officer() RETURNS text LANGUAGE sql STABLE PARALLEL SAFE
    RETURN CASE WHEN current_setting('app.role', true)
                     IN ('clerk', 'acceptor', 'reviewer', 'decider', 'head', 'inspector')
           THEN NULLIF(current_setting('app.subject', true), '') END;

-- One row per case. Indexes stand on what never changes, so that an update stays in its page (HOT).
CREATE TABLE case_view (
    id uuid PRIMARY KEY,
    number text NOT NULL UNIQUE,
    item_id text NOT NULL,
    item_version int NOT NULL,
    lead text NOT NULL,
    -- Lead and branches: whose officers see the case.
    departments text[] NOT NULL,
    applicant uuid NOT NULL,
    filed_by text NOT NULL,
    channel text NOT NULL,
    submitted_at timestamptz NOT NULL,
    status text NOT NULL,
    -- [{department, opinion, at}] in the item's order.
    branches jsonb NOT NULL,
    -- {branch: {holder, since, version, position}}: who holds each branch, and since which event.
    holders jsonb NOT NULL,
    accepted_at timestamptz,
    decided_at timestamptz,
    closed_at timestamptz,
    result text,
    licence_id uuid,
    version bigint NOT NULL,
    position bigint NOT NULL
) WITH (fillfactor = 70);
CREATE INDEX case_view_applicant ON case_view (applicant, submitted_at DESC, id DESC);

-- One row per department and case it holds work of now.
CREATE TABLE department_queue (
    department text NOT NULL,
    case_id uuid NOT NULL,
    since timestamptz NOT NULL,
    branches text[] NOT NULL,
    version bigint NOT NULL,
    position bigint NOT NULL,
    PRIMARY KEY (department, case_id)
);
CREATE INDEX department_queue_order ON department_queue (department, since, case_id);

-- One row per event of a case: of its own stream, its licence's and its rating's. Codes, not prose.
CREATE TABLE timeline (
    case_id uuid NOT NULL,
    position bigint NOT NULL,
    id uuid NOT NULL,
    stream uuid NOT NULL,
    version bigint NOT NULL,
    type text NOT NULL,
    effective_at timestamptz NOT NULL,
    recorded_at timestamptz NOT NULL,
    actor_id text NOT NULL,
    actor_role text NOT NULL,
    actor_department text,
    holders jsonb NOT NULL,
    data jsonb NOT NULL,
    sealed jsonb NOT NULL,
    -- Would tell officers who an anonymous rater is.
    confidential boolean NOT NULL,
    PRIMARY KEY (case_id, position)
);

CREATE TABLE licence_view (
    id uuid PRIMARY KEY,
    case_id uuid NOT NULL,
    licence_type text NOT NULL,
    number text NOT NULL,
    holder uuid NOT NULL,
    valid_from date NOT NULL,
    valid_to date,
    collected_at timestamptz NOT NULL,
    sealed jsonb NOT NULL,
    version bigint NOT NULL,
    position bigint NOT NULL
);
CREATE INDEX licence_view_holder ON licence_view (holder, collected_at DESC, id DESC);
CREATE INDEX licence_view_case ON licence_view (case_id);

CREATE TABLE party_view (
    id uuid PRIMARY KEY,
    kind text NOT NULL,
    identifier_kind text NOT NULL,
    registered_at timestamptz NOT NULL,
    sealed jsonb NOT NULL,
    version bigint NOT NULL,
    position bigint NOT NULL
);

-- The version in force of each service item, and every version with its definition.
CREATE TABLE item_view (
    id uuid PRIMARY KEY,
    item_id text NOT NULL UNIQUE,
    item_version int NOT NULL,
    lead text NOT NULL,
    version bigint NOT NULL,
    position bigint NOT NULL
);
CREATE TABLE item_version_view (
    item_id text NOT NULL,
    item_version int NOT NULL,
    name_zh text NOT NULL,
    name_en text NOT NULL,
    lead text NOT NULL,
    published_at timestamptz NOT NULL,
    definition jsonb NOT NULL,
    version bigint NOT NULL,
    position bigint NOT NULL,
    PRIMARY KEY (item_id, item_version)
);

CREATE TABLE rating_view (
    id uuid PRIMARY KEY,
    case_id uuid NOT NULL UNIQUE,
    item_id text NOT NULL,
    department text NOT NULL,
    rater uuid NOT NULL,
    grade int NOT NULL,
    options text[] NOT NULL,
    anonymous boolean NOT NULL,
    rated_at timestamptz NOT NULL,
    sealed jsonb NOT NULL,
    version bigint NOT NULL,
    position bigint NOT NULL
);

-- Row-level security, forced: it binds the owner too, whose own policy lets it write.
DO $$
DECLARE name text;
BEGIN
    FOREACH name IN ARRAY ARRAY['case_view', 'department_queue', 'timeline', 'licence_view', 'party_view', 'item_view',
                                'item_version_view', 'rating_view'] LOOP
        EXECUTE format('ALTER TABLE %I ENABLE ROW LEVEL SECURITY', name);
        EXECUTE format('ALTER TABLE %I FORCE ROW LEVEL SECURITY', name);
        EXECUTE format('CREATE POLICY project ON %I FOR ALL TO tongban_projector USING (true) WITH CHECK (true)', name);
        EXECUTE format('GRANT SELECT ON %I TO tongban_reader', name);
    END LOOP;
END $$;

-- (SELECT f()) makes the planner ask once per statement, not once per row.
CREATE POLICY see ON case_view FOR SELECT TO tongban_reader USING (
    applicant = (SELECT reader_party())
    OR departments && (SELECT reader_departments())
    OR filed_by = (SELECT reader_officer())
    OR (SELECT reader_role()) = 'supervisor'
);
CREATE POLICY see ON department_queue FOR SELECT TO tongban_reader USING (
    department = ANY ((SELECT reader_departments())::text[])
    OR (SELECT reader_role()) = 'supervisor'
);
-- What hangs on a case defers to its rule: the inner table is under its own policy.
CREATE POLICY see ON timeline FOR SELECT TO tongban_reader USING (
    (NOT confidential OR (SELECT reader_role()) IN ('citizen', 'enterprise', 'supervisor'))
    AND EXISTS (SELECT FROM case_view seen WHERE seen.id = timeline.case_id)
);
-- A case says who applied, and only who applied can rate: officers do not see an anonymous rating of a case at all.
CREATE POLICY see ON rating_view FOR SELECT TO tongban_reader USING (
    (SELECT reader_role()) = 'supervisor'
    OR rater = (SELECT reader_party())
    OR (NOT anonymous AND EXISTS (SELECT FROM case_view seen WHERE seen.id = rating_view.case_id))
);
CREATE POLICY see ON licence_view FOR SELECT TO tongban_reader USING (
    holder = (SELECT reader_party())
    OR (SELECT reader_role()) = 'supervisor'
    OR (
        (SELECT reader_departments()) IS NOT NULL
        AND EXISTS (
            SELECT FROM case_view seen
            WHERE seen.id = licence_view.case_id AND seen.lead = ANY ((SELECT reader_departments())::text[])
        )
    )
);
CREATE POLICY see ON party_view FOR SELECT TO tongban_reader USING (
    id = (SELECT reader_party())
    OR (SELECT reader_role()) = 'supervisor'
    OR (
        (SELECT reader_role()) NOT IN ('citizen', 'enterprise')
        AND EXISTS (SELECT FROM case_view seen WHERE seen.applicant = party_view.id)
    )
);
CREATE POLICY see ON item_view FOR SELECT TO tongban_reader USING ((SELECT reader_role()) IS NOT NULL);
CREATE POLICY see ON item_version_view FOR SELECT TO tongban_reader USING ((SELECT reader_role()) IS NOT NULL);
