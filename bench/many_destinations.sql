-- What bench/many_destinations measures: one destination, many at one server, and many at a server each. Run with
-- psql --set=destinations=N --set=rows=N --set=sandbox_url=URL.
\set some_rows 1
\ir contacts.sql
\o /dev/null

-- make_destination(NAME, SERVER): that queues contacts for the http server of that name.
CREATE FUNCTION make_destination(name text, server text) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    EXECUTE format($statement$
        CREATE FOREIGN TABLE %I (email text, firstname text, lastname text, phone text, city text, score integer,
            amount numeric, subscribed boolean, signed_up timestamptz)
            SERVER %I OPTIONS (path '/http/contacts', batch_size '100', idempotency_key 'Idempotency-Key', delivery 'queued')
        $statement$, name, server);
END
$$;
CREATE FUNCTION make_server(name text, base_url text) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    EXECUTE format('CREATE SERVER %I FOREIGN DATA WRAPPER reverse_etl '
                   'OPTIONS (connector ''http'', base_url %L, rate_limit ''none'')', name, base_url);
    EXECUTE format('CREATE USER MAPPING FOR PUBLIC SERVER %I', name);
END
$$;
SELECT make_destination('one', 'http');
SELECT make_destination('table_' || n, 'http') FROM generate_series(1, :destinations) AS n;
SELECT make_server('server_' || n, :'sandbox_url') FROM generate_series(1, :destinations) AS n;
SELECT make_destination('apart_' || n, 'server_' || n) FROM generate_series(1, :destinations) AS n;

-- Each destination's part of the contacts, or all of them to one.
CREATE FUNCTION queue_for(name text, destinations integer) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    IF destinations = 1 THEN
        INSERT INTO one SELECT * FROM contacts;
        RETURN;
    END IF;
    FOR n IN 1 .. destinations LOOP
        EXECUTE format('INSERT INTO %I SELECT * FROM contacts LIMIT %s OFFSET %s', name || '_' || n,
                       (SELECT count(*) FROM contacts) / destinations, (n - 1) * (SELECT count(*) FROM contacts) / destinations);
    END LOOP;
END
$$;
