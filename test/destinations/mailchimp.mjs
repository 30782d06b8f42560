// Mailchimp Marketing, by its client @mailchimp/mailchimp_marketing 3.0.80 and https://mailchimp.com/developer/marketing/api/.
import { createHash } from 'node:crypto';
import { anything, boolean, byOffset, dictionary, firstOf, list, matching, members, nullable, number, oneOf, text } from './kit/kit.mjs';

const statuses = oneOf('subscribed', 'unsubscribed', 'cleaned', 'pending', 'transactional');
const time = matching(/^\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d/);
const member = {
    'email_type?': oneOf('html', 'text'), 'merge_fields?': dictionary(firstOf(text, number, dictionary(anything))), 'interests?': dictionary(boolean),
    'language?': text, 'vip?': boolean, 'location?': members({ latitude: number, longitude: number }), 'ip_signup?': text, 'timestamp_signup?': time,
    'ip_opt?': text, 'timestamp_opt?': time,
};
const fields = { FNAME: 'text', LNAME: 'text', TIER: 'dropdown', SEATS: 'number' };
const md5 = (address) => createHash('md5').update(String(address).trim().toLowerCase()).digest('hex');
const titles = { 400: 'Invalid Resource', 401: 'API Key Invalid', 404: 'Resource Not Found', 405: 'Method Not Allowed', 429: 'Too Many Requests' };
const problem = (status, detail, title) => ({ type: 'https://mailchimp.com/developer/marketing/docs/errors/', title: title ?? titles[status] ?? 'Error', status, detail, instance: '9d741ebc-c22a-4e34-af47-5463c4f5cd25' });

/// What is wrong with a member, or nothing.
function fault(one, isNew) {
    if (one.email_address !== undefined && !/^[^@ ]+@[^@ ]+\.[^@ ]+$/.test(one.email_address)) return `${one.email_address} looks fake or invalid, please enter a real email address.`;
    if (isNew && !one.status) return 'Please provide a status of subscribed, unsubscribed, cleaned, pending or transactional';
    for (const name of Object.keys(one.merge_fields ?? {})) if (!fields[name]) return 'Your merge fields were invalid.';
    return null;
}
const merged = (record, one) => ({ ...one, ...(one.merge_fields && { merge_fields: { ...record?.merge_fields, ...one.merge_fields } }), ...(one.tags && { tags: [...new Set([...record?.tags ?? [], ...one.tags])] }) });
const shown = (record) => ({ ...record, tags_count: record.tags?.length ?? 0, tags: (record.tags ?? []).map((name, index) => ({ id: index + 1, name })) });
function add(objects, one) {
    const before = objects.archived.find(md5(one.email_address));
    if (before) objects.archived.remove(before);
    return objects.members.insert({ email_type: 'html', merge_fields: {}, interests: {}, language: '', vip: false, ip_signup: '', timestamp_signup: '', tags: [], last_changed: '2026-01-02T03:04:05+00:00', contact_id: 'c1', unique_email_id: 'u1', ...before, ...one, id: md5(one.email_address) });
}
const found = ({ objects, path, refuse }) => objects.members.find(path.hash) ?? refuse(404, 'The requested resource could not be found.');
const audience = (run) => (request) => (request.path.list === 'a1b2c3d4e5' ? run(request) : request.refuse(404, 'The requested resource could not be found.'));
const of = (definition) => ({ ...definition, run: audience(definition.run) });

export default {
    auth: { lets: ({ headers }) => /^[^:]+:contacts-us21$/.test(Buffer.from((headers.authorization ?? '').replace(/^Basic /, ''), 'base64').toString()) },
    limits: { concurrent: 10 },
    refusal: problem,
    unauthorized: () => [401, problem(401, "Your API key may be invalid, or you've attempted to access the wrong datacenter.")],
    limited: () => [429, problem(429, 'You have exceeded the limit of 10 simultaneous connections.')],
    objects: { members: {}, archived: {}, member_tags: {}, member_events: {} },
    routes: {
        'POST /3.0/lists/{list}': of({
            query: ['skip_merge_validation', 'skip_duplicate_check'],
            body: members({ members: list(members({ ...member, email_address: text, 'status?': statuses, 'status_if_new?': statuses, 'tags?': list(text) }), { most: 500 }), 'update_existing?': boolean, 'sync_tags?': boolean }),
            run({ body, objects }) {
                const answer = { new_members: [], updated_members: [], errors: [] };
                for (const one of body.members) {
                    const record = objects.members.find(md5(one.email_address));
                    const wrong = record && !body.update_existing ? `${one.email_address} is already a list member, do you want to update? please provide update_existing:true in the request body` : fault(one, !record);
                    if (wrong) answer.errors.push({ email_address: one.email_address, error: wrong, error_code: record ? 'ERROR_CONTACT_EXISTS' : 'ERROR_GENERIC', field: '', field_message: '' });
                    else if (record) answer.updated_members.push(shown(objects.members.update(record, merged(body.sync_tags ? { ...record, tags: [] } : record, one))));
                    else answer.new_members.push(shown(add(objects, one)));
                }
                return [200, { ...answer, total_created: answer.new_members.length, total_updated: answer.updated_members.length, error_count: answer.errors.length }];
            },
        }),
        'POST /3.0/lists/{list}/members': of({ query: ['skip_merge_validation'], body: members({ ...member, email_address: text, status: statuses, 'tags?': list(text) }), run({ body, objects, refuse }) {
            const wrong = fault(body, true);
            if (wrong) refuse(400, wrong);
            if (objects.members.find(md5(body.email_address))) refuse(400, `${body.email_address} is already a list member. Use PUT to insert or update list members.`, 'Member Exists');
            return [200, shown(add(objects, body))];
        } }),
        'PATCH /3.0/lists/{list}/members/{hash}': of({ query: ['skip_merge_validation'], body: members({ ...member, 'email_address?': text, 'status?': statuses }), run(request) {
            const record = found(request);
            const wrong = fault(request.body, false);
            if (wrong) request.refuse(400, wrong);
            return [200, shown(request.objects.members.update(record, merged(record, request.body)))];
        } }),
        'GET /3.0/lists/{list}/members/{hash}': of({ query: ['fields', 'exclude_fields'], run: (request) => [200, shown(request.objects.archived.find(request.path.hash) ?? found(request))] }),
        'DELETE /3.0/lists/{list}/members/{hash}': of({ run(request) {
            if (request.objects.archived.find(request.path.hash)) request.refuse(405, 'This list member cannot be removed. Please contact support.');
            const record = found(request);
            request.objects.members.remove(record);
            request.objects.archived.insert({ ...record, status: 'archived' });
            return [204];
        } }),
        'GET /3.0/lists/{list}/members': of({ query: ['count', 'offset', 'status', 'fields', 'exclude_fields'], run({ query, objects, refuse }) {
            const size = Number(query.count ?? 10);
            if (size > 1000) refuse(400, 'count may be 1000 at most');
            const all = objects.members.all().filter((one) => !query.status || one.status === query.status);
            const part = byOffset(all, Number(query.offset ?? 0), size);
            return [200, { members: part.items.map(shown), list_id: 'a1b2c3d4e5', total_items: part.total }];
        } }),
        'POST /3.0/lists/{list}/members/{hash}/tags': of({ body: members({ tags: list(members({ name: text, status: oneOf('active', 'inactive') })), 'is_syncing?': boolean }), run({ body, path, objects }) {
            for (const { name, status } of body.tags) {
                const id = `${path.hash}/${name}`;
                const record = objects.member_tags.find(id);
                if (status === 'active' && !record) objects.member_tags.insert({ id, hash: path.hash, tag: name });
                else if (status === 'inactive' && record) objects.member_tags.remove(record);
            }
            return [204];
        } }),
        'POST /3.0/lists/{list}/members/{hash}/events': of({ body: members({ name: matching(/^.{2,30}$/), 'properties?': dictionary(text), 'occurred_at?': nullable(time), 'is_syncing?': boolean }), run({ body, path, objects }) {
            objects.member_events.insert({ ...body, hash: path.hash });
            return [204];
        } }),
        'GET /3.0/lists/{list}/merge-fields': of({ query: ['count', 'offset', 'fields'], run: () => [200, { merge_fields: Object.entries(fields).map(([tag, type], index) => ({ merge_id: index + 1, tag, name: `The ${tag}`, type, required: false, default_value: '', public: true, options: type === 'dropdown' ? { choices: ['gold', 'silver'] } : { size: 25 } })), list_id: 'a1b2c3d4e5', total_items: 4 }] }),
        'GET /3.0/': { run: () => [200, { account_id: '8d3a3db4d97663a9074efcc16', account_name: 'Acme', login_id: '7', email: 'admin@example.com' }] },
    },
};
