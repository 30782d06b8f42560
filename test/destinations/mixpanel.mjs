// Mixpanel's Ingestion API, by the vendor's OpenAPI description (github.com/mixpanel/docs) and its client (npm mixpanel 0.24.0).
import { anything, auth, boolean, dictionary, integer, list, members, text } from './kit/kit.mjs';

const token = '0123456789abcdef0123456789abcdef';
const account = auth.basic('warehouse.0a1b2c.mp-service-account', 'AbCdEfGhIjKl');

const event = members({ event: text, properties: dictionary(anything) });
const common = { $token: text, '$set?': dictionary(anything), '$delete?': text, '$ignore_alias?': boolean };
const profile = members({ ...common, $distinct_id: text });
const group = members({ ...common, $group_key: text, $group_id: text });
const nobody = new Set(['00000000-0000-0000-0000-000000000000', 'anon', 'anonymous', 'nil', 'none', 'null', 'n/a', 'na', 'undefined', 'unknown', '<nil>', '0', '-1', 'true', 'false', '[]', '{}']);

const phrases = { 400: 'Bad Request', 401: 'Unauthorized', 413: 'Request Entity Too Large', 429: 'Too Many Requests' };
const said = (code, error) => ({ code, error, status: phrases[code] });

/// The records: JSON, or as the client sends them, JSON in base64 in the parameter `data` of a form.
function read({ bytes, headers, body }, shape, refuse) {
    let records;
    try {
        const form = headers['content-type'].startsWith('application/x-www-form-urlencoded');
        records = JSON.parse(form ? Buffer.from(body.replace(/^data=/, ''), 'base64') : body);
    } catch (error) {
        refuse(400, `the body is no JSON: ${error.message}`);
    }
    const fault = list(shape, { least: 1 })(records, '');
    if (fault) refuse(400, fault);
    if (records.length > 2000) refuse(413, 'request exceeds max limit of 2000 records');
    if (bytes.length > 10_000_000) refuse(413, 'request exceeds max limit of 10485760 bytes');
    return records;
}

function faultOfEvent({ event: name, properties: of }) {
    if (!name) return ['event', "'event' must not be missing or blank"];
    if (integer(of.time)) return ['properties.time', "'properties.time' is invalid: must be specified as seconds since epoch"];
    if (text(of.distinct_id) || nobody.has(of.distinct_id)) return ['properties.distinct_id', "'properties.distinct_id' is invalid"];
    if (!/^[0-9A-Za-z-]{1,36}$/.test(of.$insert_id ?? '')) return ['properties.$insert_id', "'properties.$insert_id' is invalid"];
    return Object.keys(of).length >= 255 ? ['properties', 'too many properties'] : null;
}

function faultOfUpdate(of) {
    if (of.$token !== token) return ['$token', "'$token' is invalid"];
    if (!of.$set === !('$delete' in of)) return ['$set', 'there is no operation'];
    return Object.keys(of.$set ?? {}).length > 255 ? ['$set', 'too many properties'] : null;
}

const failed = (records, faultOf) => records.flatMap((record, index) => {
    const fault = faultOf(record);
    return fault ? [{ index, insert_id: record.properties?.$insert_id, field: fault[0], message: fault[1] }] : [];
});

/// /engage and /groups: what is good is done, and by strict what is not is told.
const updates = (shape, store, idOf) => ({
    format: 'text', media: ['application/json', 'application/x-www-form-urlencoded'], query: ['ip', 'strict', 'verbose'],
    run(request) {
        const { query, objects, refuse } = request;
        const records = read(request, shape, refuse);
        const bad = failed(records, faultOfUpdate);
        const wrong = new Set(bad.map(({ index }) => index));
        for (const record of records.filter((_, index) => !wrong.has(index))) {
            const found = objects[store].find(idOf(record));
            if (record.$set) objects[store].update(found ?? objects[store].insert({ id: idOf(record) }), record.$set);
            else if (found) objects[store].remove(found);
        }
        if (bad.length && query.strict === '1') return [400, { ...said(400, 'some data points in the request failed validation'), failed_records: bad }];
        const status = wrong.size < records.length ? 1 : 0;
        return [200, query.verbose === '1' ? { status, error: status ? null : bad[0].message } : String(status)];
    },
});

export default {
    // Events need the account, the token says whose the profiles are.
    auth: { lets: (request) => !request.url.startsWith('/import') || account.lets(request) },
    refusal: said,
    unauthorized: () => [401, said(401, 'Invalid credentials')],
    limited: () => [429, said(429, 'Project exceeded rate limits. Please retry the request with exponential backoff.')],
    objects: { events: { id: 'key' }, profiles: {}, groups: {} },
    routes: {
        'POST /import': {
            format: 'text', media: ['application/json', 'application/x-www-form-urlencoded'], query: ['strict', 'project_id', 'verbose', 'ip'],
            run(request) {
                const { query, objects, refuse } = request;
                if (query.project_id !== '1234567') refuse(401, 'Invalid credentials');
                const records = read(request, event, refuse);
                const bad = failed(records, faultOfEvent);
                const wrong = new Set(bad.map(({ index }) => index));
                for (const record of records.filter((_, index) => !wrong.has(index))) {
                    const { time, distinct_id: id, $insert_id: insertId } = record.properties;
                    const key = JSON.stringify([record.event, time, id, insertId]);
                    if (!objects.events.find(key)) objects.events.insert({ key, ...record });
                }
                const count = { num_records_imported: records.length - bad.length };
                if (bad.length) return [400, { ...said(400, 'some data points in the request failed validation'), ...count, failed_records: bad }];
                return [200, query.verbose === '1' ? { code: 200, ...count, status: 1 } : { code: 200, ...count, status: 'OK' }];
            },
        },
        'POST /engage': updates(profile, 'profiles', ({ $distinct_id: id }) => id),
        'POST /groups': updates(group, 'groups', ({ $group_key: key, $group_id: id }) => `${key}/${id}`),
    },
};
