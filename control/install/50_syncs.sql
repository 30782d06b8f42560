-- Managed syncs: a query whose rows a destination is to have. A run sends what changed since the destination last
-- accepted it; docs/syncs.md is about them.

CREATE SEQUENCE reverse_etl_internal.sync_id_seq AS integer;
COMMENT ON SEQUENCE reverse_etl_internal.sync_id_seq IS 'numbers the syncs; the tables of a sync are named by it';

-- The modes are listed in one place, src/postgres/syncs/mode.cpp.
CREATE FUNCTION reverse_etl_internal.sync_mode(mode text, OUT sends_new boolean, OUT sends_changed boolean, OUT removes boolean, OUT takes_cursor boolean)
LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'reverse_etl_sync_mode';
COMMENT ON FUNCTION reverse_etl_internal.sync_mode(text) IS 'what a mode of a sync does; null if there is no such mode';
REVOKE ALL ON FUNCTION reverse_etl_internal.sync_mode(text) FROM PUBLIC;

CREATE FUNCTION reverse_etl_internal.key_hash(VARIADIC key "any") RETURNS bigint
LANGUAGE C STABLE PARALLEL SAFE COST 1 AS 'MODULE_PATHNAME', 'reverse_etl_key_hash';
COMMENT ON FUNCTION reverse_etl_internal.key_hash("any") IS 'a hash of a key by which one that comes twice is found; null for one with a NULL';

CREATE FUNCTION reverse_etl_internal.fate(sightings bigint, token bigint, hash bigint, VARIADIC key_and_forms "any") RETURNS integer
LANGUAGE C VOLATILE PARALLEL SAFE COST 1 AS 'MODULE_PATHNAME', 'reverse_etl_fate';
COMMENT ON FUNCTION reverse_etl_internal.fate(bigint, bigint, bigint, "any") IS 'counts a row of a model, looks for its key in the state of the sync where the row before it was found, marks its place as met, and tells what it is to a run: 0 nothing, 1 new, 2 known and to be looked at, 3 undecided';

CREATE FUNCTION reverse_etl_internal.sees(sightings bigint, token bigint, place tid, known bigint, hash bigint) RETURNS boolean
LANGUAGE C VOLATILE PARALLEL SAFE COST 1 AS 'MODULE_PATHNAME', 'reverse_etl_sees';
COMMENT ON FUNCTION reverse_etl_internal.sees(bigint, bigint, tid, bigint, bigint) IS 'the same for a row that was joined with the state: whether a run has to look at it';

CREATE FUNCTION reverse_etl_internal.was_seen(sightings bigint, token bigint, place tid) RETURNS boolean
LANGUAGE C VOLATILE PARALLEL SAFE COST 1 AS 'MODULE_PATHNAME', 'reverse_etl_was_seen';
COMMENT ON FUNCTION reverse_etl_internal.was_seen(bigint, bigint, tid) IS 'whether a row of a model was met that has this place in the state of the sync';

CREATE TABLE reverse_etl_internal.sync_definitions (
    id integer PRIMARY KEY DEFAULT nextval('reverse_etl_internal.sync_id_seq'),
    name text NOT NULL UNIQUE CHECK (name <> '' AND octet_length(name) <= 200),
    owner reverse_etl.role NOT NULL,
    query text NOT NULL,
    search_path text NOT NULL,
    destination regclass NOT NULL,
    key text[] NOT NULL CHECK (cardinality(key) > 0),
    key_types regtype[] NOT NULL,
    key_collations text[] NOT NULL,
    key_forms text[] NOT NULL,
    columns text[] NOT NULL,
    reads regclass[] NOT NULL,
    needs text[] NOT NULL,
    mode text NOT NULL CHECK (reverse_etl_internal.sync_mode(mode) IS NOT NULL),
    on_missing text NOT NULL CHECK (on_missing IN ('ignore', 'delete', 'archive', 'clear')),
    change_detection text NOT NULL CHECK (change_detection IN ('difference', 'cursor', 'source')),
    cursor_column text CHECK ((change_detection = 'cursor') = (cursor_column IS NOT NULL)),
    cursor_value text,
    backfill boolean NOT NULL,
    max_removed text CHECK (max_removed ~ '^[0-9]{1,18}([.][0-9]{1,9})?%?$'),
    max_changed text CHECK (max_changed ~ '^[0-9]{1,18}([.][0-9]{1,9})?%?$'),
    min_rows text CHECK (min_rows ~ '^[0-9]{1,18}([.][0-9]{1,9})?%?$'),
    max_rejected text CHECK (max_rejected ~ '^[0-9]{1,18}([.][0-9]{1,9})?%?$'),
    max_attempts integer NOT NULL CHECK (max_attempts > 0),
    hold_for interval NOT NULL CHECK (hold_for > '0'),
    run_after integer,
    alert_to regclass,
    schedule text,
    scheduled_at timestamptz,
    job bigint,
    hash_version integer NOT NULL,
    has_run boolean NOT NULL DEFAULT false,
    may_remove boolean NOT NULL DEFAULT false,
    health text NOT NULL DEFAULT 'ok' CHECK (health IN ('ok', 'failed', 'held', 'rejecting', 'unusual')),
    requested_at timestamptz,
    broken text,
    created_at timestamptz NOT NULL DEFAULT now()
);
COMMENT ON TABLE reverse_etl_internal.sync_definitions IS 'syncs made by reverse_etl.create_sync; reverse_etl.syncs shows them';
COMMENT ON COLUMN reverse_etl_internal.sync_definitions.owner IS 'the role with whose rights the query runs, and with whose credentials rows are sent';
COMMENT ON COLUMN reverse_etl_internal.sync_definitions.query IS 'the model: the rows that the destination is to have';
COMMENT ON COLUMN reverse_etl_internal.sync_definitions.search_path IS 'where the names in the query are looked up';
COMMENT ON COLUMN reverse_etl_internal.sync_definitions.key IS 'the columns of the query that tell its rows apart';
COMMENT ON COLUMN reverse_etl_internal.sync_definitions.key_types IS 'their types, which are those of the state''s columns';
COMMENT ON COLUMN reverse_etl_internal.sync_definitions.key_collations IS 'their collations, by name: pg_upgrade keeps no oids of them';
COMMENT ON COLUMN reverse_etl_internal.sync_definitions.key_forms IS 'by what the destination takes two keys for the same: an expression over each, in which %s stands for its value';
COMMENT ON COLUMN reverse_etl_internal.sync_definitions.columns IS 'the destination''s columns that are sent';
COMMENT ON COLUMN reverse_etl_internal.sync_definitions.reads IS 'the relations that the query reads';
COMMENT ON COLUMN reverse_etl_internal.sync_definitions.needs IS 'the names of functions, types, operators and collations that the query uses, but for Postgres'' own';
COMMENT ON COLUMN reverse_etl_internal.sync_definitions.cursor_value IS 'up to where the rows were sent';
COMMENT ON COLUMN reverse_etl_internal.sync_definitions.change_detection IS 'where changes are found: difference: here, by reading the model; source: where the model is, whose hashes the state has then; cursor: by a column that only grows';
COMMENT ON COLUMN reverse_etl_internal.sync_definitions.job IS 'the job in pg_cron: cron.job.jobid';
COMMENT ON COLUMN reverse_etl_internal.sync_definitions.has_run IS 'whether a run was completed: forward-only syncs send what came after the first one';
COMMENT ON COLUMN reverse_etl_internal.sync_definitions.may_remove IS 'whether a run removes rows: not the first one, nor the one after adopt, resync or a change of mode';
COMMENT ON COLUMN reverse_etl_internal.sync_definitions.health IS 'what was told last by an alert';
COMMENT ON COLUMN reverse_etl_internal.sync_definitions.requested_at IS 'when somebody asked for a run that the background worker is to begin';
COMMENT ON COLUMN reverse_etl_internal.sync_definitions.broken IS 'why it would fail, as the last command found or left it that might matter to it: what is broken already is no ground to refuse another command';

ALTER TABLE reverse_etl_internal.sync_definitions ENABLE ROW LEVEL SECURITY;
CREATE POLICY own_syncs ON reverse_etl_internal.sync_definitions
    USING (pg_has_role(owner, 'USAGE'));
COMMENT ON POLICY own_syncs ON reverse_etl_internal.sync_definitions IS 'a sync belongs to its owner, and to the members of that role';
GRANT SELECT ON reverse_etl_internal.sync_definitions TO PUBLIC;

CREATE TABLE reverse_etl.runs (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    sync_id integer NOT NULL,
    sync text NOT NULL,
    status text NOT NULL CHECK (status IN ('reading', 'held', 'delivering', 'cancelling', 'completed', 'failed',
                                           'cancelled', 'skipped', 'expired')),
    queried bigint NOT NULL DEFAULT 0,
    added bigint NOT NULL DEFAULT 0,
    changed bigint NOT NULL DEFAULT 0,
    removed bigint NOT NULL DEFAULT 0,
    unchanged bigint NOT NULL DEFAULT 0,
    invalid bigint NOT NULL DEFAULT 0,
    quarantined bigint NOT NULL DEFAULT 0,
    waiting bigint NOT NULL DEFAULT 0,
    accepted bigint NOT NULL DEFAULT 0,
    rejected bigint NOT NULL DEFAULT 0,
    cancelled bigint NOT NULL DEFAULT 0,
    absent bigint NOT NULL DEFAULT 0,
    reason text,
    pushes bigint[] NOT NULL DEFAULT '{}',
    requested_by name NOT NULL,
    released_by name,
    reading_ms bigint,
    comparing_ms bigint,
    waiting_ms bigint,
    requests_ms bigint,
    writing_ms bigint,
    pid integer,
    process_started_at timestamptz,
    started_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    queued_at timestamptz,
    finished_at timestamptz,
    CONSTRAINT every_row_is_counted_once CHECK (queried = added + changed + removed + unchanged + invalid),
    CONSTRAINT every_row_sent_has_an_outcome
        CHECK (added + changed + removed = waiting + accepted + rejected + cancelled + absent OR status IN ('held', 'expired', 'reading')),
    CONSTRAINT nothing_is_negative CHECK (LEAST(added, changed, removed, unchanged, invalid, quarantined, waiting,
                                                accepted, rejected, cancelled, absent) >= 0 AND quarantined <= invalid)
);
COMMENT ON TABLE reverse_etl.runs IS 'every run of a sync; a user sees those of their syncs. queried = added + changed + removed + unchanged + invalid, and added + changed + removed = accepted + rejected + cancelled + absent + waiting';
COMMENT ON COLUMN reverse_etl.runs.status IS 'reading the model, delivering, cancelling; held (waits for release_run), completed, failed, cancelled, skipped (another run was under way), expired (held, and not released in time)';
COMMENT ON COLUMN reverse_etl.runs.queried IS 'rows looked at: those of the model, and those that have left it and are removed';
COMMENT ON COLUMN reverse_etl.runs.added IS 'rows to be sent whose key was not known';
COMMENT ON COLUMN reverse_etl.runs.changed IS 'rows to be sent that differ from what the destination accepted last';
COMMENT ON COLUMN reverse_etl.runs.removed IS 'rows to be removed, since they have left the model';
COMMENT ON COLUMN reverse_etl.runs.unchanged IS 'rows of which nothing is to be sent, by the mode of the sync';
COMMENT ON COLUMN reverse_etl.runs.invalid IS 'rows that cannot be sent: reverse_etl.run_rows tells why';
COMMENT ON COLUMN reverse_etl.runs.quarantined IS 'those of the invalid rows that were refused too often, and wait until they change';
COMMENT ON COLUMN reverse_etl.runs.waiting IS 'rows sent that have no outcome yet';
COMMENT ON COLUMN reverse_etl.runs.accepted IS 'rows that the destination accepted';
COMMENT ON COLUMN reverse_etl.runs.rejected IS 'rows that it did not accept; they come again by themselves, but for those in doubt';
COMMENT ON COLUMN reverse_etl.runs.cancelled IS 'rows that were not sent, since the run was cancelled';
COMMENT ON COLUMN reverse_etl.runs.absent IS 'rows that were to be changed, and are not there: the next run creates them where the mode wants them there';
COMMENT ON COLUMN reverse_etl.runs.reason IS 'why the run was held, skipped, cancelled, or failed';
COMMENT ON COLUMN reverse_etl.runs.pushes IS 'its rows in reverse_etl.audit_log';
COMMENT ON COLUMN reverse_etl.runs.requested_by IS 'the role that began the run';
COMMENT ON COLUMN reverse_etl.runs.reading_ms IS 'milliseconds that it took to read the model and the state, and to find what differs';
COMMENT ON COLUMN reverse_etl.runs.comparing_ms IS 'likewise, to cast, check and encode what differs';
COMMENT ON COLUMN reverse_etl.runs.waiting_ms IS 'likewise, that were waited for limits, tokens and pauses with no request under way; null, as the two that follow, where all rows left by the outbox';
COMMENT ON COLUMN reverse_etl.runs.requests_ms IS 'likewise, for requests';
COMMENT ON COLUMN reverse_etl.runs.writing_ms IS 'likewise, to write what became of rows into the state';
COMMENT ON COLUMN reverse_etl.runs.pid IS 'the process that reads the model, and sends the rows where they leave straight from it';
-- One run of a sync at a time.
CREATE UNIQUE INDEX runs_under_way ON reverse_etl.runs (sync_id) WHERE status IN ('reading', 'delivering', 'cancelling');
CREATE INDEX ON reverse_etl.runs (sync_id, id);
-- Those with which guards compare.
CREATE INDEX runs_compared ON reverse_etl.runs (sync_id, id) WHERE status IN ('completed', 'cancelled') AND queued_at IS NOT NULL;
ALTER TABLE reverse_etl.runs ENABLE ROW LEVEL SECURITY;
CREATE POLICY own_runs ON reverse_etl.runs FOR SELECT
    USING (EXISTS (SELECT FROM reverse_etl_internal.sync_definitions AS s WHERE s.id = sync_id));
COMMENT ON POLICY own_runs ON reverse_etl.runs IS 'a user sees the runs of the syncs that they see';
GRANT SELECT ON reverse_etl.runs TO PUBLIC;

CREATE TABLE reverse_etl_internal.straight_runs (
    run_id bigint PRIMARY KEY REFERENCES reverse_etl.runs ON DELETE CASCADE,
    added bigint NOT NULL DEFAULT 0,
    changed bigint NOT NULL DEFAULT 0,
    removed bigint NOT NULL DEFAULT 0,
    is_reading boolean NOT NULL DEFAULT false
) WITH (fillfactor = 50, autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 200, autovacuum_vacuum_cost_delay = 0);
COMMENT ON TABLE reverse_etl_internal.straight_runs IS 'runs under way whose rows leave straight from the process that found them';
COMMENT ON COLUMN reverse_etl_internal.straight_runs.added IS 'rows that were added, and accepted so far; likewise for those that were changed or removed';
COMMENT ON COLUMN reverse_etl_internal.straight_runs.is_reading IS 'its process died, and another reads the model once more to find the rest';

-- They are written anew for each burst. A part takes less than half of a page, and has it for itself: so the next version
-- of a part finds its place where the one before the last was, and a run of any length takes as many pages as its largest
-- burst, also where nobody vacuums.
CREATE TABLE reverse_etl_internal.straight_notes (
    run_id bigint NOT NULL REFERENCES reverse_etl_internal.straight_runs ON DELETE CASCADE,
    part integer NOT NULL,
    keys bytea NOT NULL,
    PRIMARY KEY (run_id, part)
) WITH (fillfactor = 10, toast_tuple_target = 8160, autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 1000,
        autovacuum_vacuum_cost_delay = 0);
ALTER TABLE reverse_etl_internal.straight_notes ALTER COLUMN keys SET STORAGE MAIN;
COMMENT ON TABLE reverse_etl_internal.straight_notes IS 'the keys of rows that are about to be sent straight from a run, or under way';
COMMENT ON COLUMN reverse_etl_internal.straight_notes.part IS 'from 0: the notes of a run are its parts, one after the other';
COMMENT ON COLUMN reverse_etl_internal.straight_notes.keys IS 'rows of the state without their hashes, as they are in memory';

CREATE TABLE reverse_etl_internal.invalid_rows (
    run_id bigint NOT NULL REFERENCES reverse_etl.runs ON DELETE CASCADE,
    quarantined boolean NOT NULL,
    absent boolean NOT NULL DEFAULT false,
    in_doubt boolean NOT NULL DEFAULT false,
    key jsonb NOT NULL,
    reason text NOT NULL,
    "row" jsonb NOT NULL
);
COMMENT ON TABLE reverse_etl_internal.invalid_rows IS 'rows of a run that could not be sent; see reverse_etl.run_rows';
CREATE INDEX ON reverse_etl_internal.invalid_rows (run_id);
ALTER TABLE reverse_etl_internal.invalid_rows ENABLE ROW LEVEL SECURITY;
CREATE POLICY own_rows ON reverse_etl_internal.invalid_rows FOR SELECT
    USING (EXISTS (SELECT FROM reverse_etl.runs AS r WHERE r.id = run_id));
COMMENT ON POLICY own_rows ON reverse_etl_internal.invalid_rows IS 'a user sees the rows of the runs that they see';
GRANT SELECT ON reverse_etl_internal.invalid_rows TO PUBLIC;

CREATE TABLE reverse_etl.alerts (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    sync_id integer NOT NULL,
    sync text NOT NULL,
    run_id bigint,
    event text NOT NULL CHECK (event IN ('failed', 'held', 'rejecting', 'unusual', 'recovered')),
    message text NOT NULL,
    created_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    push_to regclass,
    pushed_at timestamptz
);
COMMENT ON TABLE reverse_etl.alerts IS 'changes in the health of syncs, one row each; a user sees those of their syncs';
COMMENT ON COLUMN reverse_etl.alerts.event IS 'failed, held, rejecting (a large share of the rows did not get through), unusual (counts far from those of the last runs), or recovered';
COMMENT ON COLUMN reverse_etl.alerts.push_to IS 'the destination that alert_to named then; null for none';
COMMENT ON COLUMN reverse_etl.alerts.pushed_at IS 'when it was queued for that destination';
-- The background worker asks for these whenever it is called.
CREATE INDEX ON reverse_etl.alerts (id) WHERE pushed_at IS NULL AND push_to IS NOT NULL;
ALTER TABLE reverse_etl.alerts ENABLE ROW LEVEL SECURITY;
CREATE POLICY own_alerts ON reverse_etl.alerts FOR SELECT
    USING (EXISTS (SELECT FROM reverse_etl_internal.sync_definitions AS s WHERE s.id = sync_id));
COMMENT ON POLICY own_alerts ON reverse_etl.alerts IS 'a user sees the alerts of the syncs that they see';
GRANT SELECT ON reverse_etl.alerts TO PUBLIC;
