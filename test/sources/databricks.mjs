// Databricks' API for statements, by https://docs.databricks.com/api/statement-execution/v1/execute-statement.md and the vendor's client
// (npm @databricks/sdk-experimental), which clients/databricks.mjs runs against it. Rows come from addresses that are signed, as from a
// cloud's storage, or within answers.
import { randomBytes, randomUUID } from 'node:crypto';
import { Engine } from './engine.mjs';
import { iso, presto } from './presto.mjs';
import { Refusal, members } from './server.mjs';
import { Statements } from './statements.mjs';
import { tables } from './tables.mjs';

const settings = { delay: 0, rows: 1000, latency: 0, lifetime: 3600 };
const codes = { 400: 'INVALID_PARAMETER_VALUE', 401: 'UNAUTHENTICATED', 403: 'PERMISSION_DENIED', 404: 'NOT_FOUND', 429: 'RESOURCE_EXHAUSTED' };
const refuse = (status, message) => { throw new Refusal(status, { error_code: codes[status], message }); };

const z = (micros) => `${iso(micros).replace(' ', 'T')}Z`;
const types = {
    integer: ({ declared }) => (/HUGEINT/.test(declared) ? ['DECIMAL', 'DECIMAL(38,0)', 38, 0] : /BIGINT/.test(declared) ? ['LONG', 'BIGINT'] : ['INT', 'INT']), decimal: ({ precision, scale }) => ['DECIMAL', `DECIMAL(${precision},${scale})`, precision, scale],
    real: () => ['DOUBLE', 'DOUBLE'], boolean: () => ['BOOLEAN', 'BOOLEAN'], date: () => ['DATE', 'DATE'], time: () => ['STRING', 'STRING'], timestamp: () => ['TIMESTAMP_NTZ', 'TIMESTAMP_NTZ'], timestamptz: () => ['TIMESTAMP', 'TIMESTAMP'],
    bytes: () => ['BINARY', 'BINARY'], json: () => ['VARIANT', 'VARIANT'], text: () => ['STRING', 'STRING'],
};
const wire = {
    integer: String, decimal: String, real: String, boolean: String, date: presto.texts.date, time: (value) => presto.texts.time(value, true).replace(/\.000000$/, ''), timestamp: (value) => iso(value).replace(' ', 'T'), timestamptz: z,
    bytes: (value) => value.toString('base64'), json: String, text: String,
};

/// The few spellings that differ. What stands in quotes stays as it is.
const translated = (sql) => sql.split(/('(?:[^']|'')*')/).map((part, i) => (i % 2 ? part : part
    .replace(/`information_schema`\.`columns`/g, '`meta`.`columns`').replace(/`/g, '"').replace(/TIMESTAMP_NTZ/g, 'TIMESTAMP_').replace(/\bTIMESTAMP\b/g, 'TIMESTAMPTZ').replace(/TIMESTAMP_/g, 'TIMESTAMP')
    .replace(/lower\(full_data_type\)/g, 'lower(DATA_TYPE)').replace(/ COLLATE UTF8_BINARY\b/g, '').replace(/:(p\d+)/g, '$$$1'))).join('');

/// Values for the markers; one that is not of its type is refused.
const values = { STRING: String, BIGINT: BigInt, INT: BigInt, BOOLEAN: (value) => value === 'true', DATE: String, 'DECIMAL(18,0)': BigInt };
function bound(parameters = [], sql) {
    const made = {};
    for (const parameter of parameters) {
        members(parameter, { name: 'string', 'value?': 'string', 'type?': 'string' }, (message) => refuse(400, message));
        const read = values[parameter.type ?? 'STRING'] ?? refuse(400, `Cannot parse the parameter type ${parameter.type}`);
        made[parameter.name] = read(parameter.value);
    }
    for (const [, name] of sql.matchAll(/:(p\d+)/g)) if (!(name in made)) refuse(400, `[UNBOUND_SQL_PARAMETER] Found the unbound parameter: ${name}.`);
    return made;
}

export const source = {
    settings,
    credentials: { client_id: 'sync', client_secret: 'secret', access_token: 'dapi-1' },
    async begin() {
        this.engine = await Engine.start("ATTACH ':memory:' AS \"sales\"", 'CREATE SCHEMA "sales"."crm"', 'CREATE SCHEMA "sales"."meta"', 'USE "sales"."crm"', ...tables(this.catalog),
            "CREATE MACRO conv(digits, base, other) AS CAST(CAST('0x' || digits AS BIGINT) AS VARCHAR)", 'CREATE MACRO unix_micros(moment) AS epoch_us(moment)');
        this.statements = new Statements(this.engine, settings, () => this.state);
        this.tokens = new Set();
        this.links = new Map();
    },
    catalog: { table: (name) => `"sales"."crm"."${name}"`, column: (name) => `"${name}"`, meta: '"sales"."meta"."columns"', schema: 'crm', fold: (name) => name, hasEarlyDates: true,
        types: { integer: ['DECIMAL(38,0)', 38, 0], small: ['INT'], big: ['BIGINT'], decimal: ['DECIMAL(38,9)', 38, 9], real: ['DOUBLE'], boolean: ['BOOLEAN'], date: ['DATE'], time: ['STRING'], timestamp: ['TIMESTAMP_NTZ'], timestamptz: ['TIMESTAMP'], bytes: ['BINARY'], json: ['VARIANT'], text: ['STRING'] } },

    async answer(request) {
        const { method, path, headers, bytes, home } = request;
        if (path === '/oidc/v1/token' && method === 'POST') return this.token(headers, new URLSearchParams(bytes.toString()));
        if (path === '/oidc/.well-known/oauth-authorization-server' && method === 'GET') return [200, { authorization_endpoint: `${home}/oidc/v1/authorize`, token_endpoint: `${home}/oidc/v1/token` }];
        if (path.startsWith('/storage/')) return this.stored(request);
        const token = /^Bearer (.+)$/.exec(headers.authorization ?? '')?.[1];
        if (token !== 'dapi-1' && !this.tokens.has(token)) refuse(401, 'Credential was not sent or was of an unsupported type for this API.');
        if (path === '/api/2.0/preview/scim/v2/Me' && method === 'GET') return [200, { id: '1', userName: 'robot@acme.example' }];
        if (path.replace(/\/$/, '') === '/api/2.0/sql/statements' && method === 'POST') return this.submit(JSON.parse(bytes), home);
        const [, id, more] = /^\/api\/2\.0\/sql\/statements\/([0-9a-f-]{36})(\/cancel|\/result\/chunks\/\d+)?$/.exec(path) ?? refuse(404, `No API found for '${method} ${path}'`);
        const statement = this.statements.all.get(id) ?? refuse(404, `The statement ${id} was not found.`);
        if (more === '/cancel' && method === 'POST') { statement.cancel(); return [200, {}]; }
        if (method !== 'GET') refuse(404, `No API found for '${method} ${path}'`);
        if (!more) return [200, this.status(statement, home)];
        if (statement.status !== 'done') refuse(400, `The statement ${id} has no result`);
        return [200, this.chunk(statement, Number(more.split('/').at(-1)), home)];
    },

    token(headers, form) {
        const basic = Buffer.from(/^Basic (.+)$/.exec(headers.authorization ?? '')?.[1] ?? '', 'base64').toString();
        const is = (form.get('client_id') === 'sync' && form.get('client_secret') === 'secret') || basic === 'sync:secret';
        if (!is || form.get('grant_type') !== 'client_credentials' || form.get('scope') !== 'all-apis') return [401, { error: 'invalid_client', error_description: 'Client authentication failed' }];
        const token = `eyJ-${randomBytes(8).toString('hex')}`;
        this.tokens.add(token);
        return [200, { access_token: token, token_type: 'Bearer', expires_in: settings.lifetime, scope: 'all-apis' }];
    },

    async submit(body, home) {
        members(body, { statement: 'string', warehouse_id: (value) => value === 'abcdef0123456789', 'catalog?': 'string', 'schema?': 'string', 'parameters?': (value) => Array.isArray(value), 'row_limit?': 'number', 'byte_limit?': 'number',
            'disposition?': (value) => ['INLINE', 'EXTERNAL_LINKS'].includes(value), 'format?': (value) => value === 'JSON_ARRAY', 'wait_timeout?': (value) => value === '0s' || (/^\d+s$/.test(value) && parseInt(value) >= 5 && parseInt(value) <= 50),
            'on_wait_timeout?': (value) => ['CONTINUE', 'CANCEL'].includes(value), 'query_tags?': (value) => Array.isArray(value) && value.every(({ key, value: text }) => typeof key === 'string' && typeof (text ?? '') === 'string') }, (message) => refuse(400, message));
        this.state.tags.push(body.query_tags?.find(({ key }) => key === 'source')?.value);
        const statement = this.statements.start(randomUUID(), body.statement, translated(body.statement), bound(body.parameters, body.statement), 0);
        statement.isInline = body.disposition !== 'EXTERNAL_LINKS';
        const wait = parseInt(body.wait_timeout ?? '10s') * 1000;
        await Promise.race([statement.ended, new Promise((done) => setTimeout(done, wait).unref())]);
        return [200, this.status(statement, home)];
    },

    status(statement, home) {
        const { name: statement_id, status, error } = statement;
        if (status === 'running') return { statement_id, status: { state: 'RUNNING' } };
        if (status === 'cancelled') return { statement_id, status: { state: 'CANCELED' } };
        if (status !== 'done') return { statement_id, status: { state: 'FAILED', error: { error_code: 'BAD_REQUEST', message: error }, sql_state: '42P01' } };
        const { columns, rows } = statement.result;
        const described = columns.map((column, position) => { const [type_name, type_text, type_precision, type_scale] = types[column.kind](column); return { name: column.name, type_text, type_name, position, ...(type_precision ? { type_precision, type_scale } : {}) }; });
        const count = Math.ceil(rows.length / settings.rows);
        const chunks = Array.from({ length: count }, (_, i) => ({ chunk_index: i, row_offset: i * settings.rows, row_count: Math.min(settings.rows, rows.length - i * settings.rows) }));
        return { statement_id, status: { state: 'SUCCEEDED' }, manifest: { format: 'JSON_ARRAY', schema: { column_count: columns.length, columns: described }, total_chunk_count: count, ...(count ? { chunks } : {}), total_row_count: rows.length, truncated: false },
            result: count ? this.chunk(statement, 0, home) : {} };
    },

    chunk(statement, chunk_index, home) {
        const { columns, rows } = statement.result, row_offset = chunk_index * settings.rows;
        if (row_offset >= rows.length) refuse(400, `There is no chunk ${chunk_index}`);
        const data = rows.slice(row_offset, row_offset + settings.rows).map((row) => row.map((value, i) => (value === null ? null : wire[columns[i].kind](value))));
        const of = { chunk_index, row_offset, row_count: data.length,
            ...(row_offset + settings.rows < rows.length ? { next_chunk_index: chunk_index + 1, next_chunk_internal_link: `/api/2.0/sql/statements/${statement.name}/result/chunks/${chunk_index + 1}?row_offset=${row_offset + settings.rows}` } : {}) };
        if (statement.isInline) return { ...of, data_array: data };
        const key = randomBytes(12).toString('hex');
        this.links.set(key, data);
        return { external_links: [{ ...of, byte_count: 1000, external_link: `${home}/storage/results/${chunk_index}?X-Amz-Signature=${key}`, expiration: new Date(Date.now() + 900_000).toISOString(), http_headers: { 'x-amz-server-side-encryption-customer-key': 'a-key' } }] };
    },

    /// As a cloud's storage: it knows the signature of an address, and refuses a request that is signed in two ways.
    stored({ method, query, headers }) {
        const deny = (status, code) => { throw new Refusal(status, `<?xml version="1.0"?><Error><Code>${code}</Code></Error>`, { 'content-type': 'application/xml' }); };
        if (headers.authorization) deny(400, 'InvalidArgument');
        const data = this.links.get(query.get('X-Amz-Signature'));
        if (method !== 'GET' || !data || headers['x-amz-server-side-encryption-customer-key'] !== 'a-key') deny(403, 'SignatureDoesNotMatch');
        return [200, data, true];
    },
};
