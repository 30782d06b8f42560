// Resend, by its OpenAPI description 1.5.0, its client resend 6.38.0 and https://resend.com/docs/api-reference.
import { afterLast, anything, auth, boolean, dictionary, firstOf, list, members, nullable, number, oneOf, text } from './kit/kit.mjs';

const contact = { 'first_name?': nullable(text), 'last_name?': nullable(text), 'unsubscribed?': boolean, 'properties?': dictionary(nullable(firstOf(text, number))) };
const several = firstOf(list(text, { least: 1, most: 50 }), text);
const email = members({
    'from?': text, 'to?': several, 'subject?': text, 'cc?': several, 'bcc?': several, 'reply_to?': several, 'html?': text, 'text?': text,
    'headers?': dictionary(text), 'tags?': list(members({ name: text, value: text })), 'template?': members({ id: text, 'variables?': dictionary(anything) }),
});
const known = { tier: 'string', seats: 'number' };
const names = { 400: 'validation_error', 401: 'missing_api_key', 404: 'not_found', 405: 'method_not_allowed', 409: 'invalid_idempotent_request', 422: 'validation_error', 429: 'rate_limit_exceeded' };
const failure = (status, message, name) => ({ statusCode: status, name: name ?? names[status] ?? 'application_error', message });
const isAddress = (value) => /^[^@ ]+@[^@ ]+\.[^@ ]+$/.test(value);

function checked({ body, refuse }) {
    if (body.email !== undefined && !isAddress(body.email)) refuse(422, 'Invalid `email` field. The email address needs to follow the `email@example.com` format.');
    for (const name of Object.keys(body.properties ?? {})) if (!known[name]) refuse(422, `The property \`${name}\` does not exist.`);
    return body;
}
const contactOf = ({ objects, path, refuse }) => objects.contacts.find(path.id) ?? objects.contacts.by('email', path.id) ?? refuse(404, 'Contact not found');
const segmentOf = ({ objects, path, refuse }) => objects.segments.find(path.id) ?? refuse(404, 'Segment not found');
const page = (store, shown) => ({ query, objects, refuse }) => {
    const size = Number(query.limit ?? 20);
    if (!(size >= 1 && size <= 100)) refuse(422, 'The `limit` parameter must be a number between 1 and 100.');
    const part = afterLast(objects[store].all(), 'id', query.after, size) ?? refuse(422, 'The `after` parameter is not known.');
    return [200, { object: 'list', has_more: part.more, data: part.items.map(shown) }];
};
const pages = ['limit', 'after', 'before'];
const uuid = (start) => (number) => `${start}-bf9b-4f1c-9d6e-${String(number).padStart(12, '0')}`;
/// What is wrong with an email, or nothing.
function fault(one) {
    const missing = ['from', 'to', 'subject'].find((name) => one[name] === undefined);
    if (missing) return `Missing \`${missing}\` field.`;
    if (![one.to].flat().every(isAddress)) return 'Invalid `to` field. The email address needs to follow the `email@example.com` or `Name <email@example.com>` format.';
    return one.html || one.text || one.template ? null : 'Missing `html` or `text` field.';
}

export default {
    auth: auth.bearer('re_contacts'),
    refusal: failure,
    unauthorized: () => [401, failure(401, 'API key is invalid', 'validation_error')],
    limited: () => [429, failure(429, 'Too many requests. You can only make 5 requests per second.'), { 'ratelimit-limit': '5', 'ratelimit-remaining': '0', 'ratelimit-reset': '1', 'retry-after': '1' }],
    objects: {
        contacts: { unique: ['email'], like: (value) => String(value).toLowerCase(), give: uuid('e169aa45') }, segments: { give: uuid('78261eea') },
        segment_contacts: {}, contact_topics: {}, emails: { give: uuid('49a3999c') }, keys: {},
    },
    routes: {
        'POST /contacts': { body: members({ ...contact, email: text, 'segments?': list(text), 'audience_id?': text }), run(request) {
            const { segments, ...given } = checked(request);
            if (request.objects.contacts.by('email', given.email)) request.refuse(409, 'Contact already exists', 'validation_error');
            const { id } = request.objects.contacts.insert({ first_name: null, last_name: null, unsubscribed: false, created_at: '2026-01-02 03:04:05.678+00', properties: {}, ...given });
            for (const segment of segments ?? []) request.objects.segment_contacts.insert({ segment_id: segment, contact: given.email });
            return [201, { object: 'contact', id }];
        } },
        'PATCH /contacts/{id}': { body: members(contact), run(request) {
            const given = checked(request);
            const found = contactOf(request);
            request.objects.contacts.update(found, { ...given, properties: { ...found.properties, ...given.properties } });
            return [200, { object: 'contact', id: found.id }];
        } },
        'GET /contacts/{id}': { run: (request) => [200, { object: 'contact', ...contactOf(request) }] },
        'DELETE /contacts/{id}': { run(request) {
            const found = contactOf(request);
            request.objects.contacts.remove(found);
            return [200, { object: 'contact', contact: found.id, id: found.id, deleted: true }];
        } },
        'GET /contacts': { query: [...pages, 'segment_id'], run: page('contacts', ({ properties, ...one }) => one) },
        'POST /segments': { body: members({ name: text, 'audience_id?': text, 'filter?': anything }), run({ body, objects, refuse }) {
            if (!body.name) refuse(422, 'Missing `name` field.');
            return [201, { object: 'segment', name: body.name, id: objects.segments.insert({ created_at: '2026-01-02 03:04:05.678+00', ...body }).id }];
        } },
        'PATCH /segments/{id}': { body: members({ name: text }), run(request) { request.objects.segments.update(segmentOf(request), request.body); return [200, { object: 'segment', id: request.path.id }]; } },
        'GET /segments/{id}': { run: (request) => [200, { object: 'segment', ...segmentOf(request) }] },
        'DELETE /segments/{id}': { run(request) { request.objects.segments.remove(segmentOf(request)); return [200, { object: 'segment', id: request.path.id, deleted: true }]; } },
        'GET /segments': { query: pages, run: page('segments', (one) => one) },
        'POST /contacts/{contact}/segments/{segment}': { run({ path, objects, refuse }) {
            if (!isAddress(path.contact)) refuse(404, 'Contact not found');
            const id = `${path.contact}/${path.segment}`;
            if (!objects.segment_contacts.find(id)) objects.segment_contacts.insert({ id, contact: path.contact, segment_id: path.segment });
            return [200, { object: 'segment', id: path.segment }];
        } },
        'DELETE /contacts/{contact}/segments/{segment}': { run({ path, objects, refuse }) {
            objects.segment_contacts.remove(objects.segment_contacts.find(`${path.contact}/${path.segment}`) ?? refuse(404, 'Contact is not in the segment'));
            return [200, { object: 'segment', id: path.segment, deleted: true }];
        } },
        'PATCH /contacts/{contact}/topics': { body: list(members({ id: text, subscription: oneOf('opt_in', 'opt_out') }), { least: 1 }), status: 422, run({ path, body, objects, refuse }) {
            if (!isAddress(path.contact)) refuse(404, 'Contact not found');
            for (const { id: topic, subscription } of body) {
                const id = `${path.contact}/${topic}`;
                objects.contact_topics.update(objects.contact_topics.find(id) ?? objects.contact_topics.insert({ id, contact: path.contact, topic_id: topic }), { subscription });
            }
            return [200, { id: 'e169aa45' }];
        } },
        'POST /emails/batch': { body: list(email, { least: 1, most: 100 }), run({ body, headers, bytes, objects, refuse }) {
            const key = headers['idempotency-key'];
            const before = key && objects.keys.find(key);
            if (before) return before.bytes === String(bytes) ? before.answer : refuse(409, 'This idempotency key has been used on a request with a different payload.');
            const faults = body.map((one, index) => ({ index, message: fault(one) })).filter(({ message }) => message);
            if (faults.length && headers['x-batch-validation'] !== 'permissive') refuse(422, faults[0].message);
            const data = body.filter((one) => !fault(one)).map((one) => ({ id: objects.emails.insert({ created_at: '2026-01-02 03:04:05.678+00', last_event: 'delivered', ...one, to: [one.to].flat() }).id }));
            const answer = [200, { data, ...(headers['x-batch-validation'] === 'permissive' && { errors: faults }) }];
            if (key) objects.keys.insert({ id: key, bytes: String(bytes), answer });
            return answer;
        } },
        'GET /emails/{id}': { run: ({ objects, path, refuse }) => [200, { object: 'email', ...(objects.emails.find(path.id) ?? refuse(404, 'Email not found')) }] },
        'GET /emails': { query: pages, run: page('emails', ({ html, text: plain, tags, ...one }) => one) },
        'GET /contact-properties': { query: pages, run: ({ query }) => [200, { object: 'list', has_more: false, data: query.after ? [] : Object.entries(known).map(([key, type]) => ({ id: `p-${key}`, key, object: 'contact_property', type, fallback_value: null, created_at: '2026-01-02T03:04:05.678Z' })) }] },
    },
};
