// @databricks/sdk-experimental against the stand-in: what it sends and reads is what connectors/databricks.json does.
import assert from 'node:assert/strict';
import { createRequire } from 'node:module';

const { WorkspaceClient } = createRequire(import.meta.url)('@databricks/sdk-experimental');

export default async function prove({ url, credentials }) {
    const client = new WorkspaceClient({ host: url, clientId: credentials.client_id, clientSecret: credentials.client_secret, authType: 'oauth-m2m', env: {} });
    const simple = new WorkspaceClient({ host: url, token: credentials.access_token, authType: 'pat', env: {} });
    for (const { statementExecution: api } of [simple, client]) {
        const asked = { warehouse_id: 'abcdef0123456789', catalog: 'sales', schema: 'crm', format: 'JSON_ARRAY', wait_timeout: '0s' };
        const end = async (statement) => {
            while (['PENDING', 'RUNNING'].includes(statement.status.state)) statement = await api.getStatement({ statement_id: statement.statement_id });
            return statement;
        };
        const sql = 'SELECT * FROM `sales`.`crm`.`customers` WHERE `visits` >= :p1 ORDER BY `visits`';
        const parameters = [{ name: 'p1', value: '1000000000', type: 'BIGINT' }];
        // Rows at addresses of the storage, to which no credentials go, chunk by chunk.
        const done = await end(await api.executeStatement({ ...asked, statement: sql, parameters, disposition: 'EXTERNAL_LINKS' }));
        assert.equal(done.manifest.total_row_count, 2497);
        const rows = [];
        for (let chunk = done.result; chunk;) {
            const [link] = chunk.external_links;
            rows.push(...await (await fetch(link.external_link, { headers: link.http_headers })).json());
            chunk = link.next_chunk_index === undefined ? undefined : await api.getStatementResultChunkN({ statement_id: done.statement_id, chunk_index: link.next_chunk_index });
        }
        assert.equal(rows.length, 2497);
        const row = Object.fromEntries(done.manifest.schema.columns.map(({ name }, i) => [name, rows[0][i]]));
        assert.deepEqual([row.email, row.visits, row.price, row.active, row.born, row.created, row.photo], ['c1@example.com', '1000000000', '0.125000000', 'false', '2020-01-02', '2026-01-01T00:00:01.000000Z', 'cDE=']);
        assert.equal(done.manifest.schema.columns.find(({ name }) => name === 'created').type_name, 'TIMESTAMP');
        // Rows within answers.
        const inline = await end(await api.executeStatement({ ...asked, statement: sql, parameters, disposition: 'INLINE' }));
        assert.equal(inline.result.data_array.length, 1000);
        assert.equal(inline.result.next_chunk_index, 1);
        // SQL that is wrong, and a statement that is cancelled.
        const wrong = await end(await api.executeStatement({ ...asked, statement: 'SELECT * FROM nobody' }));
        assert.match(wrong.status.error.message, /nobody/);
        await api.cancelExecution({ statement_id: (await api.executeStatement({ ...asked, statement: 'SELECT 1' })).statement_id });
        await assert.rejects(api.getStatement({ statement_id: '00000000-0000-4000-8000-000000000000' }), /not found/);
    }
}
