// OpenSearch, by the types of the vendor's client (npm @opensearch-project/opensearch 3.9.0) and its documentation.
import { anything, auth, boolean, dictionary, integer, list, matching, members, oneOf, text } from './kit/kit.mjs';

const address = /^\d{1,3}(\.\d{1,3}){3}$/;
const mapping = {
    name: ['string', (value) => typeof value === 'string'],
    seats: ['bigint', Number.isInteger],
    score: ['double', (value) => typeof value === 'number'],
    joined: ['timestamp', (value) => !Number.isNaN(Date.parse(value))],
    active: ['boolean', (value) => typeof value === 'boolean'],
    ip: ['ip', (value) => address.test(value), (value) => `'${value}' is not an IP string literal.`],
    address: ['struct', (value) => typeof value === 'object'],
    'address.city': ['string', () => false],
};
const id = matching(/^.{1,512}$/u);
const actions = {
    create: members({ '_id?': id, '_index?': text }),
    index: members({ '_id?': id, '_index?': text }),
    update: members({ _id: id, '_index?': text, 'retry_on_conflict?': integer }),
    delete: members({ _id: id, '_index?': text }),
};
const updates = members({ doc: dictionary(anything), 'doc_as_upsert?': boolean });
const failed = (status, type, reason, caused) => ({ status, error: { type, reason, ...(caused ? { caused_by: { type: 'illegal_argument_exception', reason: caused } } : {}) } });
const done = (status, result) => ({ status, result, _version: 1, _seq_no: 1, _primary_term: 1 });

/// What is wrong with a document, as an item says it.
function unparsed(document, name) {
    for (const [field, value] of Object.entries(document)) {
        const [type, holds, says] = mapping[field] ?? ['string', () => true];
        if (value !== null && !holds(value))
            return failed(400, 'mapper_parsing_exception', `failed to parse field [${field}] of type [${type}] in document with id '${name}'`, says?.(value) ?? 'failed to parse');
    }
    return undefined;
}

function item(people, action, { _id }, body) {
    const found = _id === undefined ? undefined : people.find(_id);
    if (action === 'delete') {
        if (!found) return done(404, 'not_found');
        people.remove(found);
        return done(200, 'deleted');
    }
    if (action === 'create' && found) return failed(409, 'version_conflict_engine_exception', `[${_id}]: version conflict, document already exists (current version [1])`);
    const document = action === 'update' ? body.doc : body;
    if (action === 'update' && !found && !body.doc_as_upsert) return failed(404, 'document_missing_exception', `[${_id}]: document missing`);
    const fault = unparsed(document, _id);
    if (fault) return fault;
    if (!found) return { ...done(201, 'created'), _id: people.insert({ ...(_id === undefined ? {} : { _id }), ...document })._id };
    people.update(found, document);
    return done(200, 'updated');
}

/// Lines of actions, each with its document behind it.
function bulk({ body, objects, refuse, path }) {
    const work = [];
    for (let at = 0; at < body.length; ++at) {
        const [action, ...others] = Object.keys(body[at]);
        const metadata = body[at][action];
        const fault = others.length || !actions[action] ? 'Malformed action/metadata line' : actions[action](metadata, `/${action}`);
        if (fault) refuse(400, fault.includes('/_id') ? 'Validation Failed: 1: id is too long, must be no longer than 512 bytes;' : `${fault} [${at + 1}]`, 'illegal_argument_exception');
        if ((path.index ?? metadata._index) === undefined) refuse(400, 'Validation Failed: 1: index is missing;', 'action_request_validation_exception');
        const document = action === 'delete' ? undefined : body[++at];
        const wrong = action === 'delete' ? null : (action === 'update' ? updates : dictionary(anything))(document, '');
        if (wrong) refuse(400, `${wrong} [${at + 1}]`, 'x_content_parse_exception');
        work.push([action, metadata, document]);
    }
    const items = work.map(([action, metadata, document]) => ({ [action]: { _index: 'people', _id: metadata._id, ...item(objects.people, action, metadata, document) } }));
    return [200, { took: 1, errors: items.some((one) => Object.values(one)[0].error), items }];
}

function search({ body, objects, refuse }) {
    const ids = body.query?.ids.values;
    const [field] = body.sort ?? ['_id'];
    const after = body.search_after?.[0];
    const order = (one, other) => (one < other ? -1 : one > other ? 1 : 0);
    if (body.search_after && !body.sort) refuse(400, 'Sort must contain at least one field.', 'action_request_validation_exception');
    const found = (ids ? ids.map((one) => objects.people.find(one)).filter(Boolean) : objects.people.all())
        .sort((one, other) => order(one[field], other[field])).filter((one) => after === undefined || order(one[field], after) > 0).slice(0, body.size ?? 10);
    const hits = found.map(({ _id, ...source }) => ({ _index: 'people', _id, _score: null, _source: source, ...(body.sort ? { sort: [body.sort[0] === '_id' ? _id : source[field]] } : {}) }));
    return [200, { took: 1, timed_out: false, hits: { total: { value: objects.people.size, relation: 'eq' }, hits } }];
}

const lines = { format: 'ndjson', query: ['refresh'], run: bulk };
const columns = Object.entries(mapping).map(([name, [type]]) => ['cluster', null, 'people', name, null, type]);

export default {
    auth: auth.basic('reverse_etl', 'secret'),
    refusal: (status, reason, type = 'exception') => ({ error: { root_cause: [{ type, reason }], type, reason }, status }),
    unauthorized: () => [401, 'Unauthorized', { 'content-type': 'text/plain' }],
    limited: () => [429, { error: { root_cause: [], type: 'rejected_execution_exception', reason: 'rejected execution of coordinating operation' }, status: 429 }],
    objects: { people: { id: '_id' } },
    routes: {
        'POST /{index}/_bulk': lines,
        'PUT /{index}/_bulk': lines,
        'POST /_bulk': lines,
        'POST /{index}/_search': {
            query: ['allow_partial_search_results'],
            body: members({ 'size?': (value, at) => (Number.isInteger(value) && value <= 10000 ? null : `${at}: Result window is too large`), 'sort?': list(text, { least: 1, most: 1 }),
                'search_after?': list(anything, { least: 1, most: 1 }), 'query?': members({ ids: members({ values: list(text) }) }) }),
            run: search,
        },
        'GET /_cat/indices': { query: ['format', 'h'], run: () => [200, [{ index: 'people', status: 'open' }, { index: 'old', status: 'close' }, { index: '.kibana_1', status: 'open' }]] },
        'POST /_plugins/_ppl': {
            body: members({ query: oneOf('describe `people`', 'describe people') }),
            run: () => [200, { schema: ['TABLE_CAT', 'TABLE_SCHEM', 'TABLE_NAME', 'COLUMN_NAME', 'DATA_TYPE', 'TYPE_NAME'].map((name) => ({ name, type: 'string' })), datarows: columns, total: columns.length, size: columns.length }],
        },
        'GET /': { run: () => [200, { name: 'node-1', cluster_name: 'acme', version: { distribution: 'opensearch', number: '3.2.0' }, tagline: 'The OpenSearch Project: https://opensearch.org/' }] },
    },
};
