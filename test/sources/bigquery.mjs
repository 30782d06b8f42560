// BigQuery v2, by Google's discovery document and its client (npm @google-cloud/bigquery), which clients/bigquery.mjs runs against it.
import { Engine, decimal } from './engine.mjs';
import { Refusal, members } from './server.mjs';
import { Statements } from './statements.mjs';
import { tables } from './tables.mjs';

const settings = { delay: 0, rows: 1000, latency: 0, edits: {}, location: 'europe-west1' };
const reasons = { 400: 'invalidQuery', 401: 'authError', 403: 'accessDenied', 404: 'notFound', 409: 'duplicate' };
const refuse = (code, message, reason = reasons[code]) => { throw new Refusal(code, { error: { code, message, errors: [{ message, domain: 'global', reason }], status: 'FAILED' } }); };

const iso = (micros) => new Date(Number(micros / 1000n - (micros % 1000n < 0n ? 1n : 0n))).toISOString().slice(0, 19) + `.${String(((micros % 1000000n) + 1000000n) % 1000000n).padStart(6, '0')}`;
const day = (days) => new Date(Number(days) * 86400000).toISOString().slice(0, 10);
const types = {
    integer: ['INTEGER', String], decimal: ['BIGNUMERIC', String], real: ['FLOAT', String], boolean: ['BOOLEAN', String], date: ['DATE', day], bytes: ['BYTES', (value) => value.toString('base64')],
    time: ['TIME', (micros) => iso(micros).slice(11)], timestamp: ['DATETIME', iso], json: ['JSON', String], text: ['STRING', String],
    // Without useInt64Timestamp they are seconds, and lose digits.
    timestamptz: ['TIMESTAMP', (micros, exact) => (exact ? String(micros) : String(Number(micros) / 1e6))],
};

const translated = (sql) => sql.split(/('(?:[^'\\]|\\.)*')/).map((part, i) => (i % 2 ? part : part
    .replace(/`acme-1`\.`crm`\.INFORMATION_SCHEMA\.COLUMNS/g, 'META.COLUMNS').replace(/`acme-1`\./g, '').replace(/`/g, '"')
    .replace(/\bCOLLATE\(/g, 'collated(').replace(/TO_HEX\(MD5\(/g, 'lower(md5(').replace(/\bFORMAT\(/g, 'printf(').replace(/UNIX_MICROS\(/g, 'epoch_us(').replace(/\bBIGNUMERIC\b/g, 'DECIMAL(38, 0)')
    .replace(/IF\((.+?), NULL, TO_JSON_STRING\((.+?)\)\)/g, 'CASE WHEN $1 THEN NULL ELSE CAST(to_json($2) AS VARCHAR) END'))).join('');

const values = {
    STRING: String, INT64: (value) => BigInt(value), BOOL: (value) => value === 'true', BIGNUMERIC: decimal, DATE: String, DATETIME: String, TIMESTAMP: String,
};
/// Values for the question marks; one that is not of its type is refused.
function bound({ parameterMode, queryParameters = [] }, sql) {
    if (queryParameters.length && !/^positional$/i.test(parameterMode)) refuse(400, 'Query parameters need a mode');
    if ((sql.match(/\?/g) ?? []).length !== queryParameters.length) refuse(400, 'Query parameters do not fit the question marks');
    return queryParameters.map((parameter) => {
        members(parameter, { 'name?': 'string', parameterType: 'object', parameterValue: 'object' }, (message) => refuse(400, message, 'invalid'));
        const { type } = parameter.parameterType, { value } = parameter.parameterValue;
        // A text, the discovery document says; the client sends numbers as such.
        if (!values[type] || !['string', 'number'].includes(typeof value)) refuse(400, `Invalid parameter of type ${type}`);
        return values[type](value);
    });
}

export const source = {
    settings,
    credentials: { access_token: 'token' },
    async begin() {
        this.engine = await Engine.start('CREATE SCHEMA crm', 'CREATE SCHEMA META', 'USE memory.crm', 'CREATE MACRO collated(x, specification) AS x', ...tables(this.catalog));
        this.statements = new Statements(this.engine, settings, () => this.state);
    },
    catalog: { table: (name) => `crm."${name}"`, column: (name) => `"${name}"`, meta: 'META.COLUMNS', schema: 'crm', fold: (name) => name,
        types: { integer: ['BIGNUMERIC(38)'], small: ['INT64'], big: ['INT64'], decimal: ['BIGNUMERIC'], real: ['FLOAT64'], boolean: ['BOOL'], date: ['DATE'], time: ['TIME'], timestamp: ['DATETIME'], timestamptz: ['TIMESTAMP'], bytes: ['BYTES'], json: ['JSON'], text: ['STRING(100)'] } },

    async answer({ method, path, query, headers, bytes }) {
        if (headers.authorization !== 'Bearer token') refuse(401, 'Request had invalid authentication credentials.');
        const known = (...names) => { for (const name of query.keys()) if (![...names, 'prettyPrint'].includes(name)) refuse(400, `Invalid JSON payload received. Unknown name "${name}": Cannot bind query parameter.`, 'badRequest'); };
        if (method === 'GET' && path === '/bigquery/v2/projects/acme-1/datasets/crm/tables') { known('maxResults', 'pageToken'); return [200, { kind: 'bigquery#tableList', etag: 'x', totalItems: 1 }]; }
        const [, project, what, id, cancel] = /^\/bigquery\/v2\/projects\/([^/]+)\/(jobs|queries)(?:\/([^/]+))?(\/cancel)?$/.exec(path) ?? refuse(404, 'Not Found');
        if (project !== 'acme-1') refuse(403, `Access Denied: Project ${project}: User does not have bigquery.jobs.create permission in project ${project}.`);
        const of = (name) => {
            const job = this.statements.all.get(name) ?? refuse(404, `Not found: Job acme-1:${name}`);
            if (query.get('location') && query.get('location') !== settings.location) refuse(404, `Not found: Job acme-1:${query.get('location')}.${name}`);
            return job;
        };
        if (method === 'POST' && what === 'jobs' && !id) { known(); return this.insert(JSON.parse(bytes)); }
        if (method === 'POST' && what === 'queries' && !id) { known(); return this.dry(JSON.parse(bytes)); }
        if (method === 'POST' && cancel) { known('location'); const job = of(id); job.cancel(); return [200, { kind: 'bigquery#jobCancelResponse', job: this.resource(job) }]; }
        if (method === 'GET' && what === 'jobs' && id) { known('location'); return [200, this.resource(of(id))]; }
        if (method !== 'GET' || what !== 'queries' || !id) refuse(404, 'Not Found');
        known('location', 'timeoutMs', 'maxResults', 'pageToken', 'startIndex', 'formatOptions.useInt64Timestamp');
        return this.results(of(id), query);
    },

    resource({ name, status, error }) {
        const errorResult = status === 'failed' ? { reason: 'invalidQuery', message: error } : { cancelled: { reason: 'stopped', message: 'Job execution was cancelled: User requested cancellation' } }[status];
        return { kind: 'bigquery#job', id: `acme-1:${settings.location}.${name}`, jobReference: { projectId: 'acme-1', jobId: name, location: settings.location }, configuration: { jobType: 'QUERY', query: {} },
            status: { state: status === 'running' ? 'RUNNING' : 'DONE', ...(errorResult ? { errorResult, errors: [errorResult] } : {}) }, statistics: { creationTime: String(Date.now()) } };
    },

    insert(job) {
        const invalid = (message) => refuse(400, message, 'invalid');
        members(job, { 'jobReference?': 'object', configuration: 'object', 'kind?': 'string' }, invalid);
        members(job.configuration, { query: 'object', 'jobTimeoutMs?': (value) => /^\d+$/.test(value), 'labels?': 'object', 'dryRun?': 'boolean', 'jobType?': 'string' }, invalid, '/configuration');
        members(job.configuration.query, { query: 'string', useLegacySql: (value) => value === false, 'maximumBytesBilled?': (value) => /^\d+$/.test(value), 'defaultDataset?': 'object', 'parameterMode?': 'string',
            'queryParameters?': Array.isArray, 'priority?': 'string' }, invalid, '/configuration/query');
        const { jobId } = job.jobReference;
        if (!/^[A-Za-z0-9_-]{1,1024}$/.test(jobId)) invalid('Invalid job ID');
        if (this.statements.all.has(jobId)) refuse(409, `Already Exists: Job acme-1:${settings.location}.${jobId}`);
        const { query } = job.configuration.query;
        this.state.tags.push(job.configuration.labels?.statement);
        if (Number(job.configuration.query.maximumBytesBilled ?? 1e18) < 1000000) refuse(400, 'Query exceeded limit for bytes billed', 'bytesBilledLimitExceeded');
        return [200, this.resource(this.statements.start(jobId, query, translated(query), bound(job.configuration.query, query), Number(job.configuration.jobTimeoutMs ?? 0)))];
    },

    async dry(body) {
        members(body, { query: 'string', useLegacySql: (value) => value === false, dryRun: (value) => value === true, 'defaultDataset?': 'object' }, (message) => refuse(400, message, 'invalid'));
        try {
            const { columns } = await this.engine.run(`SELECT * FROM (${translated(body.query)}) LIMIT 0`);
            return [200, { kind: 'bigquery#queryResponse', schema: this.schema(columns), jobReference: { projectId: 'acme-1', location: settings.location }, totalBytesProcessed: '4096', jobComplete: true, cacheHit: false }];
        } catch (error) { return refuse(400, error.message); }
    },

    schema: (columns) => ({ fields: columns.map(({ name, kind }) => ({ name, type: types[kind][0], mode: 'NULLABLE' })) }),

    async results(job, query) {
        await Promise.race([job.ended, new Promise((done) => setTimeout(done, Number(query.get('timeoutMs') ?? 10000)).unref())]);
        const jobReference = { projectId: 'acme-1', jobId: job.name, location: settings.location };
        if (job.status === 'running') return [200, { kind: 'bigquery#getQueryResultsResponse', jobReference, jobComplete: false }];
        if (job.status !== 'done') refuse(400, job.error ?? 'Job execution was cancelled: User requested cancellation', job.error ? 'invalidQuery' : 'stopped');
        const { columns, rows } = job.result;
        const exact = query.get('formatOptions.useInt64Timestamp') === 'true';
        const most = Math.min(settings.rows, Number(query.get('maxResults') ?? Infinity)), begin = Number(Buffer.from(query.get('pageToken') ?? '', 'base64').toString() || 0);
        const page = rows.slice(begin, begin + most).map((row) => ({ f: row.map((value, i) => ({ v: value === null ? null : types[columns[i].kind][1](value, exact) })) }));
        const more = begin + most < rows.length ? { pageToken: Buffer.from(String(begin + most)).toString('base64') } : {};
        return [200, { kind: 'bigquery#getQueryResultsResponse', etag: 'x', schema: this.schema(columns), jobReference, totalRows: String(rows.length), ...(page.length ? { rows: page } : {}), ...more, totalBytesProcessed: '4096', jobComplete: true, cacheHit: false }];
    },
};
