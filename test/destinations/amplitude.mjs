// Amplitude's Batch Event Upload API, by the vendor's client (npm @amplitude/analytics-node 1.5.73) and its documentation.
import { anything, dictionary, integer, list, members, nullable, number, text } from './kit/kit.mjs';

const key = '0123456789abcdef0123456789abcdef';
const texts = ['user_id', 'device_id', 'insert_id', 'app_version', 'platform', 'os_name', 'os_version', 'device_brand', 'device_manufacturer', 'device_model', 'carrier',
    'country', 'region', 'city', 'dma', 'language', 'productId', 'revenueType', 'ip', 'library', 'version_name', 'idfa', 'idfv', 'adid', 'android_id', 'partner_id'];
const numbers = ['price', 'revenue', 'location_lat', 'location_lng'];
const integers = ['time', 'session_id', 'quantity', 'event_id'];
const objects = ['event_properties', 'user_properties', 'group_properties', 'groups', 'plan', 'ingestion_metadata'];
const each = (names, shape) => Object.fromEntries(names.map((name) => [`${name}?`, shape]));
// What is wrong with single fields is told by event, so they may be anything here.
const event = members({ 'event_type?': anything, ...each([...texts, ...numbers, ...integers, ...objects], anything) });
const shapes = new Map([...texts.map((name) => [name, text]), ['event_type', text], ...numbers.map((name) => [name, number]), ...integers.map((name) => [name, integer]),
    ...objects.map((name) => [name, dictionary(anything)])]);
const batch = members({
    api_key: text, events: list(event), 'options?': members({ 'min_id_length?': nullable(integer) }), 'client_upload_time?': text, 'request_metadata?': dictionary(anything),
});

/// The key stands in the body.
const keyOf = ({ bytes }) => {
    try {
        return JSON.parse(bytes).api_key;
    } catch {
        return key;
    }
};

function faults(events, least) {
    const found = { events_with_invalid_fields: {}, events_with_missing_fields: {}, events_with_invalid_id_lengths: {}, silenced_events: [] };
    const note = (where, field, index) => { (where[field] ??= []).push(index); };
    events.forEach((one, index) => {
        for (const [field, value] of Object.entries(one))
            if (shapes.get(field)(value, '')) note(found.events_with_invalid_fields, field, index);
        if (!one.event_type) note(found.events_with_missing_fields, 'event_type', index);
        for (const field of ['user_id', 'device_id'])
            if (one[field] !== undefined && String(one[field]).length < least) note(found.events_with_invalid_id_lengths, field, index);
        if (!one.user_id && !one.device_id && one.event_type !== '$groupidentify') note(found.events_with_missing_fields, 'user_id', index);
        if (one.device_id === 'silenced device') found.silenced_events.push(index);
    });
    return Object.values(found).some((of) => Object.keys(of).length) ? found : null;
}

function keep({ events, users, groups }, one) {
    if (one.event_type === '$identify') {
        const id = one.user_id ?? one.device_id;
        const found = users.find(id) ?? users.insert({ user_id: id });
        users.update(found, one.user_properties?.$set ?? {});
    } else if (one.event_type === '$groupidentify') {
        const [[type, name]] = Object.entries(one.groups);
        const found = groups.find(`${type}/${name}`) ?? groups.insert({ id: `${type}/${name}` });
        groups.update(found, one.group_properties?.$set ?? {});
    } else if (!events.find(one.insert_id)) events.insert(one);
}

export default {
    auth: { lets: (request) => keyOf(request) === key },
    refusal: (code, error) => ({ code, error }),
    unauthorized: () => [400, { code: 400, error: 'Invalid API key: another' }],
    limited: () => [429, { code: 429, error: 'Too many requests for some devices and users', eps_threshold: 1000, throttled_devices: {}, throttled_users: { ada: 1001 }, throttled_events: [0] }],
    objects: { events: { id: 'insert_id' }, users: { id: 'user_id' }, groups: {} },
    routes: {
        'POST /batch': { body: batch, run({ body: { events, options }, bytes, objects: stores, refuse }) {
            if (bytes.length > 20_000_000) refuse(413, 'Payload too large');
            if (!events.length) return [400, { code: 400, error: 'Request missing required field', missing_field: 'events' }];
            if (events.length > 2000) refuse(413, 'Payload too large');
            const wrong = faults(events, options?.min_id_length ?? 5);
            // Nothing is taken then.
            if (wrong) return [400, { code: 400, error: 'Request with invalid or missing fields', missing_field: null, ...wrong }];
            for (const one of events) keep(stores, one);
            return [200, { code: 200, events_ingested: events.length, payload_size_bytes: bytes.length, server_upload_time: 1767323045000 }];
        } },
    },
};
