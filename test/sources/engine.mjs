// What runs the SQL that a stand-in is sent: DuckDB, in this process. A stand-in translates its dialect's spellings, and
// nothing else; so WHERE, LIMIT and types mean here what they mean in a database.
import { DuckDBDecimalValue, DuckDBInstance, DuckDBTypeId } from '@duckdb/node-api';

const id = DuckDBTypeId;

/// A value of any type as a plain one: texts, numbers as their digits, true and false, microseconds and days as BigInt.
function plain(value, type) {
    if (value === null) return null;
    switch (type.typeId) {
        case id.BOOLEAN: return value;
        case id.DATE: return BigInt(value.days);
        case id.TIME: case id.TIMESTAMP: case id.TIMESTAMP_TZ: return value.micros;
        case id.BLOB: return Buffer.from(value.bytes);
        default: return typeof value === 'object' ? value.toString() : String(value);
    }
}

const kinds = { [id.BOOLEAN]: 'boolean', [id.DATE]: 'date', [id.TIME]: 'time', [id.TIMESTAMP]: 'timestamp', [id.TIMESTAMP_TZ]: 'timestamptz', [id.BLOB]: 'bytes',
    [id.FLOAT]: 'real', [id.DOUBLE]: 'real', [id.TINYINT]: 'integer', [id.SMALLINT]: 'integer', [id.INTEGER]: 'integer', [id.BIGINT]: 'integer', [id.HUGEINT]: 'integer',
    [id.UINTEGER]: 'integer', [id.UBIGINT]: 'integer', [id.DECIMAL]: 'decimal' };
const digits = { [id.TINYINT]: 3, [id.SMALLINT]: 5, [id.INTEGER]: 9, [id.BIGINT]: 18 };

/// A parameter with as many digits behind the point as it is written with.
export function decimal(value) {
    const [whole, fraction = ''] = String(value).split('.');
    return new DuckDBDecimalValue(BigInt(whole + fraction), 38, fraction.length);
}

export class Engine {
    static async start(...statements) {
        const engine = new Engine();
        engine.everywhere = ["SET TimeZone = 'UTC'", ...statements.filter((statement) => statement.startsWith('USE '))];
        engine.instance = await DuckDBInstance.create(':memory:', { autoinstall_known_extensions: 'false', autoload_known_extensions: 'false' });
        const connection = await engine.instance.connect();
        for (const statement of ["SET TimeZone = 'UTC'", ...statements]) await connection.run(statement);
        return engine;
    }

    /// {columns: [{name, kind, precision, scale, declared}], rows: [[plain value]]}; `begun(stop)` is given what ends it.
    async run(sql, parameters = [], begun = () => {}) {
        const connection = await this.instance.connect();
        try {
            for (const statement of this.everywhere) await connection.run(statement);
            begun(() => connection.interrupt());
            const reader = await connection.runAndReadAll(sql, parameters);
            const types = reader.columnTypes();
            const columns = reader.columnNames().map((name, i) => ({
                name, kind: types[i].alias === 'JSON' ? 'json' : kinds[types[i].typeId] ?? 'text', declared: String(types[i]),
                precision: types[i].width ?? digits[types[i].typeId] ?? 38, scale: types[i].scale ?? 0,
            }));
            return { columns, rows: reader.getRows().map((row) => row.map((value, i) => plain(value, types[i]))) };
        } finally {
            connection.closeSync();
        }
    }
}
