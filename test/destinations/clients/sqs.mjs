// @aws-sdk/client-sqs against the stand-in.
import assert from 'node:assert/strict';
import { createRequire } from 'node:module';

const { SQS } = createRequire(import.meta.url)('@aws-sdk/client-sqs');

export default async function prove({ url, credentials }) {
    const of = (accessKeyId) => new SQS({
        endpoint: url, region: 'eu-central-1', credentials: { accessKeyId, secretAccessKey: credentials.secret_access_key }, maxAttempts: 1, useQueueUrlAsEndpoint: false,
    });
    const client = of(credentials.access_key_id);
    const queue = 'https://sqs.eu-central-1.amazonaws.com/123456789012/orders';
    const send = (Entries, QueueUrl = queue) => client.sendMessageBatch({ QueueUrl, Entries });
    const made = await send([{ Id: '1', MessageBody: '{"name":"Zoë"}', DelaySeconds: 5 }, { Id: '2', MessageBody: '2', DelaySeconds: 901 }, { Id: '3', MessageBody: '3', MessageGroupId: 'g' }]);
    assert.deepEqual([made.Successful.map(({ Id }) => Id).sort(), made.Failed.map(({ Id, SenderFault, Code }) => [Id, SenderFault, Code])], [['1', '3'], [['2', true, 'InvalidParameterValue']]]);
    const again = { MessageBody: '4', MessageGroupId: 'g', MessageDeduplicationId: 'd' };
    const twice = await send([{ Id: '1', ...again }, { Id: '2', ...again }], `${queue}.fifo`);
    assert.equal(new Set(twice.Successful.map(({ MessageId }) => MessageId)).size, 1);
    const refused = (call, name) => assert.rejects(call, (error) => error.name === name);
    await refused(send(Array.from({ length: 11 }, (_, index) => ({ Id: String(index), MessageBody: '1' }))), 'TooManyEntriesInBatchRequest');
    await refused(send([{ Id: '1', MessageBody: '1' }, { Id: '1', MessageBody: '1' }]), 'BatchEntryIdsNotDistinct');
    await refused(send([{ Id: '1', MessageBody: '1' }], `${queue}-2`), 'QueueDoesNotExist');
    assert.equal((await client.listQueues({ MaxResults: 1 })).QueueUrls[0], queue);
    await refused(of('ANOTHER').listQueues({}), 'UnrecognizedClientException');
}
