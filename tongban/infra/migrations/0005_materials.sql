-- migrate:up
-- What applicants prepare before they file, outside the log: what they uploaded, and their drafts. Sealed for the party.
DO $$
BEGIN
    IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'tongban_materials') THEN
        CREATE ROLE tongban_materials NOLOGIN NOINHERIT;
    END IF;
    GRANT tongban_materials TO tongban;
END $$;

CREATE SCHEMA materials;
REVOKE ALL ON SCHEMA materials FROM PUBLIC;
GRANT USAGE ON SCHEMA materials TO tongban_materials;

-- One row per party and content. The sealed bytes lie in a file of their own, named by `blob`.
CREATE TABLE materials.upload (
    owner uuid NOT NULL,
    digest bytea NOT NULL CHECK (octet_length(digest) = 32),
    blob uuid NOT NULL UNIQUE,
    size bigint NOT NULL,
    media_type text NOT NULL,
    stored_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    -- When it was last uploaded, named by a draft or claimed.
    touched_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    -- An event names it: it is never swept.
    kept boolean NOT NULL DEFAULT false,
    PRIMARY KEY (owner, digest)
);
CREATE INDEX upload_sweep ON materials.upload (touched_at) WHERE NOT kept;

-- A command that names uploads and is on its way. The command log says later whether it was done.
CREATE TABLE materials.claim (
    owner uuid NOT NULL,
    digest bytea NOT NULL,
    principal text NOT NULL,
    idempotency_key uuid NOT NULL,
    claimed_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    PRIMARY KEY (owner, digest, principal, idempotency_key),
    FOREIGN KEY (owner, digest) REFERENCES materials.upload
);
CREATE INDEX claim_settle ON materials.claim (claimed_at);

CREATE TABLE materials.draft (
    id uuid PRIMARY KEY,
    -- The applicant.
    owner uuid NOT NULL,
    -- Role and id of who made it.
    made_by text NOT NULL,
    version int NOT NULL,
    sealed bytea NOT NULL,
    created_at timestamptz NOT NULL,
    updated_at timestamptz NOT NULL,
    expires_at timestamptz NOT NULL
);
CREATE INDEX draft_owner ON materials.draft (owner, updated_at DESC);
CREATE INDEX draft_maker ON materials.draft (made_by, updated_at DESC);
CREATE INDEX draft_expiry ON materials.draft (expires_at);

GRANT SELECT, INSERT, UPDATE, DELETE ON materials.upload, materials.claim, materials.draft TO tongban_materials;
GRANT USAGE ON SCHEMA events TO tongban_materials;
GRANT SELECT (principal, idempotency_key, event_types) ON events.command_log TO tongban_materials;
