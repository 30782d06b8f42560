// Elasticsearch, by the vendor's reference: as OpenSearch, but for who may ask and how fields are described.
import { auth, integer, members, oneOf } from './kit/kit.mjs';
import opensearch from './opensearch.mjs';

const { 'POST /_plugins/_ppl': _, 'POST /{index}/_search': search, ...routes } = opensearch.routes;
const mapping = {
    name: ['VARCHAR', 'text'], 'name.keyword': ['VARCHAR', 'keyword'], seats: ['BIGINT', 'long'], score: ['DOUBLE', 'double'], joined: ['TIMESTAMP', 'datetime'], active: ['BOOLEAN', 'boolean'],
    ip: ['IP', 'ip'], address: ['STRUCT', 'object'], 'address.city': ['VARCHAR', 'text'],
};
const says = (type, reason, status) => ({ error: { root_cause: [{ type, reason }], type, reason }, status });

export default {
    ...opensearch,
    auth: auth.header('Authorization', 'ApiKey a2V5'),
    unauthorized: () => [401, says('security_exception', 'unable to authenticate with provided credentials and anonymous access is not allowed for this request', 401), { 'www-authenticate': 'ApiKey' }],
    limited: () => [429, says('es_rejected_execution_exception', 'rejected execution of coordinating operation', 429)],
    routes: {
        ...routes,
        'POST /{index}/_search': { ...search, run(request) {
            if (request.body.sort?.[0] === '_id') request.refuse(400, 'Fielddata access on the _id field is disallowed, you can re-enable it by updating the dynamic cluster setting: indices.id_field_data.enabled', 'illegal_argument_exception');
            return search.run(request);
        } },
        'POST /_sql': {
            query: ['format'],
            body: members({ query: oneOf('SHOW COLUMNS IN "people"'), 'fetch_size?': integer }),
            run: () => [200, { columns: ['column', 'type', 'mapping'].map((name) => ({ name, type: 'keyword' })), rows: Object.entries(mapping).map(([name, of]) => [name, ...of]) }],
        },
        'GET /': { run: () => [200, { name: 'node-1', cluster_name: 'acme', version: { number: '9.1.0', build_flavor: 'default' }, tagline: 'You Know, for Search' }] },
    },
};
