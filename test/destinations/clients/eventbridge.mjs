// @aws-sdk/client-eventbridge against the stand-in.
import assert from 'node:assert/strict';
import { createRequire } from 'node:module';

const { EventBridge } = createRequire(import.meta.url)('@aws-sdk/client-eventbridge');

export default async function prove({ url, credentials }) {
    const of = (accessKeyId) => new EventBridge({ endpoint: url, region: 'eu-central-1', credentials: { accessKeyId, secretAccessKey: credentials.secret_access_key }, maxAttempts: 1 });
    const client = of(credentials.access_key_id);
    const event = { Source: 'com.acme', DetailType: 'changed', Detail: '{"name":"Zoë"}', EventBusName: 'crm', Time: new Date('2026-01-02T03:04:05Z'), Resources: ['arn:aws:a'] };
    const put = (...Entries) => client.putEvents({ Entries });
    const made = await put(event, { ...event, Source: 'aws.s3' }, { ...event, Detail: '[' }, { ...event, DetailType: undefined });
    assert.deepEqual(made.Entries.map(({ EventId, ErrorCode }) => ErrorCode ?? typeof EventId), ['string', 'NotAuthorizedForSourceException', 'MalformedDetail', 'InvalidArgument']);
    assert.equal(made.FailedEntryCount, 3);
    const refused = (call, name) => assert.rejects(call, (error) => error.name === name);
    await refused(put(...Array.from({ length: 11 }, () => event)), 'ValidationException');
    await refused(put({ ...event, Detail: JSON.stringify({ x: 'x'.repeat(262144) }) }), 'ValidationException');
    assert.equal((await client.listEventBuses({ Limit: 1 })).EventBuses[0].Name, 'default');
    await refused(of('ANOTHER').putEvents({ Entries: [event] }), 'UnrecognizedClientException');
}
