// Twilio SendGrid Marketing Campaigns, by its OpenAPI description tsg_mc_contacts_v3 and
// https://www.twilio.com/docs/sendgrid/api-reference/contacts and .../custom-fields.
import { auth, dictionary, firstOf, list, members, number, text } from './kit/kit.mjs';

const contact = members({
    'email?': text, 'phone_number_id?': text, 'external_id?': text, 'anonymous_id?': text, 'first_name?': text, 'last_name?': text,
    'alternate_emails?': list(text, { most: 5 }), 'address_line_1?': text, 'address_line_2?': text, 'city?': text,
    'state_province_region?': text, 'postal_code?': text, 'country?': text, 'custom_fields?': dictionary(firstOf(text, number)),
});
const fields = [{ id: 'w1', name: 'tier', field_type: 'Text' }, { id: 'e2_N', name: 'seats', field_type: 'Number' }, { id: 'e3_D', name: 'renewed', field_type: 'Date' }];
const longest = { email: 254, external_id: 254, anonymous_id: 254, first_name: 50, last_name: 50, address_line_1: 100, address_line_2: 100, city: 60, country: 50, state_province_region: 50 };
const identifiers = ['email', 'phone_number_id', 'external_id', 'anonymous_id'];

/// What is wrong with a contact that is to be written: [field, message].
function fault(one) {
    if (!identifiers.some((name) => one[name])) return ['identifier', 'at least one identifier is required'];
    if (one.email !== undefined && !/^[^@ ]+@[^@ ]+\.[^@ ]+$/.test(one.email)) return ['email', 'email is invalid'];
    for (const [name, most] of Object.entries(longest)) if (one[name]?.length > most) return [name, `${name} is longer than ${most} characters`];
    for (const [id, value] of Object.entries(one.custom_fields ?? {})) {
        const field = fields.find((known) => known.id === id);
        if (!field) return [`custom_fields.${id}`, 'invalid custom field'];
        if ((field.field_type === 'Number') !== (typeof value === 'number')) return [`custom_fields.${id}`, 'wrong type for custom field'];
    }
    return null;
}

/// A contact as answers have it: empty where nothing is, with fields of the account by their names.
function shown({ custom_fields: custom = {}, ...record }) {
    const empty = Object.fromEntries(Object.keys(longest).concat('postal_code', 'phone_number', 'whatsapp', 'line', 'facebook', 'unique_name').map((name) => [name, '']));
    return { ...empty, alternate_emails: [], ...record, segment_ids: [],
        custom_fields: Object.fromEntries(Object.entries(custom).map(([id, value]) => [fields.find((one) => one.id === id).name, value])) };
}
const errors = (message, field = null) => ({ errors: [{ field, message }] });

export default {
    auth: auth.bearer('SG.contacts'),
    refusal: (status, message, field) => errors(message, field),
    unauthorized: () => [401, errors('authorization required')],
    limited: () => [429, errors('too many requests'), { 'x-ratelimit-limit': '150', 'x-ratelimit-remaining': '0', 'x-ratelimit-reset': String(Math.ceil(Date.now() / 1000) + 1) }],
    objects: { contacts: { unique: ['email'], like: (value) => String(value).toLowerCase(), give: (number) => `0e9c9b5a-1b5e-4b7e-9d43-${String(number).padStart(12, '0')}` } },
    routes: {
        'PUT /v3/marketing/contacts': { body: members({ 'list_ids?': list(text), contacts: list(contact, { least: 1, most: 30000 }) }), run({ body, bytes, objects, jobs, refuse }) {
            if (bytes.length > 6_000_000) refuse(413, 'the body is larger than 6 MB');
            body.contacts.forEach((one, index) => {
                const wrong = fault(one);
                if (wrong) refuse(400, wrong[1], `contacts[${index}].${wrong[0]}`);
            });
            for (const one of body.contacts) {
                const found = objects.contacts.by('email', one.email);
                const lists = [...new Set([...found?.list_ids ?? [], ...body.list_ids ?? []])];
                const values = { ...one, email: one.email?.toLowerCase(), list_ids: lists, custom_fields: { ...found?.custom_fields, ...one.custom_fields }, updated_at: '2026-01-02T03:04:06Z' };
                if (found) objects.contacts.update(found, values);
                else objects.contacts.insert({ created_at: '2026-01-02T03:04:05Z', ...values });
            }
            return [202, { job_id: jobs.open({ type: 'upsert', count: body.contacts.length }, { asks: 1 }).id }];
        } },
        'DELETE /v3/marketing/contacts': { query: ['ids', 'delete_all_contacts'], run({ query, objects, jobs, refuse }) {
            if (!query.ids) refuse(400, 'ids is required', 'ids');
            const found = query.ids.split(',').map((id) => objects.contacts.find(id)).filter(Boolean);
            for (const one of found) objects.contacts.remove(one);
            return [202, { job_id: jobs.open({ type: 'delete', count: found.length }, { asks: 1 }).id }];
        } },
        'GET /v3/marketing/contacts/{id}': { run: ({ path, objects, refuse }) => [200, shown(objects.contacts.find(path.id) ?? refuse(404, 'not found'))] },
        'GET /v3/marketing/contacts/count': { run: ({ objects }) => [200, { contact_count: objects.contacts.size, billable_count: objects.contacts.size }] },
        'POST /v3/marketing/contacts/batch': { body: members({ ids: list(text, { most: 100 }) }), run: ({ body, objects }) => [200, { result: body.ids.map((id) => objects.contacts.find(id)).filter(Boolean).map(shown) }] },
        'POST /v3/marketing/contacts/search/emails': { body: members({ emails: list(text, { least: 1, most: 100 }) }), run({ body, objects, refuse }) {
            const found = body.emails.map((email) => [email.toLowerCase(), objects.contacts.by('email', email)]);
            if (!found.some(([, one]) => one)) refuse(404, 'contacts not found');
            return [200, { result: Object.fromEntries(found.map(([email, one]) => [email, one ? { contact: shown(one) } : { error: 'contact not found' }])) }];
        } },
        'GET /v3/marketing/contacts/imports/{id}': { run({ path, jobs, refuse }) {
            const job = jobs.ask(path.id) ?? refuse(404, 'import not found');
            return [200, { id: job.id, status: job.ended ? 'completed' : 'pending', job_type: job.type, results: { requested_count: job.count, created_count: job.count }, started_at: '2026-01-02T03:04:05Z' }];
        } },
        'GET /v3/marketing/field_definitions': { run: () => [200, { custom_fields: fields, reserved_fields: [{ id: '_rf0_T', name: 'first_name', field_type: 'Text' }] }] },
    },
};
