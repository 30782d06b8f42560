// Kinesis Data Streams, by the vendor's client (npm @aws-sdk/client-kinesis 3.1143.0) and AWS' model of the API.
import { auth, list, matching, members, integer, text } from './kit/kit.mjs';

const stream = matching(/^[a-zA-Z0-9_.-]{1,128}$/);
const shapes = {
    PutRecords: members({
        StreamName: stream,
        Records: list(members({ PartitionKey: matching(/^.{1,256}$/su), 'ExplicitHashKey?': matching(/^(0|[1-9]\d{0,38})$/), Data: matching(/^[A-Za-z0-9+/]*={0,2}$/) }), { least: 1, most: 500 }),
    }),
    ListStreams: members({ 'Limit?': integer, 'NextToken?': text, 'ExclusiveStartStreamName?': stream }),
};

function putRecords({ body, objects, refuse }) {
    const store = objects[body.StreamName] ?? refuse(400, `Stream ${body.StreamName} under account 123456789012 not found.`, 'ResourceNotFoundException');
    const sizes = body.Records.map(({ Data, PartitionKey }) => Buffer.from(Data, 'base64').length + Buffer.byteLength(PartitionKey));
    if (sizes.some((size) => size > 1048576) || sizes.reduce((sum, size) => sum + size, 0) > 5242880) refuse(400, 'Records size exceeds 5 MB limit', 'InvalidArgumentException');
    const Records = body.Records.map(({ PartitionKey, ExplicitHashKey, Data }) => {
        const bytes = Buffer.from(Data, 'base64').toString();
        // A shard that is hot takes what it took no sooner than in the next request.
        if (PartitionKey.startsWith('hot') && !store.warned?.has(PartitionKey)) {
            (store.warned ??= new Set()).add(PartitionKey);
            return { ErrorCode: 'ProvisionedThroughputExceededException', ErrorMessage: 'Rate exceeded for shard shardId-000000000001 in stream orders under account 123456789012.' };
        }
        const record = store.insert({ PartitionKey, ...(ExplicitHashKey === undefined ? {} : { ExplicitHashKey }), data: JSON.parse(bytes) });
        return { SequenceNumber: record.SequenceNumber, ShardId: 'shardId-000000000000' };
    });
    return [200, { EncryptionType: 'NONE', FailedRecordCount: Records.filter(({ ErrorCode }) => ErrorCode).length, Records }];
}

const calls = {
    PutRecords: putRecords,
    ListStreams: ({ body }) => (body.NextToken ? [200, { StreamNames: ['orders'], HasMoreStreams: false }] : [200, { StreamNames: ['audit'], HasMoreStreams: true, NextToken: 'more' }]),
};
const failure = (type, message) => ({ __type: type, message });

export default {
    auth: auth.sigv4({ id: 'AKIDEXAMPLE', secret: 'secret', service: 'kinesis', region: 'eu-central-1' }),
    media: { json: 'application/x-amz-json-1.1' },
    refusal: (status, message, type = 'ValidationException') => failure(type, message),
    unauthorized: () => [400, failure('UnrecognizedClientException', 'The security token included in the request is invalid.')],
    limited: () => [400, failure('ProvisionedThroughputExceededException', 'Rate exceeded for stream orders under account 123456789012.')],
    objects: { orders: { id: 'SequenceNumber', give: (number) => String(49543463076548007577105092703039560359n + BigInt(number)) } },
    routes: {
        'POST /': { body: () => null, run(request) {
            const [target, name] = (request.headers['x-amz-target'] ?? '').split('.');
            if (target !== 'Kinesis_20131202' || !calls[name]) request.refuse(400, '', 'UnknownOperationException');
            const fault = shapes[name](request.body, '');
            if (fault) request.refuse(400, `1 validation error detected: ${fault}`);
            return calls[name](request);
        } },
    },
};
