// Salesforce: REST (sObject Collections, external ids, SOQL, describe) and Bulk API 2.0, by its developer guides and as jsforce 3.10.16 asks for it.
import { Taken, anything, auth, boolean, byOffset, list, members, oneOf, text } from './kit/kit.mjs';

// What a field of a type takes as JSON, and what a cell of CSV becomes.
const string = [(value) => typeof value === 'string', String];
const number = [(value) => typeof value === 'number', Number];
const date = [(value) => /^\d{4}-\d\d-\d\d$/.test(value), String];
const types = {
    string, id: string, reference: string, picklist: string, multipicklist: string, textarea: string, phone: string, url: string, email: string, double: number, currency: number, percent: number, int: [Number.isInteger, Number],
    boolean: [(value) => typeof value === 'boolean', (cell) => ({ true: true, false: false })[cell]], date, datetime: [(value) => /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:?\d\d)$/.test(value), String],
};
const shared = { Id: 'id fixed', OwnerId: 'reference', CreatedDate: 'datetime fixed', LastModifiedDate: 'datetime fixed' };
const externalId = { Customer_Ref__c: 'string external' };
// Of each sObject its key prefix and its fields: `fixed` ones are not written, without `needed` ones there is no record.
const address = (of) => Object.fromEntries(['Street', 'City', 'State', 'PostalCode', 'Country'].map((part) => [`${of}${part}`, 'string']));
const sobjects = {
    Contact: ['003', { ...externalId, LastName: 'string needed', FirstName: 'string', Email: 'email', Birthdate: 'date', ...address('Mailing'), AccountId: 'reference', Title: 'string', Phone: 'phone', MobilePhone: 'phone', Department: 'string', LeadSource: 'picklist', Description: 'textarea', Score__c: 'double', Vip__c: 'boolean', Renewed__c: 'datetime', Name: 'string fixed' }],
    Account: ['001', { ...externalId, Name: 'string needed', AccountNumber: 'string', Type: 'picklist', Industry: 'picklist', Website: 'url', Phone: 'phone', AnnualRevenue: 'currency', NumberOfEmployees: 'int', ...address('Billing'), Description: 'textarea' }],
    Lead: ['00Q', { ...externalId, LastName: 'string needed', Company: 'string needed', Email: 'email', FirstName: 'string', Title: 'string', Phone: 'phone', Status: 'picklist', LeadSource: 'picklist', Industry: 'picklist', Rating: 'picklist', Country: 'string' }],
    Opportunity: ['006', { ...externalId, Name: 'string needed', StageName: 'picklist needed', CloseDate: 'date needed', AccountId: 'reference', Amount: 'currency', Probability: 'percent', Type: 'picklist', LeadSource: 'picklist', NextStep: 'string', Description: 'textarea' }],
    Invoice__c: ['a01', { Number__c: 'string external', Total__c: 'currency', Channels__c: 'multipicklist', Paid__c: 'boolean', State__c: 'picklist restricted' }],
};
const unlisted = { Invoice_Event__e: { createable: true, updateable: false, queryable: false }, ContactHistory: { createable: false, updateable: false, queryable: true } };
const fieldsOf = (object) => ({ ...shared, ...sobjects[object][1] });
const is = (object, field, word) => fieldsOf(object)[field]?.split(' ').includes(word);
const picks = { restricted: ['Open', 'Paid'] };
const said = (statusCode, message, fields = []) => ({ statusCode, message, fields });

/// What is wrong with a record, or nothing. The first time somebody else has some records locked.
const seen = new Set();
function faultOf(object, given, known) {
    const fixed = Object.keys(given).filter((field) => is(object, field, 'fixed'));
    if (fixed.length) return said('INVALID_FIELD_FOR_INSERT_UPDATE', `Unable to create/update fields: ${fixed.join(', ')}. Please check the security settings of this field and verify that it is read/write for your profile or permission set.`, fixed);
    const missing = Object.keys(fieldsOf(object)).filter((field) => is(object, field, 'needed') && (known ? given[field] === null : !given[field]));
    if (missing.length) return said('REQUIRED_FIELD_MISSING', `Required fields are missing: [${missing.join(', ')}]`, missing);
    if (given.Email && !/^[^@ ]+@[^@ ]+\.[^@ ]+$/.test(given.Email)) return said('INVALID_EMAIL_ADDRESS', `Email: invalid email address: ${given.Email}`, ['Email']);
    const wrong = Object.keys(given).find((field) => is(object, field, 'restricted') && given[field] && !picks.restricted.includes(given[field]));
    if (wrong) return said('INVALID_OR_NULL_FOR_RESTRICTED_PICKLIST', `The bad value for restricted picklist field: ${given[wrong]}`, [wrong]);
    if (given.Total__c < 0) return said('FIELD_CUSTOM_VALIDATION_EXCEPTION', 'A total is not negative', ['Total__c']);
    const lock = `${object} ${given.Customer_Ref__c}`;
    return /^C-.*507$/.test(given.Customer_Ref__c) && !seen.has(lock) && seen.add(lock) && said('UNABLE_TO_LOCK_ROW', 'unable to obtain exclusive access to this record or 1 records: 001dx0000000001AAA');
}

/// {id, created} or {fault} of a record that is written.
function write(objects, object, how, { id, Id = id, attributes, ...given }, key) {
    const store = objects[object];
    if (key && !given[key]) return { fault: said('MISSING_ARGUMENT', `${key} not specified`) };
    if (how === 'insert' && Id) return { fault: said('INVALID_FIELD_FOR_INSERT_UPDATE', 'cannot specify Id in an insert call', ['Id']) };
    const found = how === 'upsert' ? store.by(key, given[key]) : store.find(Id);
    if (!found && how !== 'insert' && how !== 'upsert') return { Id, fault: objects.gone.find(Id) ? said('ENTITY_IS_DELETED', 'entity is deleted') : said('INVALID_CROSS_REFERENCE_KEY', 'invalid cross reference id') };
    const fault = how === 'delete' ? undefined : faultOf(object, given, found);
    if (fault) return { Id: found?.Id, fault };
    try {
        if (how === 'delete') objects.gone.insert(found), store.remove(found);
        return { id: how === 'delete' ? found.Id : (found ? store.update(found, given) : store.insert({ CreatedDate: '2026-01-02T03:04:05.000Z', ...given })).Id, created: !found };
    } catch (error) {
        if (!(error instanceof Taken)) throw error;
        return { fault: said('DUPLICATE_VALUE', `duplicate value found: ${error.field} duplicates value on record with id: ${error.record.Id}`) };
    }
}

const collection = members({ 'allOrNone?': boolean, records: list(anything, { least: 1 }) });
const told = (withCreated) => ({ id, created, fault }) => ({ ...(fault ? { success: false, errors: [fault] } : { id, success: true, errors: [] }), ...(withCreated && { created: Boolean(created) }) });
const known = (object, refuse) => (sobjects[object] ? object : refuse(404, 'The requested resource does not exist', 'NOT_FOUND'));
function collected(how) {
    return { body: collection, run({ body, path, objects, refuse }) {
        if (body.records.length > 200) refuse(400, 'record limit reached. cannot submit more than 200 records into this call', 'EXCEEDED_ID_LIMIT');
        for (const record of body.records) {
            const object = known(record.attributes?.type ?? refuse(400, 'Each record must have an attributes map with a type', 'INVALID_INPUT'), refuse);
            if (how === 'upsert' && (object !== path.object || !is(object, path.key, 'external'))) refuse(400, 'Provided external ID field does not exist or is not accessible: ' + path.key, 'NOT_FOUND');
            for (const [field, value] of Object.entries(record).filter(([name]) => name !== 'attributes' && name !== 'id')) {
                if (!fieldsOf(object)[field]) refuse(400, `No such column '${field}' on sobject of type ${object}`, 'INVALID_FIELD');
                if (value !== null && !types[fieldsOf(object)[field].split(' ')[0]][0](value)) refuse(400, `Cannot deserialize instance of ${fieldsOf(object)[field].split(' ')[0]} from ${JSON.stringify(value)}`, 'JSON_PARSER_ERROR');
            }
        }
        return [200, body.records.map((record) => told(how === 'upsert')(write(objects, record.attributes.type, how, record, path.key)))];
    } };
}

function shown(object, fields, record, { path, refuse }) {
    const unknown = fields.find((field) => !fieldsOf(object)[field]);
    if (unknown) refuse(400, `No such column '${unknown}' on entity '${object}'.`, 'INVALID_FIELD');
    const value = (field) => (record[field] && is(object, field, 'datetime') ? new Date(record[field]).toISOString().replace('Z', '+0000') : (record[field] ?? (is(object, field, 'boolean') ? false : null)));
    return { attributes: { type: object, url: `/services/data/${path.version}/sobjects/${object}/${record.Id}` }, ...Object.fromEntries(fields.map((field) => [field, value(field)])) };
}
const one = (request, record) => [200, shown(request.path.object, request.query.fields?.split(',') ?? Object.keys(fieldsOf(request.path.object)), record ?? request.refuse(404, 'The requested resource does not exist', 'NOT_FOUND'), request)];

/// Pages of 400, though 2,000 may be in one.
function queried(q, start, request) {
    const { objects, refuse, path } = request;
    const [, fields, object, field, value, most] = /^SELECT ([\w, ]+) FROM (\w+)(?: WHERE (\w+) = '((?:[^'\\]|\\.)*)')?(?: LIMIT (\d+))?$/i.exec(q ?? '') ?? refuse(400, 'unexpected token', 'MALFORMED_QUERY');
    if (!sobjects[object]) refuse(400, `sObject type '${object}' is not supported.`, 'INVALID_TYPE');
    const all = objects[object].all().filter((record) => !field || record[field] === value.replace(/\\(.)/g, '$1')).slice(0, Number(most ?? Infinity));
    const { items, next } = byOffset(all, start, 400);
    return [200, { totalSize: all.length, done: next === undefined, ...(next && { nextRecordsUrl: `/services/data/${path.version}/query/${Buffer.from(q).toString('base64url')}-${next}` }), records: items.map((record) => shown(object, fields.split(/, */), record, request)) }];
}

const quoted = (value) => `"${String(value ?? '').replaceAll('"', '""')}"`;
const cellsOf = (of) => Object.keys(of.rows?.[0] ?? {});
const csv = (names, rows) => [200, [names, ...rows].map((row) => `${row.map(quoted).join(',')}\n`).join(''), { 'content-type': 'text/csv' }];
/// A job is broken off where a batch cannot be worked through in time, twenty times: of more than 600 Leads, before the last row.
function work(job, objects) {
    const names = cellsOf(job);
    const unknown = names.find((name) => !fieldsOf(job.object)[name]) ?? (job.externalIdFieldName && !names.includes(job.externalIdFieldName) ? job.externalIdFieldName : undefined);
    const most = job.object === 'Lead' && job.rows.length > 600 ? job.rows.length - 1 : job.rows.length;
    Object.assign(job, unknown ? { state: 'Failed', errorMessage: `InvalidBatch : Field name not found : ${unknown}` } : most < job.rows.length ? { state: 'Failed', errorMessage: 'InternalServerError : Retried more than twenty times' } : { state: 'JobComplete' });
    for (const row of unknown ? [] : job.rows.slice(0, most)) {
        const given = Object.fromEntries(Object.entries(row).filter(([, cell]) => cell !== '').map(([name, cell]) => [name, cell === '#N/A' ? null : types[fieldsOf(job.object)[name].split(' ')[0]][1](cell)]));
        const { id, Id, created, fault } = write(objects, job.object, job.operation, given, job.externalIdFieldName);
        if (fault) job.failed.push([Id, `${fault.statusCode}:${fault.message}:${fault.fields.join(', ')} --`, ...Object.values(row)]);
        else job.successful.push([id, created, ...Object.values(row)]);
    }
    job.unprocessed = job.rows.slice(unknown ? 0 : most).map(Object.values);
}
const jobOf = ({ id, object, operation, externalIdFieldName, state, errorMessage }, version) => ({ id, operation, object, createdById: '005dx0000000001AAA', createdDate: '2026-01-02T03:04:05.000+0000', systemModstamp: '2026-01-02T03:04:05.000+0000', state, externalIdFieldName, errorMessage, concurrencyMode: 'Parallel', contentType: 'CSV', apiVersion: 61.0, contentUrl: state === 'Open' ? `services/data/${version}/jobs/ingest/${id}/batches` : undefined, jobType: 'V2Ingest', lineEnding: 'LF', columnDelimiter: 'COMMA' });
const job = ({ path, jobs, refuse }, ...states) => {
    const found = jobs.find(path.id)?.state ? jobs.find(path.id) : refuse(404, 'The requested resource does not exist', 'NOT_FOUND');
    return !states.length || states.includes(found.state) ? found : refuse(400, `The job is ${found.state}`, 'INVALIDJOBSTATE');
};
const ended = ['JobComplete', 'Failed', 'Aborted'];
/// Results come in another order than the rows.
const results = (make) => ({ run(request) {
    if (!/text\/csv|^\*\/\*$/.test(request.headers.accept ?? '*/*')) request.refuse(406, 'results are CSV', 'NOT_ACCEPTABLE');
    return make(job(request, ...ended));
} });

const token = '/services/oauth2/token';
const grants = {
    client_credentials: auth.oauth({ path: token, expects: { grant_type: 'client_credentials', client_id: '3MVG9lKcPoNINVB', client_secret: 's3cret' } }),
    refresh_token: auth.oauth({ path: token, expects: { grant_type: 'refresh_token', client_id: '3MVG9lKcPoNINVB', client_secret: 's3cret', refresh_token: '5Aep861' } }),
    'urn:ietf:params:oauth:grant-type:jwt-bearer': auth.oauth({ path: token, expects: { grant_type: true, assertion: true } }),
};
const signing = auth.anyOf(...Object.values(grants));
signing.routes[`POST ${token}`] = { format: 'form', open: true, token: true, run(request) {
    const grant = grants[request.body.grant_type]?.routes[`POST ${token}`].run(request) ?? [400, { error: 'unsupported_grant_type', error_description: 'grant type not supported' }];
    return grant[0] === 200 ? [200, { access_token: grant[1].access_token, instance_url: request.base, id: `${request.base}/id/00D/005`, token_type: 'Bearer', issued_at: '1767323045000', signature: 'c2FuZGJveA==' }] : grant;
} };

const path = '/services/data/{version}';
const picklist = (object, field) => (is(object, field, 'restricted') ? picks.restricted.map((value) => ({ active: true, label: value, value })) : []);
const routes = {
    [`GET ${path}/sobjects`]: { run: () => [200, { encoding: 'UTF-8', maxBatchSize: 200, sobjects: Object.entries({ ...Object.fromEntries(Object.keys(sobjects).map((name) => [name, { createable: true, updateable: true, queryable: true }])), ...unlisted }).map(([name, of]) => ({ name, label: name, deprecatedAndHidden: false, custom: name.endsWith('__c'), ...of })) }] },
    [`GET ${path}/sobjects/{object}/describe`]: { run: ({ path: { object }, refuse }) => [200, { name: known(object, refuse), fields: Object.entries(fieldsOf(object)).map(([name, of]) => ({ name, label: `The ${name}`, type: of.split(' ')[0], nillable: !is(object, name, 'needed'), createable: !is(object, name, 'fixed'), updateable: !is(object, name, 'fixed'), defaultedOnCreate: false, externalId: is(object, name, 'external'), restrictedPicklist: is(object, name, 'restricted'), picklistValues: picklist(object, name), deprecatedAndHidden: false })) }] },
    [`POST ${path}/composite/sobjects`]: collected('insert'),
    [`PATCH ${path}/composite/sobjects`]: collected('update'),
    [`PATCH ${path}/composite/sobjects/{object}/{key}`]: collected('upsert'),
    [`DELETE ${path}/composite/sobjects`]: { query: ['ids', 'allOrNone'], run({ query, objects, refuse }) {
        const ids = query.ids?.split(',') ?? refuse(400, 'The ids parameter is missing', 'INVALID_INPUT');
        if (ids.length > 200) refuse(400, 'record limit reached. cannot submit more than 200 records into this call', 'EXCEEDED_ID_LIMIT');
        const of = (id) => Object.keys(sobjects).find((name) => id.startsWith(sobjects[name][0]));
        return [200, ids.map((id) => told()(of(id) ? write(objects, of(id), 'delete', { Id: id }) : { fault: said('MALFORMED_ID', `malformed id ${id}`) }))];
    } },
    [`POST ${path}/composite/sobjects/{object}`]: { body: members({ ids: list(text, { least: 1, most: 2000 }), fields: list(text, { least: 1 }) }), run: (request) => [200, request.body.ids.map((id) => (request.objects[known(request.path.object, request.refuse)].find(id) ? shown(request.path.object, request.body.fields, request.objects[request.path.object].find(id), request) : null))] },
    [`GET ${path}/sobjects/{object}/{id}`]: { query: ['fields'], run: (request) => one(request, request.objects[known(request.path.object, request.refuse)].find(request.path.id)) },
    [`GET ${path}/sobjects/{object}/{key}/{value}`]: { query: ['fields'], run: (request) => one(request, request.objects[known(request.path.object, request.refuse)].by(request.path.key, request.path.value)) },
    [`GET ${path}/query`]: { query: ['q'], run: (request) => queried(request.query.q, 0, request) },
    [`GET ${path}/query/{locator}`]: { run: (request) => queried(Buffer.from(request.path.locator.split('-').slice(0, -1).join('-'), 'base64url').toString(), Number(request.path.locator.split('-').at(-1)), request) },
    [`POST ${path}/jobs/ingest`]: { body: members({ object: text, operation: oneOf('insert', 'update', 'upsert', 'delete'), 'externalIdFieldName?': text, 'contentType?': oneOf('CSV'), 'lineEnding?': oneOf('LF') }), run({ body, jobs, objects, path: { version }, refuse }) {
        if (!sobjects[body.object]) refuse(400, `Entity '${body.object}' is not supported by the Bulk API.`, 'INVALIDENTITY');
        if ((body.operation === 'upsert') !== Boolean(body.externalIdFieldName)) refuse(400, 'External ID is for upsert jobs, and they need one', 'INVALIDJOB');
        return [200, jobOf(jobs.open({ ...body, state: 'Open', failed: [], successful: [], unprocessed: [] }, { asks: 1, done: (of) => work(of, objects) }), version)];
    } },
    [`PUT ${path}/jobs/ingest/{id}/batches`]: { format: 'csv', run(request) {
        const open = job(request, 'Open');
        if (open.rows) request.refuse(400, 'Found multiple contents for job', 'INVALIDJOBSTATE');
        open.rows = request.body;
        return [201];
    } },
    [`PATCH ${path}/jobs/ingest/{id}`]: { body: members({ state: oneOf('UploadComplete', 'Aborted') }), run(request) {
        const of = job(request, ...(request.body.state === 'Aborted' ? ['Open', 'UploadComplete'] : ['Open']));
        of.state = request.body.state;
        if (of.state === 'Aborted') of.unprocessed = (of.rows ?? []).map(Object.values);
        return [200, jobOf(of, request.path.version)];
    } },
    [`GET ${path}/jobs/ingest/{id}`]: { run(request) {
        if (job(request).state === 'UploadComplete') request.jobs.ask(request.path.id);
        return [200, jobOf(job(request), request.path.version)];
    } },
    [`DELETE ${path}/jobs/ingest/{id}`]: { run(request) { job(request, 'UploadComplete', ...ended).state = undefined; return [204]; } },
    [`GET ${path}/jobs/ingest/{id}/successfulResults`]: results((of) => csv(['sf__Id', 'sf__Created', ...cellsOf(of)], of.successful.toReversed())),
    [`GET ${path}/jobs/ingest/{id}/failedResults`]: results((of) => csv(['sf__Id', 'sf__Error', ...cellsOf(of)], of.failed.toReversed())),
    [`GET ${path}/jobs/ingest/{id}/unprocessedrecords`]: results((of) => csv(cellsOf(of), of.unprocessed.toReversed())),
    'GET /services/oauth2/userinfo': { run: () => [200, { user_id: '005dx0000000001AAA', organization_id: '00Ddx0000000001AAA', preferred_username: 'integration@acme.example' }] },
};
const used = { 'sforce-limit-info': 'api-usage=18/100000' };

export default {
    auth: signing,
    refusal: (status, message, errorCode = { 400: 'JSON_PARSER_ERROR', 404: 'NOT_FOUND', 405: 'METHOD_NOT_ALLOWED', 415: 'UNSUPPORTED_MEDIA_TYPE' }[status]) => [{ message, errorCode }],
    unauthorized: () => [401, [{ message: 'Session expired or invalid', errorCode: 'INVALID_SESSION_ID' }]],
    limited: () => [403, [{ message: 'ConcurrentRequests (Concurrent API Requests) Limit exceeded.', errorCode: 'REQUEST_LIMIT_EXCEEDED' }]],
    objects: { gone: { id: 'Id' }, ...Object.fromEntries(Object.entries(sobjects).map(([name, [prefix, fields]]) => [name, { id: 'Id', unique: Object.keys(fields).filter((field) => is(name, field, 'external')), like: (value) => String(value).toLowerCase(), give: (number) => `${prefix}dx0000${String(number).padStart(6, '0')}AAA` }])) },
    begin: () => seen.clear(),
    routes: Object.fromEntries(Object.entries(routes).map(([name, route]) => [name, { ...route, run(request) { const [status, body, headers] = route.run(request); return [status, body, { ...used, ...headers }]; } }])),
};
