// Amazon Athena's API, by the vendor's client (npm @aws-sdk/client-athena), which clients/athena.mjs runs against it, and its reference
// (https://docs.aws.amazon.com/athena/latest/APIReference/).
import { randomUUID } from 'node:crypto';
import { keys, refuse, service, text } from './aws.mjs';
import { Engine } from './engine.mjs';
import { dialect, presto } from './presto.mjs';
import { Statements } from './statements.mjs';
import { tables } from './tables.mjs';

const settings = { delay: 0, rows: 1000, latency: 0 };
const invalid = 'InvalidRequestException';
// varbinary is told in pairs of digits, and false and true in words.
const wire = { integer: String, decimal: String, real: String, boolean: String, bytes: (value) => value.toString('hex').replace(/..(?=.)/g, '$& '), json: String, text: String,
    ...presto.texts, timestamp: (value) => presto.texts.timestamp(value, true), timestamptz: (value) => presto.texts.timestamptz(value, true), time: (value) => presto.texts.time(value, true) };

/// A parameter as Athena takes it: SQL's literal of a text or a number.
function literal(parameter) {
    if (/^'(?:[^']|'')*'$/.test(parameter)) return parameter.slice(1, -1).replace(/''/g, "'");
    if (/^-?\d+(\.\d+)?$/.test(parameter)) return parameter;
    return refuse(invalid, `line 1:1: mismatched input '${parameter}'`);
}

const operations = {
    GetWorkGroup: [{ WorkGroup: text(1, 128, /^[a-zA-Z0-9._-]+$/) }, ({ WorkGroup }) => (WorkGroup === 'primary' ? { WorkGroup: { Name: WorkGroup, State: 'ENABLED' } } : refuse(invalid, `WorkGroup ${WorkGroup} is not found.`))],

    StartQueryExecution: [{ QueryString: text(1, 262144), 'ClientRequestToken?': text(32, 128), 'QueryExecutionContext?': 'object', 'ResultConfiguration?': 'object', 'WorkGroup?': text(1, 128), 'ResultReuseConfiguration?': 'object',
        'ExecutionParameters?': (list) => Array.isArray(list) && list.length > 0 && list.every(text(1, 1024)) }, function start(body) {
        if (body.QueryExecutionContext?.Database !== 'crm' && body.QueryExecutionContext?.Database !== 'nobody') refuse(invalid, 'the database is not there');
        if (!/^s3:\/\/./.test(body.ResultConfiguration?.OutputLocation ?? '')) refuse(invalid, 'No output location provided. An output location is required either through the Workgroup result configuration setting or as an API input.');
        const parameters = (body.ExecutionParameters ?? []).map(literal);
        const marks = body.QueryString.split(/'(?:[^']|'')*'|"(?:[^"]|"")*"/).join('').match(/\?/g) ?? [];
        if (marks.length !== parameters.length) refuse(invalid, `Incorrect number of parameters: expected ${marks.length} but found ${parameters.length}`);
        // A token that was used has to come with what it came with.
        const token = body.ClientRequestToken ?? randomUUID(), sent = JSON.stringify(body), known = this.tokens.get(token);
        if (known && known.sent !== sent) refuse(invalid, 'Idempotent parameters do not match');
        if (known) return { QueryExecutionId: known.id };
        const id = randomUUID();
        this.tokens.set(token, { id, sent });
        const started = this.statements.start(id, body.QueryString, dialect.translated(body.QueryString), parameters, 0);
        started.submitted = Date.now() / 1000;
        return { QueryExecutionId: id };
    }],

    GetQueryExecution: [{ QueryExecutionId: text(36, 36) }, function look({ QueryExecutionId }) {
        const { status, error, sql, submitted } = this.of(QueryExecutionId);
        const State = { running: 'RUNNING', done: 'SUCCEEDED', cancelled: 'CANCELLED' }[status] ?? 'FAILED';
        return { QueryExecution: { QueryExecutionId, Query: sql, StatementType: 'DML', WorkGroup: 'primary', Status: { State, SubmissionDateTime: submitted,
            ...(State === 'FAILED' ? { StateChangeReason: error, AthenaError: { ErrorCategory: 2, ErrorType: 1006, Retryable: false, ErrorMessage: error } } : State === 'CANCELLED' ? { StateChangeReason: 'Query cancelled by user' } : {}) },
        Statistics: { DataScannedInBytes: 4096, EngineExecutionTimeInMillis: 1, TotalExecutionTimeInMillis: 1 } } };
    }],

    StopQueryExecution: [{ QueryExecutionId: text(36, 36) }, function stop({ QueryExecutionId }) { this.of(QueryExecutionId).cancel(); return {}; }],

    GetQueryResults: [{ QueryExecutionId: text(36, 36), 'NextToken?': text(1, 1024), 'MaxResults?': (number) => Number.isInteger(number) && number >= 1 && number <= 1000 }, function results({ QueryExecutionId, NextToken, MaxResults = 1000 }) {
        const { status, result } = this.of(QueryExecutionId);
        if (status !== 'done') refuse(invalid, `Query has not yet finished. Current state: ${status.toUpperCase()}`);
        const begin = Number(Buffer.from(NextToken ?? '', 'base64').toString() || 0), most = Math.min(MaxResults, settings.rows);
        // The head is the first row.
        const all = [result.columns.map(({ name }) => name), ...result.rows];
        const Rows = all.slice(begin, begin + most).map((row, at) => ({ Data: row.map((value, i) => (value === null ? {} : { VarCharValue: begin + at === 0 ? value : wire[result.columns[i].kind](value) })) }));
        const ColumnInfo = result.columns.map((column) => {
            const [Type, Precision = 0, Scale = 0] = presto.type(column);
            return { CatalogName: 'hive', SchemaName: '', TableName: '', Name: column.name, Label: column.name, Type, Precision, Scale, Nullable: 'UNKNOWN', CaseSensitive: Type === 'varchar' };
        });
        return { ResultSet: { Rows, ResultSetMetadata: { ColumnInfo } }, UpdateCount: 0, ...(begin + most < all.length ? { NextToken: Buffer.from(String(begin + most)).toString('base64') } : {}) };
    }],
};

export const source = {
    settings,
    credentials: keys,
    async begin() {
        this.engine = await Engine.start(...dialect.start('AwsDataCatalog', 'crm', tables(this.catalog)));
        this.statements = new Statements(this.engine, settings, () => this.state);
        this.tokens = new Map();
    },
    catalog: dialect.catalog('AwsDataCatalog', 'crm'),
    of(id) { return this.statements.all.get(id) ?? refuse(invalid, `QueryExecution ${id} was not found`); },
    answer: service({ target: 'AmazonAthena', name: 'athena', operations, invalid }),
};
