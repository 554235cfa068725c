-- migrate:up
-- What reads say of a case besides where it stands: fee, effort, and what decisions will look at next.
ALTER TABLE case_view
    ADD COLUMN fee_amount text,
    ADD COLUMN fee_currency text,
    -- {accepted_by, asked_before, chairs, consults, corrections, failed_sources, gates, inspections, noted,
    -- pre_checked, reviewers}
    ADD COLUMN work jsonb NOT NULL DEFAULT '{}',
    -- How often the applicant had to do something, and the days (YYYY-MM-DD) on which he had to come for it.
    ADD COLUMN applicant_steps int NOT NULL DEFAULT 0,
    ADD COLUMN visits text[] NOT NULL DEFAULT '{}';

-- The queue can be asked for by state, by light and by who claimed, and put in order of deadlines.
ALTER TABLE department_queue
    ADD COLUMN state text NOT NULL DEFAULT '',
    -- The deadline that is worked against now, which clock it is of, and how many working days that clock gives.
    ADD COLUMN clock text,
    ADD COLUMN due date,
    ADD COLUMN days int NOT NULL DEFAULT 0,
    ADD COLUMN claimed_by text;
-- What has no deadline comes last.
CREATE INDEX department_queue_due
    ON department_queue (department, (COALESCE(due, DATE '9999-12-31')), since, case_id);
-- What stands there already; its deadlines come with the next event of each case, or with a rebuild.
UPDATE department_queue SET state = case_view.status FROM case_view WHERE case_view.id = department_queue.case_id;
