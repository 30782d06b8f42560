// Adobe Marketo Engage, by its description of the API (swagger-mapi.json) and
// https://experienceleague.adobe.com/en/docs/marketo-developer/marketo/rest: Authentication, Error Codes, Leads, Static Lists.
import { anything, byCursor, dictionary, integer, list, members, oneOf, text } from './kit/kit.mjs';

const fields = {
    id: ['integer', true], email: ['email', false], firstName: ['string', false], lastName: ['string', false], company: ['string', false],
    phone: ['phone', false], createdAt: ['datetime', true], updatedAt: ['datetime', true], leadScore: ['score', false], annualRevenue: ['currency', false],
};
let last = 0;
const answer = (result, more = {}) => [200, { requestId: `e42b#${(++last).toString(16)}`, success: true, errors: [], warnings: [], result, ...more }];
const failed = (code, message) => ({ requestId: `e42b#${(++last).toString(16)}`, success: false, errors: [{ code: String(code), message }], warnings: [], result: [] });
const skipped = (code, message) => ({ status: 'skipped', reasons: [{ code: String(code), message }] });
const many = (of) => list(of, { least: 1, most: 300 });
const ids = members({ input: many(members({ id: integer })) });

/// Tokens of the identity service, which are given by GET.
const given = new Set();
const identity = {
    lets: ({ headers }) => given.has((headers.authorization ?? '').replace(/^Bearer /, '')),
    expire: () => given.clear(),
    routes: { 'GET /identity/oauth/token': { open: true, token: true, query: ['grant_type', 'client_id', 'client_secret'], run({ query }) {
        if (query.grant_type !== 'client_credentials' || query.client_id !== 'c1' || query.client_secret !== 's1')
            return [401, { error: 'invalid_client', error_description: 'Bad client credentials' }];
        const token = `token-${++last}`;
        given.add(token);
        return [200, { access_token: token, token_type: 'bearer', expires_in: 3599, scope: 'api@example.com' }];
    } } },
};

/// What is wrong with a lead, or nothing.
function fault(one) {
    if (one.email !== undefined && one.email !== null && !/^[^@ ]+@[^@ ]+\.[^@ ]+$/.test(one.email)) return skipped(1001, `Invalid value '${one.email}'. Required of type 'email'`);
    const unknown = Object.keys(one).find((name) => !fields[name] || (fields[name][1] && name !== 'id'));
    return unknown ? skipped(1006, `Field '${unknown}' not found`) : null;
}
const find = (leads, field, value) => (field === 'id' ? leads.find(value) : leads.by('email', value));
function sync(leads, action, field, one) {
    const wrong = fault(one) ?? (one[field] === undefined ? skipped(1002, `Missing value for required parameter '${field}'`) : null);
    if (wrong) return wrong;
    const record = find(leads, field, one[field]);
    if (record && action === 'createOnly') return skipped(1005, 'Lead already exists');
    if (!record && (action === 'updateOnly' || field === 'id')) return skipped(1004, 'Lead not found');
    if (record) return { id: leads.update(record, one).id, status: 'updated' };
    return { id: leads.insert({ firstName: null, lastName: null, createdAt: '2026-01-02T03:04:05Z', updatedAt: '2026-01-02T03:04:05Z', ...one }).id, status: 'created' };
}
const shown = (record, wanted = 'id,email,firstName,lastName,createdAt,updatedAt') => Object.fromEntries(wanted.split(',').map((name) => [name, record[name] ?? null]));
/// Companies, opportunities and custom objects: the path, the field that the account gives, and the one that names a record.
const kinds = { companies: ['companies', 'id', 'externalCompanyId'], opportunities: ['opportunities', 'marketoGUID', 'externalOpportunityId'], Car: ['customobjects/Car', 'marketoGUID', 'vin'] };
const own = { companies: ['company', 'mainPhone'], opportunities: ['name', 'amount'], Car: ['make', 'doors'] };
const numbers = ['amount', 'doors'];
function routesOf(name, [path, id, dedupe]) {
    const known = [id, dedupe, ...own[name]];
    const by = (store, field, value) => (field === id ? store.find(value) : store.by(field, value));
    return {
        [`POST /rest/v1/${path}.json`]: {
            body: members({ 'action?': oneOf('createOnly', 'updateOnly', 'createOrUpdate'), 'dedupeBy?': oneOf('dedupeFields', 'idField'), input: many(dictionary(anything)) }),
            run: ({ body, objects }) => answer(body.input.map((one, seq) => {
                const field = body.dedupeBy === 'idField' ? id : dedupe;
                const unknown = Object.keys(one).find((each) => !known.includes(each) || (each === id && field !== id));
                if (unknown) return { seq, ...skipped(1006, `Field '${unknown}' not found`) };
                if (numbers.some((each) => one[each] !== undefined && one[each] < 0)) return { seq, ...skipped(1001, `Invalid value '${one.amount ?? one.doors}'. Required of type 'number'`) };
                if (!one[field]) return { seq, ...skipped(1002, `Missing value for required parameter '${field}'`) };
                const record = by(objects[name], field, one[field]);
                if (record && body.action === 'createOnly') return { seq, ...skipped(1017, 'Object already exists') };
                if (!record && (body.action === 'updateOnly' || field === id)) return { seq, ...skipped(1013, 'Record not found') };
                return { seq, status: record ? 'updated' : 'created', [id]: (record ? objects[name].update(record, one) : objects[name].insert({ createdAt: '2026-01-02T03:04:05Z', updatedAt: '2026-01-02T03:04:05Z', ...one }))[id] };
            })),
        },
        [`POST /rest/v1/${path}/delete.json`]: { body: members({ deleteBy: oneOf('idField', 'dedupeFields'), input: many(dictionary(anything)) }), run: ({ body, objects }) => answer(body.input.map((one, seq) => {
            const field = body.deleteBy === 'idField' ? id : dedupe;
            const record = by(objects[name], field, one[field]);
            if (!record) return { seq, ...skipped(1013, 'Record not found') };
            objects[name].remove(record);
            return { seq, [id]: record[id], status: 'deleted' };
        })) },
        [`GET /rest/v1/${path}.json`]: { query: ['filterType', 'filterValues', 'fields', 'batchSize', 'nextPageToken'], run({ query, objects, url }) {
            if (url.length > 8192) return [414, 'Request-URI Too Long'];
            if (![id, dedupe].includes(query.filterType)) return [200, failed(1003, `Invalid filterType '${query.filterType}'`)];
            const found = query.filterValues.split(',').map((value) => by(objects[name], query.filterType, value)).filter(Boolean);
            return answer(found.map((one, seq) => ({ seq, ...shown(one, query.fields ?? `${id},${dedupe}`) })));
        } },
        [`GET /rest/v1/${path}/describe.json`]: { run: () => answer([{ name, idField: id, dedupeFields: [dedupe], searchableFields: [[dedupe], [id]], fields: [...known, 'createdAt', 'updatedAt']
            .map((each) => ({ name: each, displayName: `The ${each}`, dataType: each.endsWith('At') ? 'datetime' : numbers.includes(each) ? 'integer' : 'string', updateable: own[name].includes(each) })) }]) },
    };
}
const isLead = (id) => Number(id) > 0;

export default {
    auth: identity,
    limits: { concurrent: 10 },
    refusal: (status, message) => failed(status === 415 ? 612 : status === 404 ? 610 : 609, message),
    unauthorized: () => [200, failed(602, 'Access token expired')],
    limited: () => [200, failed(606, "Max rate limit '100' exceeded with in '20' secs")],
    objects: { leads: { unique: ['email'], like: (value) => String(value).toLowerCase(), give: (number) => number }, list_members: {}, ...Object.fromEntries(Object.entries(kinds).map(([name, [, id, dedupe]]) => [name, { id, unique: [dedupe], give: (number) => (id === 'id' ? number : `dff23271-f996-47d7-984f-${String(number).padStart(12, '0')}`) }])) },
    routes: {
        ...Object.assign({}, ...Object.entries(kinds).map(([name, kind]) => routesOf(name, kind))),
        'GET /rest/v1/customobjects.json': { run: () => answer([{ name: 'Car', displayName: 'Car', idField: 'marketoGUID', dedupeFields: ['vin'] }]) },
        'POST /rest/v1/leads.json': {
            body: members({ 'action?': oneOf('createOnly', 'updateOnly', 'createOrUpdate', 'createDuplicate'), 'lookupField?': text, 'partitionName?': text, 'input': many(dictionary(anything)) }),
            run: ({ body, objects }) => answer(body.input.map((one) => sync(objects.leads, body.action ?? 'createOrUpdate', body.lookupField ?? 'email', one))),
        },
        'GET /rest/v1/leads.json': { query: ['filterType', 'filterValues', 'fields', 'batchSize', 'nextPageToken'], run({ query, objects, url }) {
            if (url.length > 8192) return [414, 'Request-URI Too Long'];
            if (!fields[query.filterType]) return [200, failed(1003, `Invalid filterType '${query.filterType}'`)];
            const values = query.filterValues.split(',');
            if (values.length > 300) return [200, failed(1003, 'Too many values to filter. Max allowed filter values is 300')];
            return answer(values.map((value) => find(objects.leads, query.filterType, value)).filter(Boolean).map((one) => shown(one, query.fields)));
        } },
        'POST /rest/v1/leads/delete.json': { body: ids, run: ({ body, objects }) => answer(body.input.map(({ id }) => {
            const record = objects.leads.find(id);
            if (!record) return { id, ...skipped(1004, 'Lead not found') };
            objects.leads.remove(record);
            return { id, status: 'deleted' };
        })) },
        'GET /rest/v1/leads/describe.json': { run: () => answer(Object.entries(fields).map(([name, [dataType, readOnly]], index) => ({ id: index, displayName: `The ${name}`, dataType, length: 255, rest: { name, readOnly }, soap: { name, readOnly } }))) },
        'GET /rest/v1/leads/describe2.json': { run: () => answer([{ name: 'API Lead', searchableFields: [['email'], ['id']], fields: [] }]) },
        'POST /rest/v1/lists/{list}/leads.json': { body: ids, run: ({ body, path, objects }) => answer(body.input.map(({ id }) => {
            if (!isLead(id)) return { id, ...skipped(1004, 'Lead not found') };
            const known = objects.list_members.find(`${path.list}/${id}`);
            if (!known) objects.list_members.insert({ id: `${path.list}/${id}`, lead_id: id });
            return { id, status: 'added' };
        })) },
        'DELETE /rest/v1/lists/{list}/leads.json': { query: ['id'], run: ({ url, path, objects }) => answer(new URL(url, 'http://x').searchParams.getAll('id').map((id) => {
            const record = objects.list_members.find(`${path.list}/${id}`);
            if (record) objects.list_members.remove(record);
            return { id: Number(id), ...(record ? { status: 'removed' } : skipped(1015, 'Lead not in list')) };
        })) },
        'GET /rest/v1/lists/{list}/leads.json': { query: ['batchSize', 'nextPageToken', 'fields'], run({ query, objects }) {
            const part = byCursor(objects.list_members.all(), query.nextPageToken, Number(query.batchSize ?? 300));
            if (!part) return [200, failed(1003, 'nextPageToken is not valid')];
            return answer(part.items.map((one) => ({ ...shown({}), id: one.lead_id, email: null })), { moreResult: Boolean(part.next), ...(part.next && { nextPageToken: part.next }) });
        } },
    },
};
