// @clickhouse/client against the stand-in.
import assert from 'node:assert/strict';
import { createRequire } from 'node:module';

const { createClient } = createRequire(import.meta.url)('@clickhouse/client');

export default async function prove({ url, credentials }) {
    const client = createClient({ url, ...credentials, log: { level: 127 } });
    const values = [{ id: 1, page: '/a', at: '2026-01-02T03:04:05.678+00:00', tags: ['a'] }, { id: 2, page: '/b', price: 1.5 }];
    const clickhouse_settings = { date_time_input_format: 'best_effort', input_format_skip_unknown_fields: 0, insert_deduplication_token: 'x', wait_end_of_query: 1 };
    const insert = (table, rows) => client.insert({ table, values: rows, format: 'JSONEachRow', clickhouse_settings });
    assert.equal((await insert('visits', values)).summary.written_rows, '2');
    await insert('people', [{ id: 1, page: '/a' }, { id: 1, page: '/b' }]);
    const read = async (query, query_params) => (await (await client.query({ query, query_params, format: 'JSON' })).json()).data;
    assert.deepEqual(await read('SELECT * FROM visits'), values);
    assert.deepEqual(await read('SELECT * FROM people'), [{ id: 1, page: '/b' }]);
    assert.deepEqual(await read('SELECT currentUser() AS user'), [{ user: 'reverse_etl' }]);
    const refused = (call, code) => assert.rejects(call, (error) => error.code === code);
    await refused(insert('visits', [{ id: 'x' }]), '27');
    await refused(insert('visits', [{ nobody: 1 }]), '117');
    await refused(insert('nowhere', values), '60');
    await refused(read('SELECT 1 +'), '62');
    await refused(createClient({ url, username: 'x', password: 'y', log: { level: 127 } }).insert({ table: 'visits', values, format: 'JSONEachRow' }), '516');
    await client.close();
}
