-- What CREATE EXTENSION brings.
CREATE EXTENSION reverse_etl;

-- Whatever came with it says what it is.
SELECT name AS says_too_little FROM reverse_etl.connectors
 WHERE title IS NULL OR category IS NULL OR '{}' IN (objects, auth) OR operations = '{}' AND NOT reverse_etl.show_manifest(name)::jsonb ?| '{statement,files}' OR documentation IS NULL OR version IS NULL OR NOT built_in;

SELECT name, place, type, default_value, superuser_only FROM reverse_etl.options;

-- Everything has a comment.
SELECT pg_describe_object(classid, objid, 0) AS lacks_a_comment
  FROM pg_depend
 WHERE refclassid = 'pg_extension'::regclass AND deptype = 'e'
   AND refobjid = (SELECT oid FROM pg_extension WHERE extname = 'reverse_etl')
   AND classid IN ('pg_proc'::regclass, 'pg_class'::regclass, 'pg_foreign_data_wrapper'::regclass)
   AND obj_description(objid, classid::regclass::name) IS NULL
   AND NOT EXISTS (SELECT FROM pg_class WHERE oid = objid AND relkind IN ('S', 'i'));

-- No function that is written in SQL depends on the settings of its caller.
SELECT p.oid::regprocedure AS depends_on_its_caller, wanted
  FROM pg_proc AS p JOIN pg_language AS l ON l.oid = p.prolang,
       unnest('{"search_path=pg_catalog, pg_temp", standard_conforming_strings=on, backslash_quote=safe_encoding,
                transform_null_equals=off, array_nulls=on, quote_all_identifiers=off, DateStyle=iso,
                IntervalStyle=postgres}'::text[]) AS wanted
 WHERE p.pronamespace = ANY ('{reverse_etl,reverse_etl_internal}'::regnamespace[]) AND l.lanname IN ('sql', 'plpgsql')
   AND wanted <> ALL (COALESCE(p.proconfig, '{}'))
 ORDER BY 1, 2;

-- Nothing that takes a URL or spends a quota is granted to everybody.
SELECT proname, proacl IS NULL OR 'anyone' IN (SELECT 'anyone' FROM aclexplode(proacl) WHERE grantee = 0) AS for_everybody
  FROM pg_proc WHERE pronamespace = ANY ('{reverse_etl,reverse_etl_internal}'::regnamespace[]) ORDER BY proname;

-- What people call and read fits a screen each, in \df, \dt and \dv; the rest is in a schema of its own.
SELECT n.nspname, (SELECT count(*) FROM pg_proc WHERE pronamespace = n.oid) <= 46 AS few_functions,
       (SELECT count(*) FROM pg_class WHERE relnamespace = n.oid AND relkind = 'r') <= 20 AS few_tables,
       (SELECT count(*) FROM pg_class WHERE relnamespace = n.oid AND relkind = 'v') <= 20 AS few_views
  FROM pg_namespace AS n WHERE n.nspname = 'reverse_etl';
SELECT classid::regclass, objid::regclass FROM pg_depend JOIN pg_class ON pg_class.oid = objid
 WHERE refobjid = (SELECT oid FROM pg_extension WHERE extname = 'reverse_etl') AND deptype = 'e' AND classid = 'pg_class'::regclass
   AND relnamespace NOT IN ('reverse_etl'::regnamespace, 'reverse_etl_internal'::regnamespace);
