// A stand-in for Salesforce's Bulk API 2.0, after its documentation, which takes what its documentation says and nothing else.
// jsforce, the vendor's client, says whether it speaks like the vendor's (test/contract/vendor_clients/bulk.test.mjs). What is
// uploaded is read by csv-parse and zlib.
//
//   node bulk.mjs PORT
//   GET  /_state    {"jobs": {id: job}, "records": {object: {key: record}}, "uploads": [{"encoding", "type", "rows"}]}
//   POST /_set      {"token", "page", "polls", "later", "fails"}: who may ask, lines of a page, polls until a job is complete,
//                   keys that are not processed the first time, what a job fails of
//
// A record without a LastName is refused.
import { parse } from 'csv-parse/sync';
import { createServer } from 'node:http';
import { gunzipSync } from 'node:zlib';

const fields = new Set(['Id', 'Ref__c', 'LastName', 'FirstName', 'Email']);
const separators = { LF: '\n', CRLF: '\r\n' };
const operations = ['insert', 'update', 'upsert', 'delete'];
const settings = { token: 'token-test', page: Infinity, polls: 1, later: [], fails: '' };
const state = { jobs: {}, records: {}, uploads: [] };

class Refusal extends Error {
    constructor(status, code, message) {
        super(message);
        Object.assign(this, { status, code });
    }
}
const demand = (holds, status, code, message) => { if (!holds) throw new Refusal(status, code, message); };

const info = ({ rows, results, polls, ...job }) => job;

function open(wanted, version) {
    const { object, operation, externalIdFieldName, contentType = 'CSV', lineEnding = 'LF', columnDelimiter = 'COMMA', ...others } = wanted;
    const unknown = Object.keys(others).filter((name) => name !== 'assignmentRuleId');
    demand(!unknown.length, 400, 'JSON_PARSER_ERROR', `Unrecognized field "${unknown[0]}"`);
    demand(object === 'Contact', 400, 'INVALIDENTITY', `Object ${object} is not supported`);
    demand(operations.includes(operation), 400, 'INVALIDJOB', `InvalidJob : ${operation} is not an operation`);
    demand((operation === 'upsert') === (externalIdFieldName !== undefined), 400, 'INVALIDJOB', 'InvalidJob : External ID field');
    demand(contentType === 'CSV' && separators[lineEnding] && columnDelimiter === 'COMMA', 400, 'INVALIDJOB', 'InvalidJob : format');
    const id = `750R0000000${String(Object.keys(state.jobs).length + 1).padStart(4, '0')}IAQ`;
    state.jobs[id] = {
        id, operation, object, createdById: '005R0000000GiwjIAC', createdDate: new Date().toISOString(),
        systemModstamp: new Date().toISOString(), state: 'Open', externalIdFieldName, concurrencyMode: 'Parallel',
        contentType, apiVersion: Number(version), lineEnding, columnDelimiter, polls: 0,
        contentUrl: `services/data/v${version}/jobs/ingest/${id}/batches`,
    };
    return info(state.jobs[id]);
}

function upload(job, request, body) {
    const type = request.headers['content-type'] ?? '';
    const encoding = request.headers['content-encoding'] ?? 'identity';
    demand(/^text\/csv($|;)/.test(type), 415, 'INVALIDCONTENTTYPE', `Content-Type ${type} is not supported`);
    demand(['identity', 'gzip'].includes(encoding), 415, 'INVALIDCONTENTTYPE', `Content-Encoding ${encoding} is not supported`);
    demand(job.state === 'Open' && !job.rows, 400, 'INVALIDJOBSTATE', `Job is ${job.state}`);
    const text = new TextDecoder('utf-8', { fatal: true }).decode(encoding === 'gzip' ? gunzipSync(body) : body);
    job.rows = parse(text, { columns: true, bom: false, record_delimiter: separators[job.lineEnding], relax_column_count: false });
    state.uploads.push({ encoding, type, rows: job.rows });
    const strange = Object.keys(job.rows[0] ?? {}).find((name) => !fields.has(name));
    if (strange !== undefined) job.error = `InvalidBatch : Field name not found : ${strange}`;
}

function close(job, { state: wanted, ...others }) {
    demand(!Object.keys(others).length, 400, 'JSON_PARSER_ERROR', 'only the state can be changed');
    demand(job.state === 'Open' || (job.state === 'UploadComplete' && wanted === 'Aborted'), 400, 'INVALIDJOBSTATE',
        `Invalid state transition from ${job.state} to ${wanted}`);
    demand(['UploadComplete', 'Aborted'].includes(wanted), 400, 'INVALIDJOBSTATE', `Invalid state ${wanted}`);
    demand(wanted === 'Aborted' || job.rows, 400, 'INVALIDJOBSTATE', 'nothing was uploaded');
    job.state = wanted;
    return info(job);
}

function process_rows(job) {
    const records = state.records[job.object] ??= {};
    job.results = { successfulResults: [], failedResults: [], unprocessedrecords: [] };
    for (const row of job.rows) {
        const key = row[job.externalIdFieldName ?? 'Id'] ?? '';
        const record = Object.fromEntries(Object.entries(row).filter(([, value]) => value !== '')
            .map(([name, value]) => [name, value === '#N/A' ? null : value]));
        const is_later = settings.later.indexOf(key);
        if (is_later >= 0) {
            settings.later.splice(is_later, 1);
            job.results.unprocessedrecords.push(row);
        } else if (job.operation !== 'delete' && !(record.LastName ?? records[key]?.LastName)) {
            job.results.failedResults.push({ sf__Id: '', sf__Error: 'REQUIRED_FIELD_MISSING:Required fields are missing: [LastName]:LastName --', ...row });
        } else {
            const id = records[key]?.Id ?? `003R0000000${String(Object.keys(records).length + 1).padStart(4, '0')}IAQ`;
            job.results.successfulResults.push({ sf__Id: id, sf__Created: String(!records[key]), ...row });
            if (job.operation === 'delete') delete records[key];
            else records[key || id] = { ...records[key], ...record, Id: id };
        }
    }
    job.numberRecordsProcessed = job.rows.length - job.results.unprocessedrecords.length;
    job.numberRecordsFailed = job.results.failedResults.length;
}

function poll(job) {
    if (['UploadComplete', 'InProgress'].includes(job.state)) {
        const failure = job.error ?? settings.fails;
        job.state = ++job.polls < settings.polls ? 'InProgress' : failure ? 'Failed' : 'JobComplete';
        if (job.state === 'Failed') job.errorMessage = failure;
        if (job.state === 'JobComplete') process_rows(job);
    }
    return info(job);
}

function file_of(job, name, query) {
    demand(job.state === 'JobComplete', 404, 'NOT_FOUND', `the job is ${job.state}`);
    const columns = [...{ successfulResults: ['sf__Id', 'sf__Created'], failedResults: ['sf__Id', 'sf__Error'], unprocessedrecords: [] }[name],
        ...Object.keys(job.rows[0] ?? {})];
    const at = Number(query.get('locator') ?? 0), rows = job.results[name].slice(at, at + settings.page);
    const line = (values) => `${values.map((value) => `"${value.replaceAll('"', '""')}"`).join(',')}\n`;
    return {
        headers: { 'sforce-locator': at + rows.length < job.results[name].length ? String(at + rows.length) : 'null',
            'sforce-numberofrecords': String(rows.length), 'content-type': 'text/csv' },
        text: [columns, ...rows.map((row) => columns.map((name) => row[name]))].map(line).join(''),
    };
}

function answer(request, url, body) {
    const json = () => JSON.parse(body.toString() || '{}');
    if (url.pathname === '/_state') return { value: state };
    if (url.pathname === '/_set') return { value: Object.assign(settings, json()) };
    demand(request.headers.authorization === `Bearer ${settings.token}`, 401, 'INVALID_SESSION_ID', 'Session expired or invalid');
    const [, version, id, what] = url.pathname.match(/^\/services\/data\/v(\d+\.0)\/jobs\/ingest(?:\/(\w{18})(?:\/(\w+))?)?$/) ?? [];
    demand(version, 404, 'NOT_FOUND', 'The requested resource does not exist');
    const job = state.jobs[id];
    demand(!id || job, 404, 'NOT_FOUND', 'The requested resource does not exist');
    const asked = `${request.method} ${what ?? (id ? 'job' : '')}`;
    if (['POST ', 'PATCH job'].includes(asked))
        demand(/^application\/json($|;)/.test(request.headers['content-type'] ?? ''), 415, 'UNSUPPORTED_MEDIA_TYPE', 'JSON it must be');
    switch (asked) {
    case 'POST ': return { value: open(json(), version) };
    case 'PUT batches': upload(job, request, body); return { status: 201, text: '' };
    case 'PATCH job': return { value: close(job, json()) };
    case 'GET job': return { value: poll(job) };
    case 'DELETE job': delete state.jobs[id]; return { status: 204, text: '' };
    case 'GET successfulResults': case 'GET failedResults': case 'GET unprocessedrecords': return file_of(job, what, url.searchParams);
    default: throw new Refusal(405, 'METHOD_NOT_ALLOWED', `HTTP Method '${request.method}' not allowed`);
    }
}

export const server = createServer(async (request, response) => {
    const parts = [];
    for await (const part of request) parts.push(part);
    let given;
    try {
        given = answer(request, new URL(request.url, 'http://bulk'), Buffer.concat(parts));
    } catch (error) {
        given = { status: error.status ?? 400, value: [{ errorCode: error.code ?? 'INVALID', message: error.message }] };
    }
    const type = 'value' in given ? { 'content-type': 'application/json;charset=UTF-8' } : {};
    response.writeHead(given.status ?? 200, { ...type, ...given.headers });
    response.end('value' in given ? JSON.stringify(given.value) : given.text);
});

if (process.argv[1]?.endsWith('bulk.mjs')) server.listen(process.argv[2], '127.0.0.1');
