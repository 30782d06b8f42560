// Iterable, by its API reference, https://api.iterable.com/api/docs. No client and no file of the vendor's is at hand.
import { anything, auth, boolean, dictionary, integer, list, members, number, text } from './kit/kit.mjs';

const types = { plan: 'string', seats: 'number', vip: 'boolean' };
const isAddress = (value) => /^[^@ ]+@[^@ ]+\.[^@ ]+$/.test(value ?? '');
const result = (code, msg, params = null) => ({ msg, code, params });
const like = (email) => email.toLowerCase();
const subscribers = members({ listId: integer, subscribers: list(members({ 'email?': text, 'userId?': text, 'dataFields?': dictionary(anything) })), 'campaignId?': integer, 'channelUnsubscribe?': boolean });

/// What a bulk request answers: act says under which heading an address failed, or nothing.
function bulk(all, act) {
    const failed = { conflictEmails: [], conflictUserIds: [], forgottenEmails: [], forgottenUserIds: [], invalidDataEmails: [], invalidDataUserIds: [], invalidEmails: [], invalidUserIds: [], notFoundEmails: [], notFoundUserIds: [] };
    let count = 0;
    for (const one of all) {
        const byId = one.email === undefined;
        const heading = (byId ? one.userId && !/ $/.test(one.userId) : isAddress(one.email)) ? act(one, byId) : 'invalid';
        if (heading) failed[heading + (byId ? 'UserIds' : 'Emails')].push(byId ? one.userId : one.email);
        else ++count;
    }
    return [200, { successCount: count, failCount: all.length - count, invalidEmails: failed.invalidEmails, invalidUserIds: [], filteredOutFields: [], createdFields: [], failedUpdates: failed }];
}
const wrongType = ({ dataFields = {} }) => Object.entries(dataFields).some(([name, value]) => types[name] && value !== null && typeof value !== types[name]);

export default {
    auth: auth.header('Api-Key', 'contacts'),
    refusal: (status, message, code) => result(code ?? { 400: 'BadParams', 404: 'NotFound', 415: 'BadJsonBody' }[status] ?? 'GenericError', message),
    unauthorized: () => [401, result('BadApiKey', 'Invalid API key')],
    limited: () => [429, result('RateLimitExceeded', 'Rate limit exceeded', { rateLimitLimit: 5, rateLimitRemaining: 0, rateLimitReset: 1 })],
    objects: { users: {}, users_by_id: {}, events: {}, purchases: {}, list_members: {}, list_members_by_id: {}, catalog_items: {} },
    routes: {
        'POST /api/users/bulkUpdate': {
            body: members({ users: list(members({ 'email?': text, 'userId?': text, 'dataFields?': dictionary(anything), 'preferUserId?': boolean, 'mergeNestedObjects?': boolean }), { least: 1, most: 1000 }), 'createNewFields?': boolean }),
            run({ body, bytes, objects, refuse }) {
                if (bytes.length > 4_000_000) refuse(400, 'Batch too large', 'BatchTooLarge');
                return bulk(body.users, (one, byId) => {
                    if (wrongType(one)) return 'invalidData';
                    if (byId) {
                        const known = objects.users_by_id.find(one.userId);
                        if (known) objects.users_by_id.update(known, { dataFields: { ...known.dataFields, ...one.dataFields } });
                        else objects.users_by_id.insert({ id: one.userId, userId: one.userId, dataFields: one.dataFields ?? {} });
                        return null;
                    }
                    const found = objects.users.find(like(one.email));
                    const fields = { ...found?.dataFields, ...one.dataFields };
                    if (found) objects.users.update(found, { ...(one.userId && { userId: one.userId }), dataFields: fields });
                    else objects.users.insert({ id: like(one.email), email: one.email, ...(one.userId && { userId: one.userId }), dataFields: fields });
                    return null;
                });
            },
        },
        'DELETE /api/users/{email}': { run({ path, objects, refuse }) {
            objects.users.remove(objects.users.find(like(path.email)) ?? refuse(400, `No user with the email ${path.email}`, 'UnknownEmailError'));
            return [200, result('Success', 'User deleted')];
        } },
        'GET /api/users/getByEmail': { query: ['email'], run({ query, objects }) {
            const { id, ...found } = objects.users.find(like(query.email ?? '')) ?? {};
            return [200, id ? { user: found } : {}];
        } },
        'DELETE /api/users/byUserId/{id}': { run({ path, objects, refuse }) {
            objects.users_by_id.remove(objects.users_by_id.find(path.id) ?? refuse(400, `No user with the userId ${path.id}`, 'UnknownUserIdError'));
            return [200, result('Success', 'User deleted')];
        } },
        'GET /api/users/byUserId': { query: ['userId'], run({ query, objects }) {
            const { id, ...found } = objects.users_by_id.find(query.userId) ?? {};
            return [200, id ? { user: found } : {}];
        } },
        'POST /api/commerce/trackPurchase': {
            body: members({ user: members({ 'email?': text, 'userId?': text, 'dataFields?': dictionary(anything) }), items: list(members({ id: text, name: text, price: number, quantity: integer, 'sku?': text })), total: number, 'id?': text, 'createdAt?': integer, 'dataFields?': dictionary(anything), 'campaignId?': integer, 'templateId?': integer }),
            run({ body, objects, refuse }) {
                if (!body.user.userId && !isAddress(body.user.email)) refuse(400, `Invalid email: ${body.user.email}`, 'InvalidEmailAddressError');
                const found = body.id && objects.purchases.find(body.id);
                if (found) objects.purchases.update(found, body);
                else objects.purchases.insert(body);
                return [200, result('Success', `Purchase with id: ${body.id} tracked.`)];
            },
        },
        'POST /api/catalogs/{catalog}/items': { body: members({ documents: dictionary(dictionary(anything)), replaceUploadedFieldsOnly: boolean }), run({ body, path, objects: { catalog_items: items }, refuse }) {
            if (path.catalog !== 'restaurants') refuse(404, 'No such catalog');
            if (Object.keys(body.documents).length > 1000) refuse(400, 'Too many items', 'BatchTooLarge');
            const bad = Object.keys(body.documents).find((id) => !/^[A-Za-z0-9-]{1,255}$/.test(id));
            if (bad) refuse(400, `Invalid item id: ${bad}`);
            for (const [id, value] of Object.entries(body.documents)) {
                const found = items.find(id);
                if (found) items.update(found, { value: { ...(body.replaceUploadedFieldsOnly && found.value), ...value } });
                else items.insert({ id, value });
            }
            return [202, result('Success', 'Request to bulk-upload received')];
        } },
        'DELETE /api/catalogs/{catalog}/items': { body: members({ itemIds: list(text, { least: 1 }) }), run({ body, objects: { catalog_items: items } }) {
            for (const id of body.itemIds) if (items.find(id)) items.remove(items.find(id));
            return [202, result('Success', 'Request to bulk-delete received')];
        } },
        'POST /api/events/track': {
            body: members({ 'email?': text, 'userId?': text, eventName: text, 'id?': text, 'createdAt?': integer, 'dataFields?': dictionary(anything), 'campaignId?': integer, 'templateId?': integer, 'createNewFields?': boolean }),
            run({ body, objects, refuse }) {
                if (!body.userId && !isAddress(body.email)) refuse(400, `Invalid email: ${body.email}`, 'InvalidEmailAddressError');
                const found = body.id && objects.events.find(body.id);
                if (found) objects.events.update(found, body);
                else objects.events.insert(body);
                return [200, result('Success', `Event with id: ${body.id} tracked.`)];
            },
        },
        'POST /api/lists/subscribe': { body: subscribers, run: ({ body, objects }) => bulk(body.subscribers, ({ email, userId }, byId) => {
            const id = `${body.listId}/${byId ? userId : like(email)}`;
            const store = byId ? objects.list_members_by_id : objects.list_members;
            if (!store.find(id)) store.insert({ id, ...(byId ? { userId } : { email }) });
            return null;
        }) },
        'POST /api/lists/unsubscribe': { body: subscribers, run: ({ body, objects }) => bulk(body.subscribers, ({ email, userId }, byId) => {
            const store = byId ? objects.list_members_by_id : objects.list_members;
            const found = store.find(`${body.listId}/${byId ? userId : like(email)}`);
            if (!found) return 'notFound';
            store.remove(found);
            return null;
        }) },
        'GET /api/lists': { run: () => [200, { lists: [{ id: 1001, name: 'Friends', createdAt: 1767323045000, listType: 'Standard' }] }] },
    },
};
