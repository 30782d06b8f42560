// Meta's custom audiences, by the vendor's client (npm facebook-nodejs-business-sdk 24.0.1) and its documentation.
import { anything, auth, boolean, byCursor, integer, list, members, nullable, text } from './kit/kit.mjs';

const digest = (value) => typeof value === 'string' && /^[0-9a-f]{64}$/.test(value);
const some = (value) => typeof value === 'string' && value !== '';
const uuid = (value) => typeof value === 'string' && /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/.test(value);
const kinds = {
    ...Object.fromEntries(['EMAIL', 'PHONE', 'FN', 'LN', 'FI', 'GEN', 'DOBY', 'DOBM', 'DOBD', 'CT', 'ST', 'ZIP', 'COUNTRY'].map((name) => [name, digest])),
    MADID: uuid, EXTERN_ID: some, LOOKALIKE_VALUE: (value) => typeof value === 'number' && value >= 0,
};
const payload = members({ schema: list(text, { least: 1 }), data: list(list(anything), { least: 1, most: 10000 }), 'is_raw?': boolean });
const session = members({ session_id: integer, batch_seq: integer, last_batch_flag: boolean, 'estimated_num_total?': integer });

const failure = (message, code, more = {}) => ({ error: { message, type: 'OAuthException', code, ...more, fbtrace_id: 'AFbLpbOyRXdsEXdNi1i4ZuP' } });
const gone = (method, id) => [400, failure(`Unsupported ${method} request. Object with ID '${id}' does not exist, cannot be loaded due to missing permissions, or does not support this operation`, 100, { error_subcode: 33 })];

/// The users of a payload that are valid, each an object, and how many are not.
function usersOf({ schema, data }) {
    const unknown = schema.find((name) => !kinds[name]);
    if (unknown) return { fault: [400, failure(`(#100) Invalid schema type: ${unknown}`, 100)] };
    const fits = (row) => row.length === schema.length && row.some((value) => value !== '') && row.every((value, at) => value === '' || kinds[schema[at]](value));
    const right = data.filter(fits).map((row) => Object.fromEntries(row.map((value, at) => [schema[at], value]).filter(([, value]) => value !== '')));
    return { right, bad: data.filter((row) => !fits(row)) };
}

function changed({ path, objects, given, add }) {
    if (path.audience !== '23840000000000000') return gone(add ? 'post' : 'delete', path.audience);
    const wrong = payload(given, '/payload');
    if (wrong) return [400, failure(`(#100) ${wrong}`, 100)];
    const { fault, right, bad } = usersOf(given);
    if (fault) return fault;
    const byKey = new Map(objects.users.all().flatMap((one) => Object.entries(one).map(([name, value]) => [`${name} ${value}`, one])));
    const found = (user) => ['EMAIL', 'PHONE', 'EXTERN_ID', 'MADID'].map((name) => byKey.get(`${name} ${user[name]}`)).find((one) => one);
    for (const user of right) {
        const one = found(user);
        if (add) one ? objects.users.update(one, user) : objects.users.insert(user);
        else if (one) objects.users.remove(one);
    }
    const samples = Object.fromEntries(bad.slice(0, 5).map((row, at) => [String(at), JSON.stringify(row)]));
    return [200, { audience_id: path.audience, session_id: '7', num_received: given.data.length, num_invalid_entries: bad.length, invalid_entry_samples: samples }];
}

const audience = { name: text, 'description?': text, 'customer_file_source?': text, 'rule?': text, 'retention_days?': integer, 'opt_out_link?': text, 'access_token?': text, 'id?': nullable(text) };
const optional = Object.fromEntries(Object.entries(audience).map(([name, shape]) => [name.replace(/\??$/, '?'), shape]));
const fields = ['id', 'name', 'description', 'subtype', 'customer_file_source', 'is_value_based', 'rule', 'retention_days', 'opt_out_link', 'account_id', 'approximate_count_lower_bound',
    'approximate_count_upper_bound', 'operation_status', 'delivery_status', 'time_created', 'time_updated', 'time_content_updated'];
const facts = { account_id: '1234567890', approximate_count_lower_bound: 1000, approximate_count_upper_bound: 1200, operation_status: { code: 200, description: 'Normal' }, delivery_status: { code: 200, description: 'Ready' }, time_created: 1767323045, time_updated: 1767323045 };
const view = (record, asked, refuse) => {
    const wanted = (asked ?? 'id').split(',');
    const unknown = wanted.find((name) => !fields.includes(name));
    if (unknown) refuse(400, `(#100) Tried accessing nonexistent field (${unknown})`);
    return Object.fromEntries(['id', ...wanted].filter((name) => ({ ...facts, ...record })[name] !== undefined).map((name) => [name, { ...facts, ...record }[name]]));
};
const kept = ({ access_token: token, ...values }) => values;

export default {
    auth: auth.query('access_token', 'EAAB-token'),
    refusal: (status, message) => failure(message, 100),
    unauthorized: () => [400, failure('Error validating access token: Session has expired', 190, { error_subcode: 463 })],
    limited: () => [400, failure('(#80003) There have been too many calls to this ad-account. Wait a bit and try again.', 80003, { error_subcode: 2446079 })],
    nothing: '{}',
    objects: { users: {}, audiences: { give: (number) => String(23850000000000000n + BigInt(number)) } },
    routes: {
        'POST /{version}/{audience}/users': { query: ['access_token'], body: members({ payload: anything, 'session?': session, 'access_token?': text, 'id?': text }),
            run: (request) => changed({ ...request, given: request.body.payload, add: true }) },
        // The payload stands in the body, or in the query as the client has it.
        'DELETE /{version}/{audience}/users': { query: ['access_token', 'payload', 'id'], format: 'json', body: (body, at) => (Object.keys(body).length ? members({ payload: anything })(body, at) : null),
            run: (request) => changed({ ...request, given: request.body.payload ?? JSON.parse(request.query.payload ?? 'null'), add: false }) },
        'POST /{version}/act_{account}/customaudiences': { query: ['access_token'], body: members({ ...audience, 'subtype?': text, 'is_value_based?': boolean }), run({ path, body, objects }) {
            if (path.account !== '1234567890') return gone('post', `act_${path.account}`);
            if (!body.name.trim()) return [400, failure('Invalid parameter', 100, { error_subcode: 1870053, error_user_title: 'Missing Name', error_user_msg: 'An audience needs a name.' })];
            if (body.subtype === 'CUSTOM' && !body.customer_file_source) return [400, failure('Invalid parameter', 100, { error_subcode: 2654, error_user_msg: 'customer_file_source is required.' })];
            return [200, { id: objects.audiences.insert(kept(body)).id }];
        } },
        'GET /{version}/act_{account}/customaudiences': { query: ['access_token', 'fields', 'limit', 'after'], run({ path, query, objects, base, refuse }) {
            if (path.account !== '1234567890') return gone('get', `act_${path.account}`);
            const page = byCursor(objects.audiences.all(), query.after, Number(query.limit ?? 25)) ?? refuse(400, '(#100) Invalid cursor');
            const after = page.next ?? 'end';
            const next = page.next && { next: `${base}/${path.version}/act_${path.account}/customaudiences?access_token=${query.access_token}&fields=${query.fields}&limit=${query.limit ?? 25}&after=${after}` };
            return [200, { data: page.items.map((one) => view(one, query.fields, refuse)), paging: { cursors: { before: 'begin', after }, ...next } }];
        } },
        'GET /{version}/act_{account}': { query: ['access_token', 'fields'], run: ({ path }) => (path.account === '1234567890' ? [200, { id: 'act_1234567890', name: 'Acme' }] : gone('get', `act_${path.account}`)) },
        'GET /{version}/{id}': { query: ['access_token', 'fields'], run({ path, query, objects, refuse }) {
            const found = objects.audiences.find(path.id);
            return found ? [200, view(found, query.fields, refuse)] : gone('get', path.id);
        } },
        'POST /{version}/{id}': { query: ['access_token'], body: members(optional), run({ path, body, objects }) {
            const found = objects.audiences.find(path.id);
            if (!found) return gone('post', path.id);
            objects.audiences.update(found, { ...kept(body), id: found.id });
            return [200, { success: true }];
        } },
        'DELETE /{version}/{id}': { query: ['access_token', 'id'], run({ path, objects }) {
            const found = objects.audiences.find(path.id);
            if (!found) return gone('delete', path.id);
            objects.audiences.remove(found);
            return [200, { success: true }];
        } },
    },
};
