// Braze, by https://www.braze.com/docs/api: users/track, users/delete, users/export/ids, users/alias/new, users/identify,
// custom_attributes, api_limits and errors. No client of the vendor's is for servers, and no file is published.
import { anything, auth, boolean, dictionary, list, matching, members, number, oneOf, text } from './kit/kit.mjs';

const time = matching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d/);
const alias = members({ alias_name: text, alias_label: text });
const standard = ['email', 'phone', 'first_name', 'last_name', 'gender', 'dob', 'country', 'home_city', 'language', 'time_zone', 'email_subscribe', 'push_subscribe'];
const person = { 'external_id?': text, 'user_alias?': alias, 'braze_id?': text };
const track = members({
    'attributes?': list(dictionary(anything)), 'partner?': text,
    'events?': list(members({ ...person, 'name?': text, 'time?': time, 'properties?': dictionary(anything), 'app_id?': text, '_update_existing_only?': boolean })),
    'purchases?': list(members({ ...person, 'product_id?': text, 'currency?': text, 'price?': number, 'quantity?': number, 'time?': time, 'properties?': dictionary(anything), 'app_id?': text, '_update_existing_only?': boolean })),
});

/// What is wrong with an object of a list, or nothing.
function fault(kind, one) {
    if (!one.external_id && !one.user_alias && !one.braze_id) return "'external_id' or 'braze_id' or 'user_alias' is required";
    if (kind === 'attributes' && one.email !== undefined && !/^[^@ ]+@[^@ ]+\.[^@ ]+$/.test(one.email)) return "'email' is not a valid email address";
    const needed = { attributes: [], events: ['name', 'time'], purchases: ['product_id', 'currency', 'price', 'time'] }[kind].find((name) => one[name] === undefined);
    if (needed) return `'${needed}' is required`;
    if (kind === 'events' && one.name.length > 255) return "'name' must be a string of 255 characters at most";
    if (kind === 'purchases' && !/^[A-Z]{3}$/.test(one.currency)) return "'currency' is not a valid currency code";
    return null;
}

/// A user with those attributes, standard ones beside those of the workspace's own.
function keep(users, { external_id: id, _update_existing_only: existing, ...given }) {
    const record = users.find(id);
    if (!record && existing) return;
    const custom = Object.fromEntries(Object.entries(given).filter(([name]) => !standard.includes(name)));
    const values = { ...Object.fromEntries(Object.entries(given).filter(([name]) => standard.includes(name))), custom_attributes: { ...record?.custom_attributes, ...custom } };
    if (record) users.update(record, values);
    else users.insert({ external_id: id, braze_id: `b-${id}`, created_at: '2026-01-02T03:04:05.000Z', ...values });
}

/// Each of a list is done, or is an error that is not fatal: what `act` says of it.
function aliased(all, name, act) {
    const errors = all.map((one, index) => ({ type: act(one), input_array: name, index })).filter(({ type }) => type);
    return [201, { aliases_processed: all.length - errors.length, message: 'success', ...(errors.length && { errors }) }];
}

/// An alias is of one user: said again, it is the same.
function once(store, { alias_name: name, alias_label: label }, one) {
    const id = `${label}/${name}`;
    if (!store.find(id)) store.insert({ id, ...one });
}

/// Items of a catalog, 50 at most: all of them are as they should be, or none is taken.
const items = (of, act) => ({ body: members({ items: list(dictionary(anything), { least: 1, most: 50 }) }), run({ body, path, objects }) {
    const wrong = (status, id, message, name) => [status, { errors: [{ id, message, parameters: ['id'], parameter_values: [name] }], message: 'Invalid Request' }];
    if (path.catalog !== 'restaurants') return wrong(404, 'catalog-not-found', 'Could not find catalog', path.catalog);
    const bad = body.items.find((one) => !/^[A-Za-z0-9_-]{1,250}$/.test(one.id));
    if (bad) return wrong(400, 'invalid-ids', 'Item IDs can only include letters, numbers, hyphens, and underscores', bad.id);
    const odd = body.items.find((one) => Object.keys(one).some((name) => !of.includes(name)));
    if (odd) return wrong(400, 'fields-do-not-match', 'Fields do not match with fields on the catalog', odd.id);
    for (const one of body.items) act(objects.catalog_items, objects.catalog_items.find(one.id), one);
    return [202, { message: 'success' }];
} });
const fields = ['id', 'City', 'Seats'];

export default {
    auth: auth.bearer('00000000-0000-0000-0000-000000000001'),
    refusal: (status, message) => ({ message }),
    unauthorized: () => [401, { message: 'Invalid API Key' }],
    limited: () => [429, { message: 'You have exceeded the rate limit' }, { 'x-ratelimit-limit': '3000', 'x-ratelimit-remaining': '0', 'x-ratelimit-reset': String(Math.ceil(Date.now() / 1000) + 1) }],
    objects: { users: { id: 'external_id' }, events: {}, purchases: {}, aliases: {}, identities: {}, subscriptions: {}, catalog_items: {} },
    routes: {
        'POST /users/track': { body: track, run({ body, objects, refuse }) {
            const kinds = ['attributes', 'events', 'purchases'].filter((kind) => body[kind]);
            if (!kinds.length) refuse(400, "One of 'attributes', 'events' or 'purchases' is required");
            if (kinds.reduce((count, kind) => count + body[kind].length, 0) > 75) refuse(400, 'No more than 75 objects may be sent in a request');
            const errors = [];
            for (const kind of kinds)
                body[kind].forEach((one, index) => {
                    const type = fault(kind, one);
                    if (type) errors.push({ type, input_array: kind, index });
                    else if (kind === 'attributes') keep(objects.users, one);
                    else objects[kind].insert(one);
                });
            return [201, { ...Object.fromEntries(kinds.map((kind) => [`${kind}_processed`, body[kind].length - errors.filter((one) => one.input_array === kind).length])), message: 'success', ...(errors.length && { errors }) }];
        } },
        'POST /users/delete': { body: members({ external_ids: list(text, { least: 1, most: 50 }) }), run({ body, objects }) {
            const found = body.external_ids.map((id) => objects.users.find(id)).filter(Boolean);
            for (const one of found) objects.users.remove(one);
            return [201, { deleted: found.length, message: 'success' }];
        } },
        'POST /users/export/ids': { body: members({ external_ids: list(text, { most: 50 }), 'fields_to_export?': list(oneOf('external_id', 'braze_id', 'created_at', 'custom_attributes', ...standard)) }), run({ body, objects }) {
            const users = body.external_ids.map((id) => objects.users.find(id)).filter(Boolean);
            const invalid = body.external_ids.filter((id) => !objects.users.find(id));
            return [201, { users: users.map((one) => Object.fromEntries(body.fields_to_export.filter((name) => name in one).map((name) => [name, one[name]]))), message: 'success', ...(invalid.length && { invalid_user_ids: invalid }) }];
        } },
        'POST /users/alias/new': { body: members({ user_aliases: list(members({ 'external_id?': text, alias_name: text, alias_label: text }), { most: 50 }) }), run({ body, objects }) {
            return aliased(body.user_aliases, 'user_aliases', (one) => (one.alias_name ? once(objects.aliases, one, one) : "'alias_name' must not be empty"));
        } },
        'POST /users/identify': { body: members({ aliases_to_identify: list(members({ external_id: text, user_alias: alias }), { most: 50 }), 'merge_behavior?': oneOf('none', 'merge') }), run({ body, objects }) {
            return aliased(body.aliases_to_identify, 'aliases_to_identify', (one) => (one.external_id ? once(objects.identities, one.user_alias, one) : "'external_id' must not be empty"));
        } },
        'POST /v2/subscription/status/set': { body: members({ subscription_groups: list(members({ subscription_group_id: text, subscription_state: oneOf('subscribed', 'unsubscribed'), external_ids: list(text, { least: 1, most: 50 }) }), { least: 1 }) }), run({ body, objects: { subscriptions } }) {
            for (const { subscription_group_id, subscription_state, external_ids } of body.subscription_groups)
                for (const external_id of external_ids) {
                    const id = `${subscription_group_id}/${external_id}`;
                    const found = subscriptions.find(id);
                    if (found) subscriptions.remove(found);
                    if (subscription_state === 'subscribed') subscriptions.insert({ id, subscription_group_id, external_id, subscription_state });
                }
            return [201, { message: 'success' }];
        } },
        'PUT /catalogs/{catalog}/items': items(fields, (store, found, one) => { if (found) store.remove(found); store.insert(one); }),
        'PATCH /catalogs/{catalog}/items': items(fields, (store, found, one) => found && store.update(found, one)),
        'DELETE /catalogs/{catalog}/items': items(['id'], (store, found) => found && store.remove(found)),
        'GET /custom_attributes': { query: ['cursor'], run({ query, base }) {
            const [name, type] = query.cursor ? ['tier', 'String (Automatically Detected)'] : ['seats', 'Number'];
            return [200, { attributes: [{ name, data_type: type, description: `The ${name}`, status: 'Active', array_length: null, tag_names: [] }], message: 'success' },
                query.cursor ? {} : { link: `<${base}/custom_attributes?cursor=c2tpcDox>; rel="next"` }];
        } },
    },
};
