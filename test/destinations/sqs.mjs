// SQS, by the vendor's client (npm @aws-sdk/client-sqs 3.1175.0) and its documentation.
import { createHash } from 'node:crypto';
import { auth, integer, list, matching, members, text } from './kit/kit.mjs';

const account = 'https://sqs.eu-central-1.amazonaws.com/123456789012/';
const named = /^[a-zA-Z0-9!"#$%&'()*+,\-./:;<=>?@[\\\]^_`{|}~]{1,128}$/;
const shapes = {
    SendMessageBatch: members({
        QueueUrl: text,
        Entries: list(members({ Id: text, MessageBody: text, 'DelaySeconds?': integer, 'MessageGroupId?': text, 'MessageDeduplicationId?': text })),
    }),
    ListQueues: members({ 'MaxResults?': integer, 'NextToken?': text, 'QueueNamePrefix?': text }),
};
const failure = (type, message) => ({ __type: `com.amazonaws.sqs#${type}`, message });
const fault = (Code, Message) => ({ SenderFault: true, Code, Message });

/// Why one message is not taken.
function refusedFor({ MessageBody, DelaySeconds, MessageGroupId, MessageDeduplicationId }, fifo) {
    if (!/^[\t\n\r\u0020-\uD7FF\uE000-\uFFFD\u{10000}-\u{10FFFF}]+$/u.test(MessageBody)) return fault('InvalidMessageContents', 'Invalid characters found. Valid unicode characters are #x9 | #xA | #xD | #x20 to #xD7FF');
    if (DelaySeconds !== undefined && (fifo || DelaySeconds < 0 || DelaySeconds > 900)) return fault('InvalidParameterValue', `Value ${DelaySeconds} for parameter DelaySeconds is invalid. Reason: DelaySeconds must be >= 0 and <= 900.`);
    if (fifo && MessageGroupId === undefined) return fault('MissingParameter', 'The request must contain the parameter MessageGroupId.');
    if (MessageGroupId !== undefined && !named.test(MessageGroupId)) return fault('InvalidParameterValue', 'MessageGroupId can only include alphanumeric and punctuation characters. 1 to 128 in length');
    if (!fifo && MessageDeduplicationId !== undefined) return fault('InvalidParameterValue', 'The request includes a parameter that is not valid for this queue type');
    if (fifo && !named.test(MessageDeduplicationId ?? '')) return fault('InvalidParameterValue', 'The queue should either have ContentBasedDeduplication enabled or MessageDeduplicationId provided explicitly');
    return undefined;
}

function sendMessageBatch({ body, objects, refuse }) {
    const store = objects[{ [`${account}orders`]: 'messages', [`${account}orders.fifo`]: 'fifo_messages' }[body.QueueUrl]] ?? refuse(400, 'The specified queue does not exist.', 'QueueDoesNotExist');
    const { Entries } = body;
    if (Entries.length === 0) refuse(400, 'There should be at least one SendMessageBatchRequestEntry in the request.', 'EmptyBatchRequest');
    if (Entries.length > 10) refuse(400, 'Maximum number of entries per request are 10.', 'TooManyEntriesInBatchRequest');
    if (Entries.some(({ Id }) => !/^[\w-]{1,80}$/.test(Id))) refuse(400, 'A batch entry id can only contain alphanumeric characters, hyphens and underscores.', 'InvalidBatchEntryId');
    if (new Set(Entries.map(({ Id }) => Id)).size < Entries.length) refuse(400, 'Two or more batch entries in the request have the same Id.', 'BatchEntryIdsNotDistinct');
    if (Entries.reduce((sum, { MessageBody }) => sum + Buffer.byteLength(MessageBody), 0) > 1048576) refuse(400, 'Batch requests cannot be longer than 1048576 bytes.', 'BatchRequestTooLong');
    const fifo = body.QueueUrl.endsWith('.fifo');
    const Successful = [];
    const Failed = [];
    for (const { Id, ...message } of Entries) {
        const why = refusedFor(message, fifo);
        if (why) {
            Failed.push({ Id, ...why });
            continue;
        }
        const known = fifo && store.by('MessageDeduplicationId', message.MessageDeduplicationId);
        const { MessageId } = known || store.insert({ ...message, body: JSON.parse(message.MessageBody) });
        Successful.push({ Id, MessageId, MD5OfMessageBody: createHash('md5').update(message.MessageBody).digest('hex') });
    }
    // The answer has no order that is promised.
    return [200, { ...(Failed.length ? { Failed } : {}), Successful: Successful.reverse() }];
}

const calls = { SendMessageBatch: sendMessageBatch, ListQueues: () => [200, { QueueUrls: [`${account}orders`, `${account}orders.fifo`] }] };
const numbered = { id: 'MessageId', give: (number) => `00000000-0000-0000-0000-${String(number).padStart(12, '0')}` };

export default {
    auth: auth.sigv4({ id: 'AKIDEXAMPLE', secret: 'secret', service: 'sqs', region: 'eu-central-1' }),
    media: { json: 'application/x-amz-json-1.0' },
    refusal: (status, message, type = 'InvalidParameterValue') => failure(type, message),
    unauthorized: () => [403, { __type: 'com.amazon.coral.service#UnrecognizedClientException', message: 'The security token included in the request is invalid.' }],
    limited: () => [400, failure('RequestThrottled', 'Request is throttled.')],
    objects: { messages: numbered, fifo_messages: { ...numbered, unique: ['MessageDeduplicationId'] } },
    routes: {
        'POST /': { body: () => null, run(request) {
            const [target, name] = (request.headers['x-amz-target'] ?? '').split('.');
            if (target !== 'AmazonSQS' || !calls[name]) request.refuse(400, '', 'UnknownOperationException');
            const wrong = shapes[name](request.body, '');
            if (wrong) request.refuse(400, wrong, 'SerializationException');
            return calls[name](request);
        } },
    },
};
