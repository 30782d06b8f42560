// Freshdesk, API v2, by https://developers.freshdesk.com/api/.
import { Taken, anything, auth, byOffset, dictionary, integer, list, members, nullable, oneOf, text } from './kit/kit.mjs';

const shapes = {
    contacts: {
        'name?': text, 'email?': nullable(text), 'phone?': nullable(text), 'mobile?': nullable(text), 'unique_external_id?': nullable(text),
        'job_title?': nullable(text), 'company_id?': nullable(integer), 'address?': nullable(text), 'description?': nullable(text),
        'language?': text, 'time_zone?': text, 'tags?': list(text), 'custom_fields?': dictionary(anything),
    },
    companies: {
        'name?': text, 'description?': nullable(text), 'note?': nullable(text), 'domains?': list(text), 'health_score?': nullable(text),
        'account_tier?': nullable(text), 'renewal_date?': nullable(text), 'industry?': nullable(text), 'custom_fields?': dictionary(anything),
    },
    tickets: {
        'subject?': text, 'description?': text, 'email?': text, 'requester_id?': integer, 'status?': oneOf(2, 3, 4, 5),
        'priority?': oneOf(1, 2, 3, 4), 'source?': oneOf(1, 2, 3, 5, 6, 7, 9, 11), 'type?': nullable(text), 'responder_id?': nullable(integer),
        'group_id?': nullable(integer), 'company_id?': nullable(integer), 'tags?': list(text), 'custom_fields?': dictionary(anything),
    },
};
const required = { contacts: ['name'], companies: ['name'], tickets: ['subject', 'description', 'status', 'priority'] };
const parameters = { contacts: ['email', 'mobile', 'phone', 'company_id', 'state'], companies: [], tickets: ['updated_since', 'include', 'filter', 'order_by'] };
const fields = { contacts: { tier: 'custom_text', seats: 'custom_number' }, companies: { region: 'custom_dropdown' }, tickets: { cf_order: 'custom_text' } };

const invalid = (field, message, code = 'invalid_value', more = {}) => ({ description: 'Validation failed', errors: [{ field, ...more, message, code }] });

/// The answer to values that are not valid, or nothing.
function refused(name, body, isNew) {
    const missing = isNew && required[name].find((field) => body[field] === undefined);
    if (missing) return [400, invalid(missing, 'It should be a/an String', 'missing_field')];
    if (body.name === '') return [400, invalid('name', "It should not be blank as this is a mandatory field", 'invalid_value')];
    if (body.subject === '') return [400, invalid('subject', "It should not be blank as this is a mandatory field", 'invalid_value')];
    if (body.email && !/^[^@ ]+@[^@ ]+\.[^@ ]+$/.test(body.email)) return [400, invalid('email', "It should be in the 'valid email address' format")];
    const unknown = Object.keys(body.custom_fields ?? {}).find((field) => !fields[name][field]);
    return unknown && [400, invalid(unknown, 'Unexpected/invalid field in request', 'invalid_field')];
}

/// Does it, or says who is in the way.
function unlessTaken(act) {
    try {
        return act();
    } catch (error) {
        if (!(error instanceof Taken)) throw error;
        return [409, invalid(error.field, 'It should be a unique value', 'duplicate_value', { additional_info: { user_id: error.record.id } })];
    }
}

const one = (name, { objects, path, refuse }) => objects[name].find(path.id) ?? refuse(404);

function routesOf(name) {
    const shape = members(shapes[name]);
    return {
        [`POST /${name}`]: { body: shape, run({ body, objects }) {
            const gone = name === 'contacts' ? objects.deleted.by('email', body.email) : undefined;
            return refused(name, body, true) ?? (gone && [409, invalid('email', 'It should be a unique value', 'duplicate_value', { additional_info: { user_id: gone.id } })])
                ?? unlessTaken(() => [201, objects[name].insert({ custom_fields: {}, created_at: '2026-01-02T03:04:05Z', ...body })]);
        } },
        [`PUT /${name}/{id}`]: { body: shape, run(request) {
            const found = one(name, request);
            const { body, objects } = request;
            return refused(name, body, false) ?? unlessTaken(() => [200, objects[name].update(found, { ...body, custom_fields: { ...found.custom_fields, ...body.custom_fields } })]);
        } },
        [`GET /${name}/{id}`]: { query: ['include'], run: (request) => [200, one(name, request)] },
        [`DELETE /${name}/{id}`]: { run(request) {
            const found = one(name, request);
            request.objects[name].remove(found);
            if (name === 'contacts') request.objects.deleted.insert(found);
            return [204];
        } },
        [`GET /${name}`]: { query: ['page', 'per_page', ...parameters[name]], run({ query, objects, base, refuse }) {
            const [number, size] = [Number(query.page ?? 1), Number(query.per_page ?? 30)];
            if (!(size >= 1 && size <= 100)) refuse(400, 'per_page should be from 1 to 100');
            const found = objects[name].all().filter((record) => ['email', 'mobile', 'phone', 'company_id'].every((field) => query[field] === undefined || String(record[field]).toLowerCase() === query[field].toLowerCase()));
            const page = byOffset(found, (number - 1) * size, size);
            const next = new URLSearchParams({ ...query, page: number + 1 });
            return [200, page.items, page.next === undefined ? {} : { link: `<${base}/${name}?${next}>; rel="next"` }];
        } },
        [`GET /${{ contacts: 'contact', companies: 'company', tickets: 'ticket' }[name]}_fields`]: { run: () => [200, [
            { id: 1, name: 'name', label: 'Name', type: 'default_name', default: true },
            ...Object.entries(fields[name]).map(([field, type], index) => ({ id: index + 2, name: field, label: `The ${field}`, type, default: false })),
        ]] },
    };
}

const numbered = (unique) => ({ unique, like: (value) => String(value).toLowerCase(), give: (number) => 42000000000 + number });

export default {
    auth: auth.basic('abcdefghij1234567890', 'X'),
    refusal: (status, message) => (status === 404 ? undefined : { description: 'Validation failed', errors: [{ field: 'body', message, code: 'invalid_value' }] }),
    unauthorized: () => [401, { code: 'invalid_credentials', message: 'You have to be logged in to perform this action.' }],
    limited: () => [429, { message: 'You have exceeded the limit of requests per minute' }, { 'retry-after': '1', 'x-ratelimit-total': '200', 'x-ratelimit-remaining': '0' }],
    objects: { contacts: numbered(['email', 'unique_external_id']), deleted: numbered(['email']), companies: numbered(['name']), tickets: numbered([]) },
    begin: (objects) => objects.deleted.insert({ id: 41000000001, email: 'person700@example.com', name: 'Gone', custom_fields: {}, created_at: '2026-01-01T00:00:00Z' }),
    routes: {
        'PUT /contacts/{id}/restore': { run({ objects, path, refuse }) {
            const gone = objects.deleted.find(path.id) ?? refuse(404);
            objects.deleted.remove(gone);
            objects.contacts.insert(gone);
            return [204];
        } },
        ...routesOf('contacts'), ...routesOf('companies'), ...routesOf('tickets'),
        'GET /agents/me': { run: () => [200, { id: 7, contact: { email: 'agent@example.com', name: 'Agent' } }] },
    },
};
