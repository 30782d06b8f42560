// Pub/Sub over HTTP, by Google's client (npm @google-cloud/pubsub 5.3.1) and its documentation.
import { auth, dictionary, list, matching, members, text } from './kit/kit.mjs';

const codes = { 400: 'INVALID_ARGUMENT', 401: 'UNAUTHENTICATED', 403: 'PERMISSION_DENIED', 404: 'NOT_FOUND', 429: 'RESOURCE_EXHAUSTED' };
const failure = (code, message) => ({ error: { code, message, status: codes[code] ?? 'INVALID_ARGUMENT' } });
// The client asks so for numbers in place of names of enumerations.
const query = ['$alt', 'pageSize', 'pageToken'];

function publish({ path, body, objects, refuse }) {
    if (path.project !== 'acme-1' || path.topic !== 'orders') refuse(404, `Resource not found (resource=${path.topic}).`);
    for (const { data = '', attributes = {} } of body.messages) {
        if (data === '' && Object.keys(attributes).length === 0) refuse(400, 'Some messages in the call have no data and no attributes.');
        if (Object.keys(attributes).length > 100) refuse(400, 'A message has more than 100 attributes.');
        for (const [name, value] of Object.entries(attributes))
            if (name === '' || name.startsWith('goog') || Buffer.byteLength(name) > 256 || Buffer.byteLength(value) > 1024) refuse(400, `The attribute "${name}" is invalid.`);
    }
    if (body.messages.reduce((sum, { data = '' }) => sum + Buffer.from(data, 'base64').length, 0) > 10_000_000) refuse(400, 'The request is larger than 10 MB.');
    const parsed = ({ data, ...message }) => ({ ...message, data: JSON.parse(Buffer.from(data, 'base64').toString()) });
    return [200, { messageIds: body.messages.map((message) => objects.messages.insert(parsed(message)).messageId) }];
}

export default {
    auth: auth.anyOf(auth.bearer('token'), auth.oauth({ path: '/token', expects: { grant_type: 'urn:ietf:params:oauth:grant-type:jwt-bearer', assertion: true } })),
    refusal: failure,
    unauthorized: () => [401, failure(401, 'Request had invalid authentication credentials.')],
    limited: () => [429, failure(429, 'Quota exceeded for quota metric "Regional publisher throughput"')],
    objects: { messages: { id: 'messageId', give: (number) => String(4000000000000000 + number) } },
    routes: {
        'POST /v1/projects/{project}/topics/{topic}:publish': {
            query,
            body: members({ 'topic?': text, messages: list(members({ 'data?': matching(/^[A-Za-z0-9+/]*={0,2}$/), 'attributes?': dictionary(text), 'orderingKey?': matching(/^.{0,1024}$/su) }), { least: 1, most: 1000 }) }),
            run: publish,
        },
        'GET /v1/projects/{project}/topics': { query, run: ({ path }) => [200, { topics: [{ name: `projects/${path.project}/topics/orders` }] }] },
    },
};
