// What every stand-in holds: a table of customers with a column of each type, and a catalog that tells of it in the vendor's words.
import { edges } from './edges.mjs';

const columns = [['id', 'integer'], ['email', 'text'], ['first_name', 'text'], ['country', 'text'], ['seats', 'small'], ['visits', 'big'], ['price', 'decimal'], ['score', 'real'], ['active', 'boolean'],
    ['born', 'date'], ['wakes', 'time'], ['seen', 'timestamp'], ['created', 'timestamptz'], ['photo', 'bytes'], ['extra', 'json']];
const engine = { integer: 'DECIMAL(38, 0)', small: 'INTEGER', big: 'BIGINT', decimal: 'DECIMAL(38, 9)', real: 'DOUBLE', boolean: 'BOOLEAN', date: 'DATE', time: 'TIME', timestamp: 'TIMESTAMP', timestamptz: 'TIMESTAMPTZ', bytes: 'BLOB', json: 'JSON', text: 'VARCHAR' };

/// The statements that make it, with `rows` customers. The first of them have what is hard about each type; `first` and `last` are the ends
/// of what the vendor has dates for.
export function tables(catalog, rows = 2500) {
    const { table, column, meta, schema, fold, types, first = '0001-01-01', last = '9999-12-31' } = catalog;
    const hard = [
        `(0, '', 'O''Neil', NULL, -1, -9007199254740993, -0.000000001, 'NaN', NULL, DATE '${first}', TIME '00:00:00', TIMESTAMP '${first} 00:00:00', TIMESTAMPTZ '1969-12-31 23:59:58.75+00', ''::BLOB, '{"a": [1, null, "x"]}')`,
        `(-123456789012345678901234567890, 'zoë@example.com', '😀 "quoted" \\ back', 'DE', NULL, NULL, 99999999999999999999999999999.999999999, 'Infinity', false, DATE '${last}', TIME '23:59:59.999999', TIMESTAMP '${last} 23:59:59.999999', TIMESTAMPTZ '2026-03-29 01:30:00.123456+00', '\\x00\\xFF'::BLOB, NULL)`,
        `(NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL)`,
    ];
    const made = `INSERT INTO ${table('customers')} SELECT n, 'c' || n || '@example.com', 'Name ' || n, ['DE', 'FR', 'US'][n % 3 + 1], n % 100, n * 1000000000, n / 8, n / 4, n % 2 = 0, DATE '2020-01-01' + n::INTEGER, TIME '08:00:00' + to_minutes(n % 60),
        TIMESTAMP '2026-01-01 00:00:00' + to_seconds(n), TIMESTAMPTZ '2026-01-01 00:00:00+00' + to_seconds(n), encode('p' || n), '{"n": ' || n || '}' FROM range(1, ${rows - hard.length + 1}) AS made(n)`;
    const told = columns.map(([name, kind], i) => `('${fold('customers')}', '${fold(name)}', '${types[kind][0]}', ${types[kind][1] ?? 'NULL'}, ${types[kind][2] ?? 'NULL'}, '${name === 'nothing' ? 'NO' : 'YES'}', ${name === 'email' ? "'where they are'" : 'NULL'}, ${i + 1}, '${schema}')`);
    return [
        `CREATE TABLE ${table('customers')} (${columns.map(([name, kind]) => `${column(name)} ${engine[kind]}`).join(', ')})`,
        `INSERT INTO ${table('customers')} VALUES ${hard.join(', ')}`, made,
        `CREATE TABLE ${meta} (TABLE_NAME VARCHAR, COLUMN_NAME VARCHAR, DATA_TYPE VARCHAR, NUMERIC_PRECISION INTEGER, NUMERIC_SCALE INTEGER, IS_NULLABLE VARCHAR, COMMENT VARCHAR, ORDINAL_POSITION INTEGER, TABLE_SCHEMA VARCHAR)`,
        `INSERT INTO ${meta} VALUES ${told.join(', ')}`,
        ...edges(catalog, engine),
    ];
}
