// Pipedrive, API v2, by the types of the vendor's client (npm pipedrive 33.7.0) and its documentation.
import { anything, auth, boolean, byCursor, dictionary, integer, list, matching, members, nullable, number, oneOf, text } from './kit/kit.mjs';

const date = matching(/^\d{4}-\d{2}-\d{2}$/);
const reachable = list(members({ value: text, 'primary?': boolean, 'label?': text }));
const shared = { 'owner_id?': integer, 'visible_to?': integer, 'label_ids?': list(integer), 'custom_fields?': dictionary(anything) };
const time = matching(/^\d{2}:\d{2}(:\d{2})?$/);
const shapes = {
    persons: {
        ...shared, 'name?': text, 'org_id?': nullable(integer), 'emails?': reachable, 'phones?': reachable, 'job_title?': text,
        'birthday?': date, 'notes?': text, 'postal_address?': members({ 'value?': text }), 'marketing_status?': text,
    },
    organizations: {
        ...shared, 'name?': text, 'address?': members({ value: text }), 'website?': nullable(text), 'linkedin?': nullable(text),
        'industry?': nullable(integer), 'annual_revenue?': nullable(integer), 'employee_count?': nullable(integer),
    },
    deals: {
        ...shared, 'title?': text, 'person_id?': nullable(integer), 'org_id?': nullable(integer), 'pipeline_id?': integer,
        'stage_id?': integer, 'value?': number, 'currency?': text, 'status?': oneOf('open', 'won', 'lost'), 'probability?': integer,
        'lost_reason?': text, 'expected_close_date?': date,
    },
    products: {
        'owner_id?': integer, 'visible_to?': integer, 'custom_fields?': dictionary(anything), 'name?': text, 'code?': text, 'description?': text, 'unit?': text, 'tax?': number,
        'category?': nullable(integer), 'is_linkable?': boolean, 'prices?': list(members({ currency: text, price: number, 'cost?': number, 'direct_cost?': nullable(number), 'notes?': text })),
    },
    activities: {
        'owner_id?': integer, 'subject?': text, 'type?': text, 'deal_id?': integer, 'lead_id?': text, 'org_id?': integer, 'due_date?': date, 'due_time?': time, 'duration?': time,
        'busy?': boolean, 'done?': boolean, 'participants?': list(members({ person_id: integer, 'primary?': boolean })), 'note?': text, 'public_description?': text, 'priority?': integer,
    },
};
const named = { persons: 'name', organizations: 'name', deals: 'title', products: 'name', activities: 'subject' };
const fields = {
    'd4de1c1518b4531717c676029a45911c340390a6': ['Tier', 'varchar'],
    'b4a5fd2c3e3b8a0a4b3a5f9c3a7c2e1d0f9e8d7c': ['Score', 'double'],
    'c0ffee00c0ffee00c0ffee00c0ffee00c0ffee00': ['Colours', 'set'],
};

const failure = (error, code) => ({ success: false, error, code, data: null });
const codes = { 400: 'ERR_SCHEMA_VALIDATION_FAILED', 404: 'ERR_NOT_FOUND' };

function checked({ body, refuse }, object, isNew) {
    const name = named[object];
    if (isNew ? !body[name] : body[name] === '') refuse(400, `Validation failed: ${name}: ${name} must be given`);
    for (const code of Object.keys(body.custom_fields ?? {}))
        if (!fields[code]) refuse(400, `Validation failed: custom_fields: ${code} is not known`);
    return body;
}

function routesOf(object) {
    const one = ({ objects, path, refuse }) => objects[object].find(path.id) ?? refuse(404, `${object} ${path.id} not found`);
    const known = ['limit', 'cursor', 'ids', 'filter_id', 'owner_id', 'sort_by', 'sort_direction', 'include_fields', 'custom_fields'];
    return {
        [`POST /api/v2/${object}`]: { body: members(shapes[object]), run(request) {
            const record = { custom_fields: {}, add_time: '2026-01-02T03:04:05Z', is_deleted: false, ...checked(request, object, true) };
            return [201, { success: true, data: request.objects[object].insert(record) }];
        } },
        [`PATCH /api/v2/${object}/{id}`]: { body: members(shapes[object]), run(request) {
            const found = one(request);
            const body = checked(request, object, false);
            const changed = { ...body, custom_fields: { ...found.custom_fields, ...body.custom_fields } };
            return [200, { success: true, data: request.objects[object].update(found, changed) }];
        } },
        [`DELETE /api/v2/${object}/{id}`]: { run(request) {
            const found = one(request);
            request.objects[object].remove(found);
            return [200, { success: true, data: { id: found.id } }];
        } },
        [`GET /api/v2/${object}/{id}`]: { query: ['include_fields', 'custom_fields'], run: (request) => [200, { success: true, data: one(request) }] },
        [`GET /api/v2/${object}`]: { query: known, run({ query, objects, refuse }) {
            const limit = Number(query.limit ?? 100);
            if (!(limit >= 1 && limit <= 500)) refuse(400, 'Validation failed: limit: must be from 1 to 500');
            const ids = query.ids?.split(',');
            if (ids?.length > 100 || ids?.some((id) => !/^\d+$/.test(id))) refuse(400, 'Validation failed: ids: at most 100 numbers');
            const found = (ids ? ids.map((id) => objects[object].find(id)).filter(Boolean) : objects[object].all())
                .filter((record) => query.owner_id === undefined || String(record.owner_id) === query.owner_id);
            const page = byCursor(found, query.cursor, limit) ?? refuse(400, 'Validation failed: cursor: is not known');
            return [200, { success: true, data: page.items, additional_data: { next_cursor: page.next ?? null } }];
        } },
        [`GET /api/v2/${object.slice(0, -1)}Fields`]: { query: ['limit', 'cursor', 'include_fields'], run: () => [200, { success: true, data: [
            { field_name: 'Name', field_code: 'name', field_type: 'varchar', is_custom_field: false, is_optional_response_field: false },
            ...Object.entries(fields).map(([code, [name, type]]) => ({ field_name: name, field_code: code, field_type: type, is_custom_field: true, is_optional_response_field: false })),
        ], additional_data: { next_cursor: null } }] },
    };
}

const numbered = { give: (number) => number };

export default {
    auth: auth.header('x-api-token', '0123456789abcdef0123456789abcdef01234567'),
    refusal: (status, message, code) => failure(message, code ?? codes[status]),
    unauthorized: () => [401, { success: false, error: 'unauthorized access', errorCode: 401, error_info: 'Please check developers.pipedrive.com' }],
    limited: () => [429, failure('request over limit'), { 'x-ratelimit-limit': '20', 'x-ratelimit-remaining': '0', 'x-ratelimit-reset': '1' }],
    objects: { persons: numbered, organizations: numbered, deals: numbered, products: numbered, activities: numbered },
    routes: {
        ...routesOf('persons'), ...routesOf('organizations'), ...routesOf('deals'), ...routesOf('products'), ...routesOf('activities'),
        'GET /api/v1/users/me': { run: () => [200, { success: true, data: { id: 1, name: 'Ada', email: 'ada@example.com' } }] },
    },
};
