// ClickHouse over HTTP, by the vendor's client (npm @clickhouse/client 1.23.1) and its documentation. It knows no SQL but what is asked of it.
import { auth } from './kit/kit.mjs';

const isText = (value) => typeof value === 'string';
const within = (from, to) => (value) => Number.isInteger(value) && value >= from && value <= to;
const types = {
    String: isText, 'LowCardinality(String)': isText, Bool: (value) => typeof value === 'boolean', UInt32: within(0, 2 ** 32 - 1), Int64: within(-(2 ** 63), 2 ** 63),
    'Nullable(Decimal(12, 2))': (value) => value === null || typeof value === 'number', "DateTime64(3, 'UTC')": (value) => isText(value) && !Number.isNaN(Date.parse(value)),
    'Array(String)': (value) => Array.isArray(value) && value.every(isText),
};
const columns = { id: 'UInt32', page: 'String', country: 'LowCardinality(String)', seats: 'Int64', price: 'Nullable(Decimal(12, 2))', at: "DateTime64(3, 'UTC')", active: 'Bool', tags: 'Array(String)' };
const base = (type) => type.replace(/(Nullable|LowCardinality)[(]/g, '').match(/[A-Za-z0-9]+/)[0];
const described = [...Object.entries(columns).map(([name, type]) => ({ name, base: base(type), default_kind: '', comment: name === 'page' ? 'the path' : '' })),
    { name: 'host', base: 'String', default_kind: 'MATERIALIZED', comment: '' }];
const settings = ['date_time_input_format', 'date_time_output_format', 'input_format_skip_unknown_fields', 'async_insert', 'wait_for_async_insert', 'insert_deduplication_token',
    'output_format_json_quote_64bit_integers', 'output_format_json_quote_decimals', 'wait_end_of_query'];
const known = ['query', 'query_id', 'database', 'role', 'session_id', /^param_/, ...settings];
const says = (status, code, message, name) => [status, `Code: ${code}. DB::Exception: ${message} (${name}) (version 25.8.1.1)\n`, { 'content-type': 'text/plain; charset=UTF-8', 'x-clickhouse-exception-code': String(code) }];

function inserted(rows, table, store, query) {
    for (const row of rows)
        for (const [name, value] of Object.entries(row)) {
            if (!columns[name]) return says(400, 117, `Unknown field found while parsing JSONEachRow format: ${name}: (at row 1)`, 'INCORRECT_DATA');
            if (columns[name].startsWith('DateTime') && query.date_time_input_format !== 'best_effort' && isText(value) && value.includes('T')) return says(400, 27, "Cannot parse input: expected '\"' before: 'T'", 'CANNOT_PARSE_INPUT_ASSERTION_FAILED');
            if (!types[columns[name]](value)) return says(400, 27, `Cannot parse input: expected '"' before: '${value}': (while reading the value of key ${name}): (at row 1)`, 'CANNOT_PARSE_INPUT_ASSERTION_FAILED');
        }
    for (const row of rows) {
        const found = table === 'people' && store.find(row.id);
        if (found) store.remove(found);
        store.insert(row);
    }
    return [200, '', { 'x-clickhouse-summary': JSON.stringify({ written_rows: String(rows.length) }) }];
}

const answer = (data) => [200, { meta: [], data, rows: data.length }];

function asked(sql, { query, objects }) {
    const read = /^SELECT \* FROM `?(\w+)`?\s+FORMAT (JSON|JSONEachRow)$/.exec(sql.trim());
    if (read) {
        const records = objects[read[1]]?.all().map((record) => Object.fromEntries(Object.entries(record).filter(([name]) => columns[name])));
        if (!records) return says(404, 60, `Table default.${read[1]} does not exist.`, 'UNKNOWN_TABLE');
        return read[2] === 'JSON' ? answer(records) : [200, records.map((record) => `${JSON.stringify(record)}\n`).join(''), {}];
    }
    if (/^SELECT name FROM system.tables WHERE [^;]* FORMAT JSON$/.test(sql)) return answer([{ name: 'people' }, { name: 'visits' }]);
    if (/^SELECT name, [^;]* FROM system.columns WHERE database = currentDatabase\(\) AND table = {table:String} [^;]* FORMAT JSON$/.test(sql))
        return objects[query.param_table] ? answer(described) : answer([]);
    if (/^SELECT currentUser\(\) AS user\s+FORMAT JSON$/.test(sql)) return answer([{ user: 'reverse_etl' }]);
    return says(400, 62, `Syntax error: failed at position 1 (${sql})`, 'SYNTAX_ERROR');
}

export default {
    auth: auth.basic('reverse_etl', 'secret'),
    refusal: (status, message) => `Code: 36. DB::Exception: ${message} (BAD_ARGUMENTS)\n`,
    unauthorized: () => says(403, 516, 'reverse_etl: Authentication failed: password is incorrect, or there is no user with such name.', 'AUTHENTICATION_FAILED'),
    limited: () => says(500, 202, 'Too many simultaneous queries. Maximum: 100', 'TOO_MANY_SIMULTANEOUS_QUERIES'),
    objects: { visits: { id: '_row' }, people: { id: 'id' } },
    routes: {
        'GET /': { query: known, run: (request) => asked(request.query.query, request) },
        // The client says no media type, and the server asks for none.
        'POST /': { query: known, format: 'text', media: ['application/x-ndjson', 'text/plain', '(none)', ''], run(request) {
            const { query, objects, body } = request;
            const insert = /^INSERT INTO `?(\w+)`? (?:\([^)]*\) )?FORMAT JSONEachRow$/.exec(query.query?.trim() ?? '');
            if (!insert) return asked(query.query ?? body, request);
            const store = objects[insert[1]];
            if (!store) return says(404, 60, `Table default.${insert[1]} does not exist.`, 'UNKNOWN_TABLE');
            return inserted(body.split('\n').filter(Boolean).map((line) => JSON.parse(line)), insert[1], store, query);
        } },
    },
};
