// Amazon Redshift's Data API, by AWS' model of it and the vendor's client (npm @aws-sdk/client-redshift-data), which clients/redshift.mjs
// runs against it.
import { randomUUID } from 'node:crypto';
import { keys, refuse, service, text } from './aws.mjs';
import { Engine } from './engine.mjs';
import { date, iso, time } from './presto.mjs';
import { members } from './server.mjs';
import { Statements } from './statements.mjs';
import { tables } from './tables.mjs';

const settings = { delay: 0, rows: 1000, latency: 0 };
const invalid = 'ValidationException';
const id = text(36, 40, /^[a-z0-9]{8}(-[a-z0-9]{4}){3}-[a-z0-9]{12}(:\d+)?$/);
const bare = (told) => told.replace(/\.?0+$/, '');
const string = (stringValue) => ({ stringValue }), written = (value) => string(String(value));
const types = {
    integer: ({ declared }) => (/HUGEINT/.test(declared) ? ['numeric', written, 38] : /BIGINT/.test(declared) ? ['int8', (value) => ({ longValue: `\u0000${value}` }), 19] : ['int4', (value) => ({ longValue: Number(value) }), 10]),
    decimal: ({ precision, scale }) => ['numeric', written, precision, scale], real: () => ['float8', (value) => ({ doubleValue: Number.isFinite(Number(value)) ? Number(value) : value }), 17, 17], boolean: () => ['bool', (booleanValue) => ({ booleanValue }), 1],
    date: () => ['date', (value) => string(date(value)), 13], time: () => ['time', (value) => string(bare(time(value))), 15, 6], timestamp: () => ['timestamp', (value) => string(bare(iso(value))), 29, 6],
    timestamptz: () => ['timestamptz', (value) => string(`${bare(iso(value))}+00`), 35, 6], bytes: () => ['varbyte', (value) => string(value.toString('hex')), 64000], json: () => ['super', written, 0], text: () => ['varchar', string, 65535],
};

/// The few spellings that differ. What stands in quotes stays as it is.
const translated = (sql) => sql.split(/('(?:[^']|'')*')/).map((part, i) => (i % 2 ? part : part
    .replace(/current_database\(\)/g, "'dev'").replace(/JSON_SERIALIZE\((.+?)\)/g, 'CAST($1 AS VARCHAR)').replace(/TO_HEX\(/g, 'hex(').replace(/:(p\d+)/g, '$$$1'))).join('');

const operations = {
    ListStatements: [{ 'MaxResults?': (number) => number >= 0 && number <= 100, 'NextToken?': 'string', 'Status?': 'string', 'StatementName?': text(0, 500), 'Database?': 'string', 'ClusterIdentifier?': 'string', 'WorkgroupName?': 'string', 'RoleLevel?': 'boolean' }, () => ({ Statements: [] })],

    ExecuteStatement: [{ Sql: text(1, 100000), 'ClientToken?': text(1, 64), 'Database?': 'string', 'WorkgroupName?': text(3, 128, /^[a-z0-9-]+$/), 'ClusterIdentifier?': text(1, 63), 'DbUser?': text(1, 128), 'SecretArn?': text(1, 2048),
        'StatementName?': text(0, 500), 'WithEvent?': 'boolean', 'ResultFormat?': (value) => value === 'JSON', 'Parameters?': (list) => Array.isArray(list) && list.length > 0 }, function execute(body) {
        if (body.Database !== 'dev') refuse(invalid, `database "${body.Database}" does not exist`);
        if (body.WorkgroupName !== 'analytics' || body.ClusterIdentifier) refuse('ResourceNotFoundException', 'the workgroup is not there');
        const values = {};
        for (const parameter of body.Parameters ?? []) {
            members(parameter, { name: text(1, 100, /^[0-9a-zA-Z_]+$/), value: text(1, 65535) }, (message) => refuse(invalid, message));
            values[parameter.name] = parameter.value;
        }
        const named = new Set([...body.Sql.split(/'(?:[^']|'')*'/).join('').matchAll(/(?<!:):(\w+)/g)].map(([, name]) => name));
        for (const name of named) if (!(name in values)) refuse(invalid, `Parameters list is missing ${name}`);
        for (const name of Object.keys(values)) if (!named.has(name)) refuse(invalid, `Parameter ${name} is not in the SQL`);
        const token = body.ClientToken ?? randomUUID(), sent = JSON.stringify(body), known = this.tokens.get(token);
        if (known && known.sent !== sent) refuse(invalid, 'the token came with another request');
        const Id = known?.id ?? randomUUID();
        if (!known) {
            this.tokens.set(token, { id: Id, sent });
            this.state.tags.push(body.StatementName);
            this.statements.start(Id, body.Sql, translated(body.Sql), values, 24 * 3600 * 1000);
        }
        return { Id, CreatedAt: Date.now() / 1000, Database: 'dev', WorkgroupName: 'analytics' };
    }],

    DescribeStatement: [{ Id: id }, function describe({ Id }) {
        const { status, error, sql, result } = this.of(Id);
        const Status = { running: 'STARTED', done: 'FINISHED', cancelled: 'ABORTED' }[status] ?? 'FAILED';
        return { Id, Status, CreatedAt: Date.now() / 1000, UpdatedAt: Date.now() / 1000, Database: 'dev', WorkgroupName: 'analytics', QueryString: sql, Duration: 1000000, HasResultSet: Status === 'FINISHED', RedshiftPid: 1, RedshiftQueryId: 1, ResultFormat: 'json',
            ...(Status === 'FINISHED' ? { ResultRows: result.rows.length, ResultSize: 1000 } : {}), ...(Status === 'FAILED' ? { Error: `ERROR: ${error}` } : {}) };
    }],

    CancelStatement: [{ Id: id }, function cancel({ Id }) {
        const statement = this.of(Id);
        if (statement.status !== 'running') refuse(invalid, `Could not cancel a query that is already in ${statement.status.toUpperCase()} state`);
        statement.cancel();
        return { Status: true };
    }],

    GetStatementResult: [{ Id: id, 'NextToken?': 'string' }, function results({ Id, NextToken }) {
        const { status, result } = this.of(Id);
        if (status !== 'done') refuse('ResourceNotFoundException', 'Query does not have result. Please check query status with DescribeStatement.');
        const begin = Number(Buffer.from(NextToken ?? '', 'base64').toString() || 0);
        const told = result.columns.map((column) => types[column.kind](column));
        const Records = result.rows.slice(begin, begin + settings.rows).map((row) => row.map((value, i) => (value === null ? { isNull: true } : told[i][1](value))));
        const ColumnMetadata = result.columns.map(({ name }, i) => ({ name, label: name, typeName: told[i][0], precision: told[i][2], scale: told[i][3] ?? 0, length: 0, nullable: 1, isCaseSensitive: false, isCurrency: false, isSigned: true, schemaName: 'crm', tableName: 'customers' }));
        const more = begin + settings.rows < result.rows.length ? { NextToken: Buffer.from(String(begin + settings.rows)).toString('base64') } : {};
        // Whole numbers are digits in the JSON, however many.
        return JSON.stringify({ Records, ColumnMetadata, TotalNumRows: result.rows.length, ...more }).replace(/"\\u0000(-?\d+)"/g, '$1');
    }],
};

export const source = {
    settings,
    credentials: keys,
    async begin() {
        this.engine = await Engine.start("ATTACH ':memory:' AS \"dev\"", 'CREATE SCHEMA "dev"."crm"', 'CREATE SCHEMA "dev"."meta"', 'USE "dev"."crm"', ...tables(this.catalog),
            "CREATE VIEW svv_all_columns AS SELECT 'dev' AS database_name, TABLE_SCHEMA AS schema_name, TABLE_NAME, COLUMN_NAME, ORDINAL_POSITION, IS_NULLABLE, DATA_TYPE, NUMERIC_PRECISION, NUMERIC_SCALE, COMMENT AS remarks FROM meta.columns",
            "CREATE MACRO STRTOL(digits, base) AS CAST('0x' || digits AS BIGINT)");
        this.statements = new Statements(this.engine, settings, () => this.state);
        this.tokens = new Map();
    },
    catalog: { table: (name) => `"dev"."crm"."${name}"`, column: (name) => `"${name}"`, meta: '"dev"."meta"."columns"', schema: 'crm', fold: (name) => name,
        types: { integer: ['numeric(38,0)', 38, 0], small: ['integer', 32, 0], big: ['bigint', 64, 0], decimal: ['numeric(38,9)', 38, 9], real: ['double precision'], boolean: ['boolean'], date: ['date'], time: ['time without time zone'],
            timestamp: ['timestamp without time zone'], timestamptz: ['timestamp with time zone'], bytes: ['binary varying(64000)'], json: ['super'], text: ['character varying(256)'] } },
    of(name) { return this.statements.all.get(name) ?? refuse('ResourceNotFoundException', `Query does not exist: ${name}`); },
    answer: service({ target: 'RedshiftData', name: 'redshift-data', operations, invalid }),
};
