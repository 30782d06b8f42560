-- What was dropped leaves nothing behind that could be taken for another's.

-- An oid that is nobody's may be another table's tomorrow, or where a dump is restored. Who is about to discard rows, and
-- may need no right on the table for it, is not waited for.
CREATE FUNCTION reverse_etl_internal.forget_destination(destinations oid[]) RETURNS void
LANGUAGE sql SET search_path = pg_catalog, pg_temp
BEGIN ATOMIC
    UPDATE reverse_etl.rejected_rows SET destination = NULL
     WHERE id IN (SELECT id FROM reverse_etl.rejected_rows WHERE destination = ANY (destinations) FOR UPDATE SKIP LOCKED);
    UPDATE reverse_etl.audit_log SET destination = NULL WHERE destination = ANY (destinations);
END;
COMMENT ON FUNCTION reverse_etl_internal.forget_destination(oid[]) IS 'rejected rows and pushes of tables that are dropped keep the name only';

-- The destinations of rejected rows are looked for one after the other: they are few, and the rows many.
CREATE FUNCTION reverse_etl_internal.forget_dropped_destinations() RETURNS void
LANGUAGE sql SET search_path = pg_catalog, pg_temp
BEGIN ATOMIC
    DELETE FROM reverse_etl.pauses AS p
     WHERE reverse_etl_internal.paused_server(p.server, p.server_name, p.cluster) IS NULL
       AND NOT EXISTS (SELECT FROM pg_foreign_table AS t WHERE t.ftrelid = p.destination);
    DELETE FROM reverse_etl.destination_states AS d
     WHERE NOT EXISTS (SELECT FROM pg_foreign_table AS t WHERE t.ftrelid = d.destination);
    -- Until its rows are rejected it is known of them what may have been carried out.
    DELETE FROM reverse_etl_internal.outbox_requests AS r
     WHERE NOT EXISTS (SELECT FROM pg_foreign_table AS t WHERE t.ftrelid = r.destination)
       AND NOT EXISTS (SELECT FROM reverse_etl_internal.outbox AS o WHERE o.destination = r.destination);
    DELETE FROM reverse_etl_internal.outbox_jobs AS j
     WHERE NOT EXISTS (SELECT FROM pg_foreign_table AS t WHERE t.ftrelid = j.destination)
       AND NOT EXISTS (SELECT FROM reverse_etl_internal.outbox AS o WHERE o.destination = j.destination);
    WITH RECURSIVE of_rejected (destination) AS (
        (SELECT destination FROM reverse_etl.rejected_rows WHERE destination IS NOT NULL ORDER BY destination LIMIT 1)
        UNION ALL
        SELECT next.destination FROM of_rejected AS known,
               LATERAL (SELECT r.destination FROM reverse_etl.rejected_rows AS r WHERE r.destination > known.destination
                         ORDER BY r.destination LIMIT 1) AS next
    )
    SELECT reverse_etl_internal.forget_destination(array_agg(destination::oid)) FROM of_rejected
     WHERE NOT EXISTS (SELECT FROM pg_class WHERE oid = destination)
    HAVING count(*) > 0;
END;
COMMENT ON FUNCTION reverse_etl_internal.forget_dropped_destinations() IS 'removes what is left of servers and destinations that were dropped';

REVOKE ALL ON FUNCTION reverse_etl_internal.forget_destination(oid[]), reverse_etl_internal.forget_dropped_destinations() FROM PUBLIC;
