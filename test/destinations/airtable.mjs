// Airtable's Web API: the records of a base's tables, by https://airtable.com/developers/web/api.
import { anything, auth, boolean, byCursor, dictionary, integer, list, members, oneOf, text } from './kit/kit.mjs';

const base = 'appAcmeAcmeAcme01';
// Of each table: its name, and the types of its fields.
const tables = {
    tblPeoplePeople01: { name: 'People', fields: { Email: 'email', Name: 'singleLineText', 'Seats / year': 'number', Paying: 'checkbox', Since: 'date', Plan: 'singleSelect', Tags: 'multipleSelects', Code: 'number' } },
    tblOrdersOrders01: { name: 'Orders, 2026', fields: { Name: 'singleLineText', Total: 'currency' } },
};
const choices = ['a', 'b', 'free', 'pro'];
const isText = (value) => typeof value === 'string';
const isNumber = (value) => typeof value === 'number';
const holds = {
    email: isText, singleLineText: isText, number: isNumber, currency: isNumber, checkbox: (value) => typeof value === 'boolean', date: (value) => isText(value) && /^\d{4}-\d\d-\d\d$/.test(value),
    singleSelect: isText, multipleSelects: (value) => Array.isArray(value) && value.every(isText),
};
/// What typecast makes of a text.
const cast = { number: (value) => (Number.isNaN(Number(value)) ? null : Number(value)), checkbox: (value) => value === 'true' || value === 'checked', multipleSelects: (value) => value.split(/, ?/) };
const failure = (status, message, type) => ({ error: { type: type ?? { 403: 'INVALID_PERMISSIONS_OR_MODEL_NOT_FOUND', 404: 'NOT_FOUND', 413: 'REQUEST_TOO_LARGE' }[status] ?? 'INVALID_REQUEST_UNKNOWN', message } });

/// The id of a table that is named by its id or by its name.
function tableOf({ path, refuse }) {
    if (path.base !== base) refuse(403, 'Invalid permissions, or the requested model was not found. Check that both your user and your token have the required permissions, and that the model names and/or ids are correct.');
    return Object.keys(tables).find((id) => id === path.table || tables[id].name === path.table) ?? refuse(404, `Could not find table ${path.table} in application ${base}`, 'TABLE_NOT_FOUND');
}
function valuesOf(table, fields, typecast, refuse) {
    return Object.fromEntries(Object.entries(fields).map(([name, given]) => {
        const type = tables[table].fields[name] ?? refuse(422, `Unknown field name: "${name}"`, 'UNKNOWN_FIELD_NAME');
        const value = typecast && isText(given) && cast[type] ? cast[type](given) : given;
        if (value !== null && !holds[type](value)) refuse(422, `Field "${name}" cannot accept the provided value`, 'INVALID_VALUE_FOR_COLUMN');
        for (const choice of type.endsWith('Select') || type === 'multipleSelects' ? [value ?? []].flat() : [])
            if (!typecast && !choices.includes(choice)) refuse(422, `Insufficient permissions to create new select option ""${choice}""`, 'INVALID_MULTIPLE_CHOICE_OPTIONS');
        return [name, value];
    }));
}
const isEmpty = (value) => value === null || value === '' || value === false || value?.length === 0;
const shown = ({ id, createdTime, fields }) => ({ id, createdTime, fields: Object.fromEntries(Object.entries(fields).filter(([, value]) => !isEmpty(value))) });

/// The records for which a formula {Field}&""="text" holds.
function chosen(records, formula, refuse) {
    if (formula === undefined) return records;
    const [, name, value] = /^\{((?:[^}\\]|\\.)+)\}&""="((?:[^"\\]|\\.)*)"$/s.exec(formula) ?? refuse(422, 'The formula for filtering records is invalid: Invalid formula. Please check your formula text.', 'INVALID_FILTER_BY_FORMULA');
    const wanted = value.replace(/\\(.)/gs, (_, sign) => ({ n: '\n', r: '\r', t: '\t' })[sign] ?? sign);
    return records.filter(({ fields }) => String(fields[name] ?? '') === wanted);
}
function page({ pageSize = 100, offset, filterByFormula, maxRecords = Infinity }, request) {
    if (pageSize > 100 || pageSize < 1) request.refuse(422, 'pageSize must be between 1 and 100');
    const records = chosen(request.objects[tableOf(request)].all(), filterByFormula, request.refuse).slice(0, maxRecords);
    const { items, next } = byCursor(records, offset?.replace(/^itr/, ''), Number(pageSize)) ?? request.refuse(422, `The value of offset ${offset} is invalid`, 'INVALID_OFFSET_VALUE');
    return [200, { records: items.map(shown), ...(next ? { offset: `itr${next}` } : {}) }];
}

const fields = dictionary(anything);
const writes = (record, more = {}) => members({ records: list(members(record), { least: 1, most: 10 }), 'typecast?': boolean, 'returnFieldsByFieldId?': boolean, ...more });
const insert = (store, values) => store.insert({ createdTime: '2026-01-02T03:04:05.000Z', fields: values });
const create = { status: 422, body: writes({ fields }), run(request) {
    const { body, objects, refuse } = request;
    const table = tableOf(request);
    const values = body.records.map((record) => valuesOf(table, record.fields, body.typecast, refuse));
    return [200, { records: values.map((one) => shown(insert(objects[table], one))) }];
} };
const update = { status: 422, body: writes({ 'id?': text, fields }, { 'performUpsert?': members({ fieldsToMergeOn: list(text, { least: 1, most: 3 }) }) }), run(request) {
    const { body: { records, typecast, performUpsert }, objects, refuse } = request;
    const table = tableOf(request);
    const store = objects[table];
    const names = performUpsert?.fieldsToMergeOn ?? [];
    const found = records.map(({ id, fields: given }) => {
        const values = valuesOf(table, given, typecast, refuse);
        if (!id && !performUpsert) refuse(422, 'You must provide an id for each record', 'INVALID_RECORDS');
        if (id) return { values, record: store.find(id) ?? refuse(422, `Record ID ${id} does not exist in this table`, 'ROW_DOES_NOT_EXIST') };
        if (names.some((name) => isEmpty(values[name] ?? null))) refuse(422, 'Every field to merge on has to have a value', 'INVALID_REQUEST_BODY');
        const same = store.all().filter((one) => names.every((name) => one.fields[name] === values[name]));
        if (same.length > 1) refuse(422, `Cannot upsert: several records match ${names}`, 'INVALID_RECORDS');
        return { values, record: same[0] };
    });
    const done = found.map(({ values, record }) => (record ? store.update(record, { fields: { ...record.fields, ...values } }) : insert(store, values)));
    const ids = (are) => done.filter((_, at) => !!found[at].record === are).map(({ id }) => id);
    return [200, { records: done.map(shown), ...(performUpsert ? { updatedRecords: ids(true), createdRecords: ids(false) } : {}) }];
} };
const remove = { query: ['records[]'], run(request) {
    const { url, objects, refuse } = request;
    const store = objects[tableOf(request)];
    const ids = new URL(url, 'http://x').searchParams.getAll('records[]');
    if (ids.length < 1 || ids.length > 10) refuse(422, 'You must provide between 1 and 10 record ids', 'INVALID_RECORDS');
    const found = ids.map((id) => store.find(id) ?? refuse(422, `Record ID ${id} does not exist in this table`, 'ROW_DOES_NOT_EXIST'));
    for (const record of found) store.remove(record);
    return [200, { records: ids.map((id) => ({ id, deleted: true })) }];
} };
const read = { query: ['pageSize', 'offset', 'filterByFormula', 'maxRecords'], run: (request) => page(request.query, request) };
const query = { status: 422, body: members({ 'pageSize?': integer, 'offset?': text, 'filterByFormula?': text, 'maxRecords?': integer, 'cellFormat?': oneOf('json'), 'method?': oneOf('post') }), run: (request) => page(request.body, request) };
const one = { run: (request) => [200, shown(request.objects[tableOf(request)].find(request.path.id) ?? request.refuse(404, 'Record not found', 'MODEL_ID_NOT_FOUND'))] };
/// The vendor's client ends the path with a slash, which its documentation does not.
const either = (method, route) => ({ [`${method} /v0/{base}/{table}`]: route, [`${method} /v0/{base}/{table}/`]: route });
const stored = { give: (number) => `rec${String(number).padStart(14, '0')}` };

export default {
    auth: auth.bearer('patAcme.0123456789'),
    refusal: failure,
    unauthorized: () => [401, { error: { type: 'AUTHENTICATION_REQUIRED', message: 'Authentication required' } }],
    limited: () => [429, { errors: [{ error: 'RATE_LIMIT_REACHED', message: 'Rate limit exceeded. Please try again later' }] }],
    objects: Object.fromEntries(Object.keys(tables).map((id) => [id, stored])),
    routes: {
        ...either('POST', create), ...either('PATCH', update), ...either('GET', read), ...either('DELETE', remove),
        'POST /v0/{base}/{table}/listRecords': query,
        'GET /v0/{base}/{table}/{id}': one,
        'GET /v0/meta/whoami': { run: () => [200, { id: 'usrAcme0123456789', email: 'ada@example.com' }] },
        [`GET /v0/meta/bases/${base}/tables`]: { run: () => [200, { tables: Object.entries(tables).map(([id, { name, fields: of }]) => ({
            id, name, primaryFieldId: 'fld0', fields: Object.entries(of).map(([field, type], at) => ({ id: `fld${at}`, name: field, type })), views: [{ id: 'viw0', name: 'Grid view', type: 'grid' }],
        })) }] },
    },
};
