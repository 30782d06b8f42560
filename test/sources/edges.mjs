// A table of what is hard to compare: every type with NULL, its ends and what is nearly equal, in many combinations. Those that hold dates
// before the year 1 say so. The differential test of conditions reads it: test/tap/t/source_pushdown.pl.
const hard = {
    small: ['0', '1', '-1', '7', '7', '42', 'NULL', '2147483647', '-2147483648'],
    big: ['0', '5', '-9007199254740993', '9223372036854775807', 'NULL', '-5', '5', '1000000000000'],
    whole: ['0', '12345678901234567890123456789012345678', '-12345678901234567890123456789012345678', 'NULL', '7', '2147483648', '99999999999999999999999999999999999999'],
    price: ['0', '0.000000001', '-0.000000001', '99999999999999999999999999999.999999999', '1.5', '1.50', 'NULL', '-1.5', '10', '2.25', '1.500000001'],
    score: ['0', "'NaN'", "'Infinity'", "'-Infinity'", '1.5', 'NULL', '-0.0', '1e300', '0.1'],
    active: ['true', 'false', 'NULL', 'true', 'false'],
    born: ["DATE '2026-03-29'", "DATE '1970-01-01'", "DATE '{first}'", "DATE '{last}'", 'NULL', "DATE '2020-02-29'", "DATE '2026-03-30'"],
    seen: ["TIMESTAMP '2026-03-29 02:30:00'", "TIMESTAMP '2026-03-29 00:00:00'", "TIMESTAMP '1969-12-31 23:59:59.999999'", "TIMESTAMP '{first} 00:00:00'", 'NULL', "TIMESTAMP '{last} 23:59:59.999999'", "TIMESTAMP '2026-03-29 02:30:00.000001'", "TIMESTAMP '2020-02-29 12:00:00'"],
    created: ["TIMESTAMPTZ '2026-03-29 01:30:00+00'", "TIMESTAMPTZ '2026-10-25 00:30:00.5+00'", 'NULL', "TIMESTAMPTZ '1970-01-01 00:00:00+00'", "TIMESTAMPTZ '2026-03-29 01:30:00.000001+00'", "TIMESTAMPTZ '1969-12-31 23:59:58.75+00'"],
    name: ["''", "'a'", "'A'", "'ab'", "'a b'", "'ab '", "'a%b'", "'a_b'", "'a\\b'", "'😀'", "'x😀y'", "'é'", "'e\u0301'", "'ß'", "'O''Neil'", 'NULL', "'a\nb'", "'zoë@example.com'", "'\u0001'"],
    photo: ["''::BLOB", "'\\x00\\xFF'::BLOB", 'NULL', "encode('a')"],
    extra: [`'{"a": 1}'`, `'{"a": "it''s"}'`, 'NULL', `'[]'`, `'null'`],
};
const early = { born: ["DATE '0044-03-15 (BC)'", "DATE '0001-12-31 (BC)'"], seen: ["TIMESTAMP '0044-03-15 (BC) 12:00:00'"] };
const kinds = { small: 'small', big: 'big', whole: 'integer', price: 'decimal', score: 'real', active: 'boolean', born: 'date', seen: 'timestamp', created: 'timestamptz', name: 'text', photo: 'bytes', extra: 'json' };

/// The statements that make it and enter it into the catalog, with so many rows: `engine` are the engine's types by kind; `first` and `last`
/// are the ends of what the vendor has dates for.
export function edges({ table, column, meta, schema, fold, types, first = '0001-01-01', last = '9999-12-31', hasEarlyDates = false }, engine, rows = 600) {
    const values = Object.entries(hard).map(([name, all]) => [...all, ...(hasEarlyDates ? early[name] ?? [] : [])].map((value) => value.replace('{first}', first).replace('{last}', last)));
    // Each column goes through its values at a pace of its own, so that they meet in all combinations.
    const row = (n) => `(${n}, ${values.map((all, i) => all[Math.floor((n * (i + 1)) / 1 + n / (i + 2)) % all.length]).join(', ')})`;
    const named = [['id', 'small'], ...Object.entries(kinds)];
    const told = named.map(([name, kind], i) => `('${fold('edges')}', '${fold(name)}', '${types[kind][0]}', ${types[kind][1] ?? 'NULL'}, ${types[kind][2] ?? 'NULL'}, 'YES', NULL, ${i + 1}, '${schema}')`);
    return [
        `CREATE TABLE ${table('edges')} (${named.map(([name, kind]) => `${column(name)} ${engine[kind]}`).join(', ')})`,
        `INSERT INTO ${table('edges')} VALUES ${Array.from({ length: rows }, (_, n) => row(n)).join(', ')}`,
        `INSERT INTO ${meta} VALUES ${told.join(', ')}`,
    ];
}
