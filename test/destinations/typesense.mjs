// Typesense, by the types of the vendor's client (npm typesense 3.1.0) and its documentation.
import { anything, auth, byOffset, dictionary } from './kit/kit.mjs';

const isText = (value) => typeof value === 'string';
const types = {
    string: ['a string', isText], int32: ['an int32', (value) => Number.isInteger(value) && Math.abs(value) < 2 ** 31], float: ['a float', (value) => typeof value === 'number'],
    bool: ['a bool', (value) => typeof value === 'boolean'], 'string[]': ['an array of string', (value) => Array.isArray(value) && value.every(isText)],
};
const fields = [
    { name: 'name', type: 'string' }, { name: 'country', type: 'string', optional: true }, { name: 'num_employees', type: 'int32', optional: true },
    { name: 'score', type: 'float', optional: true }, { name: 'active', type: 'bool', optional: true }, { name: 'tags', type: 'string[]', optional: true },
    { name: 'address.city', type: 'string', optional: true }, { name: '.*_extra', type: 'auto', optional: true },
].map((field) => ({ facet: false, index: true, optional: false, ...field }));
const collection = (number) => ({ name: 'companies', num_documents: number, created_at: 1700000000, enable_nested_fields: true, fields });

/// What is wrong with a document; one that is new has to have every field that must be there.
function fault(document, isNew) {
    if ('id' in document && !isText(document.id)) return "Document's `id` field should be a string.";
    if (document.id === '') return "The `id` should not be empty.";
    for (const { name, type, optional } of fields) {
        const value = document[name];
        if (value === undefined && isNew && !optional) return `Field \`${name}\` has been declared in the schema, but is not found in the document.`;
        if (value === undefined || (value === null && optional) || !types[type]) continue;
        if (!types[type][1](value)) return `Field \`${name}\` must be ${types[type][0]}.`;
    }
    return undefined;
}

function companies({ path, objects, refuse }) {
    if (path.collection !== 'companies') refuse(404, 'Collection not found');
    return objects.companies;
}

function written(request, action, id = request.body.id) {
    const store = companies(request);
    const { body, query, refuse } = request;
    if (!['reject', 'coerce_or_reject', 'coerce_or_drop', 'drop', undefined].includes(query.dirty_values)) refuse(400, 'Parameter `dirty_values` must be one of coerce_or_reject, coerce_or_drop, drop, reject.');
    const found = store.find(id);
    if (action === 'create' && found) refuse(409, `A document with id ${id} already exists.`);
    if (action === 'update' && !found) refuse(404, `Could not find a document with id: ${id}`);
    const wrong = fault(body, !found);
    if (wrong) refuse(400, wrong);
    return found ? store.update(found, body) : store.insert(body);
}

function searched(request) {
    const { query, refuse } = request;
    const store = companies(request);
    if (query.q !== '*') refuse(400, 'No search fields specified for the query.');
    const id = /^id:=`([^`]*)`$/.exec(query.filter_by ?? '')?.[1];
    if (query.filter_by !== undefined && id === undefined) refuse(400, 'Could not parse the filter query.');
    const size = Number(query.limit ?? query.per_page ?? 10);
    if (!(size >= 0 && size <= 250)) refuse(422, 'Only upto 250 hits can be fetched per page.');
    const found = id === undefined ? store.all() : [store.find(id)].filter(Boolean);
    const { items } = byOffset(found, Number(query.offset ?? 0), size);
    return [200, { found: found.length, out_of: store.size, page: 1, search_time_ms: 0, hits: items.map((document) => ({ document, highlights: [] })) }];
}

export default {
    auth: auth.header('X-TYPESENSE-API-KEY', 'key'),
    unauthorized: () => [401, { message: 'Forbidden - a valid `x-typesense-api-key` header must be sent.' }],
    limited: () => [503, { message: 'Not Ready or Lagging' }],
    objects: { companies: {} },
    routes: {
        'GET /collections': { query: ['exclude_fields'], run: ({ objects }) => [200, [collection(objects.companies.size)]] },
        'GET /collections/{collection}': { run: (request) => [200, collection(companies(request).size)] },
        'POST /collections/{collection}/documents': {
            query: ['action', 'dirty_values'],
            body: dictionary(anything),
            run(request) {
                const action = request.query.action ?? 'create';
                if (!['create', 'update', 'upsert', 'emplace'].includes(action)) request.refuse(400, 'Parameter `action` must be a create|update|upsert.');
                return [201, written(request, action)];
            },
        },
        'GET /collections/{collection}/documents/search': { query: ['q', 'filter_by', 'per_page', 'page', 'limit', 'offset'], run: searched },
        'PATCH /collections/{collection}/documents/{id}': { query: ['dirty_values'], body: dictionary(anything), run: (request) => [201, written(request, 'update', request.path.id)] },
        'DELETE /collections/{collection}/documents/{id}': { run(request) {
            const store = companies(request);
            const found = store.find(request.path.id) ?? request.refuse(404, `Could not find a document with id: ${request.path.id}`);
            store.remove(found);
            return [200, found];
        } },
    },
};
