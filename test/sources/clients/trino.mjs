// trino-client against the stand-in: what it sends and reads is what connectors/trino.json does.
import assert from 'node:assert/strict';
import { createRequire } from 'node:module';

const { BasicAuth, Trino } = createRequire(import.meta.url)('trino-client');

export default async function prove({ url, credentials }) {
    const trino = Trino.create({ server: url, catalog: 'hive', schema: 'crm', auth: new BasicAuth(credentials.username, credentials.password), extraHeaders: { 'X-Trino-Client-Capabilities': 'PARAMETRIC_DATETIME' } });
    const read = async (sql) => {
        let columns = [], error;
        const rows = [];
        for await (const page of await trino.query(sql)) {
            columns = page.columns ?? columns;
            error ??= page.error;
            rows.push(...page.data ?? []);
        }
        return { columns, rows, error };
    };
    // Pages, types and parameters.
    const { columns, rows } = await read(`EXECUTE IMMEDIATE 'SELECT * FROM "hive"."crm"."customers" WHERE "visits" >= CAST(? AS BIGINT) AND "first_name" <> ? ORDER BY "visits"' USING '1000000000', 'it''s'`);
    assert.equal(rows.length, 2497);
    const row = Object.fromEntries(columns.map(({ name }, i) => [name, rows[0][i]]));
    assert.deepEqual([row.email, row.visits, row.price, row.active, row.born, row.seen, row.created, row.photo], ['c1@example.com', 1000000000, '0.125000000', false, '2020-01-02', '2026-01-01 00:00:01.000000', '2026-01-01 00:00:01.000000 UTC', 'cDE=']);
    assert.equal(columns.find(({ name }) => name === 'created').typeSignature.rawType, 'timestamp with time zone');
    // SQL that is wrong, a query that is cancelled, and one that is nobody's.
    assert.match((await read('SELECT * FROM nobody')).error.message, /nobody/);
    const query = await trino.query('SELECT 1');
    const first = await query.next();
    await trino.cancel(first.value.id);
    await assert.rejects(trino.cancel('20260101_000000_00000_xxxxx'), (error) => error.response.status === 404);
    await assert.rejects(Trino.create({ server: url, catalog: 'hive', schema: 'crm', auth: new BasicAuth('sync', 'wrong') }).query('SELECT 1'), (error) => error.response.status === 401);
}
