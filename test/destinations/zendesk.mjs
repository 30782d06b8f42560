// Zendesk Support, by its reference (Users, Organizations, Tickets, Job Statuses) and as node-zendesk 6.0.1 asks for it.
import { Taken, anything, auth, boolean, byCursor, dictionary, integer, list, members, nullable, oneOf, text } from './kit/kit.mjs';

const shared = { 'external_id?': nullable(text), 'tags?': list(text) };
const user = {
    ...shared, 'name?': text, 'email?': nullable(text), 'role?': oneOf('end-user', 'agent', 'admin'), 'phone?': nullable(text),
    'organization_id?': nullable(integer), 'details?': nullable(text), 'notes?': nullable(text), 'suspended?': boolean,
    'verified?': boolean, 'user_fields?': dictionary(anything),
};
const organization = {
    ...shared, 'id?': integer, 'name?': text, 'details?': nullable(text), 'notes?': nullable(text), 'domain_names?': list(text),
    'shared_tickets?': boolean, 'organization_fields?': dictionary(anything),
};
const ticket = {
    ...shared, 'subject?': text, 'comment?': members({ body: text, 'public?': boolean }),
    'type?': oneOf('problem', 'incident', 'question', 'task'), 'priority?': oneOf('urgent', 'high', 'normal', 'low'),
    'status?': oneOf('new', 'open', 'pending', 'hold', 'solved', 'closed'), 'requester_id?': integer, 'assignee_id?': nullable(integer),
    'group_id?': nullable(integer), 'organization_id?': nullable(integer), 'due_at?': nullable(text),
    'custom_fields?': list(members({ id: integer, value: anything })),
};
const fields = { plan: 'text', seats: 'integer', vip: 'checkbox' };

const invalid = (field, description) => ({ error: 'RecordInvalid', description: 'Record validation errors', details: { [field]: [{ description, error: 'InvalidValue' }] } });

/// What is wrong with a user: the field and the words for it, or nothing.
function faultOf(body, found) {
    if (body.email !== undefined && !/^[^@ ]+@[^@ ]+\.[^@ ]+$/.test(body.email)) return ['email', `Email: ${body.email} is not properly formatted`];
    if (!found && !body.name) return ['name', 'Name: is too short (minimum is 1 characters)'];
    const unknown = Object.keys(body.user_fields ?? {}).find((name) => !fields[name]);
    return unknown && ['base', `User field ${unknown} does not exist`];
}

const known = (store, body) => store.by('external_id', body.external_id) ?? store.by('email', body.email);
const laidOver = (found, body) => ({ ...body, ...(body.user_fields && { user_fields: { ...found?.user_fields, ...body.user_fields } }) });

/// 'Created' or 'Updated' and the record; throws Taken.
function put(store, body, found) {
    return found ? ['Updated', store.update(found, laidOver(found, body))] : ['Created', store.insert({ user_fields: {}, active: true, ...body })];
}

function one({ objects, path, refuse }, name) {
    return objects[name].find(path.id) ?? refuse(404, 'Not found', 'RecordNotFound');
}

/// Cursor pagination, and show_many by one of two lists.
function reads(name) {
    return {
        [`GET /api/v2/${name}/show_many.json`]: { query: ['ids', 'external_ids'], run({ query, objects, refuse }) {
            const given = (query.ids ?? query.external_ids ?? '').split(',');
            if (given.length > 100) refuse(400, 'at most 100', 'TooManyIds');
            const found = given.map((value) => (query.ids ? objects[name].find(value) : objects[name].by('external_id', value)));
            return [200, { [name]: found.filter(Boolean) }];
        } },
        [`GET /api/v2/${name}.json`]: { query: ['page[size]', 'page[after]', 'external_id'], run({ query, objects, base, refuse }) {
            const size = Number(query['page[size]'] ?? 100);
            if (!(size >= 1 && size <= 100)) refuse(400, 'page[size] is not from 1 to 100', 'InvalidPaginationParameter');
            const all = objects[name].all().filter((record) => query.external_id === undefined || record.external_id === query.external_id);
            const page = byCursor(all, query['page[after]'], size) ?? refuse(400, 'page[after] is not known', 'InvalidPaginationParameter');
            const next = page.next ? `${base}/api/v2/${name}.json?page%5Bafter%5D=${page.next}&page%5Bsize%5D=${size}` : null;
            return [200, { [name]: page.items, meta: { has_more: Boolean(next), after_cursor: page.next ?? null }, links: { next, prev: null } }];
        } },
        [`GET /api/v2/${name}/{id}.json`]: { run: (request) => [200, { [name.slice(0, -1)]: one(request, name) }] },
        [`DELETE /api/v2/${name}/{id}.json`]: { run(request) {
            const found = one(request, name);
            request.objects[name].remove(found);
            return name === 'users' ? [200, { user: { ...found, active: false } }] : [204];
        } },
    };
}

function changed(name, shape) {
    const single = name.slice(0, -1);
    return { [`PUT /api/v2/${name}/{id}.json`]: { body: members({ [single]: members(shape) }), status: 422, run(request) {
        const found = one(request, name);
        const body = request.body[single];
        const fault = name === 'users' && faultOf(body, found);
        if (fault) return [422, invalid(...fault)];
        const { comment, ...rest } = laidOver(found, body);
        return [200, { [single]: request.objects[name].update(found, rest) }];
    } } };
}

const jobOf = ({ id, ended, results }, base) => ({ job_status: { id, url: `${base}/api/v2/job_statuses/${id}.json`, total: results.length, status: ended ? 'completed' : 'queued', results: ended ? results : null } });
const madeOnce = new Map();

export default {
    auth: auth.basic('agent@example.com/token', '6wiIBWbGkBMo1mRDMuVwkw1EPsNkeUj95PIz2akv'),
    refusal: (status, message, code) => ({ error: code ?? 'InvalidRequest', description: message }),
    unauthorized: () => [401, { error: "Couldn't authenticate you" }],
    limited: () => [429, '"Number of allowed API requests per minute exceeded"', { 'content-type': 'text/plain; charset=utf-8', 'retry-after': '1' }],
    objects: {
        users: { unique: ['external_id', 'email'], give: (number) => 902860577000 + number },
        organizations: { unique: ['external_id', 'name'], give: (number) => 360000000000 + number },
        tickets: { give: (number) => number },
    },
    begin: () => madeOnce.clear(),
    routes: {
        ...reads('users'), ...reads('organizations'), ...reads('tickets'),
        ...changed('users', user), ...changed('organizations', organization), ...changed('tickets', ticket),
        'POST /api/v2/users/create_or_update.json': { body: members({ user: members(user) }), status: 422, run({ body, objects }) {
            const found = known(objects.users, body.user);
            const fault = faultOf(body.user, found);
            if (fault) return [422, invalid(...fault)];
            const [done, record] = put(objects.users, body.user, found);
            return [done === 'Created' ? 201 : 200, { user: record }];
        } },
        'POST /api/v2/users/create_or_update_many.json': { body: members({ users: list(members(user), { least: 1, most: 100 }) }), run({ body, objects, jobs, base }) {
            const job = jobs.open({ results: body.users }, { asks: 1, done: (of) => {
                of.results = body.users.map((given) => {
                    const found = known(objects.users, given);
                    const fault = faultOf(given, found);
                    // Not all that failed have a status.
                    if (fault) return { id: found?.id, error: found ? 'UserUpdateError' : 'UserCreateError', details: fault[1], ...(given.external_id?.endsWith('50') ? {} : { status: 'Failed' }) };
                    const [done, record] = put(objects.users, given, found);
                    return { id: record.id, external_id: record.external_id, email: record.email, status: done };
                });
            } });
            return [200, jobOf(job, base)];
        } },
        'POST /api/v2/organizations/create_or_update.json': { body: members({ organization: members(organization) }), status: 422, run({ body, objects }) {
            try {
                const found = objects.organizations.by('external_id', body.organization.external_id);
                if (!found && !body.organization.name) return [422, invalid('name', 'Name: cannot be blank')];
                const [done, record] = put(objects.organizations, body.organization, found);
                return [done === 'Created' ? 201 : 200, { organization: record }];
            } catch (error) {
                if (!(error instanceof Taken)) throw error;
                return [422, invalid(error.field, `${error.field}: ${body.organization[error.field]} has already been taken`)];
            }
        } },
        'POST /api/v2/tickets.json': { body: members({ ticket: members(ticket) }), status: 422, run({ body, objects, headers }) {
            const key = headers['idempotency-key'];
            if (key && madeOnce.has(key)) return [201, { ticket: madeOnce.get(key) }, { 'x-idempotency-lookup': 'hit' }];
            if (!body.ticket.comment?.body) return [422, invalid('base', 'Description: cannot be blank')];
            const { comment, ...values } = body.ticket;
            const made = objects.tickets.insert({ status: 'new', description: comment.body, ...values });
            if (key) madeOnce.set(key, made);
            return [201, { ticket: made }, { 'x-idempotency-lookup': 'miss' }];
        } },
        'GET /api/v2/job_statuses/{id}.json': { run: ({ path, jobs, base, refuse }) => [200, jobOf(jobs.ask(path.id) ?? refuse(404, 'Not found', 'RecordNotFound'), base)] },
        'GET /api/v2/user_fields.json': { query: ['page[size]', 'page[after]'], run: () => [200, { user_fields: Object.entries(fields).map(([key, type], index) => ({ id: index, key, type, title: `The ${key}`, active: true, system: false })), meta: { has_more: false }, links: { next: null, prev: null } }] },
        'GET /api/v2/users/search.json': { query: ['query', 'external_id'], run({ query, objects, refuse }) {
            const [, quoted] = /^email:(?:"([^"]+)"|[^" ]+)$/.exec(query.query ?? '') ?? refuse(400, 'the query is not understood', 'InvalidQuery');
            const address = quoted ?? query.query.slice('email:'.length);
            const users = objects.users.all().filter(({ email }) => email?.toLowerCase() === address.toLowerCase());
            return [200, { users, next_page: null, previous_page: null, count: users.length }];
        } },
        'GET /api/v2/users/me.json': { run: () => [200, { user: { id: 1, email: 'agent@example.com', role: 'admin' } }] },
    },
};
