-- What is made here means the same whatever the settings of the session are: these go with the end of the script. It has
-- no backslash outside of function bodies, since the whole script is read before any of it runs.

SET LOCAL transform_null_equals = off;
SET LOCAL array_nulls = on;
SET LOCAL quote_all_identifiers = off;
SET LOCAL DateStyle = ISO;
SET LOCAL IntervalStyle = postgres;
SET LOCAL default_table_access_method = heap;
