// @aws-sdk/client-redshift-data against the stand-in: what it sends and reads is what connectors/redshift.json does.
import assert from 'node:assert/strict';
import { createRequire } from 'node:module';

const { CancelStatementCommand, DescribeStatementCommand, ExecuteStatementCommand, GetStatementResultCommand, ListStatementsCommand, RedshiftDataClient } = createRequire(import.meta.url)('@aws-sdk/client-redshift-data');

export default async function prove({ url, credentials }) {
    const with_ = (secretAccessKey) => new RedshiftDataClient({ endpoint: url, region: 'eu-central-1', maxAttempts: 1, credentials: { accessKeyId: credentials.access_key_id, secretAccessKey } });
    const client = with_(credentials.secret_access_key);
    const start = (Sql, more = {}) => client.send(new ExecuteStatementCommand({ Sql, Database: 'dev', WorkgroupName: 'analytics', ...more }));
    const end = async (Id) => {
        for (;;) {
            const told = await client.send(new DescribeStatementCommand({ Id }));
            if (!['SUBMITTED', 'PICKED', 'STARTED'].includes(told.Status)) return told;
        }
    };
    await client.send(new ListStatementsCommand({ MaxResults: 1 }));
    // Pages, types and parameters.
    const { Id } = await start('SELECT * FROM "dev"."crm"."customers" WHERE "visits" >= CAST(:p1 AS BIGINT) ORDER BY "visits"', { Parameters: [{ name: 'p1', value: '1000000000' }] });
    const done = await end(Id);
    assert.deepEqual([done.Status, done.HasResultSet, done.ResultRows], ['FINISHED', true, 2497]);
    const rows = [];
    let columns, NextToken;
    do {
        const page = await client.send(new GetStatementResultCommand({ Id, NextToken }));
        columns = page.ColumnMetadata;
        rows.push(...page.Records);
        NextToken = page.NextToken;
    } while (NextToken);
    assert.equal(rows.length, 2497);
    const row = Object.fromEntries(columns.map(({ name }, i) => [name, rows[0][i]]));
    assert.deepEqual([row.email.stringValue, row.visits.longValue, row.price.stringValue, row.score.doubleValue, row.active.booleanValue, row.born.stringValue, row.created.stringValue], ['c1@example.com', 1000000000, '0.125000000', 0.25, false, '2020-01-02', '2026-01-01 00:00:01+00']);
    // A token that was used, SQL that is wrong, a statement that has ended, and a secret that is another.
    assert.equal((await start('SELECT 1', { ClientToken: 'twice' })).Id, (await start('SELECT 1', { ClientToken: 'twice' })).Id);
    assert.match((await end((await start('SELECT * FROM nobody')).Id)).Error, /nobody/);
    await assert.rejects(client.send(new CancelStatementCommand({ Id })), (error) => error.name === 'ValidationException');
    await assert.rejects(start('SELECT :p1'), (error) => error.name === 'ValidationException');
    await assert.rejects(with_('wrong').send(new ListStatementsCommand({})), (error) => error.name === 'InvalidSignatureException');
}
