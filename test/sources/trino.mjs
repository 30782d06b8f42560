// Trino's client protocol, by https://trino.io/docs/current/develop/client-protocol.html and a client of the project (npm trino-client),
// which clients/trino.mjs runs against it.
import { randomBytes } from 'node:crypto';
import { Engine } from './engine.mjs';
import { Refusal } from './server.mjs';
import { Statements } from './statements.mjs';
import { tables } from './tables.mjs';
import { bound, dialect, presto } from './presto.mjs';

const settings = { delay: 0, rows: 1000, latency: 0 };
const refuse = (status, message) => { throw new Refusal(status, `${message}\n`, { 'content-type': 'text/plain' }); };
const known = ['catalog', 'schema', 'user', 'source', 'trace-token', 'client-info', 'client-capabilities', 'time-zone', 'session', 'client-tags', 'language'];

/// The user; a refusal if the coordinator does not know who it is.
function signedIn(headers) {
    const user = headers['x-trino-user'];
    const [, kind, secret] = /^(Basic|Bearer) (.+)$/.exec(headers.authorization ?? '') ?? refuse(401, 'Unauthorized');
    const name = kind === 'Bearer' ? (secret === 'a-jwt' ? 'sync' : refuse(401, 'Invalid JWT')) : Buffer.from(secret, 'base64').toString();
    if (kind === 'Basic' && name !== 'sync:secret') refuse(401, 'Access Denied: Invalid credentials');
    if (user && user !== 'sync') refuse(403, `Access Denied: User sync cannot impersonate user ${user}`);
    return 'sync';
}

const seconds = { s: 1, m: 60, h: 3600, d: 86400 };
function longest(session = '') {
    for (const part of session.split(',').filter(Boolean)) {
        const [, name, value] = /^([\w.]+)=(.*)$/.exec(part.trim()) ?? refuse(400, 'Invalid X-Trino-Session header');
        const [, number, unit] = /^(\d+)([smhd])$/.exec(decodeURIComponent(value)) ?? refuse(400, `Invalid duration ${value}`);
        if (name === 'query_max_run_time') return number * seconds[unit] * 1000;
        refuse(400, `Session property '${name}' does not exist`);
    }
    return 0;
}

/// Whole numbers are digits in the JSON, however many.
const withDigits = (body) => JSON.stringify(body).replace(/"\\u0000(-?\d+)"/g, '$1');
const wire = {
    integer: (value) => `\u0000${value}`, decimal: String, real: (value) => (Number.isFinite(Number(value)) ? Number(value) : value), boolean: (value) => value,
    bytes: (value) => value.toString('base64'), json: String, text: String, ...presto.texts,
};

export const source = {
    settings,
    credentials: { username: 'sync', password: 'secret' },
    async begin() {
        this.engine = await Engine.start(...dialect.start('hive', 'crm', tables(this.catalog)));
        this.statements = new Statements(this.engine, settings, () => this.state);
        this.queries = new Map();
    },
    catalog: dialect.catalog('hive', 'crm'),

    async answer({ method, path, headers, bytes, home }) {
        if (path === '/v1/query' && method === 'GET') { signedIn(headers); return [200, []]; }
        const [, what, slug, token] = /^\/v1\/(statement|query\/\w+|statement\/(?:queued|executing)\/\w+)(?:\/(y\w+)\/(\d+))?$/.exec(path) ?? refuse(404, 'Not Found');
        if (what === 'statement' && method === 'POST' && !slug) return this.submit(headers, bytes.toString(), home);
        const query = this.queries.get(what.split('/').at(-1)) ?? refuse(404, 'Query not found');
        if (what.startsWith('query/')) {
            if (method !== 'DELETE' || slug) refuse(405, 'Method Not Allowed');
            if (signedIn(headers) !== query.user) refuse(403, 'Access Denied');
            this.cancel(query);
            return [204, ''];
        }
        // Whoever knows the address may ask on.
        if (slug !== query.slug) refuse(404, 'Query not found');
        if (method === 'DELETE') { this.cancel(query); return [204, '']; }
        if (method !== 'GET') refuse(405, 'Method Not Allowed');
        return what.includes('queued') ? this.waits(query, Number(token), home) : this.page(query, Number(token), home);
    },

    submit(headers, sql, home) {
        const user = signedIn(headers);
        for (const name of Object.keys(headers)) if (name.startsWith('x-trino-') && !known.includes(name.slice(8))) refuse(400, `Unknown header ${name}`);
        if (!sql.trim()) refuse(400, 'SQL statement is empty');
        if (headers['x-trino-catalog'] !== 'hive' || !headers['x-trino-schema']) refuse(400, 'Session catalog and schema are not set');
        const id = `20261127_100000_${String(this.queries.size).padStart(5, '0')}_x${randomBytes(3).toString('hex').slice(0, 4)}`;
        const query = { id, slug: `y${randomBytes(8).toString('hex')}`, user, sql, tag: headers['x-trino-client-info'], longest: longest(headers['x-trino-session']), micros: /\bPARAMETRIC_DATETIME\b/.test(headers['x-trino-client-capabilities'] ?? ''), at: -1 };
        this.queries.set(id, query);
        return this.says(query, home, 'QUEUED', { nextUri: `${home}/v1/statement/queued/${id}/${query.slug}/1` });
    },

    cancel(query) {
        if (query.statement) query.statement.cancel();
        else if (!query.isGone) this.state.cancelled++; // before it began
        query.isGone = true;
    },

    says: (query, home, state, more = {}) => [200, withDigits({ id: query.id, infoUri: `${home}/ui/query.html?${query.id}`, ...more, stats: {
        state, queued: state === 'QUEUED', scheduled: state !== 'QUEUED', nodes: 1, totalSplits: 1, queuedSplits: 0, runningSplits: 0, completedSplits: 1, cpuTimeMillis: 1, wallTimeMillis: 1, queuedTimeMillis: 0, elapsedTimeMillis: 1,
        processedRows: 2500, processedBytes: 4096, physicalInputBytes: 4096, peakMemoryBytes: 0, spilledBytes: 0 }, warnings: [] })],

    fails: (query, home, message, errorName, errorCode) => source.says(query, home, 'FAILED', { error: { message, errorCode, errorName, errorType: errorName === 'USER_CANCELED' ? 'USER_ERROR' : 'USER_ERROR', failureInfo: { type: 'io.trino.spi.TrinoException', message, suppressed: [], stack: [] } } }),

    /// The query begins when this is asked for first; the answer is held back for a while.
    async waits(query, token, home) {
        if (query.isGone && !query.statement) return this.fails(query, home, 'Query was canceled', 'USER_CANCELED', 3);
        if (!query.statement) {
            const { sql, values } = bound(query.sql);
            this.state.tags.push(query.tag);
            query.statement = this.statements.start(query.id, query.sql, dialect.translated(sql), values, query.longest);
        }
        await Promise.race([query.statement.ended, new Promise((done) => setTimeout(done, 300).unref())]);
        const { status, error } = query.statement;
        if (status === 'running') return this.says(query, home, 'RUNNING', { nextUri: `${home}/v1/statement/queued/${query.id}/${query.slug}/${token + 1}` });
        if (status === 'cancelled') return this.fails(query, home, 'Query was canceled', 'USER_CANCELED', 3);
        if (status === 'timeout') return this.fails(query, home, 'Query exceeded maximum time limit', 'EXCEEDED_TIME_LIMIT', 131075);
        if (status === 'failed') return this.fails(query, home, error, 'TABLE_NOT_FOUND', 46);
        return this.says(query, home, 'RUNNING', { nextUri: `${home}/v1/statement/executing/${query.id}/${query.slug}/0` });
    },

    /// The first has the columns and no rows; a page is kept until the next is asked for.
    page(query, token, home) {
        if (query.isGone) return this.fails(query, home, 'Query was canceled', 'USER_CANCELED', 3);
        if (token !== query.at && token !== query.at + 1) refuse(410, 'Gone');
        query.at = token;
        const { columns: all, rows } = query.statement.result;
        const columns = all.map((column) => { const [rawType, ...of] = presto.type(column, query.micros); return { name: column.name, type: presto.written(rawType, of), typeSignature: { rawType, arguments: of.map((value) => ({ kind: 'LONG', value })) } }; });
        const first = (token - 1) * settings.rows;
        const data = token === 0 ? [] : rows.slice(first, first + settings.rows).map((row) => row.map((value, i) => (value === null ? null : wire[all[i].kind](value, query.micros))));
        const isLast = token > 0 && first + settings.rows >= rows.length;
        return this.says(query, home, isLast ? 'FINISHED' : 'RUNNING', { columns, ...(data.length ? { data } : {}), ...(isLast ? {} : { nextUri: `${home}/v1/statement/executing/${query.id}/${query.slug}/${token + 1}` }) });
    },
};
