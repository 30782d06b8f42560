// EventBridge, by the vendor's client (npm @aws-sdk/client-eventbridge 3.1169.0) and its documentation.
import { auth, integer, list, matching, members, number, text } from './kit/kit.mjs';

const shapes = {
    PutEvents: members({
        Entries: list(members({ 'Source?': text, 'DetailType?': text, 'Detail?': text, 'EventBusName?': matching(/^(arn:aws[\w-]*:events:[a-z]+-[\w-]+:\d{12}:event-bus\/)?[/.\-_A-Za-z0-9]{1,256}$/),
            'Time?': number, 'Resources?': list(text), 'TraceHeader?': text }), { least: 1, most: 10 }),
    }),
    ListEventBuses: members({ 'Limit?': integer, 'NextToken?': text, 'NamePrefix?': text }),
};
const failure = (type, message) => ({ __type: type, message });
const refusal = (ErrorCode, ErrorMessage) => ({ ErrorCode, ErrorMessage });

function taken(entry, store) {
    const { Source, DetailType, Detail, EventBusName, Time, Resources } = entry;
    if (!Source) return refusal('InvalidArgument', 'Parameter Source is not valid. Reason: Source is a required argument.');
    if (!DetailType) return refusal('InvalidArgument', 'Parameter DetailType is not valid. Reason: DetailType is a required argument.');
    if (!Detail) return refusal('InvalidArgument', 'Parameter Detail is not valid. Reason: Detail is a required argument.');
    if (Source.startsWith('aws.')) return refusal('NotAuthorizedForSourceException', 'Not authorized for the source.');
    let detail;
    try {
        detail = JSON.parse(Detail);
    } catch {
        detail = null;
    }
    if (typeof detail !== 'object' || detail === null || Array.isArray(detail)) return refusal('MalformedDetail', 'Detail is malformed.');
    return { EventId: store.insert({ Source, DetailType, detail, EventBusName: EventBusName ?? 'default', Time, Resources }).EventId };
}

function putEvents({ body, objects, refuse }) {
    const size = body.Entries.reduce((sum, { Source = '', DetailType = '', Detail = '', Time, Resources = [] }) =>
        sum + Buffer.byteLength(Source + DetailType + Detail + Resources.join('')) + (Time === undefined ? 0 : 14), 0);
    if (size > 262144) refuse(400, `Total size of the entries in the request is over the limit.`);
    const Entries = body.Entries.map((entry) => taken(entry, objects.events));
    return [200, { FailedEntryCount: Entries.filter(({ ErrorCode }) => ErrorCode).length, Entries }];
}

const calls = { PutEvents: putEvents, ListEventBuses: () => [200, { EventBuses: [{ Name: 'default', Arn: 'arn:aws:events:eu-central-1:123456789012:event-bus/default' }] }] };

export default {
    auth: auth.sigv4({ id: 'AKIDEXAMPLE', secret: 'secret', service: 'events', region: 'eu-central-1' }),
    media: { json: 'application/x-amz-json-1.1' },
    refusal: (status, message, type = 'ValidationException') => failure(type, message),
    unauthorized: () => [400, failure('UnrecognizedClientException', 'The security token included in the request is invalid.')],
    limited: () => [400, failure('ThrottlingException', 'Rate exceeded')],
    objects: { events: { id: 'EventId', give: (number) => `00000000-0000-0000-0000-${String(number).padStart(12, '0')}` } },
    routes: {
        'POST /': { body: () => null, run(request) {
            const [target, name] = (request.headers['x-amz-target'] ?? '').split('.');
            if (target !== 'AWSEvents' || !calls[name]) request.refuse(400, '', 'UnknownOperationException');
            const wrong = shapes[name](request.body, '');
            if (wrong) request.refuse(400, `1 validation error detected: ${wrong}`);
            return calls[name](request);
        } },
    },
};
