// Iterable, by its API reference, https://api.iterable.com/api/docs. No client and no file of the vendor's is at hand.
import { anything, auth, boolean, dictionary, integer, list, members, text } from './kit/kit.mjs';

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
        const heading = isAddress(one.email) ? act(one) : 'invalidEmails';
        if (heading) failed[heading].push(one.email);
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
    objects: { users: {}, events: {}, list_members: {} },
    routes: {
        'POST /api/users/bulkUpdate': {
            body: members({ users: list(members({ 'email?': text, 'userId?': text, 'dataFields?': dictionary(anything), 'preferUserId?': boolean, 'mergeNestedObjects?': boolean }), { least: 1, most: 1000 }), 'createNewFields?': boolean }),
            run({ body, bytes, objects, refuse }) {
                if (bytes.length > 4_000_000) refuse(400, 'Batch too large', 'BatchTooLarge');
                return bulk(body.users, (one) => {
                    if (wrongType(one)) return 'invalidDataEmails';
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
        'POST /api/lists/subscribe': { body: subscribers, run: ({ body, objects }) => bulk(body.subscribers, ({ email }) => {
            const id = `${body.listId}/${like(email)}`;
            if (!objects.list_members.find(id)) objects.list_members.insert({ id, email });
            return null;
        }) },
        'POST /api/lists/unsubscribe': { body: subscribers, run: ({ body, objects }) => bulk(body.subscribers, ({ email }) => {
            const found = objects.list_members.find(`${body.listId}/${like(email)}`);
            if (!found) return 'notFoundEmails';
            objects.list_members.remove(found);
            return null;
        }) },
        'GET /api/lists': { run: () => [200, { lists: [{ id: 1001, name: 'Friends', createdAt: 1767323045000, listType: 'Standard' }] }] },
    },
};
