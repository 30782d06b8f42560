// Confluent's REST Proxy, API v2, by the vendor's reference and its own code (github.com/confluentinc/kafka-rest). The topic people is compacted: of each key it keeps the last record.
import { anything, auth, integer, list, members } from './kit/kit.mjs';

const record = members({ 'key?': anything, 'value?': anything, 'partition?': integer });
const failure = (status, message, code) => ({ error_code: code ?? status, message });

function produced(store, compacted, { key, value = null, partition = 0 }) {
    if (partition < 0 || partition > 11) return { partition: null, offset: null, error_code: 50002, error: `Topic has 12 partitions, there is no ${partition}` };
    if (compacted && key === undefined) return { partition: null, offset: null, error_code: 50002, error: 'Compacted topic cannot accept message without key' };
    const found = compacted && store.by('key', key);
    if (found) store.remove(found);
    if (!compacted || value !== null) store.insert({ key, value, partition });
    store.last = (store.last ?? 0) + 1;
    return { partition, offset: store.last, error_code: null, error: null };
}

export default {
    auth: auth.basic('reverse_etl', 'secret'),
    headers: { accept: 'application/vnd.kafka.v2+json' },
    refusal: failure,
    unauthorized: () => [401, failure(401, 'Unauthorized', 40101)],
    limited: () => [429, failure(429, 'Request rate limit exceeded', 42901), { 'retry-after': '1' }],
    objects: { orders: { id: '_offset' }, people: { id: '_offset', unique: ['key'] } },
    routes: {
        'GET /topics': { run: () => [200, ['_schemas', 'orders', 'people']] },
        'POST /topics/{topic}': {
            media: 'application/vnd.kafka.json.v2+json',
            status: 422,
            body: members({ records: list(record, { least: 1 }) }),
            run({ body, path, objects, refuse }) {
                const store = objects[path.topic] ?? refuse(404, 'Topic not found.', 40401);
                const offsets = body.records.map((one) => produced(store, path.topic === 'people', one));
                return [200, { key_schema_id: null, value_schema_id: null, offsets }];
            },
        },
    },
};
