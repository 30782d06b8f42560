-- What CREATE EXTENSION brings.
CREATE EXTENSION reverse_etl;

SELECT name, title, built_in, objects FROM reverse_etl.connectors ORDER BY name;

SELECT name, place, type, default_value, superuser_only FROM reverse_etl.options;

-- Everything has a comment.
SELECT pg_describe_object(classid, objid, 0) AS lacks_a_comment
  FROM pg_depend
 WHERE refclassid = 'pg_extension'::regclass AND deptype = 'e'
   AND refobjid = (SELECT oid FROM pg_extension WHERE extname = 'reverse_etl')
   AND classid IN ('pg_proc'::regclass, 'pg_class'::regclass, 'pg_foreign_data_wrapper'::regclass)
   AND obj_description(objid, classid::regclass::name) IS NULL
   AND NOT EXISTS (SELECT FROM pg_class WHERE oid = objid AND relkind IN ('S', 'i'));

-- Nothing that takes a URL or spends a quota is granted to everybody.
SELECT proname, proacl IS NULL OR 'anyone' IN (SELECT 'anyone' FROM aclexplode(proacl) WHERE grantee = 0) AS for_everybody
  FROM pg_proc WHERE pronamespace = 'reverse_etl'::regnamespace ORDER BY proname;
