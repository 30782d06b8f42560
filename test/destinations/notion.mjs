// Notion, API version 2025-09-03, by its OpenAPI description, the types of @notionhq/client 5.26.0 and https://developers.notion.com/reference.
import { anything, auth, boolean, byCursor, dictionary, firstOf, integer, list, matching, members, nullable, number, oneOf, text } from './kit/kit.mjs';

const source = 'd9824bdc-8445-4327-be8b-5b47500af6ce';
const piece = members({ 'type?': oneOf('text'), text: members({ content: (value, at) => (typeof value === 'string' && value.length <= 2000 ? null : `${at}.length should be ≤ \`2000\``), 'link?': nullable(members({ url: text })) }) });
const option = firstOf(members({ name: text }), members({ id: text }));
const external = members({ 'type?': oneOf('external'), external: members({ url: matching(/^https?:/) }) });
const icon = nullable(firstOf(members({ 'type?': oneOf('emoji'), emoji: text }), external));
const cover = nullable(external);
const block = members({ 'object?': oneOf('block'), 'type?': oneOf('paragraph'), paragraph: members({ rich_text: list(piece, { most: 100 }), 'color?': text }) });
const email = (value, at) => (value === null || /^[^@ ]+@[^@ ]+\.[^@ ]+$/.test(value) ? null : `${at} should be a valid email`);
/// What a page's property may be, by its type.
const shapes = {
    title: list(piece, { most: 100 }), rich_text: list(piece, { most: 100 }), number: nullable(number), checkbox: boolean, email, url: nullable(text), phone_number: nullable(text),
    select: nullable(option), status: nullable(option), multi_select: list(option, { most: 100 }), date: nullable(members({ start: matching(/^\d{4}-\d\d-\d\d/), 'end?': nullable(text), 'time_zone?': nullable(text) })),
};
const properties = { Name: 'title', Email: 'email', Seats: 'number', Stage: 'select', Done: 'checkbox', 'Due/date': 'date', Edited: 'last_edited_time' };
const nameOf = (given) => (given === 'title' ? 'Name' : given);
const options = { Stage: ['Lead', 'Customer'] };

const codes = { 400: 'validation_error', 401: 'unauthorized', 404: 'object_not_found', 409: 'conflict_error', 429: 'rate_limited' };
const failure = (status, message) => ({ object: 'error', status, code: codes[status] ?? 'internal_server_error', message, request_id: '9a3d0816-9707-4598-977e-c009ba630148' });
const list200 = (results, next, type) => [200, { object: 'list', results, next_cursor: next ?? null, has_more: next !== undefined, type, [type]: {} }];

function made(name, value) {
    const type = properties[name];
    if (!['title', 'rich_text'].includes(type)) return { id: encodeURIComponent(name), type, ...value };
    return { id: type === 'title' ? 'title' : encodeURIComponent(name), type, [type]: value[type].map((one) => ({ type: 'text', ...one, plain_text: one.text.content, href: null })) };
}

function valuesOf(given, refuse) {
    return Object.fromEntries(Object.entries(given).map(([known, value]) => {
        const name = nameOf(known);
        const type = properties[name] ?? refuse(400, `${known} is not a property that exists.`);
        if (!shapes[type]) refuse(400, `${known} is a computed property and cannot be written.`);
        const fault = value === null ? 'should be an object' : members({ [type]: shapes[type], 'id?': text, 'type?': oneOf(type) })(value, '');
        if (fault) refuse(400, `body failed validation: body.properties.${known}${fault}`);
        return [name, made(name, value)];
    }));
}

const condition = firstOf(
    members({ property: text, 'title?': members({ equals: text }), 'email?': members({ equals: text }), 'number?': members({ equals: number }) }),
    members({ or: list((value, at) => condition(value, at), { least: 1, most: 100 }) }), members({ and: list((value, at) => condition(value, at), { least: 1, most: 100 }) }));
const plain = (property) => property?.title?.[0]?.plain_text ?? property?.email ?? property?.number;
const fits = (page, { and, or, property, title, email: address, number: count }) =>
    and ? and.every((one) => fits(page, one)) : or ? or.some((one) => fits(page, one)) : plain(page.properties[nameOf(property)]) === (title ?? address ?? count).equals;

const pageOf = ({ objects, path, refuse }) => objects.pages.find(path.id) ?? refuse(404, `Could not find page with ID: ${path.id}. Make sure the relevant pages and databases are shared with your integration.`);
const described = (id) => ({ object: 'data_source', id, title: [{ type: 'text', plain_text: 'Customers' }], parent: { type: 'database_id', database_id: '842a0286-cef0-46a8-abba-eac4c8ca644e' },
    properties: Object.fromEntries(Object.entries(properties).map(([name, type]) => [name, { id: type === 'title' ? 'title' : encodeURIComponent(name), name, type, description: null, [type]: {} }])) });
const sourceOf = ({ path, refuse }) => (path.id === source ? path.id : refuse(404, `Could not find data_source with ID: ${path.id}.`));

export default {
    auth: auth.bearer('ntn_stand_in'),
    headers: { 'notion-version': '2025-09-03' },
    refusal: failure,
    limited: () => [429, { ...failure(429, 'You have been rate limited. Please try again in a few minutes.') }, { 'retry-after': '1' }],
    objects: { pages: { give: (number) => `59833787-2cf9-4fdf-8782-${String(number).padStart(12, '0')}` }, trash: {} },
    routes: {
        'POST /v1/pages': { body: members({ parent: members({ 'type?': oneOf('data_source_id'), data_source_id: text }), properties: dictionary(anything), 'icon?': icon, 'cover?': cover, 'children?': list(block, { most: 100 }) }), run({ body, objects, refuse }) {
            if (body.parent.data_source_id !== source) refuse(404, `Could not find data_source with ID: ${body.parent.data_source_id}.`);
            const values = valuesOf(body.properties, refuse);
            const page = objects.pages.insert({ object: 'page', created_time: '2026-01-02T03:04:00.000Z', last_edited_time: '2026-01-02T03:04:00.000Z', in_trash: false, archived: false, parent: { type: 'data_source_id', data_source_id: source }, properties: { Name: made('Name', { title: [] }), ...values }, icon: body.icon ?? null, cover: body.cover ?? null, children: body.children ?? [] });
            page.url = `https://www.notion.so/${page.id.replaceAll('-', '')}`;
            return [200, page];
        } },
        'PATCH /v1/pages/{id}': { body: members({ 'properties?': dictionary(anything), 'in_trash?': boolean, 'archived?': boolean, 'icon?': icon, 'cover?': cover }), run(request) {
            const { body, path, objects, refuse } = request;
            const trashed = objects.trash.find(path.id);
            if (trashed && body.in_trash === false) {
                objects.trash.remove(trashed);
                return [200, objects.pages.insert({ ...trashed, in_trash: false })];
            }
            if (trashed && body.properties) refuse(400, "Can't edit block that is archived. You must unarchive the block before editing.");
            if (trashed) return [200, trashed];
            const page = pageOf(request);
            const values = valuesOf(body.properties ?? {}, refuse);
            for (const [name, { select }] of Object.entries(values)) if (select?.name && !options[name].includes(select.name)) options[name].push(select.name);
            objects.pages.update(page, { properties: { ...page.properties, ...values }, in_trash: body.in_trash ?? false, ...(body.icon !== undefined && { icon: body.icon }), ...(body.cover !== undefined && { cover: body.cover }) });
            if (!page.in_trash) return [200, page];
            objects.pages.remove(page);
            return [200, objects.trash.insert(page)];
        } },
        'GET /v1/pages/{id}': { query: ['filter_properties'], run: (request) => [200, request.objects.trash.find(request.path.id) ?? pageOf(request)] },
        'POST /v1/data_sources/{id}/query': { body: members({ 'filter?': condition, 'sorts?': list(anything), 'start_cursor?': text, 'page_size?': integer, 'in_trash?': boolean }), run(request) {
            sourceOf(request);
            const { body: { filter, start_cursor: cursor, page_size: size = 100 }, objects, refuse } = request;
            if (size > 100) refuse(400, 'body failed validation: body.page_size should be ≤ `100`');
            const page = byCursor(objects.pages.all().filter((one) => !filter || fits(one, filter)), cursor, size) ?? refuse(400, 'The start_cursor provided is invalid');
            return list200(page.items, page.next, 'page_or_data_source');
        } },
        'GET /v1/data_sources/{id}': { run: (request) => [200, described(sourceOf(request))] },
        'POST /v1/search': { body: members({ 'query?': text, 'filter?': members({ property: oneOf('object'), value: oneOf('page', 'data_source') }), 'sort?': anything, 'start_cursor?': text, 'page_size?': integer }), run: () => list200([described(source)], undefined, 'page_or_data_source') },
        'GET /v1/users/me': { run: () => [200, { object: 'user', id: '16d84278-ab0e-484c-9bdd-b35da3bd8905', name: 'Reverse ETL', type: 'bot', bot: {} }] },
    },
};
