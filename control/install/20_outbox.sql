-- The outbox

CREATE SEQUENCE reverse_etl_internal.outbox_id_seq;
COMMENT ON SEQUENCE reverse_etl_internal.outbox_id_seq IS 'numbers the rows of the outbox, in the order in which they were queued';
-- Rows on their way are known by these numbers: where a dump is restored they must not come again.

CREATE TABLE reverse_etl_internal.outbox (
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
    "row" json,
    reasons text[],
    pack bytea
) WITH (autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 2000, autovacuum_vacuum_cost_delay = 0,
        autovacuum_vacuum_insert_threshold = -1);
COMMENT ON TABLE reverse_etl_internal.outbox IS 'rows that wait for their delivery, each or many in a pack. Each destination has a table of its own that inherits from this one';
COMMENT ON COLUMN reverse_etl_internal.outbox.id IS 'the row''s number; of a pack, its first row''s';
COMMENT ON COLUMN reverse_etl_internal.outbox.pack IS 'many rows of one statement in place of "row" and key: see unpacked(). Its second byte is their number';
-- A pack fills a page: it is neither compressed nor stored elsewhere.
ALTER TABLE reverse_etl_internal.outbox ALTER COLUMN pack SET STORAGE PLAIN;
-- Where all tables are published, a table without an identity could not give its rows back.
CREATE UNIQUE INDEX outbox_destination_id ON reverse_etl_internal.outbox (destination, id);
ALTER TABLE reverse_etl_internal.outbox REPLICA IDENTITY USING INDEX outbox_destination_id;
-- Nobody but its owner may read it; whom row security would let see all of it sees all in the view.
ALTER TABLE reverse_etl_internal.outbox ENABLE ROW LEVEL SECURITY;

CREATE FUNCTION reverse_etl_internal.unpacked(first_id bigint, pack bytea, OUT id bigint, OUT key json, OUT "row" json) RETURNS SETOF record
LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE ROWS 50 AS 'MODULE_PATHNAME', 'reverse_etl_unpacked';
COMMENT ON FUNCTION reverse_etl_internal.unpacked(bigint, bytea) IS 'the rows of a pack of the outbox; of whoever reads reverse_etl.outbox';

CREATE VIEW reverse_etl.outbox WITH (security_barrier) AS
SELECT o.id, o.push, o.sync, o.destination, o.operation, o.enqueued_by, o.deliver_as, o.enqueued_at, o.attempts,
       o.next_attempt_at, o.key, o."row", o.reasons
  FROM reverse_etl_internal.outbox AS o
 WHERE o.pack IS NULL
   AND (o.enqueued_by = (SELECT quote_ident(current_user)::regrole)
        OR (SELECT NOT row_security_active('reverse_etl_internal.outbox')))
UNION ALL
SELECT p.id, o.push, o.sync, o.destination, o.operation, o.enqueued_by, o.deliver_as, o.enqueued_at, o.attempts,
       o.next_attempt_at, p.key, p."row", o.reasons
  FROM reverse_etl_internal.outbox AS o CROSS JOIN LATERAL reverse_etl_internal.unpacked(o.id, o.pack) AS p
 WHERE o.pack IS NOT NULL
   AND (o.enqueued_by = (SELECT quote_ident(current_user)::regrole)
        OR (SELECT NOT row_security_active('reverse_etl_internal.outbox')));
COMMENT ON VIEW reverse_etl.outbox IS 'rows that wait for their delivery; a user sees their own';
COMMENT ON COLUMN reverse_etl.outbox.push IS 'the statement''s row in reverse_etl.audit_log';
COMMENT ON COLUMN reverse_etl.outbox.sync IS 'the managed sync that learns the row''s outcome: reverse_etl.syncs.id';
COMMENT ON COLUMN reverse_etl.outbox.enqueued_by IS 'the role whose rows they are';
COMMENT ON COLUMN reverse_etl.outbox.deliver_as IS 'the role with whose rights and credentials the row leaves';
COMMENT ON COLUMN reverse_etl.outbox.attempts IS 'how often it was tried to deliver the row';
COMMENT ON COLUMN reverse_etl.outbox.key IS 'the columns that name the row at the destination';
COMMENT ON COLUMN reverse_etl.outbox."row" IS 'the columns that are sent, with their values as they are sent';
COMMENT ON COLUMN reverse_etl.outbox.reasons IS 'why the attempts failed';
GRANT SELECT ON reverse_etl.outbox TO PUBLIC;

CREATE FUNCTION reverse_etl_internal.unpack(destination oid, id bigint) RETURNS void
LANGUAGE C STRICT AS 'MODULE_PATHNAME', 'reverse_etl_unpack';
COMMENT ON FUNCTION reverse_etl_internal.unpack(oid, bigint) IS 'takes a row of the outbox out of its pack: it is one of its own afterwards';

CREATE FUNCTION reverse_etl_internal.change_outbox() RETURNS trigger
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    IF TG_OP = 'INSERT' THEN
        INSERT INTO reverse_etl_internal.outbox
               (id, push, sync, destination, operation, enqueued_by, deliver_as, enqueued_at, attempts, next_attempt_at, key, "row", reasons)
        VALUES (NEW.id, NEW.push, NEW.sync, NEW.destination, NEW.operation, NEW.enqueued_by, NEW.deliver_as, NEW.enqueued_at,
                NEW.attempts, NEW.next_attempt_at, NEW.key, NEW."row", NEW.reasons);
        RETURN NEW;
    END IF;
    PERFORM reverse_etl_internal.unpack(OLD.destination, OLD.id);
    IF TG_OP = 'DELETE' THEN
        DELETE FROM reverse_etl_internal.outbox AS o WHERE o.destination = OLD.destination AND o.id = OLD.id;
        RETURN CASE WHEN FOUND THEN OLD END;
    END IF;
    UPDATE reverse_etl_internal.outbox AS o
       SET (id, push, sync, destination, operation, enqueued_by, deliver_as, enqueued_at, attempts, next_attempt_at, key, "row", reasons)
         = (NEW.id, NEW.push, NEW.sync, NEW.destination, NEW.operation, NEW.enqueued_by, NEW.deliver_as, NEW.enqueued_at,
            NEW.attempts, NEW.next_attempt_at, NEW.key, NEW."row", NEW.reasons)
     WHERE o.destination = OLD.destination AND o.id = OLD.id;
    RETURN CASE WHEN FOUND THEN NEW END;
END
$$;
COMMENT ON FUNCTION reverse_etl_internal.change_outbox() IS 'adds, deletes or changes a row of the outbox, for a superuser';
CREATE TRIGGER change_outbox INSTEAD OF INSERT OR UPDATE OR DELETE ON reverse_etl.outbox
    FOR EACH ROW EXECUTE FUNCTION reverse_etl_internal.change_outbox();
COMMENT ON TRIGGER change_outbox ON reverse_etl.outbox IS 'the rows lie in other tables, many to a pack';

REVOKE ALL ON FUNCTION reverse_etl_internal.unpack(oid, bigint), reverse_etl_internal.change_outbox() FROM PUBLIC;

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
