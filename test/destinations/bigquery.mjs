// BigQuery v2, by Google's client (npm @google-cloud/bigquery 8.3.1) and its discovery document.
import { anything, auth, boolean, dictionary, list, members, text } from './kit/kit.mjs';

const number = (value) => typeof value === 'number' || (typeof value === 'string' && /^-?\d+(\.\d+)?([eE][+-]?\d+)?$/.test(value));
const types = {
    STRING: (value) => typeof value === 'string', INTEGER: (value) => /^-?\d+$/.test(String(value)), NUMERIC: number, FLOAT: number, BOOLEAN: (value) => typeof value === 'boolean',
    TIMESTAMP: (value) => !Number.isNaN(Date.parse(value)), DATE: (value) => /^\d{4}-\d\d-\d\d$/.test(value), RECORD: (value) => typeof value === 'object',
    JSON(value) { try { return typeof value === 'string' && JSON.parse(value) !== undefined; } catch { return false; } },
};
const schema = [
    { name: 'email', type: 'STRING', mode: 'REQUIRED', description: 'where they are' }, { name: 'name', type: 'STRING' }, { name: 'seats', type: 'INTEGER' }, { name: 'price', type: 'NUMERIC' },
    { name: 'score', type: 'FLOAT' }, { name: 'active', type: 'BOOLEAN' }, { name: 'seen', type: 'TIMESTAMP' }, { name: 'born', type: 'DATE' },
    { name: 'address', type: 'RECORD', fields: [{ name: 'city', type: 'STRING', mode: 'NULLABLE' }] }, { name: 'extra', type: 'JSON' }, { name: 'tags', type: 'STRING', mode: 'REPEATED' },
    { name: 'domain', type: 'STRING', generatedColumn: { generatedExpressionInfo: { generationExpression: 'email', stored: true } } },
].map((field) => ({ mode: 'NULLABLE', ...field }));
const fields = Object.fromEntries(schema.map((field) => [field.name, field]));
const entry = (reason, location, message) => ({ reason, location, debugInfo: '', message });

function fault(row) {
    for (const [name, value] of Object.entries(row)) {
        const field = fields[name];
        if (!field) return entry('invalid', name, `no such field: ${name}.`);
        if (field.generatedColumn) return entry('invalid', name, `Cannot insert a value into the generated column ${name}.`);
        if (value === null && field.mode === 'NULLABLE') continue;
        const values = field.mode === 'REPEATED' ? value : [value];
        if (!Array.isArray(values)) return entry('invalid', name, `Repeated field must be imported as a JSON array: ${name}.`);
        const wrong = values.find((one) => !types[field.type](one));
        if (wrong !== undefined) return entry('invalid', name, `Cannot convert value to ${field.type.toLowerCase()} (bad value): ${wrong}`);
    }
    return row.email === undefined ? entry('invalid', '', 'Missing required field: email.') : undefined;
}

function tableOf({ path, objects, refuse }) {
    if (path.project !== 'acme-1') refuse(403, `Access Denied: Project ${path.project}`, 'accessDenied');
    if (path.dataset !== 'crm' || !objects[path.table]) refuse(404, `Not found: Table ${path.project}:${path.dataset}.${path.table}`, 'notFound');
    return objects[path.table];
}

function insertAll(request) {
    const store = tableOf(request);
    const { body, refuse } = request;
    if (body.rows.length > 50000) refuse(400, 'too many rows present in the request', 'invalid');
    const wrong = body.rows.map(({ json }) => fault(json));
    const skipped = !body.skipInvalidRows && wrong.some((one) => one);
    const insertErrors = body.rows.map((row, index) => ({ index, errors: [wrong[index] ?? (skipped && entry('stopped', '', ''))].filter(Boolean) })).filter(({ errors }) => errors.length);
    for (const [index, { insertId, json }] of body.rows.entries())
        if (!wrong[index] && !skipped && !store.find(insertId)) store.insert({ ...(insertId === undefined ? {} : { _id: insertId }), ...json });
    return [200, { kind: 'bigquery#tableDataInsertAllResponse', ...(insertErrors.length ? { insertErrors } : {}) }];
}

const base = '/bigquery/v2/projects/{project}/datasets/{dataset}/tables';
const reasons = { 400: 'invalid', 403: 'accessDenied', 404: 'notFound', 405: 'invalid', 415: 'invalid' };
const failure = (code, message, reason) => ({ error: { code, message, errors: [{ message, domain: 'global', reason: reason ?? reasons[code] }] } });

export default {
    auth: auth.anyOf(auth.bearer('token'), auth.oauth({ path: '/token', expects: { grant_type: 'urn:ietf:params:oauth:grant-type:jwt-bearer', assertion: true } })),
    refusal: failure,
    unauthorized: () => [401, failure(401, 'Request had invalid authentication credentials.', 'authError')],
    limited: () => [403, failure(403, 'Exceeded rate limits: too many api requests per user per method', 'rateLimitExceeded')],
    objects: { people: { id: '_id', give: (number) => `row ${number}` } },
    routes: {
        [`POST ${base}/{table}/insertAll`]: {
            query: ['prettyPrint'],
            body: members({ 'kind?': text, 'skipInvalidRows?': boolean, 'ignoreUnknownValues?': boolean, 'templateSuffix?': text, 'traceId?': text,
                rows: list(members({ 'insertId?': text, json: dictionary(anything) }), { least: 1 }) }),
            run: insertAll,
        },
        [`GET ${base}/{table}`]: { query: ['prettyPrint', 'selectedFields', 'view'], run(request) {
            tableOf(request);
            return [200, { kind: 'bigquery#table', id: 'acme-1:crm.people', type: 'TABLE', tableReference: { projectId: 'acme-1', datasetId: 'crm', tableId: 'people' }, schema: { fields: schema } }];
        } },
        [`GET ${base}`]: { query: ['prettyPrint', 'maxResults', 'pageToken'], run: ({ path, query }) => {
            const one = (tableId, type) => ({ kind: 'bigquery#table', id: `acme-1:crm.${tableId}`, type, tableReference: { projectId: path.project, datasetId: path.dataset, tableId } });
            return [200, query.pageToken ? { kind: 'bigquery#tableList', tables: [one('people', 'TABLE')], totalItems: 2 } : { kind: 'bigquery#tableList', tables: [one('old', 'VIEW')], totalItems: 2, nextPageToken: 'more' }];
        } },
    },
};
