-- What pg_dump takes of the extension's own tables. Not: rows that wait in the outbox, what a destination is held for, and
-- pauses, for a restored copy must not send for its original. sync_N_state and sync_N_rows are made later and are no members
-- of the extension: pg_dump takes them like any table.

SELECT pg_catalog.pg_extension_config_dump('reverse_etl_internal.custom_connectors', '');
SELECT pg_catalog.pg_extension_config_dump('reverse_etl_internal.refresh_tokens', '');
SELECT pg_catalog.pg_extension_config_dump('reverse_etl_internal.outbox_id_seq', '');
SELECT pg_catalog.pg_extension_config_dump('reverse_etl.audit_log', '');
SELECT pg_catalog.pg_extension_config_dump('reverse_etl.audit_log_id_seq', '');
SELECT pg_catalog.pg_extension_config_dump('reverse_etl.rejected_rows', '');
SELECT pg_catalog.pg_extension_config_dump('reverse_etl.rejected_rows_id_seq', '');
SELECT pg_catalog.pg_extension_config_dump('reverse_etl.identity', '');
SELECT pg_catalog.pg_extension_config_dump('reverse_etl.streams', '');
SELECT pg_catalog.pg_extension_config_dump('reverse_etl_internal.sync_id_seq', '');
SELECT pg_catalog.pg_extension_config_dump('reverse_etl_internal.sync_definitions', '');
SELECT pg_catalog.pg_extension_config_dump('reverse_etl.runs', '');
SELECT pg_catalog.pg_extension_config_dump('reverse_etl.runs_id_seq', '');
SELECT pg_catalog.pg_extension_config_dump('reverse_etl_internal.invalid_rows', '');
SELECT pg_catalog.pg_extension_config_dump('reverse_etl.alerts', '');
SELECT pg_catalog.pg_extension_config_dump('reverse_etl.alerts_id_seq', '');
SELECT pg_catalog.pg_extension_config_dump('reverse_etl_internal.sync_streams', '');
