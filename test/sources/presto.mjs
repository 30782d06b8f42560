// What Trino and Athena have in common: the dialect, names of types, and how values are written.

/// An instant as texts have it; years beyond four digits, or before the year 1, have a sign.
export function iso(micros, digits = 6) {
    const day = 86400000000n, days = micros / day - (micros % day < 0n ? 1n : 0n), rest = micros - days * day;
    return `${date(days)} ${time(rest, digits)}`;
}
export function date(days) {
    const [, sign, year, others] = /^([+-]?)(\d+)(-\d\d-\d\d)$/.exec(new Date(Number(days) * 86400000).toISOString().split('T')[0]);
    return `${sign}${sign ? year.replace(/^0+(?=\d{4})/, '') : year}${others}`;
}
export function time(micros, digits = 6) {
    const two = (value) => String(value).padStart(2, '0'), seconds = micros / 1000000n;
    return `${two(seconds / 3600n)}:${two((seconds / 60n) % 60n)}:${two(seconds % 60n)}${digits ? `.${String(micros % 1000000n).padStart(6, '0').slice(0, digits)}` : ''}`;
}

export const presto = {
    texts: { date, time: (value, micros) => time(value, micros ? 6 : 3), timestamp: (value, micros) => iso(value, micros ? 6 : 3), timestamptz: (value, micros) => `${iso(value, micros ? 6 : 3)} UTC` },
    /// The name of a column's type, and what stands behind it.
    type({ kind, declared, precision, scale }, micros = true) {
        const digits = micros ? 6 : 3;
        if (kind === 'integer' && /HUGEINT/.test(declared)) return ['decimal', 38, 0];
        if (kind === 'integer') return [/BIGINT/.test(declared) ? 'bigint' : 'integer'];
        return { decimal: ['decimal', precision, scale], real: ['double'], boolean: ['boolean'], date: ['date'], time: ['time', digits], timestamp: ['timestamp', digits], timestamptz: ['timestamp with time zone', digits],
            bytes: ['varbinary'], json: ['json'], text: ['varchar', 2147483647] }[kind];
    },
    written: (name, of) => (of.length && of[0] !== 2147483647 ? name.replace(/^\w+/, (word) => `${word}(${of.join(', ')})`) : name),
};

export const dialect = {
    catalog: (catalog, schema) => ({ table: (name) => `"${catalog}"."${schema}"."${name}"`, column: (name) => `"${name}"`, meta: `"${catalog}"."meta"."columns"`, schema, fold: (name) => name, hasEarlyDates: true,
        types: { integer: ['decimal(38,0)'], small: ['integer'], big: ['bigint'], decimal: ['decimal(38,9)'], real: ['double'], boolean: ['boolean'], date: ['date'], time: ['time(6)'], timestamp: ['timestamp(6)'],
            timestamptz: ['timestamp(6) with time zone'], bytes: ['varbinary'], json: ['json'], text: ['varchar'] } }),
    start: (catalog, schema, statements) => [`ATTACH ':memory:' AS "${catalog}"`, `CREATE SCHEMA "${catalog}"."${schema}"`, `CREATE SCHEMA "${catalog}"."meta"`, `USE "${catalog}"."${schema}"`, ...statements,
        'CREATE MACRO with_timezone(moment, zone) AS timezone(zone, moment)', 'CREATE MACRO json_format(value) AS CAST(value AS VARCHAR)', 'CREATE MACRO to_hex(value) AS hex(value)',
        "CREATE MACRO from_base(digits, base) AS CAST('0x' || digits AS BIGINT)", 'CREATE MACRO to_utf8(value) AS value', 'CREATE MACRO hex_of_md5(value) AS upper(md5(value))'],
    /// The few spellings that differ. What stands in quotes stays as it is.
    translated: (sql) => sql.split(/('(?:[^']|'')*')/).map((part, i) => (i % 2 ? part : part.replace(/"information_schema"\."columns"/g, '"meta"."columns"').replace(/\bto_hex\(md5\(/g, 'hex_of_md5(('))).join('')
        .replace(/regexp_replace\(([^,()]+), ('(?:[^']|'')*')\)/g, "regexp_replace($1, $2, '')"),
};

const unquoted = (text) => text.slice(1, -1).replace(/''/g, "'");
/// The SQL of EXECUTE IMMEDIATE with the values for its question marks, or the SQL as it is.
export function bound(sql) {
    const literal = "'(?:[^']|'')*'";
    const immediate = new RegExp(`^EXECUTE IMMEDIATE (${literal}) USING (${literal}(?:, ${literal})*)$`).exec(sql);
    if (!immediate) return { sql, values: [] };
    return { sql: unquoted(immediate[1]), values: immediate[2].match(new RegExp(literal, 'g')).map(unquoted) };
}
