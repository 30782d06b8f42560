// Snowflake's SQL API, by its published description (sqlapi.yaml, 2.0.0) and the pages that connectors/snowflake.json names.
import { createHash, generateKeyPairSync, randomUUID, verify } from 'node:crypto';
import { Engine } from './engine.mjs';
import { Refusal, members } from './server.mjs';
import { Statements } from './statements.mjs';
import { tables } from './tables.mjs';

const { publicKey, privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
const fingerprint = `SHA256:${createHash('sha256').update(publicKey.export({ type: 'spki', format: 'der' })).digest('base64')}`;
const pem = privateKey.export({ type: 'pkcs8', format: 'pem' });
const uuid = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/;
const settings = { delay: 0, rows: 1000, latency: 0, edits: {} };
const refuse = (status, code, message) => { throw new Refusal(status, { code, message }); };

/// The token's claims; a refusal if it is not one that the account takes.
function authorize(headers) {
    const token = /^Bearer (.+)$/.exec(headers.authorization ?? '')?.[1] ?? refuse(401, '390104', 'Authorization header is missing.');
    if (token === 'a-programmatic-token') return headers['x-snowflake-authorization-token-type'] === 'PROGRAMMATIC_ACCESS_TOKEN' || refuse(401, '390303', 'Invalid OAuth access token.');
    const [header, claims, signature] = token.split('.');
    const read = (part) => JSON.parse(Buffer.from(part, 'base64url'));
    let said;
    try {
        if (read(header).alg !== 'RS256' || !verify('sha256', Buffer.from(`${header}.${claims}`), publicKey, Buffer.from(signature, 'base64url'))) throw new Error('signature');
        said = read(claims);
    } catch { refuse(401, '390144', 'JWT token is invalid.'); }
    const now = Date.now() / 1000;
    const fits = said.sub === 'MYORG-ACC.SYNC' && said.iss === `MYORG-ACC.SYNC.${fingerprint}` && said.iat <= now + 60 && said.exp > now && said.exp - said.iat <= 3600;
    return fits || refuse(401, '390144', 'JWT token is invalid.');
}

const seconds = (micros) => { const whole = micros / 1000000n - (micros % 1000000n < 0n ? 1n : 0n); return `${whole}.${String(micros - whole * 1000000n).padStart(6, '0')}000`; };
/// Seconds with a sign of their own, as Snowflake writes them.
const signed = (micros) => (micros < 0n ? `-${seconds(-micros)}` : seconds(micros));
const types = {
    integer: ['FIXED', String], decimal: ['FIXED', String], real: ['REAL', (value) => ({ Infinity: 'inf', '-Infinity': '-inf' })[value] ?? String(value)], boolean: ['BOOLEAN', String],
    date: ['DATE', String], time: ['TIME', signed], timestamp: ['TIMESTAMP_NTZ', signed], timestamptz: ['TIMESTAMP_TZ', (value) => `${signed(value)} 1440`],
    bytes: ['BINARY', (value) => value.toString('hex').toUpperCase()], json: ['VARIANT', String], text: ['TEXT', String],
};

/// Functions that the engine has by other names.
const functions = ["MD5_NUMBER_LOWER64(x) AS CAST('0x' || substr(md5(x), 17) AS UBIGINT)", 'IFF(a, b, c) AS CASE WHEN a THEN b ELSE c END',
    'TO_VARCHAR(x) AS CAST(x AS VARCHAR), (x, form) AS CAST(x AS VARCHAR)', 'CONVERT_TIMEZONE(zone, x) AS x', 'HEX_ENCODE(x) AS hex(x)', 'TO_VARIANT(x) AS x'];

/// The few spellings that differ. What stands in quotes stays as it is.
const translated = (sql) => sql.split(/('(?:[^']|'')*')/).map((part, i) => (i % 2 ? part : part
    .replace(/"ANALYTICS"\."INFORMATION_SCHEMA"\."COLUMNS"/g, '"ANALYTICS"."META"."COLUMNS"')
    .replace(/\bCOLLATE\(/g, 'collated(').replace(/NUMBER\(/g, 'DECIMAL(').replace(/TIMESTAMP_NTZ/g, 'TIMESTAMP').replace(/TIMESTAMP_L?TZ/g, 'TIMESTAMPTZ')
    .replace(/CURRENT_ACCOUNT\(\)/g, "'XY12345'").replace(/CURRENT_ROLE\(\)/g, "'REVERSE_ETL'"))).join('');

/// Values for the question marks.
function bound(bindings = {}) {
    const values = [];
    for (const [number, { type, value, ...others }] of Object.entries(bindings)) {
        if (Object.keys(others).length || number !== String(values.length + 1) || typeof value !== 'string') refuse(400, '391902', `binding ${number} is not right`);
        if (type === 'FIXED' && !/^-?\d+$/.test(value)) refuse(422, '100038', `Numeric value '${value}' is not recognized`);
        if (!['FIXED', 'TEXT'].includes(type)) refuse(400, '391902', `the type ${type} of binding ${number} is not known here`);
        values.push(type === 'FIXED' ? BigInt(value) : value);
    }
    return values;
}

export const source = {
    settings,
    credentials: { private_key: pem },
    async begin() {
        this.engine = await Engine.start("ATTACH ':memory:' AS \"ANALYTICS\"", 'CREATE SCHEMA "ANALYTICS"."PUBLIC"', 'CREATE SCHEMA "ANALYTICS"."META"', 'USE "ANALYTICS"."PUBLIC"', ...functions.map((one) => `CREATE MACRO ${one}`), 'CREATE MACRO collated(x, specification) AS x', ...tables(this.catalog));
        this.statements = new Statements(this.engine, settings, () => this.state);
    },
    catalog: { table: (name) => `"ANALYTICS"."PUBLIC"."${name.toUpperCase()}"`, column: (name) => `"${name.toUpperCase()}"`, meta: '"ANALYTICS"."META"."COLUMNS"', schema: 'PUBLIC', fold: (name) => name.toUpperCase(), hasEarlyDates: true,
        types: { integer: ['NUMBER', 38, 0], small: ['NUMBER', 9, 0], big: ['NUMBER', 18, 0], decimal: ['NUMBER', 38, 9], real: ['FLOAT'], boolean: ['BOOLEAN'], date: ['DATE'], time: ['TIME'], timestamp: ['TIMESTAMP_NTZ'], timestamptz: ['TIMESTAMP_TZ'], bytes: ['BINARY'], json: ['VARIANT'], text: ['TEXT'] } },

    async answer({ method, path, query, headers, bytes }) {
        if (!headers['user-agent']) refuse(400, '391903', 'User-Agent header is missing.');
        authorize(headers);
        const [, handle, cancel] = /^\/api\/v2\/statements(?:\/([0-9a-f-]{36}))?(\/cancel)?$/.exec(path) ?? refuse(404, '390404', 'not found');
        if (method === 'POST' && !handle) return this.submit(query, headers, bytes);
        const statement = this.statements.all.get(handle) ?? refuse(404, '390404', `Statement ${handle} not found`);
        if (method === 'POST' && cancel) { statement.cancel(); return [200, { code: '000604', sqlState: '57014', message: 'SQL execution canceled', statementHandle: handle, statementStatusUrl: `/api/v2/statements/${handle}` }]; }
        if (method !== 'GET' || cancel) refuse(405, '391917', 'method not allowed');
        for (const name of query.keys()) if (name !== 'partition') refuse(400, '391902', `the parameter ${name} is not known`);
        return this.status(statement, Number(query.get('partition') ?? 0));
    },

    async submit(query, headers, bytes) {
        if ((headers['content-type'] ?? '').split(';')[0] !== 'application/json') refuse(415, '391911', 'Unsupported media type');
        for (const name of query.keys()) if (!['requestId', 'async', 'nullable', 'retry'].includes(name)) refuse(400, '391902', `the parameter ${name} is not known`);
        const body = JSON.parse(bytes);
        members(body, { statement: 'string', 'timeout?': (value) => Number.isInteger(value) && value >= 0, 'warehouse?': 'string', 'role?': 'string', 'database?': 'string', 'schema?': 'string',
            'bindings?': 'object', 'parameters?': 'object' }, (message) => refuse(400, '391902', message));
        members(body.parameters ?? {}, { 'timezone?': 'string', 'query_tag?': 'string', 'binary_output_format?': (value) => value === 'HEX' }, (message) => refuse(400, '391902', message));
        if (/^\s*(use|begin|commit|rollback|put|get|alter\s+session)\b/i.test(body.statement)) refuse(422, '391911', 'This statement is not supported.');
        if (/;\s*\S/.test(body.statement)) refuse(422, '000008', 'Actual statement count 2 did not match the desired statement count 1.');
        if (body.warehouse !== 'SYNC_WH') refuse(422, '000606', 'No active warehouse selected in the current session.');
        if (body.role !== 'REVERSE_ETL') refuse(422, '390189', `Role '${body.role}' specified in the connect string does not exist or not authorized.`);
        const requestId = query.get('requestId') ?? randomUUID();
        if (!uuid.test(requestId)) refuse(400, '391902', 'requestId is no UUID');
        this.handles ??= new Map();
        if (!this.handles.has(requestId)) this.handles.set(requestId, randomUUID());
        this.state.tags.push(body.parameters?.query_tag);
        const statement = this.statements.start(this.handles.get(requestId), body.statement, translated(body.statement), bound(body.bindings), (body.timeout || 604800) * 1000);
        if (query.get('async') !== 'true') await Promise.race([statement.ended, new Promise((done) => setTimeout(done, 45_000).unref())]);
        return this.status(statement, 0);
    },

    status(statement, partition) {
        const { name: statementHandle, status } = statement;
        const common = { statementHandle, createdOn: Date.now(), statementStatusUrl: `/api/v2/statements/${statementHandle}` };
        if (status === 'running') return [202, { code: '333334', sqlState: '00000', message: 'Asynchronous execution in progress. Use provided query id to perform query monitoring and management.', ...common }];
        if (status === 'failed') return [422, { code: '001003', sqlState: '42000', message: `SQL compilation error: ${statement.error}`, ...common }];
        if (status === 'cancelled') return [422, { code: '000604', sqlState: '57014', message: 'SQL execution canceled', ...common }];
        if (status === 'timeout') return [408, { code: '000630', sqlState: '57014', message: 'Statement reached its statement or warehouse timeout and was canceled.', ...common }];
        const { columns, rows } = statement.result;
        const parts = Math.max(1, Math.ceil(rows.length / settings.rows));
        if (!(partition < parts)) refuse(400, '391902', `there is no partition ${partition}`);
        const cells = (row) => row.map((value, i) => (value === null ? null : types[columns[i].kind][1](value)));
        const data = rows.slice(partition * settings.rows, (partition + 1) * settings.rows).map(cells);
        if (partition > 0) return [200, { data }, true];
        const partitionInfo = Array.from({ length: parts }, (_, i) => ({ rowCount: Math.min(settings.rows, rows.length - i * settings.rows), uncompressedSize: 1000 }));
        const rowType = columns.map(({ name, kind, precision, scale }) => ({ name, database: 'ANALYTICS', schema: 'PUBLIC', table: '', nullable: true, collation: null, byteLength: null, length: null,
            type: types[kind][0], ...(types[kind][0] === 'FIXED' ? { precision, scale } : { precision: null, scale: null }) }));
        return [200, { resultSetMetaData: { numRows: rows.length, format: 'jsonv2', partitionInfo, rowType }, data, code: '090001', sqlState: '00000', message: 'Statement executed successfully.', ...common }];
    },
};
