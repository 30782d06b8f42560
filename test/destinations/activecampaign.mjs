// ActiveCampaign, version 3 of its API: contacts, imports, lists and tags of contacts, by https://developers.activecampaign.com/reference.
import { auth, byOffset, firstOf, integer, list, matching, members, oneOf, text } from './kit/kit.mjs';

const now = { created_utc_timestamp: '2026-01-02 03:04:05', updated_utc_timestamp: '2026-01-02 03:04:05' };
const custom = { 1: { type: 'text', title: 'Plan', perstag: 'PLAN' }, 2: { type: 'date', title: 'Renewed', perstag: 'RENEWED' }, 12: { type: 'datetime', title: 'Seen', perstag: 'SEEN' } };
const shapes = { text, date: matching(/^\d{4}-\d\d-\d\d$/), datetime: matching(/^\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d/) };
const contact = members({ 'email?': text, 'firstName?': text, 'lastName?': text, 'phone?': text, 'fieldValues?': list(members({ field: matching(/^\d+$/), value: text })) });
const id = firstOf(integer, matching(/^\d+$/));
const listed = list(members({ listid: integer }));
const imported = members({
    email: text, 'first_name?': text, 'last_name?': text, 'phone?': text, 'tags?': list(text), 'subscribe?': listed, 'unsubscribe?': listed,
    'fields?': list(members({ id: integer, value: text })),
});
const tag = members({ tag: members({ 'tag?': text, 'tagType?': oneOf('contact', 'template'), 'description?': text }) });

const isAddress = (email) => /^[^@ ]+@[^@ ]+\.[^@ ]+$/.test(email ?? '');
const missing = (refuse, what, of) => refuse(404, `No Result found for ${what} with id ${of}`);
const shown = ({ id: of, email, firstName = '', lastName = '', phone = '' }) => ({ cdate: '2026-01-01T21:04:05-06:00', id: of, email, firstName, lastName, phone, ...now, deleted: '0', links: { fieldValues: `/contacts/${of}/fieldValues` } });
const one = (store, what) => ({ objects, path, refuse }) => objects[store].find(path.id) ?? missing(refuse, what, path.id);
const subscriber = one('contacts', 'Subscriber');

/// What is written of a contact, its custom fields by their ids.
function valuesOf({ fieldValues = [], ...values }, refuse) {
    if (values.email !== undefined && !isAddress(values.email)) return refuse(422, 'Contact Email Address is not valid.', 'email_invalid');
    for (const { field, value } of fieldValues)
        if (!custom[field] || shapes[custom[field].type](value, '')) refuse(422, `The field value of ${field} is not valid.`, 'field_invalid');
    return { ...values, fields: Object.fromEntries(fieldValues.map(({ field, value }) => [`f${field}`, value])) };
}
function written(request, found) {
    const { body, objects, refuse } = request;
    const { fields, ...values } = valuesOf(body.contact, refuse);
    const other = values.email && objects.contacts.by('email', values.email);
    if (other && other !== found) refuse(422, 'Email address already exists in the system', 'duplicate');
    const done = found ? objects.contacts.update(found, { ...values, fields: { ...found.fields, ...fields } }) : objects.contacts.insert({ ...values, fields });
    return { fieldValues: Object.entries(done.fields).map(([field, value]) => ({ contact: done.id, field: field.slice(1), value })), contact: shown(done) };
}
/// One import of contacts, which tells of the addresses that it does not take.
function imports({ objects }, rows, job) {
    for (const { email, first_name: firstName, last_name: lastName, phone, subscribe = [], tags = [] } of rows) {
        if (!isAddress(email)) { job.failure.push(email); continue; }
        const found = objects.imports.by('email', email);
        const values = { email, firstName, lastName, phone, tags, lists: subscribe.map(({ listid }) => listid) };
        const { id: of } = found ? objects.imports.update(found, values) : objects.imports.insert(values);
        if (!found) job.success.push(of);
    }
}
const paged = (store, show) => ({ query: ['limit', 'offset'], run({ query: { limit = 20, offset = 0 }, objects }) {
    const { items, total } = byOffset(objects[store].all(), Number(offset), Math.min(100, Number(limit)));
    return [200, { [store]: items.map(show), meta: { total: String(total) } }];
} });

export default {
    auth: auth.header('api-token', '0123456789abcdef'),
    refusal: (status, message, code) => (status === 422 ? { errors: [{ title: message, detail: '', code, source: { pointer: '/data/attributes/email' } }] } : { message }),
    unauthorized: () => [403, { message: 'You do not have permission to view the requested resource.' }],
    limited: () => [429, 'Too Many Requests', { 'retry-after': '1', 'ratelimit-limit': '5', 'ratelimit-remaining': '0' }],
    objects: { contacts: { unique: ['email'], like: (value) => value.toLowerCase() }, imports: { unique: ['email'] }, list_members: {}, left: {}, contact_tags: {}, tags: { unique: ['tag'] } },
    routes: {
        'GET /api/3/users/me': { run: () => [200, { user: { username: 'ada', email: 'ada@example.com', id: '1' } }] },
        'GET /api/3/fields': { query: ['limit', 'offset'], run: ({ query: { offset = 0 } }) => [200, { fieldOptions: [], fields: Object.entries(custom).map(([of, more]) => ({ id: of, ...more, options: [] })).slice(Number(offset)), meta: { total: '3' } }] },
        'POST /api/3/contacts': { status: 422, body: members({ contact }), run: (request) => [201, written(request)] },
        'POST /api/3/contact/sync': { status: 422, body: members({ contact }), run(request) {
            const found = request.objects.contacts.by('email', request.body.contact.email ?? '');
            return [found ? 200 : 201, written(request, found)];
        } },
        'PUT /api/3/contacts/{id}': { status: 422, body: members({ contact }), run: (request) => [200, written(request, subscriber(request))] },
        'GET /api/3/contacts/{id}': { run: (request) => [200, { contactLists: [], fieldValues: [], contact: shown(subscriber(request)) }] },
        'DELETE /api/3/contacts/{id}': { run(request) { request.objects.contacts.remove(subscriber(request)); return [200, {}]; } },
        'GET /api/3/contacts': { query: ['limit', 'email', 'orders[id]', 'id_greater'], run({ query: { limit = 20, email, id_greater: after = 0 }, objects }) {
            const found = objects.contacts.all().filter((of) => (email === undefined || of.email.toLowerCase() === email.toLowerCase()) && Number(of.id) > Number(after));
            return [200, { scoreValues: [], contacts: found.slice(0, Math.min(100, Number(limit))).map(shown), meta: { total: String(found.length) } }];
        } },
        'POST /api/3/import/bulk_import': { body: members({ contacts: list(imported, { least: 1, most: 250 }) }), run(request) {
            const job = request.jobs.open({ success: [], failure: [] }, { asks: 1, done: (of) => imports(request, request.body.contacts, of) });
            return [200, { Success: 1, queued_contacts: request.body.contacts.length, batchId: job.id, message: 'Contact import queued' }];
        } },
        'GET /api/3/import/info': { query: ['batchId'], run({ query: { batchId }, jobs, refuse }) {
            const job = jobs.ask(batchId) ?? refuse(400, `'batchId' is not known.`);
            return [200, { status: job.ended ? 'completed' : 'active', success: job.success, failure: job.failure }];
        } },
        'POST /api/3/contactLists': { status: 422, body: members({ contactList: members({ list: id, contact: id, status: firstOf(oneOf(1, 2), oneOf('1', '2')), 'sourceid?': integer }) }), run({ body: { contactList: of }, objects, refuse }) {
            if (String(of.contact).startsWith('9999')) missing(refuse, 'Subscriber', of.contact);
            const key = `${of.contact} ${of.list}`;
            for (const store of [objects.list_members, objects.left]) store.remove({ id: key });
            const made = objects[String(of.status) === '1' ? 'list_members' : 'left'].insert({ id: key, contact: Number(of.contact), list: Number(of.list), status: Number(of.status) });
            return [200, { contacts: [], contactList: { contact: String(made.contact), list: String(made.list), status: String(made.status), id: '1' } }];
        } },
        'GET /api/3/contacts/{id}/contactLists': { run: ({ path, objects }) => [200, { contactLists: [...objects.list_members.all(), ...objects.left.all()].filter((of) => String(of.contact) === path.id)
            .map(({ contact: who, list: which, status }) => ({ contact: String(who), list: String(which), status: String(status) })) }] },
        'POST /api/3/contactTags': { status: 422, body: members({ contactTag: members({ contact: id, tag: id }) }), run({ body: { contactTag: of }, objects, refuse }) {
            if (String(of.contact).startsWith('9999')) return [404, { errors: [{ status: 404, title: 'Not Found', detail: 'Contact not found' }] }];
            const made = objects.contact_tags.insert({ contact: Number(of.contact), tag: Number(of.tag) });
            return [201, { contactTag: { contact: String(made.contact), tag: String(made.tag), id: made.id } }];
        } },
        'GET /api/3/contacts/{id}/contactTags': { run: ({ path, objects }) => [200, { contactTags: objects.contact_tags.all().filter((of) => String(of.contact) === path.id)
            .map(({ id: of, contact: who, tag: which }) => ({ id: of, contact: String(who), tag: String(which) })) }] },
        'DELETE /api/3/contactTags/{id}': { run(request) { request.objects.contact_tags.remove(one('contact_tags', 'SubscriberTag')(request)); return [200, {}]; } },
        'POST /api/3/tags': { status: 422, body: tag, run({ body, objects, refuse }) {
            if (!body.tag.tag || body.tag.tag.includes(',')) refuse(422, 'The tag is not valid.', 'tag_invalid');
            return [201, { tag: objects.tags.insert({ tagType: 'contact', description: '', ...body.tag }) }];
        } },
        'GET /api/3/tags': paged('tags', (of) => of),
        'GET /api/3/tags/{id}': { run: (request) => [200, { tag: one('tags', 'Tag')(request) }] },
        'PUT /api/3/tags/{id}': { status: 422, body: tag, run: (request) => [200, { tag: request.objects.tags.update(one('tags', 'Tag')(request), request.body.tag) }] },
        'DELETE /api/3/tags/{id}': { run(request) { request.objects.tags.remove(one('tags', 'Tag')(request)); return [200, {}]; } },
    },
};
