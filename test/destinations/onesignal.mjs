// OneSignal: users by their aliases, and custom events, by https://documentation.onesignal.com/reference and the vendor's client.
import { anything, auth, boolean, dictionary, firstOf, integer, list, matching, members, number, oneOf, text } from './kit/kit.mjs';

const app = 'b2f7f966-d8cc-11e4-bed1-df8f05be55ba';
const uuid = matching(/^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/);
const moment = matching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)$/);
const properties = members({
    'tags?': dictionary(firstOf(text, number, boolean)), 'language?': matching(/^[a-z]{2}(-[A-Z]\w+)?$/), 'timezone_id?': text, 'country?': matching(/^[A-Z]{2}$/), 'lat?': number, 'long?': number,
    'first_active?': integer, 'last_active?': integer, 'ip?': text,
});
const subscription = members({
    type: oneOf('Email', 'SMS', 'iOSPush', 'AndroidPush', 'ChromePush', 'FirefoxPush', 'SafariPush'), token: text, 'enabled?': boolean, 'notification_types?': integer, 'device_model?': text,
});
const event = members({ name: text, 'external_id?': text, 'onesignal_id?': uuid, 'timestamp?': moment, 'properties?': dictionary(anything), 'payload?': dictionary(anything), 'idempotency_key?': uuid });
const wrong = (title, code = 'invalid') => ({ errors: [{ code, title }] });

/// The user with an alias.
const known = (objects, { label, id }) => (label === 'onesignal_id' ? objects.users.find(id) : objects.users.all().find(({ identity }) => identity[label] === id));
const one = ({ objects, path, refuse }) => known(objects, path) ?? refuse(404, `User with alias ${path.label} ${path.id} not found`, 'user-404');
const shown = ({ identity, properties: of, subscriptions }) => ({ identity, properties: of, subscriptions });

/// Properties are laid over those that are there, and tags one by one; an empty one goes.
function change(user, { tags, ...more }) {
    const all = Object.entries({ ...user.properties.tags, ...tags }).filter(([, value]) => value !== '');
    user.properties = { ...user.properties, ...more, ...(all.length ? { tags: Object.fromEntries(all) } : {}) };
}

const path = `/apps/${app}/users/by/{label}/{id}`;

export default {
    auth: auth.header('authorization', 'Key os_v2_app_0123456789'),
    refusal: (status, title, code) => wrong(title, code),
    unauthorized: () => [403, { errors: ['Access denied.  Please include an \'Authorization: ...\' header with a valid API key (https://documentation.onesignal.com/docs/accounts-and-keys).'] }],
    limited: () => [429, { errors: ['API rate limit exceeded.'] }, { 'retry-after': '1' }],
    objects: { users: { id: 'onesignal_id', give: (number) => `567491ee-9105-4a87-9cbc-${String(number).padStart(12, '0')}` }, events: {} },
    routes: {
        [`POST /apps/${app}/users`]: {
            body: members({ 'identity?': dictionary(text), 'properties?': properties, 'subscriptions?': list(subscription, { most: 20 }) }),
            run({ body: { identity = {}, properties: of = {}, subscriptions = [] }, objects, refuse }) {
                if (!Object.keys(identity).length && !subscriptions.length) refuse(400, 'at least one of identity and subscriptions is needed');
                const found = Object.entries(identity).map(([label, id]) => known(objects, { label, id })).filter(Boolean);
                if (new Set(found).size > 1) return [409, { errors: [{ code: 'user-2', title: 'One or more Aliases claimed by another User', meta: { conflicting_aliases: identity } }] }];
                const address = subscriptions.find(({ type, token }) => type === 'Email' && !token.includes('@'));
                if (address) refuse(400, `token ${address.token} is not an email`);
                const user = found[0] ?? objects.users.insert({ properties: {}, subscriptions: [] });
                user.identity = { ...user.identity, ...identity, onesignal_id: user.onesignal_id };
                change(user, of);
                for (const { type, token, ...more } of subscriptions) {
                    user.subscriptions = user.subscriptions.filter((other) => other.type !== type || other.token !== token);
                    user.subscriptions.push({ id: `${type} ${token}`, app_id: app, type, token, enabled: true, ...more });
                }
                return [found[0] ? 200 : 201, shown(user)];
            },
        },
        [`GET ${path}`]: { run: (request) => [200, shown(one(request))] },
        [`PATCH ${path}`]: { body: members({ 'properties?': properties, 'refresh_device_metadata?': boolean, 'deltas?': dictionary(anything) }), run(request) {
            const user = one(request);
            change(user, request.body.properties ?? {});
            return [202, { properties: user.properties }];
        } },
        [`DELETE ${path}`]: { run(request) {
            const user = one(request);
            request.objects.users.remove(user);
            return [202, { identity: { onesignal_id: user.onesignal_id } }];
        } },
        [`POST /apps/${app}/custom_events`]: { body: members({ events: list(event, { least: 1 }) }), run({ body: { events }, objects, refuse }) {
            const long = events.find(({ name }) => name.length > 128 || name === '');
            if (long) refuse(400, 'name has 1 to 128 characters');
            const gone = (id) => id?.startsWith('nobody');
            for (const one of events) if (!gone(one.external_id)) objects.events.insert(one);
            const errors = events.filter(({ external_id: id }) => gone(id))
                .map(({ external_id: id }) => ({ event_user_id: id, event_id: '567491ee-9105-4a87-9cbc-ed78a571645b', error: { code: 'not found', title: `failed to find a onesignal_id for user_id ${id}` } }));
            return [202, errors.length ? { errors } : {}];
        } },
        [`GET /apps/${app}/segments`]: { query: ['limit', 'offset'], run: () => [200, { total_count: 1, offset: 0, limit: 1, segments: [{ id: 's1', name: 'Subscribed Users', app_id: app }] }] },
    },
};
