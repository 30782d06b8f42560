// Klaviyo, revision 2026-07-15, by its OpenAPI description, its client klaviyo-api 23.0.0 and
// https://developers.klaviyo.com/en/docs/use_klaviyos_bulk_profile_import_api.
import { Taken, anything, auth, byCursor, dictionary, list, matching, members, nullable, number, oneOf, text } from './kit/kit.mjs';

const location = members(Object.fromEntries(['address1?', 'address2?', 'city?', 'country?', 'region?', 'zip?', 'timezone?', 'ip?'].map((name) => [name, nullable(text)])));
const attributes = members({
    ...Object.fromEntries(['email?', 'phone_number?', 'external_id?', 'first_name?', 'last_name?', 'organization?', 'locale?', 'image?'].map((name) => [name, nullable(text)])),
    'location?': nullable(location), 'properties?': nullable(dictionary(anything)),
});
const resource = (type, of, more = {}) => members({ type: oneOf(type), ...more, attributes: of });
const document = (type, of, more) => members({ data: resource(type, of, more) });
const profile = resource('profile', attributes, { 'id?': nullable(text) });
const event = members({
    properties: dictionary(anything), metric: document('metric', members({ name: text, 'service?': nullable(text) })), 'value?': nullable(number),
    'time?': nullable(matching(/^\d{4}-\d\d-\d\dT[\d:.]+(Z|[+-]\d\d:?\d\d)$/)), 'value_currency?': nullable(text), 'unique_id?': nullable(text),
});
const names = members({ 'name?': text, 'opt_in_process?': nullable(oneOf('double_opt_in', 'single_opt_in')) });
const memberships = members({ data: list(members({ type: oneOf('profile'), id: text }), { most: 1000 }) });

const codes = { 400: ['invalid', 'Invalid input.'], 401: ['not_authenticated', 'Authentication credentials were not provided.'], 404: ['not_found', 'Not found.'], 409: ['duplicate_profile', 'Conflict.'], 429: ['throttled', 'Request was throttled.'] };
const refusal = (status, detail) => ({ errors: [{ id: '5e1c6a5b-2b9f-4e4a-8b59-7d42c5b4c1f0', status, code: (codes[status] ?? ['error'])[0], title: (codes[status] ?? ['', 'Error'])[1], detail, source: { pointer: '/data' } }] });
const shown = (type, { id, ...of }, base) => ({ type, id, attributes: of, links: { self: `${base}/api/${type}s/${id}/` } });

const wrong = ({ email, phone_number: phone, external_id: external }) =>
    email === undefined && phone === undefined && external === undefined ? 'One of the identifiers email, phone_number and external_id is needed.'
        : typeof email === 'string' && !/^[^@ ]+@[^@ ]+\.[^@ ]+$/.test(email) ? 'Invalid email address' : null;
const merged = (record, of) => ({ ...of, ...(of.properties && { properties: { ...record?.properties, ...of.properties } }), ...(of.location && { location: { ...record?.location, ...of.location } }) });
const found = (profiles, of) => profiles.by('external_id', of.external_id) ?? profiles.by('email', of.email) ?? profiles.by('phone_number', of.phone_number);
function put(profiles, of) {
    const record = found(profiles, of);
    return record ? [200, profiles.update(record, merged(record, of))] : [201, profiles.insert({ location: {}, properties: {}, created: '2026-01-02T03:04:05+00:00', updated: '2026-01-02T03:04:05+00:00', ...of })];
}

/// Those of a filter, in pages.
/// A page of what is there, and the address of the next.
function pageOf(all, { query, refuse, base, url }, most, standard, shownAs) {
    const size = Number(query['page[size]'] ?? standard);
    if (!(size >= 1 && size <= most)) refuse(400, `page[size] must be between 1 and ${most}`);
    const part = byCursor(all, query['page[cursor]'], size) ?? refuse(400, 'Invalid cursor');
    const next = new URL(url, base);
    next.searchParams.set('page[cursor]', part.next);
    return { data: part.items.map(shownAs), links: { self: `${base}${url}`, next: part.next ? String(next) : null, prev: null } };
}
function page(type, request, most, known, standard = most) {
    const { query, objects, refuse, base } = request;
    let all = objects[`${type}s`].all();
    if (query.filter !== undefined) {
        const [, field, value] = /^equals\((\w+),(".*")\)$/.exec(query.filter) ?? refuse(400, 'the filter is not valid');
        if (!known.includes(field)) refuse(400, `${field} is not a field to filter by`);
        all = all.filter((one) => String(one[field]).toLowerCase() === JSON.parse(value).toLowerCase());
    }
    return [200, pageOf(all, request, most, standard, (one) => (type === 'event' ? one : shown(type, one, base)))];
}
const one = (type) => ({ objects, path, refuse }) => objects[`${type}s`].find(path.id) ?? refuse(404, `A ${type} with id ${path.id} does not exist.`);
const membershipsOf = (act) => ({ body, path, objects, refuse }) => {
    for (const { id } of body.data) if (!/^01[0-9A-Z]+$/.test(id)) refuse(400, `A profile with id ${id} does not exist.`);
    for (const { id } of body.data) act(objects.list_members, { id: `${path.id}/${id}`, list_id: path.id, profile_id: id });
    return [204];
};
const checked = (of, refuse) => { const fault = wrong(of); if (fault) refuse(400, fault); return of; };
const jobOf = ({ id, ended, rows, failed }, base) => ({ data: { type: 'profile-bulk-import-job', id, attributes: { status: ended ? 'complete' : 'queued', created_at: '2026-01-02T03:04:05+00:00', total_count: rows.length, completed_count: ended ? rows.length - failed.length : 0, failed_count: ended ? failed.length : 0 }, links: { self: `${base}/api/profile-bulk-import-jobs/${id}` } }, links: { self: base } });

const consent = (word) => members({ 'marketing?': members({ consent: oneOf(word) }) });
const consents = (word) => members({ 'email?': nullable(text), 'phone_number?': nullable(text), subscriptions: members({ 'email?': consent(word), 'sms?': consent(word) }) });
const some = (of, most) => members({ profiles: members({ data: list(resource('profile', of), { least: 1, most }) }) });
/// By the list, as most clients ask; the job itself nobody may ask for.
const consentJobs = (kind, word, most, act) => ({ [`POST /api/profile-subscription-bulk-${kind}-jobs`]: {
    body: members({ data: members({ type: oneOf(`profile-subscription-bulk-${kind}-job`), attributes: some(consents(word), most), relationships: members({ list: members({ data: members({ type: oneOf('list'), id: text }) }) }) }) }),
    run({ body: { data: { attributes: { profiles } } }, objects, refuse }) {
        for (const { attributes: { email, phone_number: phone } } of profiles.data) {
            checked({ email, phone_number: phone }, refuse);
            if (phone && !/^\+\d{8,15}$/.test(phone)) refuse(400, 'Invalid phone number format');
        }
        for (const { attributes: { email, phone_number: phone } } of profiles.data) {
            if (email) act(objects.email_subscriptions, { id: email, email });
            if (phone) act(objects.sms_subscriptions, { id: phone, phone_number: phone });
        }
        return [202];
    },
} });
const suppressionJobs = (kind, act) => ({ [`POST /api/profile-suppression-bulk-${kind}-jobs`]: { body: document(`profile-suppression-bulk-${kind}-job`, some(members({ email: text }), 100)), run({ body: { data: { attributes: { profiles } } }, objects, refuse }) {
    for (const { attributes } of profiles.data) checked(attributes, refuse);
    for (const { attributes: { email } } of profiles.data) act(objects.suppressions, { id: email, email });
    return [202, { data: { type: `profile-suppression-bulk-${kind}-job`, id: 'j1', attributes: { status: 'queued' } } }];
} } });
const enter = (store, record) => { if (!store.find(record.id)) store.insert(record); };
const leave = (store, record) => store.remove(record);

export default {
    auth: auth.header('Authorization', 'Klaviyo-API-Key pk_contacts'),
    headers: { revision: '2026-07-15' },
    media: { json: ['application/vnd.api+json', 'application/json'] },
    refusal,
    limited: () => [429, refusal(429, 'Request was throttled. Expected available in 1 second.'), { 'retry-after': '1' }],
    objects: {
        profiles: { unique: ['email', 'phone_number', 'external_id'], like: (value) => String(value).toLowerCase(), give: (number) => `01GDDKASAP8TKDDA2GRZ${String(number).padStart(6, '0')}` },
        lists: { give: (number) => `Y6n${String(number).padStart(4, '0')}` }, events: { give: (number) => `4vRpBT${number}` }, list_members: {}, email_subscriptions: {}, sms_subscriptions: {}, suppressions: {},
    },
    routes: {
        ...consentJobs('create', 'SUBSCRIBED', 1000, enter), ...consentJobs('delete', 'UNSUBSCRIBED', 100, leave), ...suppressionJobs('create', enter), ...suppressionJobs('delete', leave),
        'POST /api/profiles': { body: document('profile', attributes), run({ body, objects, refuse, base }) {
            const of = checked(body.data.attributes, refuse);
            if (found(objects.profiles, of)) refuse(409, 'A profile already exists with one of these identifiers.');
            return [201, { data: shown('profile', put(objects.profiles, of)[1], base) }];
        } },
        'POST /api/profile-import': { body: members({ data: profile }), run({ body, objects, refuse, base }) {
            const [status, record] = put(objects.profiles, checked(body.data.attributes, refuse));
            return [status, { data: shown('profile', record, base) }];
        } },
        'PATCH /api/profiles/{id}': { body: document('profile', attributes, { id: text }), run(request) {
            const record = one('profile')(request);
            if (request.body.data.id !== record.id) request.refuse(409, 'The ids differ.');
            try {
                return [200, { data: shown('profile', request.objects.profiles.update(record, merged(record, request.body.data.attributes)), request.base) }];
            } catch (error) {
                if (!(error instanceof Taken)) throw error;
                return request.refuse(409, 'A profile already exists with one of these identifiers.');
            }
        } },
        'GET /api/profiles/{id}': { run: (request) => [200, { data: shown('profile', one('profile')(request), request.base) }] },
        'GET /api/profiles': { query: ['filter', 'page[size]', 'page[cursor]', 'sort'], run: (request) => page('profile', request, 100, ['id', 'email', 'phone_number', 'external_id'], 20) },
        'POST /api/profile-bulk-import-jobs': { body: document('profile-bulk-import-job', members({ profiles: members({ data: list(profile, { least: 1, most: 10000 }) }) })), run({ body, bytes, objects, jobs, refuse, base }) {
            if (bytes.length > 5_000_000) refuse(413, 'The payload is larger than 5MB.');
            const job = jobs.open({ rows: body.data.attributes.profiles.data, failed: [] }, { asks: 1, done: (of) => {
                for (const { attributes: given } of of.rows) if (wrong(given)) of.failed.push(given); else put(objects.profiles, given);
            } });
            return [202, jobOf(job, base)];
        } },
        'GET /api/profile-bulk-import-jobs/{id}': { run: ({ path, jobs, refuse, base }) => [200, jobOf(jobs.ask(path.id) ?? refuse(404, 'There is no such job.'), base)] },
        'GET /api/profile-bulk-import-jobs/{id}/import-errors': { query: ['page[size]', 'page[cursor]'], run(request) {
            const { failed } = request.jobs.find(request.path.id) ?? request.refuse(404, 'There is no such job.');
            return [200, pageOf(failed, request, 100, 20, (given, index) => ({ type: 'import-error', id: `e${index}`, attributes: { code: 'invalid', title: 'Invalid input.', detail: wrong(given), source: { pointer: '/data' }, original_payload: given }, links: { self: request.base } }))];
        } },
        'POST /api/event-bulk-create-jobs': { body: document('event-bulk-create-job', members({ 'events-bulk-create': members({ data: list(resource('event-bulk-create', members({ profile: members({ data: profile }), events: members({ data: list(resource('event', event)) }) })), { least: 1 }) }) })), run({ body, objects, refuse }) {
            const given = body.data.attributes['events-bulk-create'].data.flatMap(({ attributes: { profile: { data: who }, events } }) => events.data.map((what) => [who.attributes, what.attributes]));
            if (given.length > 1000) refuse(400, 'No more than 1000 events are allowed.');
            for (const [who] of given) checked(who, refuse);
            for (const [who, { properties, time, metric, ...more }] of given)
                objects.events.insert({ type: 'event', attributes: { event_properties: properties, datetime: time ?? '2026-01-02T03:04:05+00:00', uuid: 'u', ...more }, relationships: { metric: { data: { type: 'metric', id: metric.data.attributes.name } }, profile: { data: { type: 'profile', id: who.email } } } });
            return [202];
        } },
        'GET /api/events': { query: ['page[size]', 'page[cursor]', 'filter', 'sort'], run: (request) => page('event', request, 1000, [], 200) },
        'POST /api/lists': { body: document('list', names), run({ body, objects, refuse, base }) {
            if (!body.data.attributes.name) refuse(400, 'A list name is required.');
            return [201, { data: shown('list', objects.lists.insert({ created: '2026-01-02T03:04:05+00:00', updated: '2026-01-02T03:04:05+00:00', opt_in_process: 'double_opt_in', ...body.data.attributes }), base) }];
        } },
        'PATCH /api/lists/{id}': { body: document('list', members({ name: text }), { id: text }), run: (request) => [200, { data: shown('list', request.objects.lists.update(one('list')(request), request.body.data.attributes), request.base) }] },
        'DELETE /api/lists/{id}': { run(request) { request.objects.lists.remove(one('list')(request)); return [204]; } },
        'GET /api/lists/{id}': { run: (request) => [200, { data: shown('list', one('list')(request), request.base) }] },
        'GET /api/lists': { query: ['filter', 'page[size]', 'page[cursor]', 'sort'], run: (request) => page('list', request, 10, ['name', 'id']) },
        'POST /api/lists/{id}/relationships/profiles': { body: memberships, run: membershipsOf((store, record) => { if (!store.find(record.id)) store.insert(record); }) },
        'DELETE /api/lists/{id}/relationships/profiles': { body: memberships, run: membershipsOf((store, record) => store.remove(record)) },
        'GET /api/lists/{id}/profiles': { query: ['filter', 'page[size]', 'page[cursor]', 'sort'], run(request) {
            const known = request.objects.list_members.all().filter((one) => one.list_id === request.path.id).map(({ profile_id: id }) => ({ id, email: request.objects.profiles.find(id)?.email ?? null }));
            return page('profile', { ...request, objects: { profiles: { all: () => known } } }, 100, ['email', 'phone_number'], 20);
        } },
        'GET /api/accounts': { run: () => [200, { data: [{ type: 'account', id: 'AbC123', attributes: { contact_information: { organization_name: 'Acme' } } }] }] },
    },
};
