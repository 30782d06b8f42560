// @aws-sdk/client-athena against the stand-in: what it sends and reads is what connectors/athena.json does.
import assert from 'node:assert/strict';
import { createRequire } from 'node:module';

const { AthenaClient, GetQueryExecutionCommand, GetQueryResultsCommand, GetWorkGroupCommand, StartQueryExecutionCommand, StopQueryExecutionCommand } = createRequire(import.meta.url)('@aws-sdk/client-athena');

export default async function prove({ url, credentials }) {
    const with_ = (secretAccessKey) => new AthenaClient({ endpoint: url, region: 'eu-central-1', maxAttempts: 1, credentials: { accessKeyId: credentials.access_key_id, secretAccessKey } });
    const client = with_(credentials.secret_access_key);
    const start = (QueryString, more = {}) => client.send(new StartQueryExecutionCommand({ QueryString, QueryExecutionContext: { Catalog: 'AwsDataCatalog', Database: 'crm' }, WorkGroup: 'primary', ResultConfiguration: { OutputLocation: 's3://acme-results/' }, ...more }));
    const end = async (QueryExecutionId) => {
        for (;;) {
            const { QueryExecution } = await client.send(new GetQueryExecutionCommand({ QueryExecutionId }));
            if (!['QUEUED', 'RUNNING'].includes(QueryExecution.Status.State)) return QueryExecution;
        }
    };
    assert.equal((await client.send(new GetWorkGroupCommand({ WorkGroup: 'primary' }))).WorkGroup.Name, 'primary');
    // Pages, types and parameters.
    const { QueryExecutionId } = await start('SELECT * FROM "AwsDataCatalog"."crm"."customers" WHERE "visits" >= CAST(? AS BIGINT) AND "first_name" <> ? ORDER BY "visits"', { ExecutionParameters: ["'1000000000'", "'it''s'"] });
    const done = await end(QueryExecutionId);
    assert.equal(done.Status.State, 'SUCCEEDED');
    assert.ok(done.Statistics.DataScannedInBytes > 0);
    const rows = [];
    let columns, NextToken;
    do {
        const page = await client.send(new GetQueryResultsCommand({ QueryExecutionId, NextToken }));
        columns = page.ResultSet.ResultSetMetadata.ColumnInfo;
        rows.push(...page.ResultSet.Rows);
        NextToken = page.NextToken;
    } while (NextToken);
    assert.equal(rows.length, 2498);
    assert.deepEqual(rows[0].Data.map((cell) => cell.VarCharValue), columns.map(({ Name }) => Name));
    const row = Object.fromEntries(columns.map(({ Name }, i) => [Name, rows[1].Data[i].VarCharValue]));
    assert.deepEqual([row.email, row.visits, row.price, row.active, row.born, row.created, row.photo], ['c1@example.com', '1000000000', '0.125000000', 'false', '2020-01-02', '2026-01-01 00:00:01.000000 UTC', '70 31']);
    // A token that was used, SQL that is wrong, a query that is stopped, and a secret that is another.
    const ClientRequestToken = 'a-token-of-thirty-two-characters';
    assert.equal((await start('SELECT 1', { ClientRequestToken })).QueryExecutionId, (await start('SELECT 1', { ClientRequestToken })).QueryExecutionId);
    assert.match((await end((await start('SELECT * FROM nobody')).QueryExecutionId)).Status.StateChangeReason, /nobody/);
    await client.send(new StopQueryExecutionCommand({ QueryExecutionId: (await start('SELECT 1')).QueryExecutionId }));
    await assert.rejects(start('SELECT ?'), (error) => error.name === 'InvalidRequestException');
    await assert.rejects(with_('wrong').send(new GetWorkGroupCommand({ WorkGroup: 'primary' })), (error) => error.name === 'InvalidSignatureException');
}
