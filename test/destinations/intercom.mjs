// Intercom, API version 2.14, by its OpenAPI description and https://developers.intercom.com/docs/references/2.14.
import { Taken, anything, auth, boolean, byCursor, dictionary, firstOf, integer, list, members, nullable, number, oneOf, text } from './kit/kit.mjs';

const attributes = dictionary(nullable(firstOf(text, number, boolean)));
const contact = {
    'role?': oneOf('user', 'lead'), 'external_id?': text, 'email?': text, 'phone?': nullable(text), 'name?': nullable(text),
    'avatar?': nullable(text), 'signed_up_at?': nullable(integer), 'last_seen_at?': nullable(integer),
    'owner_id?': nullable(integer), 'unsubscribed_from_emails?': nullable(boolean), 'custom_attributes?': attributes,
};
const company = {
    'name?': text, 'plan?': text, 'size?': integer, 'website?': text, 'industry?': text, 'monthly_spend?': integer,
    'custom_attributes?': attributes,
};
const event = { event_name: text, 'created_at?': integer, 'user_id?': text, 'id?': text, 'email?': text, 'metadata?': dictionary(anything) };

const filter = firstOf(
    members({ field: text, operator: oneOf('=', '!=', 'IN', 'NIN', '>', '<', '~', '!~', '^', '$'), value: anything }),
    members({ operator: oneOf('AND', 'OR'), value: list((value, at) => filter(value, at), { least: 1, most: 15 }) }));
const search = members({ query: filter, 'pagination?': members({ 'per_page?': integer, 'starting_after?': nullable(text) }) });

function fits(record, { field, operator, value }) {
    if (Array.isArray(value) && operator !== 'IN') return value[operator === 'AND' ? 'every' : 'some']((part) => fits(record, part));
    const is = record[field];
    if (operator === 'IN') return value.some((one) => String(one).toLowerCase() === String(is).toLowerCase());
    if (operator === '>') return is > Number(value);
    return operator === '=' && String(is).toLowerCase() === String(value).toLowerCase();
}

const errors = (code, message) => ({ type: 'error.list', request_id: '9a3d0816-9707-4598-977e-c009ba630148', errors: [{ code, message }] });
const codes = { 400: 'parameter_invalid', 401: 'unauthorized', 404: 'not_found', 409: 'conflict', 429: 'rate_limit_exceeded' };
const known = { contact: { plan: 'string', seats: 'integer', renewed: 'date' }, company: { tier: 'string' } };

function checkAttributes(model, { custom_attributes: given = {} }, refuse) {
    for (const name of Object.keys(given))
        if (!known[model][name]) refuse(400, `Custom attribute '${name}' does not exist`);
}

function checkContact({ body, refuse }) {
    if (body.email !== undefined && !/^[^@ ]+@[^@ ]+\.[^@ ]+$/.test(body.email)) refuse(400, 'email is invalid');
    checkAttributes('contact', body, refuse);
}

/// Does it, or says which contact is in the way: what is archived keeps its address and its id.
function unlessTaken(act, { body, objects, refuse }) {
    const inTheWay = ({ id, archived }) => refuse(409, `A${archived ? 'n archived' : ''} contact matching those details already exists with id=${id}`);
    const gone = objects.archived.by('email', body.email) ?? objects.archived.by('external_id', body.external_id);
    if (gone) inTheWay(gone);
    try {
        return act();
    } catch (error) {
        if (!(error instanceof Taken)) throw error;
        return inTheWay(error.record);
    }
}

const merged = (record, body) => ({ ...body, ...(body.custom_attributes && { custom_attributes: { ...record?.custom_attributes, ...body.custom_attributes } }) });
const contactOf = ({ objects, path, refuse }, archived = false) => {
    const found = (archived ? objects.archived : objects.contacts).find(path.id);
    return found ?? refuse(404, 'Contact Not Found', archived ? undefined : 'not_found');
};
const companyOf = ({ objects, path, refuse }) => objects.companies.find(path.id) ?? refuse(404, 'Company Not Found', 'company_not_found');
const page = (number, size, records) => ({ type: 'list', data: records.slice((number - 1) * size, number * size), total_count: records.length,
    pages: { type: 'pages', page: number, per_page: size, total_pages: Math.ceil(records.length / size) } });
const archive = (archived) => (request) => {
    const found = contactOf(request, !archived);
    const { contacts, archived: gone } = request.objects;
    (archived ? contacts : gone).remove(found);
    (archived ? gone : contacts).insert(found).archived = archived;
    return [200, { type: 'contact', id: found.id, external_id: found.external_id ?? null, archived }];
};

/// What is attached to contacts; one whose id is 'nothing' is not there.
const attached = (noun, thing) => ({
    [`POST /contacts/{contact}/${noun}`]: { body: members({ id: text }), run({ body, path, objects, refuse }) {
        if (body.id === 'nothing') refuse(404, `${thing} Not Found`, `${thing.toLowerCase()}_not_found`);
        const id = `${path.contact}/${body.id}`;
        if (!objects[`contact_${noun}`].find(id)) objects[`contact_${noun}`].insert({ pair: id, contact_id: path.contact, id: body.id });
        return [200, { type: thing.toLowerCase(), id: body.id, name: 'Acme' }];
    } },
    [`DELETE /contacts/{contact}/${noun}/{id}`]: { run({ path, objects, refuse }) {
        const found = objects[`contact_${noun}`].find(`${path.contact}/${path.id}`) ?? refuse(404, `${thing} Not Found`, `${thing.toLowerCase()}_not_found`);
        objects[`contact_${noun}`].remove(found);
        return [200, { type: thing.toLowerCase(), id: path.id, name: 'Acme' }];
    } },
});

export default {
    auth: auth.bearer('dG9rOmNvbnRhY3Rz'),
    headers: { 'intercom-version': '2.14' },
    refusal: (status, message, code) => errors(code ?? codes[status] ?? 'client_error', message),
    limited: () => [429, errors('rate_limit_exceeded', 'Exceeded rate limit'), { 'x-ratelimit-limit': '1666', 'x-ratelimit-remaining': '0', 'x-ratelimit-reset': String(Math.ceil(Date.now() / 1000) + 1) }],
    objects: {
        contacts: { unique: ['email', 'external_id'], like: (value) => String(value).toLowerCase(), give: (number) => (0x63a07ddf05a32042dffac000n + BigInt(number)).toString(16) },
        archived: { unique: ['email', 'external_id'], like: (value) => String(value).toLowerCase() },
        companies: { unique: ['company_id'], give: (number) => (0x5f4d3c1c7b1b4d7da97e6000n + BigInt(number)).toString(16) },
        contact_companies: { id: 'pair' },
        contact_tags: { id: 'pair' },
        events: {},
    },
    begin: (objects) => objects.archived.insert({ type: 'contact', id: '63a07ddf05a32042dffabfff', role: 'user', email: 'person700@example.com', name: 'Gone', archived: true, created_at: 1734537000, custom_attributes: {} }),
    routes: {
        ...attached('companies', 'Company'), ...attached('tags', 'Tag'),
        'POST /contacts': { body: members(contact), run(request) {
            const { body, objects, refuse } = request;
            if (!body.email && !body.external_id && !body.role) refuse(400, 'email, external_id or role is needed', 'parameter_not_found');
            checkContact(request);
            return [200, unlessTaken(() => objects.contacts.insert({ type: 'contact', role: 'user', archived: false, created_at: 1734537000, custom_attributes: {}, ...body }), request)];
        } },
        'PUT /contacts/{id}': { body: members(contact), run(request) {
            checkContact(request);
            const found = contactOf(request);
            return [200, unlessTaken(() => request.objects.contacts.update(found, merged(found, request.body)), request)];
        } },
        'GET /contacts/{id}': { run: (request) => [200, contactOf(request)] },
        'DELETE /contacts/{id}': { run(request) {
            const { contacts, archived } = request.objects;
            const found = contacts.find(request.path.id) ?? archived.find(request.path.id) ?? contactOf(request);
            (found.archived ? archived : contacts).remove(found);
            return [200, { type: 'contact', id: found.id, external_id: found.external_id ?? null, deleted: true }];
        } },
        'POST /contacts/{id}/archive': { run: archive(true) },
        'POST /contacts/{id}/unarchive': { run: archive(false) },
        'GET /contacts/find_by_external_id/{id}': { run: ({ objects, path, refuse }) => [200, objects.contacts.by('external_id', path.id) ?? refuse(404, 'User Not Found')] },
        'POST /contacts/search': { body: search, run({ body, objects, refuse }) {
            const { per_page: size = 50, starting_after: cursor } = body.pagination ?? {};
            if (size > 150) refuse(400, 'per_page is too large');
            const found = objects.contacts.all().filter((record) => fits(record, body.query));
            const part = byCursor(found, cursor, size) ?? refuse(400, 'starting_after is not known');
            return [200, { type: 'list', data: part.items, total_count: found.length, pages: { type: 'pages', per_page: size, total_pages: Math.ceil(found.length / size), ...(part.next && { next: { page: 2, starting_after: part.next } }) } }];
        } },
        'POST /companies': { body: members({ company_id: text, ...company, 'remote_created_at?': integer }), run({ body, objects, refuse }) {
            if (body.monthly_spend > 2147483647) refuse(400, 'monthly_spend must be less than 2147483648');
            checkAttributes('company', body, refuse);
            const found = objects.companies.by('company_id', body.company_id);
            return [200, found ? objects.companies.update(found, merged(found, body)) : objects.companies.insert({ type: 'company', custom_attributes: {}, ...body })];
        } },
        'PUT /companies/{id}': { body: members(company), run(request) {
            checkAttributes('company', request.body, request.refuse);
            const found = companyOf(request);
            return [200, request.objects.companies.update(found, merged(found, request.body))];
        } },
        'GET /companies/{id}': { run: (request) => [200, companyOf(request)] },
        'GET /companies': { query: ['company_id', 'name', 'page', 'per_page'], run({ query, objects, refuse }) {
            if (query.company_id) return [200, objects.companies.by('company_id', query.company_id) ?? refuse(404, 'Company Not Found', 'company_not_found')];
            return [200, page(Number(query.page ?? 1), Number(query.per_page ?? 15), objects.companies.all())];
        } },
        'DELETE /companies/{id}': { run(request) {
            const found = companyOf(request);
            request.objects.companies.remove(found);
            return [200, { id: found.id, object: 'company', deleted: true }];
        } },
        'POST /companies/list': { query: ['page', 'per_page', 'order'], run: ({ query, objects }) => [200, page(Number(query.page ?? 1), Math.min(60, Number(query.per_page ?? 15)), objects.companies.all())] },
        'POST /events': { body: members(event), run({ body, objects, refuse }) {
            if (!body.user_id && !body.email && !body.id) refuse(400, 'user_id, email or id is needed');
            if (body.email !== undefined && !body.email.includes('@')) refuse(404, 'User Not Found');
            objects.events.insert(body);
            return [202];
        } },
        'GET /data_attributes': { query: ['model', 'include_archived'], run: ({ query }) => [200, { type: 'list', data: [
            { type: 'data_attribute', name: 'email', full_name: 'email', label: 'Email', data_type: 'string', api_writable: true, custom: false, model: query.model },
            ...Object.entries(known[query.model]).map(([name, type], index) => ({ type: 'data_attribute', id: index, name, full_name: `custom_attributes.${name}`, label: `The ${name}`, data_type: type, api_writable: true, custom: true, archived: false, model: query.model })),
        ] }] },
        'GET /me': { run: () => [200, { type: 'admin', id: '991267715', email: 'admin@example.com', name: 'Ciaran Lee', app: { type: 'app', id_code: 'acme' } }] },
    },
};
