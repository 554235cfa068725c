-- migrate:up
-- Versions of an item are in force from a day on, until the item is withdrawn: which one is depends on the day asked.
-- `schedule`: [{version, starts, ends}] in order of publication. A first version without a date starts in year 1.
ALTER TABLE item_view ADD COLUMN schedule jsonb NOT NULL DEFAULT '[]';
ALTER TABLE item_version_view ADD COLUMN effective_from date;
UPDATE item_version_view SET effective_from = (published_at AT TIME ZONE 'UTC' + interval '8 hours')::date;
ALTER TABLE item_version_view ALTER COLUMN effective_from SET NOT NULL;
UPDATE item_view SET schedule = (
    SELECT jsonb_agg(
        jsonb_build_object(
            'version', made.item_version,
            'starts', CASE WHEN made.item_version = 1 THEN '0001-01-01' ELSE made.effective_from::text END,
            'ends', NULL
        ) ORDER BY made.item_version
    )
    FROM item_version_view made WHERE made.item_id = item_view.item_id
);
ALTER TABLE item_view ALTER COLUMN schedule DROP DEFAULT;
