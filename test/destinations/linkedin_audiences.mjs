// LinkedIn's DMP segments, by the vendor's client (npm linkedin-api-client 0.3.0), which speaks Rest.li, and its documentation.
import { auth, byOffset, list, matching, members, oneOf, text } from './kit/kit.mjs';

const userId = members({ idType: oneOf('SHA256_EMAIL', 'SHA512_EMAIL', 'GOOGLE_AID'), idValue: text });
const action = oneOf('ADD', 'REMOVE');
const user = members({ action, userIds: list(userId, { least: 1 }), 'firstName?': text, 'lastName?': text, 'title?': text, 'company?': text, 'country?': text });
const company = members({ action, companyName: text });
const urn = 'urn:li:sponsoredAccount:516848833';
const failure = (status, message, code = 'INVALID_PARAMS') => ({ status, code, message });
const fits = { SHA256_EMAIL: /^[0-9a-f]{64}$/, SHA512_EMAIL: /^[0-9a-f]{128}$/, GOOGLE_AID: /^[0-9a-f-]{36}$/ };

/// What becomes of an element: the status of its own.
function changed(store, wanted, add, values, wrong) {
    if (wrong) return { status: 400, error: { status: 400, message: wrong } };
    const found = store.find(wanted);
    if (add && !found) store.insert(values);
    if (!add && found) store.remove(found);
    return { status: 201 };
}

/// A batch, whose method stands in a header; in any case, since the client writes it in small letters.
const batch = (segment, of) => (request) => {
    const { path, body, headers, refuse } = request;
    if (headers['x-restli-method']?.toUpperCase() !== 'BATCH_CREATE') refuse(400, 'X-RestLi-Method is not BATCH_CREATE');
    if (path.segment !== segment) return [404, failure(404, `DMP segment ${path.segment} is not found`, 'NOT_FOUND')];
    return [200, { elements: body.elements.map((element) => of(element, request.objects)) }];
};

export default {
    auth: auth.anyOf(auth.bearer('token'), auth.oauth({ path: '/oauth/v2/accessToken', expects: { grant_type: 'refresh_token', client_id: 'client', client_secret: 'secret', refresh_token: 'refresh' } })),
    refusal: failure,
    headers: { 'x-restli-protocol-version': '2.0.0', 'linkedin-version': '202608' },
    unauthorized: () => [401, { status: 401, serviceErrorCode: 65602, code: 'EXPIRED_ACCESS_TOKEN', message: 'The token used in the request has expired' }],
    limited: () => [429, { status: 429, code: 'TOO_MANY_REQUESTS', message: 'Resource level throttle limit for calls to this resource is reached.' }, { 'retry-after': '1' }],
    objects: { users: { id: 'email' }, companies: { id: 'companyName' }, segments: { give: (number) => 17667000 + number } },
    routes: {
        'POST /rest/dmpSegments/{segment}/users': { body: members({ elements: list(user, { least: 1, most: 5000 }) }), run: batch('10804', ({ action: what, userIds: [{ idType: type, idValue: value }] }, { users }) =>
            changed(users, value, what === 'ADD', { email: value }, fits[type].test(value) ? null : `${type} is not valid: ${value}`)) },
        'POST /rest/dmpSegments/{segment}/companies': { body: members({ elements: list(company, { least: 1, most: 5000 }) }), run: batch('10805', ({ action: what, companyName: name }, { companies }) =>
            changed(companies, name, what === 'ADD', { companyName: name }, name.trim() ? null : 'companyName is empty')) },
        'POST /rest/dmpSegments': {
            body: members({ name: text, account: matching(/^urn:li:sponsoredAccount:\d+$/), accessPolicy: oneOf('PRIVATE'), sourcePlatform: text, type: oneOf('USER', 'COMPANY'), 'description?': text, 'sourceSegmentId?': text,
                destinations: list(members({ destination: oneOf('LINKEDIN') }), { least: 1 }) }),
            run({ body, objects, headers, refuse }) {
                if (headers['x-restli-method']?.toUpperCase() !== 'CREATE') refuse(400, 'X-RestLi-Method is not CREATE');
                if (body.account !== urn) return [403, failure(403, 'The member has no role in the account', 'ACCESS_DENIED')];
                if (!body.name.trim()) return [400, failure(400, 'name is empty')];
                const { id } = objects.segments.insert({ ...body, inputCount: 0, created: 1767323045000, lastModified: 1767323045000, destinations: [{ destination: 'LINKEDIN', status: 'BUILDING' }] });
                return [201, undefined, { 'x-restli-id': String(id) }];
            },
        },
        'GET /rest/dmpSegments': { query: ['q', 'account', 'start', 'count', 'sourcePlatform'], run({ query, objects, headers, refuse }) {
            if (headers['x-restli-method']?.toUpperCase() !== 'FINDER' || query.q !== 'account') refuse(400, 'there is no such finder');
            if (query.account !== urn) return [403, failure(403, 'The member has no role in the account', 'ACCESS_DENIED')];
            const start = Number(query.start ?? 0);
            const { items, total } = byOffset(objects.segments.all(), start, Number(query.count ?? 10));
            return [200, { paging: { start, count: Number(query.count ?? 10), links: [], total }, elements: items }];
        } },
    },
};
