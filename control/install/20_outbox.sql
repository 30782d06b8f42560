-- The outbox

CREATE SEQUENCE reverse_etl_internal.outbox_id_seq;
COMMENT ON SEQUENCE reverse_etl_internal.outbox_id_seq IS 'numbers the rows of the outbox, in the order in which they were queued';
-- Rows on their way are known by these numbers: where a dump is restored they must not come again.

CREATE TABLE reverse_etl.outbox (
    id bigint NOT NULL,
    push bigint,
    sync integer,
    destination regclass NOT NULL,
    operation text NOT NULL,
    enqueued_by regrole NOT NULL,
    deliver_as regrole NOT NULL,
    enqueued_at timestamptz NOT NULL,
    attempts integer NOT NULL,
    next_attempt_at timestamptz,
    key json,
    "row" json NOT NULL,
    reasons text[]
) WITH (autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 20000, autovacuum_vacuum_cost_delay = 0,
        autovacuum_vacuum_insert_threshold = -1);
COMMENT ON TABLE reverse_etl.outbox IS 'rows that wait for their delivery; a user sees their own. Each destination has a table of its own that inherits from this one';
COMMENT ON COLUMN reverse_etl.outbox.push IS 'the statement''s row in reverse_etl.audit_log';
COMMENT ON COLUMN reverse_etl.outbox.sync IS 'the managed sync that learns the row''s outcome: reverse_etl.syncs.id';
COMMENT ON COLUMN reverse_etl.outbox.enqueued_by IS 'the role whose rows they are';
COMMENT ON COLUMN reverse_etl.outbox.deliver_as IS 'the role with whose rights and credentials the row leaves';
COMMENT ON COLUMN reverse_etl.outbox.attempts IS 'how often it was tried to deliver the row';
COMMENT ON COLUMN reverse_etl.outbox.key IS 'the columns that name the row at the destination';
COMMENT ON COLUMN reverse_etl.outbox."row" IS 'the columns that are sent, with their values as they are sent';
COMMENT ON COLUMN reverse_etl.outbox.reasons IS 'why the attempts failed';
-- Where all tables are published, a table without an identity could not give its rows back.
CREATE UNIQUE INDEX outbox_destination_id ON reverse_etl.outbox (destination, id);
ALTER TABLE reverse_etl.outbox REPLICA IDENTITY USING INDEX outbox_destination_id;

ALTER TABLE reverse_etl.outbox ENABLE ROW LEVEL SECURITY;
CREATE POLICY own_rows ON reverse_etl.outbox USING (enqueued_by = quote_ident(current_user)::regrole);
COMMENT ON POLICY own_rows ON reverse_etl.outbox IS 'a user sees the rows that they queued';
GRANT SELECT ON reverse_etl.outbox TO PUBLIC;

CREATE TABLE reverse_etl_internal.outbox_requests (
    destination regclass NOT NULL,
    request bigint NOT NULL,
    rows int8multirange NOT NULL,
    PRIMARY KEY (destination, request)
) WITH (autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 20000, autovacuum_vacuum_cost_delay = 0,
        autovacuum_vacuum_insert_threshold = -1);
COMMENT ON TABLE reverse_etl_internal.outbox_requests IS 'requests under way that must not be made again, or only as the same request; the background worker''s';
COMMENT ON COLUMN reverse_etl_internal.outbox_requests.request IS 'the worker''s number for it';
COMMENT ON COLUMN reverse_etl_internal.outbox_requests.rows IS 'the rows that it is made of, by their id in reverse_etl.outbox';

CREATE TABLE reverse_etl_internal.outbox_jobs (
    destination regclass NOT NULL,
    job bigint NOT NULL,
    rows int8multirange NOT NULL,
    replaced bigint[] NOT NULL,
    replaced_by bigint[] NOT NULL,
    kept json NOT NULL,
    submitted boolean NOT NULL,
    made_at timestamptz NOT NULL,
    PRIMARY KEY (destination, job)
);
COMMENT ON TABLE reverse_etl_internal.outbox_jobs IS 'jobs that were handed over to a destination and whose rows have no outcome yet; the background worker''s';
COMMENT ON COLUMN reverse_etl_internal.outbox_jobs.job IS 'the worker''s number for it';
COMMENT ON COLUMN reverse_etl_internal.outbox_jobs.rows IS 'the rows that it is made of, by their id in reverse_etl.outbox';
COMMENT ON COLUMN reverse_etl_internal.outbox_jobs.replaced IS 'changes that are not sent, since a row of the job stands for them';
COMMENT ON COLUMN reverse_etl_internal.outbox_jobs.replaced_by IS 'those rows, one for each of "replaced"';
COMMENT ON COLUMN reverse_etl_internal.outbox_jobs.kept IS 'what the destination answered by which the job is found again';
COMMENT ON COLUMN reverse_etl_internal.outbox_jobs.submitted IS 'whether all of it was handed over, and only its end is waited for';
COMMENT ON COLUMN reverse_etl_internal.outbox_jobs.made_at IS 'when the worker was about to hand it over';

CREATE PROCEDURE reverse_etl.wait(destination regclass, timeout interval DEFAULT NULL)
LANGUAGE C AS 'MODULE_PATHNAME', 'reverse_etl_wait';
COMMENT ON PROCEDURE reverse_etl.wait(regclass, interval) IS 'returns when every row that was queued so far has its outcome; of a user, their own rows';
