-- migrate:up
-- Called under the append lock, before the events of a batch: the streams that somebody's right to act rests on must
-- still stand at the versions that were looked at.
CREATE FUNCTION events.require_unchanged(streams uuid[], versions bigint[]) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    IF EXISTS (
        SELECT FROM unnest(streams, versions) AS looked_at (stream, version)
        WHERE EXISTS (
            SELECT FROM events.stored_events
            WHERE originator_id = looked_at.stream AND originator_version > looked_at.version
        )
    ) THEN
        RAISE EXCEPTION 'a stream that a decision rests on has changed' USING ERRCODE = 'integrity_constraint_violation';
    END IF;
END $$;
