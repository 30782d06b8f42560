// @aws-sdk/client-kinesis against the stand-in.
import assert from 'node:assert/strict';
import { createRequire } from 'node:module';

const require = createRequire(import.meta.url);
const { Kinesis } = require('@aws-sdk/client-kinesis');
const { NodeHttpHandler } = require('@smithy/node-http-handler');

export default async function prove({ url, credentials }) {
    const of = (accessKeyId) => new Kinesis({
        endpoint: url, region: 'eu-central-1', credentials: { accessKeyId, secretAccessKey: credentials.secret_access_key }, maxAttempts: 1, requestHandler: new NodeHttpHandler(),
    });
    const client = of(credentials.access_key_id);
    const record = (PartitionKey, value, more) => ({ PartitionKey, Data: Buffer.from(JSON.stringify(value)), ...more });
    const put = (Records, StreamName = 'orders') => client.putRecords({ StreamName, Records });
    const made = await put([record('a', { name: 'Zoë' }), record('hot', 1), record('b', [2], { ExplicitHashKey: '7' })]);
    assert.deepEqual([made.FailedRecordCount, ...made.Records.map(({ ErrorCode }) => ErrorCode)], [1, undefined, 'ProvisionedThroughputExceededException', undefined]);
    assert.match(made.Records[0].SequenceNumber, /^\d+$/);
    const refused = (call, name) => assert.rejects(call, (error) => error.name === name);
    await refused(put([record('x'.repeat(257), 1)]), 'ValidationException');
    await refused(put(Array.from({ length: 501 }, () => record('a', 1))), 'ValidationException');
    await refused(put([record('a', 1)], 'nowhere'), 'ResourceNotFoundException');
    const first = await client.listStreams({ Limit: 1 });
    assert.deepEqual((await client.listStreams({ NextToken: first.NextToken })).StreamNames, ['orders']);
    await refused(of('ANOTHER').putRecords({ StreamName: 'orders', Records: [record('a', 1)] }), 'UnrecognizedClientException');
}
