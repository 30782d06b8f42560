// ClickHouse's HTTP interface, by https://clickhouse.com/docs/interfaces/http and the vendor's client (npm @clickhouse/client), which
// clients/clickhouse.mjs runs against it.
import { Engine, decimal } from './engine.mjs';
import { iso, presto } from './presto.mjs';
import { Refusal } from './server.mjs';
import { Statements } from './statements.mjs';
import { tables } from './tables.mjs';

const settings = { delay: 0, rows: 1e9, latency: 0 };
const codes = { SYNTAX_ERROR: [62, 400], UNKNOWN_TABLE: [60, 404], UNKNOWN_SETTING: [115, 404], READONLY: [164, 500], TIMEOUT_EXCEEDED: [159, 408], QUERY_WITH_SAME_ID_IS_ALREADY_RUNNING: [216, 500], QUERY_WAS_CANCELLED: [394, 500], AUTHENTICATION_FAILED: [516, 403],
    BAD_QUERY_PARAMETER: [457, 400], UNKNOWN_QUERY_PARAMETER: [456, 400] };
const refuse = (name, message) => {
    const [code, status] = codes[name];
    throw new Refusal(status, `Code: ${code}. DB::Exception: ${message} (${name}) (version 25.8.1.1)\n`, { 'content-type': 'text/plain; charset=UTF-8', 'x-clickhouse-exception-code': String(code) });
};
/// What a request may set, and to what.
const known = { readonly: /^[012]$/, replace_running_query: /^[01]$/, wait_end_of_query: /^[01]$/, max_execution_time: /^\d+$/, send_progress_in_http_headers: /^[01]$/, http_headers_progress_interval_ms: /^\d+$/, log_comment: /^/, role: /^/,
    date_time_output_format: /^(simple|iso|unix_timestamp)$/, output_format_json_quote_64bit_integers: /^[01]$/, output_format_json_quote_decimals: /^[01]$/, output_format_json_quote_denormals: /^[01]$/, enable_http_compression: /^[01]$/,
    query: /^/, query_id: /^/, database: /^/, default_format: /^/, session_id: /^/ };

/// A value of a parameter is written as in a file of tabs.
const unescaped = (text) => text.replace(/\\(.)/gs, (_, c) => ({ t: '\t', n: '\n', r: '\r', b: '\b', f: '\f', 0: '\0' })[c] ?? c);
function value(type, written) {
    if (/[\t\n]/.test(written)) refuse('BAD_QUERY_PARAMETER', `Value ${JSON.stringify(written)} cannot be parsed as ${type} for query parameter`);
    const text = unescaped(written);
    if (/^U?Int\d+$/.test(type)) return /^-?\d+$/.test(text) ? BigInt(text) : refuse('BAD_QUERY_PARAMETER', `Value ${text} cannot be parsed as ${type}`);
    // 76 digits have room for both sides of a comparison.
    if (type.startsWith('Decimal')) return decimal(text);
    if (type === 'Bool') return /^(true|false)$/.test(text) ? text === 'true' : refuse('BAD_QUERY_PARAMETER', text);
    if (type === 'Date32' && !/^(19|2[012])\d\d-\d\d-\d\d$/.test(text)) refuse('BAD_QUERY_PARAMETER', `Value ${text} cannot be parsed as Date32`);
    return text;
}

/// The few spellings that differ, and $N for {name:Type}. What stands in quotes stays as it is.
function translated(sql, query) {
    const values = [];
    const text = sql.split(/('(?:[^'\\]|\\.|'')*')/).map((part, i) => (i % 2 ? part : part
        .replace(/\{(\w+):([^{}]+)\}/g, (_, name, type) => {
            values.push(value(type, query.get(`param_${name}`) ?? refuse('UNKNOWN_QUERY_PARAMETER', `Substitution ${name} is not set`)));
            const of = { String: 'VARCHAR', Date32: 'DATE', Bool: 'BOOLEAN', Int64: 'BIGINT' }[type];
            return of ? `CAST($${values.length} AS ${of})` : `$${values.length}`;
        })
        .replace(/\b(sum|min|max)OrNull\(/g, '$1(').replace(/reverse\(substring\(MD5\(/g, '(last_bytes(md5(')
        .replace(/`system`\.`columns`/g, 'meta.told').replace(/`/g, '"'))).join('')
        .replace(/concat\(char\(92\), 'x', hex\((.+?)\)\)/g, "('\\x' || hex($1))").replace(/concat\(("(?:[^"]|"")+"), ''\)/g, 'CAST($1 AS VARCHAR)')
        .replace(/parseDateTime64BestEffort\(replaceRegexpOne\((.+?\)), '\[\+\]00\$', 'Z'\), 6, 'UTC'\)/g, 'CAST($1 AS TIMESTAMPTZ)').replace(/replaceRegexpAll\((.+?)\) AS/g, "regexp_replace($1, 'g') AS");
    return { text, values };
}

const nullable = (type) => `Nullable(${type})`;
const types = { integer: ({ declared }) => (/HUGEINT/.test(declared) ? 'Int128' : /BIGINT/.test(declared) ? 'Int64' : 'Int32'), decimal: ({ precision, scale }) => `Decimal(${precision}, ${scale})`, real: () => 'Float64', boolean: () => 'Bool',
    date: () => 'Date32', time: () => 'String', timestamp: () => "DateTime64(6, 'UTC')", timestamptz: () => "DateTime64(6, 'UTC')", bytes: () => 'String', json: () => 'JSON', text: () => 'String' };
function cell(kind, plain, query, { declared }) {
    if (plain === null) return null;
    const is = (name) => query.get(name) === '1';
    switch (kind) {
        case 'integer': return /BIGINT|HUGEINT/.test(declared) && query.get('output_format_json_quote_64bit_integers') !== '0' ? String(plain) : Number(plain);
        case 'decimal': return is('output_format_json_quote_decimals') ? String(plain) : Number(plain);
        case 'real': return Number.isFinite(Number(plain)) ? Number(plain) : is('output_format_json_quote_denormals') ? { NaN: 'nan', Infinity: 'inf', '-Infinity': '-inf' }[plain] : null;
        case 'boolean': return plain;
        case 'date': return presto.texts.date(plain);
        case 'time': return presto.texts.time(plain, true).replace(/\.000000$/, '');
        case 'timestamp': case 'timestamptz': return query.get('date_time_output_format') === 'iso' ? `${iso(plain).replace(' ', 'T')}Z` : iso(plain);
        case 'bytes': return plain.toString('utf8');
        case 'json': return JSON.parse(plain);
        default: return plain;
    }
}

export const source = {
    settings,
    credentials: { username: 'sync', password: 'secret' },
    async begin() {
        this.engine = await Engine.start('CREATE SCHEMA crm', 'CREATE SCHEMA meta', 'USE memory.crm', ...tables(this.catalog),
            'CREATE VIEW meta.told AS SELECT TABLE_SCHEMA AS database, TABLE_NAME AS "table", COLUMN_NAME AS name, DATA_TYPE AS type, ORDINAL_POSITION AS position, coalesce(COMMENT, \'\') AS comment FROM meta.columns',
            "CREATE MACRO reinterpretAsUInt64(digits) AS CAST('0x' || digits AS UBIGINT)", 'CREATE MACRO bitAnd(x, mask) AS (x & CAST(mask AS UBIGINT))', 'CREATE MACRO last_bytes(digits, first) AS substr(digits, 2 * first - 1)',
            'CREATE MACRO toInt64(x) AS CAST(x AS BIGINT)', 'CREATE MACRO toInt128(x) AS CAST(x AS HUGEINT)', 'CREATE MACRO toString(x) AS CAST(x AS VARCHAR), (x, zone) AS CAST(x AS VARCHAR)', 'CREATE MACRO toJSONString(x) AS CAST(x AS VARCHAR)');
        this.statements = new Statements(this.engine, settings, () => this.state);
    },
    catalog: { table: (name) => `crm."${name}"`, column: (name) => `"${name}"`, meta: 'meta.columns', schema: 'crm', fold: (name) => name, first: '1900-01-01', last: '2299-12-31',
        types: Object.fromEntries(Object.entries({ integer: 'Decimal(38, 0)', small: 'Int32', big: 'Int64', decimal: 'Decimal(38, 9)', real: 'Float64', boolean: 'Bool', date: 'Date32', time: 'String', timestamp: "DateTime64(6, \\'UTC\\')", timestamptz: 'DateTime64(6)', bytes: 'String', json: 'JSON', text: 'String' })
            .map(([kind, type]) => [kind, [nullable(type.replace(/\\'/g, "''"))]])) },

    async answer({ method, path, query, headers, bytes, gone }) {
        if (path === '/ping') return [200, 'Ok.\n', false, { 'content-type': 'text/plain' }];
        if (path !== '/' || !['GET', 'POST'].includes(method)) refuse('SYNTAX_ERROR', `There is no handle ${path}`);
        if (headers.authorization !== `Basic ${Buffer.from('sync:secret').toString('base64')}`) refuse('AUTHENTICATION_FAILED', 'sync: Authentication failed: password is incorrect, or there is no user with such name.');
        for (const [name, set] of query) if (!name.startsWith('param_') && !(known[name] ?? refuse('UNKNOWN_SETTING', `Setting ${name} is neither a builtin setting nor started with the prefix 'SQL_'`)).test(set)) refuse('SYNTAX_ERROR', `${name} is not ${set}`);
        const [, sql, format = query.get('default_format') ?? 'TabSeparated'] = /^([^]*?)(?:\s+FORMAT\s+(\w+)\s*;?\s*)?$/.exec(query.get('query') ?? bytes.toString());
        const kill = /^KILL QUERY WHERE query_id = '([^']*)'(?: ASYNC| SYNC)?$/.exec(sql.trim());
        if (kill) {
            if (method === 'GET' || (query.get('readonly') ?? '0') !== '0') refuse('READONLY', 'Cannot execute query in readonly mode.');
            this.statements.all.get(kill[1])?.cancel();
            if (format === 'JSONCompact') return [200, { meta: [{ name: 'kill_status', type: 'String' }], data: [['waiting']], rows: 1 }];
            return [200, `waiting\t${kill[1]}\tsync\tSELECT\n`, false, { 'content-type': 'text/tab-separated-values' }];
        }
        if (/^\s*(insert|create|alter|drop|truncate|optimize|system|set)\b/i.test(sql)) refuse('READONLY', 'Cannot execute query in readonly mode.');
        return this.run(sql, format, query, gone);
    },

    async run(sql, format, query, gone) {
        if (sql === 'SELECT currentUser() AS user') return [200, { meta: [{ name: 'user', type: 'String' }], data: [{ user: 'sync' }], rows: 1 }];
        const { text, values } = translated(sql, query);
        const id = query.get('query_id') || `q${this.statements.all.size}`, before = this.statements.all.get(id);
        if (before?.status === 'running' && query.get('replace_running_query') !== '1') refuse('QUERY_WITH_SAME_ID_IS_ALREADY_RUNNING', `Query with id = ${id} is already running.`);
        // One of the same id takes its place, and whoever goes away ends what only reads.
        if (before?.status === 'running') before.cancel();
        const again = before !== undefined;
        this.statements.all.delete(id);
        this.state.tags.push(query.get('log_comment'));
        const statement = this.statements.start(id, sql, text, values, Number(query.get('max_execution_time') ?? 0) * 1000);
        if (again) this.state.submitted--; // of the same statement
        gone?.on('close', () => { if (!gone.writableFinished && statement.status === 'running') statement.cancel(); });
        await statement.ended;
        if (statement.status === 'cancelled') refuse('QUERY_WAS_CANCELLED', 'Query was cancelled');
        if (statement.status === 'timeout') refuse('TIMEOUT_EXCEEDED', 'Timeout exceeded: elapsed 1 seconds, maximum: 1');
        if (statement.status === 'failed') refuse(/syntax/i.test(statement.error) ? 'SYNTAX_ERROR' : 'UNKNOWN_TABLE', statement.error);
        const { columns, rows } = statement.result;
        const data = rows.map((row) => row.map((plain, i) => cell(columns[i].kind, plain, query, columns[i])));
        const meta = columns.map((column) => ({ name: column.name, type: nullable(types[column.kind](column)) })), statistics = { elapsed: 0.001, rows_read: rows.length, bytes_read: 4096 };
        if (format === 'JSONCompact') return [200, { meta, data, rows: data.length, statistics }, true];
        if (format === 'JSON') return [200, { meta, data: data.map((row) => Object.fromEntries(row.map((one, i) => [columns[i].name, one]))), rows: data.length, statistics }];
        return refuse('SYNTAX_ERROR', `the format ${format} is not known here`);
    },
};
