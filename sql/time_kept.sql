-- History ends: pushes, runs and alerts are kept for a while, rejected rows until somebody says otherwise.
\set VERBOSITY terse
LOAD 'reverse_etl';
SHOW reverse_etl.keep_history;
SHOW reverse_etl.keep_rejected_rows;
-- The value is checked where it is set.
SET reverse_etl.keep_history = 'P1Y2M';
SET reverse_etl.keep_history = '3 months 4 days';
SET reverse_etl.keep_rejected_rows = 'forever';
\set VERBOSITY default
SET reverse_etl.keep_history = 'a while';
SET reverse_etl.keep_history = '0';
SET reverse_etl.keep_history = '-1 day';
SET reverse_etl.keep_history = '';
SET reverse_etl.keep_history = 'now';
SET reverse_etl.keep_rejected_rows = '90 00:00:-1 days';
\set VERBOSITY terse
SHOW reverse_etl.keep_history;
CREATE ROLE regress_historian;
SET ROLE regress_historian;
SET reverse_etl.keep_history = '1 day';
SELECT reverse_etl.purge_history('1 day');
RESET ROLE;
SELECT reverse_etl_internal.time_span(span) FROM unnest('{90 days,P1Y2M,forever,a while,-1 day,0}'::text[]) AS span;

-- A push for each day of the last year, of which some are not over; runs of a sync, of which few were completed.
CREATE SERVER history FOREIGN DATA WRAPPER reverse_etl OPTIONS (connector 'http', base_url 'http://127.0.0.1:1');
CREATE USER MAPPING FOR CURRENT_USER SERVER history;
CREATE FOREIGN TABLE place (id integer, v text) SERVER history OPTIONS (path '/x', key 'id', insert_as 'upsert');
CREATE TABLE source (id integer PRIMARY KEY, v text);
SELECT reverse_etl.create_sync('old', 'SELECT id, v FROM source', 'place', '{id}') AS old,
       reverse_etl.create_sync('seldom', 'SELECT id, v FROM source', 'place', '{id}') AS seldom \gset
TRUNCATE reverse_etl.audit_log, reverse_etl.rejected_rows;
INSERT INTO reverse_etl.audit_log (destination, destination_name, operation, statement, delivery, outcome, session_role, role,
                                   session_role_id, role_id, application_name, pid, started_at, finished_at)
SELECT 'place', 'place', 'create', 'INSERT', 'queued', CASE n % 100 WHEN 99 THEN 'queued' WHEN 98 THEN 'unknown' ELSE 'completed' END,
       'x', 'x', 0::oid, 0::oid, '', 0, now() - n * interval '1 day', CASE WHEN n % 100 < 98 THEN now() - n * interval '1 day' END
  FROM generate_series(364, 0, -1) AS n;
INSERT INTO reverse_etl.runs (sync_id, sync, status, requested_by, started_at, queued_at, finished_at)
SELECT :old, 'old', CASE n % 3 WHEN 0 THEN 'completed' ELSE 'skipped' END, 'x', now() - n * interval '1 day',
       now() - n * interval '1 day', now() - n * interval '1 day'
  FROM generate_series(364, 0, -1) AS n;
INSERT INTO reverse_etl.runs (sync_id, sync, status, requested_by, started_at, queued_at, finished_at)
SELECT :seldom, 'seldom', status, 'x', now() - n * interval '1 year', now() - n * interval '1 year',
       CASE WHEN status <> 'held' THEN now() - n * interval '1 year' END
  FROM unnest('{failed,completed,failed,completed,completed,cancelled,completed,completed,held}'::text[]) WITH ORDINALITY AS t (status, place),
       LATERAL (SELECT 20 - place AS n) AS years;
INSERT INTO reverse_etl_internal.invalid_rows (run_id, quarantined, key, reason, "row")
SELECT min(id), false, '{}', 'why', '{}' FROM reverse_etl.runs, generate_series(1, 2500) AS of_run GROUP BY of_run;
INSERT INTO reverse_etl.alerts (sync_id, sync, event, message, created_at)
SELECT :old, 'old', 'failed', 'why', now() - n * interval '1 day' FROM generate_series(364, 0, -1) AS n;
INSERT INTO reverse_etl.rejected_rows (destination, destination_name, operation, row_number, "row", reason, statement_at, rejected_by, role_id, rejected_at)
SELECT 'place', 'place', 'create', n, '{}', 'why', now(), 'x', 0::oid, now() - n * interval '1 day' FROM generate_series(364, 0, -1) AS n;
CREATE VIEW kept AS
SELECT (SELECT count(*) FROM reverse_etl.audit_log) AS pushes, (SELECT count(*) FROM reverse_etl.runs WHERE sync = 'old') AS runs,
       (SELECT string_agg(status, ' ' ORDER BY id) FROM reverse_etl.runs WHERE sync = 'seldom') AS of_seldom,
       (SELECT count(*) FROM reverse_etl_internal.invalid_rows) AS invalid, (SELECT count(*) FROM reverse_etl.alerts) AS alerts,
       (SELECT count(*) FROM reverse_etl.rejected_rows) AS rejected;
SELECT * FROM kept;

-- One step of the worker takes a thousand rows, and the next goes on where it ended.
SET reverse_etl.keep_history = 'forever';
SELECT reverse_etl_internal.purge_step('audit_log', 0);
SET reverse_etl.keep_history = '300 days';
SELECT reverse_etl_internal.purge_step('invalid_rows', 0) IS NOT NULL AS more, reverse_etl_internal.purge_step('invalid_rows', 0) IS NOT NULL AS more;
SELECT reverse_etl_internal.purge_step('runs', 0), reverse_etl_internal.purge_step('alerts', 0),
       reverse_etl_internal.purge_step('audit_log', 0), reverse_etl_internal.purge_step('rejected_rows', 0);
SELECT * FROM kept;
SELECT reverse_etl_internal.purge_step('invalid_rows', 0), reverse_etl_internal.purge_step('runs', 0);
-- What is set for the database counts, also in a session that began before.
SELECT format('ALTER DATABASE %I SET reverse_etl.keep_rejected_rows = ''200 days''', current_database()) \gexec
SELECT reverse_etl_internal.purge_step('rejected_rows', 0);
SELECT format('ALTER DATABASE %I RESET reverse_etl.keep_rejected_rows', current_database()) \gexec
SELECT * FROM kept;
-- And at once, for whoever may.
SELECT reverse_etl.purge_history(NULL);
SELECT reverse_etl.purge_history('-1 day');
SELECT reverse_etl.purge_history('30 days');
SELECT * FROM kept;
SELECT DISTINCT outcome FROM reverse_etl.audit_log WHERE started_at < now() - interval '31 days';
GRANT EXECUTE ON FUNCTION reverse_etl.purge_history(interval) TO regress_historian;
SET ROLE regress_historian;
SELECT reverse_etl.purge_history('0');
RESET ROLE;
SELECT * FROM kept;

DROP VIEW kept;
SELECT reverse_etl.drop_sync('old'), reverse_etl.drop_sync('seldom');
REVOKE EXECUTE ON FUNCTION reverse_etl.purge_history(interval) FROM regress_historian;
DROP ROLE regress_historian;
DROP TABLE source;
DROP SERVER history CASCADE;
TRUNCATE reverse_etl.audit_log, reverse_etl.rejected_rows;
