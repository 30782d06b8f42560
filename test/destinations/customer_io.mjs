// Customer.io's Track API v2, by https://docs.customer.io/integrations/api/track/tag/track_v2/. Its client, customerio-node, speaks https only.
import { anything, auth, dictionary, firstOf, integer, list, members, oneOf, text } from './kit/kit.mjs';

const person = firstOf(members({ id: text }), members({ email: text }), members({ cio_id: text }));
/// Somebody by the id or by the address, as the stand-in keeps them.
const named = ({ id, email, cio_id: own }) => id ?? email ?? own;
const object = members({ object_type_id: text, object_id: text });
const relationships = list(members({ identifiers: object, 'relationship_attributes?': dictionary(anything) }));
const of = (type, action, more, identifiers = type === 'person' ? person : object) => members({ type: oneOf(type), action: oneOf(action), identifiers, ...more });
const shapes = {
    'person identify': of('person', 'identify', { 'attributes?': dictionary(anything), 'cio_relationships?': relationships }),
    'person delete': of('person', 'delete', {}),
    'person suppress': of('person', 'suppress', {}),
    'person unsuppress': of('person', 'unsuppress', {}),
    'person event': of('person', 'event', { name: text, 'timestamp?': integer, 'attributes?': dictionary(anything), 'id?': text }),
    'person add_relationships': of('person', 'add_relationships', { cio_relationships: relationships }),
    'person delete_relationships': of('person', 'delete_relationships', { cio_relationships: relationships }),
    'object identify': of('object', 'identify', { 'attributes?': dictionary(anything), 'cio_relationships?': relationships }),
    'object delete': of('object', 'delete', {}),
};
const refused = (reason, field, message) => ({ reason, field, message });

const segment = (act) => ({
    body: members({ ids: list(text, { least: 1, most: 1000 }) }), query: ['id_type'],
    run({ body, path, query: { id_type: kind = 'id' }, objects, refuse }) {
        if (!['id', 'email', 'cio_id'].includes(kind)) refuse(400, 'id_type is not known');
        if (path.segment !== '7') refuse(400, 'segment not found');
        for (const id of body.ids) act(objects.segment_members, id);
        return [200, {}];
    },
});

/// What is wrong with an entry, or nothing.
function fault(entry) {
    const shape = shapes[`${entry.type} ${entry.action}`];
    if (!shape) return refused('invalid', 'action', 'the action is not known for the type');
    const wrong = shape(entry, '');
    if (wrong) return refused('invalid', wrong.split(' ')[0], wrong);
    const empty = Object.entries(entry.identifiers).find(([, value]) => value === '');
    if (empty) return refused('required', `identifiers.${empty[0]}`, `${empty[0]} cannot be an empty string`);
    if (entry.identifiers.email !== undefined && !/^[^@ ]+@[^@ ]+$/.test(entry.identifiers.email)) return refused('invalid', 'identifiers.email', 'email is not a valid email address');
    if (entry.attributes?.email !== undefined && !/^[^@ ]+@[^@ ]+$/.test(entry.attributes.email)) return refused('invalid', 'attributes.email', 'email is not a valid email address');
    if (entry.action === 'event' && (entry.name === '' || entry.name.length > 100)) return refused('required', 'name', 'name cannot be blank');
    return JSON.stringify(entry).length > 32768 ? refused('invalid', '', 'the entry is larger than 32kb') : null;
}

const put = (store, id, values, { attributes } = {}) => {
    const found = store.find(id);
    if (found) store.update(found, { attributes: { ...found.attributes, ...attributes } });
    else store.insert({ id, ...values, ...(attributes && { attributes }) });
};
const gone = (store, id) => { const found = store.find(id); if (found) store.remove(found); };
const act = {
    'person identify': (entry, { people, people_by_email: addressed }) => put(entry.identifiers.email ? addressed : people, named(entry.identifiers), {}, { attributes: entry.attributes ?? {} }),
    'person delete': (entry, { people, people_by_email: addressed }) => gone(entry.identifiers.email ? addressed : people, named(entry.identifiers)),
    'person suppress': (entry, { suppressions }) => put(suppressions, entry.identifiers.id, {}),
    'person unsuppress': (entry, { suppressions }) => gone(suppressions, entry.identifiers.id),
    'person event': ({ identifiers, name, timestamp, attributes }, { events }) => events.insert({ person: identifiers.id, name, timestamp, attributes }),
    'person add_relationships': (entry, { relationships: store }) => entry.cio_relationships.forEach(({ identifiers: it }) => put(store, `${entry.identifiers.id}/${it.object_type_id}/${it.object_id}`, { person: entry.identifiers.id, ...it })),
    'person delete_relationships': (entry, { relationships: store }) => entry.cio_relationships.forEach(({ identifiers: it }) => gone(store, `${entry.identifiers.id}/${it.object_type_id}/${it.object_id}`)),
    'object identify': ({ identifiers: it, attributes }, { objects }) => put(objects, `${it.object_type_id}/${it.object_id}`, it, { attributes: attributes ?? {} }),
    'object delete': ({ identifiers: it }, { objects }) => gone(objects, `${it.object_type_id}/${it.object_id}`),
};

export default {
    auth: auth.basic('site', 'key'),
    refusal: (status, message) => ({ errors: [{ reason: 'invalid', field: '', message }] }),
    unauthorized: () => [401, { meta: { error: 'Unauthorized request' } }],
    limited: () => [429, { meta: { error: 'too many requests' } }],
    objects: { people: {}, people_by_email: {}, suppressions: {}, segment_members: {}, events: {}, objects: {}, relationships: {} },
    routes: {
        'POST /api/v2/batch': { body: members({ batch: list(dictionary(anything), { least: 1 }) }), run({ body, bytes, objects, refuse }) {
            if (bytes.length > 500_000) refuse(413, 'the request must be smaller than 500kb');
            const errors = body.batch.map((entry, index) => ({ batch_index: index, ...fault(entry) })).filter(({ reason }) => reason);
            const bad = new Set(errors.map((one) => one.batch_index));
            body.batch.forEach((entry, index) => bad.has(index) || act[`${entry.type} ${entry.action}`](entry, objects));
            return errors.length ? [207, { errors }] : [200, ''];   // the page tells of no body
        } },
        'POST /api/v1/segments/{segment}/add_customers': segment((members, id) => put(members, id, {})),
        'POST /api/v1/segments/{segment}/remove_customers': segment((members, id) => gone(members, id)),
        'GET /api/v1/accounts/region': { run: () => [200, { url: 'track.customer.io', data_center: 'us', environment_id: 12345 }] },
    },
};
