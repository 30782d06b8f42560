// HubSpot's CRM objects, version 3 of its API, by its client @hubspot/api-client 13.5.0, its guides to the objects, to errors and to limits at
// https://developers.hubspot.com/docs/api-reference/latest, and what others have seen of it: batches that are answered in another order, and refused where they name a record twice.
import { anything, auth, dictionary, integer, list, members, oneOf, text } from './kit/kit.mjs';

const standard = { firstname: 'string', lastname: 'string', phone: 'phone_number', company: 'string', city: 'string', hubspot_owner_id: 'enumeration' };
const stages = { lifecyclestage: ['lead', 'customer'], dealstage: ['appointmentscheduled', 'closedwon'], pipeline: ['default'], hs_pipeline: ['0'], hs_pipeline_stage: ['1', '4'], hs_ticket_priority: ['LOW', 'HIGH'], model: ['A', 'S', 'T'] };
// Of each object: its kind in messages; its properties by their types; those that must be there, of which one is enough where they stand in a list; those whose values are unique.
const types = {
    contacts: ['CONTACT', { email: 'string', ...standard, lifecyclestage: 'enumeration', score: 'number', renewed: 'datetime', birthday: 'date', vip: 'bool' }, [], ['email']],
    companies: ['COMPANY', { name: 'string', domain: 'string', city: 'string', industry: 'enumeration', numberofemployees: 'number', annualrevenue: 'number', external_ref: 'string' }, [['name', 'domain']], ['external_ref']],
    deals: ['DEAL', { dealname: 'string', pipeline: 'enumeration', dealstage: 'enumeration', amount: 'number', closedate: 'datetime', order_ref: 'string' }, ['dealname', 'dealstage', 'pipeline'], ['order_ref']],
    tickets: ['TICKET', { subject: 'string', content: 'string', hs_pipeline: 'enumeration', hs_pipeline_stage: 'enumeration', hs_ticket_priority: 'enumeration', external_ref: 'string' }, ['subject', 'hs_pipeline', 'hs_pipeline_stage'], ['external_ref']],
    p1234567_cars: ['p1234567_CAR', { vin: 'string', model: 'enumeration', seats: 'number', sold_on: 'date' }, ['vin'], ['vin']],
};
const given = ['hs_object_id', 'createdate', 'lastmodifieddate'];
const like = (value) => String(value).toLowerCase();
const fits = {
    number: (value) => value !== '' && !Number.isNaN(Number(value)), bool: (value) => ['true', 'false'].includes(value), date: (value) => /^\d{4}-\d\d-\d\d$/.test(value),
    datetime: (value) => /^\d{4}-\d\d-\d\dT[\d:.]+(Z|[+-]\d\d:?\d\d)$/.test(value),
};
const codes = { number: 'INVALID_INTEGER', bool: 'INVALID_BOOLEAN', date: 'INVALID_DATE', datetime: 'INVALID_DATE' };
const now = '2026-01-02T03:04:05.061Z';
const error = (category, message, context = {}) => ({ status: 'error', category, message, context, links: {}, errors: [] });
const refusal = (status, message, { category = status === 404 ? 'OBJECT_NOT_FOUND' : 'VALIDATION_ERROR', ...more } = {}) => ({ status: 'error', message, correlationId: 'aeb5f871-7f07-4993-9211-075dc63e7cbf', category, ...more });
const invalid = (name, code, message) => error('VALIDATION_ERROR', `Property values were not valid: [{"isValid":false,"message":${JSON.stringify(message)},"error":"${code}","name":"${name}","localizedErrorMessage":${JSON.stringify(message)},"portalId":1234567}]`);

/// What is wrong with the properties of a record, or nothing.
function wrong(type, properties, isNew) {
    const [kind, known, needed] = types[type];
    const missing = needed.filter((names) => ![names].flat().some((name) => properties[name]));
    if (isNew && missing.length) return error('VALIDATION_ERROR', `Error creating ${kind}. Some required properties were not set.`, { properties: missing.flat() });
    for (const [name, value] of Object.entries(properties)) {
        if (given.includes(name)) return invalid(name, 'READ_ONLY_VALUE', `"${name}" is a read only property; its value cannot be set.`);
        if (!known[name]) return invalid(name, 'PROPERTY_DOESNT_EXIST', `Property "${name}" does not exist`);
        if (value === '') continue;
        if (name === 'email' && !/^[^@ ]+@[^@ ]+\.[^@ ]+$/.test(value)) return invalid(name, 'INVALID_EMAIL', `Email address ${value} is invalid`);
        if (stages[name] && !stages[name].includes(value)) return invalid(name, 'INVALID_OPTION', `${value} was not one of the allowed options: [${stages[name].join(', ')}]`);
        if (fits[known[name]] && !fits[known[name]](value)) return invalid(name, codes[known[name]], `${value} was not a valid ${known[name]}.`);
    }
    return null;
}

const shown = ({ id, ...properties }, asked) => ({
    id, properties: { ...Object.fromEntries((asked ?? Object.keys(properties)).map((name) => [name, properties[name] || null])), createdate: now, hs_object_id: id, lastmodifieddate: now }, createdAt: now, updatedAt: now, archived: false,
});
/// 207 where some rows failed. Neither results nor errors come in the order of the inputs.
const batched = (results, errors, status = 200) => [errors.length ? 207 : status, { status: 'COMPLETE', results: results.reverse(), requestedAt: now, startedAt: now, completedAt: now, ...(errors.length && { numErrors: errors.length, errors }) }];
const missing = (kind, ids) => (ids.length ? [error('OBJECT_NOT_FOUND', `Could not get some ${kind} objects, they may be deleted or not exist. Check that ids are valid.`, { ids })] : []);
const found = (store, by, id) => (by ? store.by(by, id) : store.find(id));

/// The property by which a request names records, which has to be one whose values are unique: HubSpot's own id is none.
function unique(type, idProperty, refuse, { optional = true, email = true } = {}) {
    if (idProperty === undefined && optional) return undefined;
    if (!types[type][3].includes(idProperty) || (idProperty === 'email' && !email)) refuse(400, `Unable to perform update/upsert by non-unique ${types[type][0]} property ${idProperty ?? 'hs_object_id'}`);
    return idProperty;
}

function once(ids, refuse) {
    const twice = ids.find((id, index) => id !== undefined && ids.findIndex((other) => other !== undefined && like(other) === like(id)) !== index);
    if (twice !== undefined) refuse(400, `Duplicate IDs found in batch input: [${twice}]. IDs must be unique`, { context: { ids: [twice] } });
}

/// Rows that are made one by one, and refused one by one where each has a trace id; without, one that is bad has the batch refused.
function write(type, { body: { inputs }, objects, refuse }, status, apply) {
    const traces = inputs.map((one) => one.objectWriteTraceId);
    if (new Set(traces.filter(Boolean)).size !== traces.filter(Boolean).length) refuse(400, 'objectWriteTraceId must be unique');
    const traced = traces.every(Boolean);
    const plan = inputs.map((input) => apply(input, objects[type]));
    const bad = plan.find((one) => one.error);
    if (bad && !traced) refuse(bad.error.category === 'CONFLICT' ? 409 : 400, bad.error.message, { category: bad.error.category });
    const results = [], errors = [], gone = [];
    plan.forEach((one, index) => {
        if (one.gone) gone.push(inputs[index].id);
        else if (one.error) errors.push({ ...one.error, context: { ...one.error.context, objectWriteTraceId: [traces[index]] } });
        else results.push({ ...shown(one.make()), ...(traced && { objectWriteTraceId: traces[index] }), ...(one.isNew !== undefined && { new: one.isNew }) });
    });
    return batched(results, [...missing(types[type][0], gone), ...errors], status);
}

/// Another record must not have the value of a unique property.
function conflict(type, store, properties, own) {
    const other = types[type][3].map((name) => properties[name] && store.by(name, properties[name])).find((one) => one && one !== own);
    return other && error('CONFLICT', `${types[type][0][0]}${types[type][0].slice(1).toLowerCase()} already exists. Existing ID: ${other.id}`);
}
const stored = ({ email, ...of }) => ({ ...of, ...(email !== undefined && { email: like(email) }) });

const batch = (input, more = {}) => members({ inputs: list(members(input), { least: 1, most: 100 }), ...more });
const traced = { properties: dictionary(text), 'objectWriteTraceId?': text };
const ids = { id: text };
const filter = members({ propertyName: text, operator: oneOf('EQ', 'NEQ', 'IN', 'HAS_PROPERTY'), 'value?': text, 'values?': list(text), 'highValue?': text });
const searches = members({ 'query?': text, 'limit?': integer, 'after?': text, 'sorts?': list(text), 'properties?': list(text), 'filterGroups?': list(members({ filters: list(filter, { most: 6 }) }), { most: 5 }) });
const holds = (record, { propertyName: name, operator, value, values = [] }) => (operator === 'HAS_PROPERTY' ? Boolean(record[name]) : (operator === 'IN' ? values : [value]).some((one) => like(one) === like(record[name] ?? '')) === (operator !== 'NEQ'));
const page = (records, start, size, link, asked) => ({ results: records.slice(start, start + size).map((one) => shown(one, asked)), ...(start + size < records.length && { paging: { next: { after: link(start + size), link: 'https://api.hubapi.com/next' } } }) });

function routesOf(type) {
    const path = `/crm/v3/objects/${type}`;
    const [kind, known, , uniques] = types[type];
    return {
        [`POST ${path}/batch/create`]: { body: batch({ ...traced, 'associations?': list(anything) }), run(request) {
            for (const name of uniques) once(request.body.inputs.map(({ properties }) => properties[name]), request.refuse);
            return write(type, request, 201, ({ properties }, store) => ({ error: wrong(type, properties, true) ?? conflict(type, store, properties), make: () => store.insert(stored(properties)) }));
        } },
        [`POST ${path}/batch/update`]: { body: batch({ ...traced, ...ids, 'idProperty?': text }), run(request) {
            // The guide to contacts: batches name them by their ids.
            const by = unique(type, request.body.inputs[0].idProperty, request.refuse, { email: false });
            once(request.body.inputs.map(({ id }) => id), request.refuse);
            return write(type, request, 200, ({ id, properties }, store) => {
                const record = found(store, by, id);
                return record ? { error: wrong(type, properties, false) ?? conflict(type, store, properties, record), make: () => store.update(record, stored(properties)) } : { gone: true };
            });
        } },
        [`POST ${path}/batch/upsert`]: { body: batch({ ...traced, ...ids, 'idProperty?': text }), run(request) {
            const by = unique(type, request.body.inputs[0].idProperty, request.refuse, { optional: false });
            once(request.body.inputs.map(({ id }) => id), request.refuse);
            return write(type, request, 200, ({ id, properties: { ...properties } }, store) => {
                const record = found(store, by, id);
                properties[by] ??= id;
                return { error: wrong(type, properties, !record) ?? conflict(type, store, properties, record), isNew: !record, make: () => (record ? store.update(record, stored(properties)) : store.insert(stored(properties))) };
            });
        } },
        [`POST ${path}/batch/archive`]: { body: batch(ids), run({ body: { inputs }, objects }) {
            for (const { id } of inputs) if (objects[type].find(id)) objects[type].remove(objects[type].find(id));
            return [204];
        } },
        [`POST ${path}/batch/read`]: { query: ['archived'], body: batch(ids, { properties: list(text), propertiesWithHistory: list(text), 'idProperty?': text }), run({ body: { inputs, properties, idProperty }, objects, refuse }) {
            const by = unique(type, idProperty, refuse);
            once(inputs.map(({ id }) => id), refuse);
            const records = inputs.map(({ id }) => found(objects[type], by, id));
            return batched(records.filter(Boolean).map((one) => shown(one, properties)), missing(kind, inputs.filter((_, index) => !records[index]).map(({ id }) => id)));
        } },
        [`GET ${path}`]: { query: ['limit', 'after', 'properties', 'propertiesWithHistory', 'associations', 'archived'], run({ url, base, query: { limit = 10, after }, objects, refuse }) {
            if (!(limit >= 1 && limit <= 100)) refuse(400, 'Invalid limit: it must be between 1 and 100');
            const records = objects[type].all();
            const start = after === undefined ? 0 : records.findIndex(({ id }) => Number(id) >= Number(after));
            return [200, page(records, start < 0 ? records.length : start, Number(limit), (next) => records[next].id, new URL(url, base).searchParams.getAll('properties').flatMap((names) => names.split(',')))];
        } },
        [`POST ${path}/search`]: { body: searches, run({ body: { filterGroups = [], limit = 10, after = '0', properties = [] }, objects, refuse }) {
            if (filterGroups.flatMap(({ filters }) => filters).length > 18) refuse(400, 'There are too many filters. The maximum is 18.');
            if (!(limit >= 1 && limit <= 200)) refuse(400, 'limit must be between 1 and 200');
            if (!(Number(after) + limit <= 10_000)) refuse(400, 'The offset is past the 10,000 results that a search may have.');
            const unknown = filterGroups.flatMap(({ filters }) => filters).find(({ propertyName: name }) => !known[name] && !given.includes(name));
            if (unknown) refuse(400, `There was a problem with the request: property '${unknown.propertyName}' does not exist`);
            const records = objects[type].all().filter((one) => !filterGroups.length || filterGroups.some(({ filters }) => filters.every((of) => holds(one, of))));
            return [200, { total: records.length, ...page(records, Number(after), limit, String, properties) }];
        } },
        [`GET /crm/v3/properties/${type}`]: { query: ['archived', 'dataSensitivity', 'properties'], run: () => [200, { results: [...given.map((name) => [name, name === given[0] ? 'number' : 'datetime']), ...Object.entries(known)].map(([name, of]) => ({
            name, label: `The ${name}`, description: '', type: of, fieldType: 'text', groupName: 'information', hidden: false, archived: false, hasUniqueValue: uniques.includes(name),
            options: (stages[name] ?? []).map((value) => ({ value, label: value, hidden: false, displayOrder: -1 })), modificationMetadata: { archivable: true, readOnlyDefinition: true, readOnlyValue: given.includes(name) },
        })) }] },
    };
}

// Every answer but that of a search tells how many requests are left, and none when to come again.
const limits = (left) => ({ 'X-HubSpot-RateLimit-Max': '100', 'X-HubSpot-RateLimit-Remaining': String(left), 'X-HubSpot-RateLimit-Interval-Milliseconds': '1000', 'X-HubSpot-RateLimit-Daily': '250000', 'X-HubSpot-RateLimit-Daily-Remaining': '249000' });
const told = (routes) => Object.fromEntries(Object.entries(routes).map(([name, route]) => [name, { ...route, run(request) {
    const [status, body, headers] = route.run(request);
    return [status, body, { ...(name.endsWith('/search') ? {} : limits(99)), ...headers }];
} }]));
/// What the stand-ins of HubSpot have in common.
export const shared = {
    refusal,
    limited: () => [429, { status: 'error', message: 'You have reached your ten_secondly_rolling limit.', errorType: 'RATE_LIMIT', correlationId: 'c033cdaa-2c40-4a64-ae48-b4cec88dad24', policyName: 'TEN_SECONDLY_ROLLING', requestId: '3d3e35b7-0dae-4b9f-a6e3-9c230cbcf8dd' }, limits(0)],
    unauthorized: () => [401, refusal(401, 'Authentication credentials not found. This API supports OAuth 2.0 authentication and you can find more details at https://developers.hubspot.com/docs/methods/auth/oauth-overview', { category: 'INVALID_AUTHENTICATION' })],
};
export const account = { 'GET /account-info/v3/details': { run: () => [200, { portalId: 1234567, accountType: 'DEVELOPER_TEST', timeZone: 'Europe/Berlin', companyCurrency: 'EUR', uiDomain: 'app.hubspot.com', dataHostingLocation: 'na1' }] } };
export { batched, error, told };

export default {
    ...shared,
    auth: auth.bearer('pat-na1-1'),
    objects: Object.fromEntries(Object.keys(types).map((type, index) => [type, { unique: types[type][3], like, give: (number) => String(10_000 * (index + 1) + number) }])),
    routes: told({
        ...Object.assign({}, ...Object.keys(types).map(routesOf)),
        'GET /crm-object-schemas/v3/schemas': { query: ['archived'], run: () => [200, { results: [{ id: '1', objectTypeId: '2-1', name: 'cars', fullyQualifiedName: 'p1234567_cars', archived: false, labels: { singular: 'Car', plural: 'Cars' }, requiredProperties: ['vin'], associations: [], properties: [] }] }] },
        ...account,
    }),
};
