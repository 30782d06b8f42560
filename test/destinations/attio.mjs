// Attio, version 2 of its API, by https://docs.attio.com/rest-api. Values stand in arrays, as the workspace's attributes say.
import { anything, auth, dictionary, integer, list, matching, members, oneOf, text } from './kit/kit.mjs';

const entry = (value, type) => ({ active_from: '2026-01-02T03:04:05.061281000Z', active_until: null, created_by_actor: { type: 'api-token', id: 'f0c93d3c-3cf6-4d9c-9a2b-0b3a0e0a0b0c' }, attribute_type: type, ...value });
const is = (test, make) => (value) => (test(value) ? make(value) : undefined);
const isText = (value) => typeof value === 'string';
const uuid = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;
const valued = (test) => is(test, (value) => ({ value }));
/// What a value of each type becomes; nothing where it is wrong.
const types = {
    text: valued(isText),
    number: valued((value) => typeof value === 'number'),
    checkbox: valued((value) => typeof value === 'boolean'),
    date: valued((value) => /^\d{4}-\d\d-\d\d$/.test(value)),
    timestamp: valued((value) => isText(value) && !Number.isNaN(Date.parse(value))),
    rating: valued((value) => Number.isInteger(value) && value >= 0 && value <= 5),
    currency: is((value) => typeof value === 'number', (value) => ({ currency_value: value, currency_code: 'EUR' })),
    status: is(isText, (title) => ({ status: { title, is_archived: false } })),
    domain: is((value) => /^[a-z0-9-]+(\.[a-z0-9-]+)+$/i.test(value), (value) => ({ domain: value.toLowerCase(), root_domain: value.toLowerCase() })),
    'email-address': is((value) => /^[^@ ]+@[^@ ]+\.[^@ ]+$/.test(value), (value) => ({ original_email_address: value, email_address: value.toLowerCase() })),
    'phone-number': is((value) => /^\+\d{6,15}$/.test(value), (value) => ({ original_phone_number: value, phone_number: value, country_code: 'DE' })),
    'personal-name': is((value) => Object.keys(value).sort().join() === 'first_name,full_name,last_name' && Object.values(value).every(isText), (value) => value),
    'record-reference': is((value) => isText(value.target_object) && uuid.test(value.target_record_id), (value) => value),
    'actor-reference': is((value) => value.referenced_actor_type === 'workspace-member' && uuid.test(value.referenced_actor_id), (value) => value),
};
// Of each object: slug: [type, unique, several values].
const attributes = {
    people: {
        email_addresses: ['email-address', true, true], name: ['personal-name'], description: ['text'], job_title: ['text'], phone_numbers: ['phone-number', false, true],
        company: ['record-reference'], linkedin: ['text'], twitter: ['text'], score: ['number'], tier: ['text'], renewed: ['timestamp'], tags: ['select', false, true],
    },
    companies: { domains: ['domain', true, true], name: ['text'], description: ['text'], linkedin: ['text'], twitter: ['text'], paying: ['checkbox'] },
    deals: { name: ['text'], stage: ['status'], owner: ['actor-reference'], value: ['currency'], associated_company: ['record-reference'] },
    users: { user_id: ['text', true], primary_email_address: ['email-address', true], person: ['record-reference'] },
    workspaces: { workspace_id: ['text', true], name: ['text'], avatar_url: ['text'], company: ['record-reference'] },
    projects: { name: ['text'], budget: ['number'], due: ['date'], rating: ['rating'], paused: ['checkbox'] },
};
const stages = ['Lead', 'In Progress', 'Won 🎉', 'Lost'];

const failure = (status_code, message, code = { 400: 'validation_type', 404: 'not_found' }[status_code] ?? 'invalid') => ({ status_code, type: 'invalid_request_error', code, message });
const plain = (value) => value.value ?? value.email_address ?? value.domain;
const holds = (record, slug, value) => (record.values[slug] ?? []).some((one) => plain(one) === String(value).toLowerCase() || plain(one) === value);

function valuesOf(object, { body, refuse }) {
    return Object.fromEntries(Object.entries(body.data.values).map(([slug, given]) => {
        const [type, , several] = attributes[object][slug] ?? refuse(400, `Cannot find attribute with slug/ID "${slug}".`, 'value_not_found');
        const values = given === null ? [] : [given].flat();
        if (several && given !== null && !Array.isArray(given)) refuse(400, `Multi-select attribute "${slug}" expects an array.`);
        return [slug, values.map((value) => {
            const made = types[type](value) ?? refuse(400, `An invalid value was passed to attribute with slug "${slug}".`);
            if (type === 'status' && !stages.includes(value)) refuse(400, `Cannot find Status with title "${value}".`, 'value_not_found');
            return entry(made, type);
        })];
    }));
}

/// Another record must not have the value of a unique attribute.
function checkUnique(object, { objects, refuse }, values, own) {
    for (const [slug] of Object.entries(attributes[object]).filter(([, [, unique]]) => unique))
        for (const value of values[slug] ?? [])
            if (objects[object].all().some((other) => other !== own && holds(other, slug, plain(value))))
                refuse(400, `The value "${plain(value)}" provided for attribute with slug "${slug}" conflicts with one already in the system.`, 'uniqueness_conflict');
}

function insert(object, request, values) {
    checkUnique(object, request, values);
    const store = request.objects[object];
    const record = store.insert({ created_at: '2022-11-21T13:22:49.061281000Z', values });
    record.web_url = `https://app.attio.com/acme/${object}/${record.record_id}`;
    record.id = { workspace_id: '14beef7a-99f7-4534-a87e-70b564330a4c', object_id: '97052eb9-e65e-443f-a297-f2d9a4a7f795', record_id: record.record_id };
    return record;
}

const shown = ({ id, created_at, web_url, values }) => ({ id, created_at, web_url, values });
const writes = members({ data: members({ values: dictionary(anything) }) });
const query = members({ 'filter?': dictionary(anything), 'sorts?': list(members({ direction: oneOf('asc', 'desc'), attribute: text, 'field?': text })), 'limit?': integer, 'offset?': integer });

function routesOf(object) {
    const path = `/v2/objects/${object}/records`;
    const one = ({ objects, path: { id }, refuse }) => objects[object].find(id) ?? refuse(404, `Record with ID "${id}" not found.`);
    const change = (append) => ({ body: writes, run(request) {
        const found = one(request);
        const values = valuesOf(object, request);
        checkUnique(object, request, values, found);
        for (const [slug, list] of Object.entries(values)) found.values[slug] = append && attributes[object][slug][2] ? [...list, ...(found.values[slug] ?? [])] : list;
        return [200, { data: shown(found) }];
    } });
    return {
        [`POST ${path}`]: { body: writes, run: (request) => [200, { data: shown(insert(object, request, valuesOf(object, request))) }] },
        [`PUT ${path}`]: { body: writes, query: ['matching_attribute'], run(request) {
            const slug = request.query.matching_attribute;
            const { refuse, objects } = request;
            if (!attributes[object][slug]?.[1]) refuse(400, `The attribute "${slug}" is not unique.`, 'value_not_found');
            const values = valuesOf(object, request);
            if (!values[slug]?.length) refuse(400, `A value for "${slug}" is needed.`, 'missing_value');
            const found = objects[object].all().find((record) => values[slug].some((value) => holds(record, slug, plain(value))));
            if (!found) return [200, { data: shown(insert(object, request, values)) }];
            checkUnique(object, request, values, found);
            for (const [name, list] of Object.entries(values))
                if (name !== slug) found.values[name] = list;
            return [200, { data: shown(found) }];
        } },
        [`PUT ${path}/{id}`]: change(false),
        [`PATCH ${path}/{id}`]: change(true),
        [`GET ${path}/{id}`]: { run: (request) => [200, { data: shown(one(request)) }] },
        [`DELETE ${path}/{id}`]: { run(request) { request.objects[object].remove(one(request)); return [200, {}]; } },
        [`POST ${path}/query`]: { body: query, run({ body: { filter = {}, limit = 500, offset = 0 }, objects, refuse }) {
            if (limit > 500 || limit < 1) refuse(400, 'limit: Number must be less than or equal to 500');
            const ways = filter.$or ?? [filter];
            const unknown = ways.flatMap((way) => Object.keys(way)).find((slug) => !attributes[object][slug]);
            if (unknown) refuse(400, `Error in filter: unknown attribute ${unknown}.`, 'filter_error');
            const found = objects[object].all().filter((record) => ways.some((way) => Object.entries(way).every(([slug, value]) => holds(record, slug, value))));
            return [200, { data: found.slice(offset, offset + limit).map(shown) }];
        } },
        [`GET /v2/objects/${object}/attributes`]: { query: ['limit', 'offset', 'show_archived'], run: ({ query: { offset = 0 } }) => [200, { data: Object.entries({ record_id: ['text'], ...attributes[object] })
            .map(([api_slug, [type, is_unique = false, is_multiselect = false]]) => ({ api_slug, title: `The ${api_slug}`, description: null, type, is_unique, is_multiselect, is_writable: api_slug !== 'record_id', is_archived: false })).slice(offset) }] },
    };
}

/// The list enterprise_sales, of companies, whose attributes are stage and note.
const listed = (one) => ({ id: { workspace_id: '14beef7a-99f7-4534-a87e-70b564330a4c', list_id: '33ebdbe9-e529-47c9-b894-0ba25e9c15c0', entry_id: one.entry_id }, parent_record_id: one.parent_record_id, parent_object: 'companies', created_at: '2022-11-21T13:22:49.061281000Z', entry_values: one.entry_values });
const joins = members({ data: members({ parent_record_id: matching(uuid), parent_object: oneOf('companies'), entry_values: dictionary(anything) }) });
function entryValues({ body, refuse }) {
    const unknown = Object.keys(body.data.entry_values).find((slug) => !['stage', 'note'].includes(slug));
    return unknown ? refuse(400, `Cannot find attribute with slug/ID "${unknown}".`, 'value_not_found') : Object.fromEntries(Object.entries(body.data.entry_values).map(([slug, value]) => [slug, value === null ? [] : [entry({ value }, 'text')]]));
}
const anEntry = ({ objects, path: { id }, refuse }) => objects.list_entries.find(id) ?? refuse(404, `List entry with ID "${id}" not found.`);
const joined = (request) => [200, { data: listed(request.objects.list_entries.insert({ parent_record_id: request.body.data.parent_record_id, entry_values: entryValues(request) })) }];
const lists = {
    'POST /v2/lists/enterprise_sales/entries': { body: joins, run: joined },
    'PUT /v2/lists/enterprise_sales/entries': { body: joins, run(request) {
        const found = request.objects.list_entries.all().filter((one) => one.parent_record_id === request.body.data.parent_record_id);
        if (found.length > 1) request.refuse(400, 'Multiple entries have this parent.', 'multiple_match_results');
        return found.length ? [200, { data: listed(request.objects.list_entries.update(found[0], { entry_values: { ...found[0].entry_values, ...entryValues(request) } })) }] : joined(request);
    } },
    'PUT /v2/lists/enterprise_sales/entries/{id}': { body: members({ data: members({ entry_values: dictionary(anything) }) }), run(request) {
        const found = anEntry(request);
        return [200, { data: listed(request.objects.list_entries.update(found, { entry_values: { ...found.entry_values, ...entryValues(request) } })) }];
    } },
    'GET /v2/lists/enterprise_sales/entries/{id}': { run: (request) => [200, { data: listed(anEntry(request)) }] },
    'DELETE /v2/lists/enterprise_sales/entries/{id}': { run(request) { request.objects.list_entries.remove(anEntry(request)); return [200, {}]; } },
    'POST /v2/lists/enterprise_sales/entries/query': { body: query, run: ({ body: { limit = 500, offset = 0 }, objects }) => [200, { data: objects.list_entries.all().slice(offset, offset + limit).map(listed) }] },
};

const stored = { id: 'record_id', give: (number) => `bf071e1f-6035-429d-b874-${String(number).padStart(12, '0')}` };
const names = Object.keys(attributes);

export default {
    auth: auth.bearer('0123456789abcdef'),
    refusal: failure,
    unauthorized: () => [401, { status_code: 401, type: 'auth_error', code: 'unauthorized', message: 'The access token is not known.' }],
    limited: () => [429, { status_code: 429, type: 'rate_limit_error', code: 'rate_limit_exceeded', message: 'Rate limit exceeded, please try again later' }, { 'retry-after': new Date(Date.now() + 1000).toUTCString() }],
    objects: { ...Object.fromEntries(names.map((name) => [name, stored])), list_entries: { id: 'entry_id', give: stored.give } },
    routes: {
        ...Object.assign({}, ...names.map(routesOf)), ...lists,
        'GET /v2/objects': { run: () => [200, { data: names.map((api_slug) => ({ api_slug, singular_noun: api_slug, plural_noun: api_slug })) }] },
        'GET /v2/self': { run: () => [200, { active: true, scope: 'record_permission:read-write object_configuration:read', token_type: 'Bearer', workspace_id: '14beef7a-99f7-4534-a87e-70b564330a4c', workspace_name: 'Acme' }] },
    },
};
