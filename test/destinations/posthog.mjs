// PostHog's receiver of events, by the vendor's client (npm posthog-node 5.70.0) and the source of the receiver.
import { anything, boolean, dictionary, list, matching, members, text } from './kit/kit.mjs';
import { unpacked } from './kit/bodies.mjs';

const key = 'phc_0123456789';
const time = matching(/^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}(\.\d+)?(Z|[+-]\d{2}:?\d{2})$/);
const uuid = matching(/^[0-9a-f]{8}-?[0-9a-f]{4}-?[0-9a-f]{4}-?[0-9a-f]{4}-?[0-9a-f]{12}$/);
const anEvent = members({
    event: text, 'distinct_id?': text, 'uuid?': uuid, 'timestamp?': time, 'properties?': dictionary(anything),
    // The client says these, and the receiver passes them over.
    'type?': text, 'library?': text, 'library_version?': text,
});

/// The token stands in the body, as api_key or token; one that is not there is told so, and another one only by /flags/.
const tokenOf = ({ bytes, headers }) => {
    try {
        const { api_key: apiKey, token } = JSON.parse(unpacked(bytes, headers['content-encoding']));
        return apiKey ?? token;
    } catch {
        return key;
    }
};

const known = new Set(['$create_alias', '$groupidentify', '$set', '$identify']);
const keep = {
    $set: ({ persons }, { distinct_id: id, properties }) => {
        const found = persons.find(id) ?? persons.insert({ distinct_id: id });
        persons.update(found, { ...properties.$set_once, ...found, ...properties.$set });
    },
    $groupidentify: ({ groups }, { properties: { $group_type: type, $group_key: name, $group_set: set } }) => {
        const found = groups.find(`${type}/${name}`) ?? groups.insert({ id: `${type}/${name}`, group_type: type, group_key: name });
        groups.update(found, set ?? {});
    },
    $create_alias: ({ aliases }, { properties: { distinct_id: id, alias } }) => { aliases.insert({ distinct_id: id, alias }); },
};
keep.$identify = keep.$set;

function fault({ event, distinct_id: id, properties = {} }) {
    const size = JSON.stringify(properties).length;
    if (!event) return 'event submitted with an empty event name';
    if (id === undefined) return 'event submitted without a distinct_id';
    if (!id) return 'event submitted with an empty distinct_id';
    if (size > 1_000_000) return 'maximum event size exceeded';
    if (event === '$groupidentify' && !properties.$group_key) return 'invalid event could not be processed';
    return event === '$create_alias' && !properties.alias ? 'invalid event could not be processed' : null;
}

export default {
    auth: { lets: (request) => tokenOf(request) === key },
    // The receiver says what is wrong as text.
    refusal: (status, message) => message,
    unauthorized: () => [401, 'API key is not valid: personal_api_key'],
    limited: () => [429, 'rate limited', { 'retry-after': '1' }],
    objects: { events: { id: 'uuid' }, persons: { id: 'distinct_id' }, groups: {}, aliases: {}, taken: { id: 'uuid' } },
    routes: {
        'POST /batch/': {
            body: members({ 'api_key?': text, batch: list(anEvent), 'historical_migration?': boolean, 'sent_at?': time }),
            run({ body: { batch }, bytes, objects, refuse }) {
                if (bytes.length > 20_000_000) refuse(413, 'Payload Too Large');
                if (!batch.length) refuse(400, 'request holds no event');
                const wrong = batch.map(fault).find(Boolean);
                if (wrong) refuse(400, wrong);
                for (const one of batch) {
                    // What was taken in before is known by its uuid.
                    if (objects.taken.find(one.uuid)) continue;
                    objects.taken.insert({ uuid: one.uuid });
                    if (known.has(one.event)) keep[one.event](objects, one);
                    else objects.events.insert(one);
                }
                return [200, { status: 'Ok' }];
            },
        },
        'POST /flags/': {
            query: ['v', 'config'],
            body: members({
                'api_key?': text, 'token?': text, distinct_id: text, 'groups?': dictionary(text), 'person_properties?': dictionary(anything),
                'group_properties?': dictionary(anything), 'geoip_disable?': boolean, 'flag_keys_to_evaluate?': list(text), 'evaluation_runtime?': text,
            }),
            run: () => [200, { flags: {}, errorsWhileComputingFlags: false, requestId: '0b1c2d3e-0000-4000-8000-000000000000' }],
        },
    },
};
