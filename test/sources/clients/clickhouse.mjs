// @clickhouse/client against the stand-in: what it sends and reads is what connectors/clickhouse.json does.
import assert from 'node:assert/strict';
import { createRequire } from 'node:module';

const { createClient } = createRequire(import.meta.url)('@clickhouse/client');

export default async function prove({ url, credentials }) {
    const client = createClient({ url, ...credentials, database: 'crm', compression: { response: true } });
    assert.deepEqual(await client.ping(), { success: true });
    // Types, parameters, and what the answer says of columns.
    const result = await client.query({ query: 'SELECT * FROM `crm`.`customers` WHERE `visits` >= {visits:Int64} AND `first_name` <> {name:String} ORDER BY `visits`', query_params: { visits: 1000000000, name: "it's\ta \\ b" }, format: 'JSONCompact',
        clickhouse_settings: { date_time_output_format: 'iso', output_format_json_quote_denormals: 1, output_format_json_quote_decimals: 1, wait_end_of_query: 1, readonly: '2', max_execution_time: 60 } });
    const { meta, data, rows } = await result.json();
    assert.equal(rows, 2497);
    const row = Object.fromEntries(meta.map(({ name }, i) => [name, data[0][i]]));
    assert.deepEqual([row.email, row.visits, row.price, row.active, row.born, row.created, row.extra], ['c1@example.com', '1000000000', '0.125000000', false, '2020-01-02', '2026-01-01T00:00:01.000000Z', { n: 1 }]);
    assert.equal(meta.find(({ name }) => name === 'visits').type, 'Nullable(Int64)');
    // SQL that is wrong, a parameter that is missing, and a statement that is ended.
    await assert.rejects(client.query({ query: 'SELECT * FROM nobody', format: 'JSON' }), (error) => error.code === '60' && /nobody/.test(error.message));
    await assert.rejects(client.query({ query: 'SELECT {x:Int64}', format: 'JSON' }), (error) => error.code === '456');
    await client.command({ query: "KILL QUERY WHERE query_id = 'nobody' ASYNC" });
    await assert.rejects(createClient({ url, username: 'sync', password: 'wrong' }).query({ query: 'SELECT 1', format: 'JSON' }), (error) => error.code === '516');
    await client.close();
}
