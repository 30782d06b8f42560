-- The audit log: every push that began. The worker writes it, in a transaction of its own; a session does where the
-- library is not preloaded, with the owner's rights.

CREATE TABLE reverse_etl.audit_log (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    destination regclass,
    destination_name text NOT NULL,
    operation text NOT NULL,
    statement text NOT NULL,
    delivery text NOT NULL CHECK (delivery IN ('immediate', 'queued')),
    outcome text NOT NULL
        CHECK (outcome IN ('running', 'queued', 'completed', 'failed', 'cancelled', 'unknown')),
    rows bigint NOT NULL DEFAULT 0,
    accepted bigint NOT NULL DEFAULT 0,
    rejected bigint NOT NULL DEFAULT 0,
    absent bigint NOT NULL DEFAULT 0,
    replaced bigint NOT NULL DEFAULT 0,
    requests bigint NOT NULL DEFAULT 0,
    bytes bigint NOT NULL DEFAULT 0,
    error text,
    session_role name NOT NULL,
    role name NOT NULL,
    session_role_id reverse_etl.role NOT NULL,
    role_id reverse_etl.role NOT NULL,
    application_name text NOT NULL,
    pid integer NOT NULL,
    started_at timestamptz NOT NULL,
    finished_at timestamptz
);
COMMENT ON TABLE reverse_etl.audit_log IS 'every push that began, whatever became of its statement; a user sees their own';
COMMENT ON COLUMN reverse_etl.audit_log.destination IS 'the foreign table, whatever its name is now; null once it was dropped';
COMMENT ON COLUMN reverse_etl.audit_log.destination_name IS 'its name at the time, as SQL writes it: with its schema, and quotes where they are needed';
COMMENT ON COLUMN reverse_etl.audit_log.operation IS 'what was asked of the destination: create, update, upsert or delete';
COMMENT ON COLUMN reverse_etl.audit_log.statement IS 'the kind of statement: INSERT, UPDATE, DELETE, COPY or MERGE; SYNC for the rows of a managed sync';
COMMENT ON COLUMN reverse_etl.audit_log.delivery IS 'immediate: by the session, before its statement ended; queued: by the worker, after the commit';
COMMENT ON COLUMN reverse_etl.audit_log.outcome IS 'running or queued; then completed (every row has its outcome), failed, cancelled, or unknown (the server or the session died)';
COMMENT ON COLUMN reverse_etl.audit_log.rows IS 'rows that the statement handed over';
COMMENT ON COLUMN reverse_etl.audit_log.accepted IS 'rows that the destination accepted';
COMMENT ON COLUMN reverse_etl.audit_log.rejected IS 'rows that it did not, or that could not be sent';
COMMENT ON COLUMN reverse_etl.audit_log.absent IS 'rows that were to change or delete what the destination does not have';
COMMENT ON COLUMN reverse_etl.audit_log.replaced IS 'queued rows in whose place a later change of the same key was sent';
COMMENT ON COLUMN reverse_etl.audit_log.requests IS 'requests that were made; queued rows of several pushes share theirs, which stat_destinations counts';
COMMENT ON COLUMN reverse_etl.audit_log.bytes IS 'bytes of their bodies, before compression; of immediate pushes';
COMMENT ON COLUMN reverse_etl.audit_log.error IS 'what ended the push; it quotes no row';
COMMENT ON COLUMN reverse_etl.audit_log.session_role IS 'the role that had logged in, or that SET SESSION AUTHORIZATION set: its name at the time';
COMMENT ON COLUMN reverse_etl.audit_log.role IS 'the role that was current: its name at the time';
COMMENT ON COLUMN reverse_etl.audit_log.session_role_id IS 'session_role, whatever its name is now';
COMMENT ON COLUMN reverse_etl.audit_log.role_id IS 'role, whatever its name is now';
COMMENT ON COLUMN reverse_etl.audit_log.application_name IS 'the session''s setting';
COMMENT ON COLUMN reverse_etl.audit_log.pid IS 'the session''s process';
COMMENT ON COLUMN reverse_etl.audit_log.started_at IS 'when the first row came';
COMMENT ON COLUMN reverse_etl.audit_log.finished_at IS 'when it ended; null while it runs and where the end is unknown';
CREATE INDEX ON reverse_etl.audit_log (destination);
CREATE INDEX ON reverse_etl.audit_log (pid) WHERE outcome = 'running';

ALTER TABLE reverse_etl.audit_log ENABLE ROW LEVEL SECURITY;
CREATE POLICY own_rows ON reverse_etl.audit_log FOR SELECT 
    USING (quote_ident(current_user)::regrole IN (role_id, session_role_id));
COMMENT ON POLICY own_rows ON reverse_etl.audit_log IS 'a user sees their own pushes';
GRANT SELECT ON reverse_etl.audit_log TO PUBLIC;
