-- migrate:up
-- The whole life of a case: what it waits for, its deadlines with their ledgers, who works on it.
ALTER TABLE case_view
    ADD COLUMN received_on date,
    ADD COLUMN needed text[] NOT NULL DEFAULT '{}',
    -- {material: {how, source, source_version, ref}}
    ADD COLUMN materials jsonb NOT NULL DEFAULT '{}',
    ADD COLUMN asked text[] NOT NULL DEFAULT '{}',
    ADD COLUMN tolerated text[] NOT NULL DEFAULT '{}',
    -- {branch: officer}
    ADD COLUMN claims jsonb NOT NULL DEFAULT '{}',
    -- [{branch, kind, start, end}]
    ADD COLUMN suspensions jsonb NOT NULL DEFAULT '[]',
    -- {name: clock}: each deadline with all it was reckoned from.
    ADD COLUMN clocks jsonb NOT NULL DEFAULT '{}',
    ADD COLUMN fee text NOT NULL DEFAULT 'NONE',
    ADD COLUMN committed boolean NOT NULL DEFAULT false,
    ADD COLUMN delivery text NOT NULL DEFAULT 'ONLINE',
    ADD COLUMN district text,
    ADD COLUMN bundle uuid,
    ADD COLUMN renews_until date;
CREATE INDEX case_view_bundle ON case_view (bundle) WHERE bundle IS NOT NULL;
