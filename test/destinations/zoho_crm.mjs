// Zoho CRM, version 8 of its API, by its OpenAPI description (https://github.com/zoho/crm-oas).
import { anything, auth, boolean, byCursor, list, members, nullable, number, text } from './kit/kit.mjs';

const reference = members({ id: text, 'name?': text });
const shapes = { text, email: text, phone: text, picklist: text, integer: number, currency: number, boolean, date: text, datetime: text, multiselectpicklist: list(text), lookup: reference, ownerlookup: reference };
const shared = { Owner: 'ownerlookup' };
// Of each module its fields; those that must be there; the field that Zoho checks for duplicates.
const modules = {
    Leads: [{ ...shared, Email: 'email', First_Name: 'text', Last_Name: 'text', Company: 'text', Phone: 'phone', Lead_Status: 'picklist', Lead_Source: 'picklist', Seats: 'integer', Tags_1: 'multiselectpicklist', Renewed: 'datetime' }, ['Last_Name'], ['Email']],
    Contacts: [{ ...shared, Email: 'email', First_Name: 'text', Last_Name: 'text', Phone: 'phone', Title: 'text', Account_Name: 'lookup' }, ['Last_Name'], ['Email']],
    Deals: [{ ...shared, Deal_Name: 'text', Stage: 'picklist', Amount: 'currency', Closing_Date: 'date', Won: 'boolean', Code: 'text' }, ['Deal_Name', 'Stage'], ['Deal_Name', 'Code']],
};
const failure = (code, message, details = {}) => ({ code, details, message, status: 'error' });
const codes = { 400: 'INVALID_DATA', 404: 'INVALID_URL_PATTERN', 405: 'INVALID_REQUEST_METHOD' };
const success = (record, message, more = {}) => ({ code: 'SUCCESS', ...more, details: { id: record.id, Modified_Time: record.Modified_Time, Created_Time: record.Created_Time }, message, status: 'success' });

/// What is wrong with a record, or nothing.
function faultOf(module, record, index, isNew) {
    const [fields, needed] = modules[module];
    const of = (code, message, name, more) => failure(code, message, { ...more, api_name: name, json_path: `$.data[${index}].${name}` });
    for (const name of isNew ? needed : []) if (!record[name]) return of('MANDATORY_NOT_FOUND', 'required field not found', name);
    for (const [name, value] of Object.entries(record).filter(([one]) => one !== 'id')) {
        if (!fields[name]) return of('INVALID_DATA', 'the field api name given seems to be invalid', name);
        if (nullable(shapes[fields[name]])(value, '')) return of('INVALID_DATA', 'invalid data', name, { expected_data_type: fields[name] });
        if (fields[name] === 'email' && value && !/^[^@ ]+@[^@ ]+\.[^@ ]+$/.test(value)) return of('INVALID_DATA', 'invalid data', name, { expected_data_type: 'email' });
        if (fields[name] === 'datetime' && value && !/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)$/.test(value)) return of('INVALID_DATA', 'invalid data', name, { expected_data_type: 'datetime' });
    }
    return undefined;
}

/// 200 or 201 where all was done, 207 where some was, 400 where nothing was.
function answer(entries, done) {
    const good = entries.filter(({ status }) => status === 'success').length;
    return [good === entries.length ? done : good ? 207 : 400, { data: entries }];
}

const sameAs = (value) => String(value).toLowerCase();
const stamped = (record) => ({ Created_Time: '2026-01-02T03:04:05+00:00', Modified_Time: '2026-01-02T03:04:05+00:00', ...record });
const batch = members({ data: list(anything, { least: 1, most: 100 }), 'duplicate_check_fields?': list(text), 'trigger?': list(text) });
const shown = (record, fields) => Object.fromEntries(['id', ...fields.split(',')].filter((name) => record[name] !== undefined).map((name) => [name, record[name]]));

function checkFields(query, refuse) {
    if (!query.fields) refuse(400, 'One of the expected parameter is missing', 'REQUIRED_PARAM_MISSING');
    if (query.fields.split(',').length > 50) refuse(400, 'limit exceeded', 'LIMIT_EXCEEDED');
    if ((query.per_page ?? 200) > 200) refuse(400, 'per_page', 'INVALID_DATA');
}

function routesOf(module) {
    const path = `/crm/v8/${module}`;
    const info = (count, next) => ({ page: 1, per_page: 200, count, more_records: next !== undefined, sort_by: 'id', sort_order: 'desc', next_page_token: next ?? null, previous_page_token: null, page_token_expiry: null });
    const found = (records, fields, next) => (records.length ? [200, { data: records.map((record) => shown(record, fields)), info: info(records.length, next) }] : [204]);
    const create = (store, record) => store.insert(stamped(record));
    return {
        [`POST ${path}`]: { body: batch, run: ({ body: { data }, objects }) => answer(data.map((record, index) => faultOf(module, record, index, true) ?? success(create(objects[module], record), 'record added')), 201) },
        [`POST ${path}/upsert`]: { body: batch, run({ body: { data, duplicate_check_fields: checks = [] }, objects, refuse }) {
            if (!checks.every((name) => modules[module][2].includes(name))) refuse(400, 'the field is not unique', 'INVALID_DATA');
            return answer(data.map((record, index) => {
                const twin = objects[module].all().find((one) => checks.some((name) => record[name] && sameAs(one[name]) === sameAs(record[name])));
                const fault = faultOf(module, record, index, !twin);
                if (fault) return fault;
                return twin ? success(objects[module].update(twin, record), 'record updated', { action: 'update', duplicate_field: checks[0] }) : success(create(objects[module], record), 'record added', { action: 'insert', duplicate_field: null });
            }), 200);
        } },
        [`PUT ${path}`]: { body: batch, run: ({ body: { data }, objects }) => answer(data.map((record, index) => {
            const old = objects[module].find(record.id);
            if (!old) return failure('INVALID_DATA', 'the id given seems to be invalid', { api_name: 'id', json_path: `$.data[${index}].id` });
            return faultOf(module, record, index, false) ?? success(objects[module].update(old, record), 'record updated');
        }), 200) },
        [`DELETE ${path}`]: { query: ['ids', 'wf_trigger'], run({ query, objects, refuse }) {
            if (!query.ids) refuse(400, 'One of the expected parameter is missing', 'REQUIRED_PARAM_MISSING');
            if (query.ids.split(',').length > 100) refuse(400, 'limit exceeded', 'LIMIT_EXCEEDED');
            return answer(query.ids.split(',').map((id) => {
                const record = objects[module].find(id);
                if (!record) return failure('INVALID_DATA', 'record not deleted', { id });
                objects[module].remove(record);
                return success({ id }, 'record deleted');
            }), 200);
        } },
        [`GET ${path}`]: { query: ['fields', 'ids', 'per_page', 'page', 'page_token', 'sort_by', 'sort_order'], run({ query, objects, refuse }) {
            checkFields(query, refuse);
            if (query.ids) return found(query.ids.split(',').map((id) => objects[module].find(id)).filter(Boolean), query.fields);
            const page = byCursor(objects[module].all(), query.page_token, Number(query.per_page ?? 200)) ?? refuse(400, 'the page token is invalid', 'INVALID_DATA');
            return found(page.items, query.fields, page.next);
        } },
        [`GET ${path}/search`]: { query: ['email', 'phone', 'word', 'criteria', 'fields', 'per_page', 'page'], run({ query, objects, refuse }) {
            if (query.fields) checkFields(query, refuse);
            return found(objects[module].all().filter(({ Email }) => Email && sameAs(Email) === sameAs(query.email)), query.fields ?? 'Email');
        } },
    };
}

const numbered = { give: (number) => String(5725767000000500000n + BigInt(number)) };
const described = (module) => Object.entries({ id: 'bigint', Created_Time: 'datetime', ...modules[module][0] }).map(([api_name, data_type]) => {
    const writable = api_name in modules[module][0];
    return { api_name, data_type, field_label: `The ${api_name}`, visible: true, read_only: !writable, operation_type: { api_create: writable, api_update: writable }, pick_list_values: api_name === 'Stage' ? [{ display_value: 'Won', actual_value: 'Closed Won' }] : [] };
});

export default {
    auth: auth.anyOf(auth.header('authorization', 'Zoho-oauthtoken 1000.token'), auth.oauth({
        path: '/oauth/v2/token', expects: { grant_type: 'refresh_token', client_id: '1000.ID', client_secret: 'secret', refresh_token: '1000.refresh' },
        show: (token) => ({ authorization: `Zoho-oauthtoken ${token}` }), answer: (token) => ({ access_token: token, api_domain: 'https://www.zohoapis.com', token_type: 'Bearer', expires_in: 3600 }),
    })),
    refusal: (status, message, code) => failure(code ?? codes[status] ?? 'INVALID_DATA', message),
    unauthorized: () => [401, failure('INVALID_TOKEN', 'invalid oauth token')],
    limited: () => [429, failure('TOO_MANY_REQUESTS', 'Too many requests fired in concurrent')],
    limits: { concurrent: 10 },
    objects: Object.fromEntries(Object.keys(modules).map((module) => [module, numbered])),
    routes: {
        ...Object.assign({}, ...Object.keys(modules).map(routesOf)),
        'GET /crm/v8/settings/modules': { run: () => [200, { modules: [...Object.keys(modules).map((api_name) => ({ api_name, api_supported: true, creatable: true, editable: true, deletable: true, generated_type: 'default' })),
            { api_name: 'Home', api_supported: false, creatable: false, editable: false, generated_type: 'default' }] }] },
        'GET /crm/v8/settings/fields': { query: ['module', 'type'], run: ({ query, refuse }) => [200, { fields: modules[query.module] ? described(query.module) : refuse(400, 'the module name given seems to be invalid', 'INVALID_MODULE') }] },
        'GET /crm/v8/users': { query: ['type'], run: () => [200, { users: [{ id: '5725767000000411001', email: 'patricia.boyle@example.com', full_name: 'Patricia Boyle' }], info: {} }] },
    },
};
