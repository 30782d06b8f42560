// Asana, by the types of the vendor's client (npm asana 3.2.0) and https://developers.asana.com. All bodies stand in data.
import { auth, boolean, byCursor, dictionary, firstOf, list, matching, members, nullable, number, oneOf, text } from './kit/kit.mjs';

const date = nullable(matching(/^\d{4}-\d\d-\d\d$/));
const moment = nullable(matching(/^\d{4}-\d\d-\d\dT[\d:.]+(Z|[+-]\d\d:?\d\d)$/));
const custom = dictionary(nullable(firstOf(text, number, list(text), members({ 'date?': text, 'date_time?': text }))));
const workspace = oneOf('31326');
const shapes = {
    tasks: [{
        'name?': text, 'notes?': text, 'html_notes?': text, 'assignee?': nullable(text), 'completed?': boolean, 'due_on?': date, 'due_at?': moment, 'start_on?': date,
        'resource_subtype?': oneOf('default_task', 'milestone', 'approval', 'section'), 'custom_fields?': custom, 'external?': members({ gid: text, 'data?': text }),
    }, { 'parent?': nullable(text), 'projects?': list(text), 'tags?': list(text), 'followers?': list(text) }],
    projects: [{
        'name?': text, 'notes?': text, 'owner?': nullable(text), 'color?': nullable(text), 'archived?': boolean, 'due_on?': date, 'start_on?': date,
        'default_view?': oneOf('list', 'board', 'calendar', 'timeline'), 'privacy_setting?': text, 'custom_fields?': custom,
    }, { 'team?': text }],
    stories: [{ 'text?': text, 'html_text?': text, 'is_pinned?': boolean }, {}],
    tags: [{ 'name?': text, 'color?': nullable(text), 'notes?': text }, {}],
};
const fields = { 4578152156: 'text', 5678904321: 'number' };
const compact = (gid, resource_type) => (gid === null || gid === undefined ? null : { gid, resource_type });
const failure = (status, message) => ({ errors: [{ message, help: 'For more information on API status codes and how to handle them, read the docs on errors: https://developers.asana.com/docs/errors' }] });

function checkValues(data, refuse) {
    if (data.due_on && data.due_at) refuse(400, 'due_on: You may only provide one of due_on or due_at!');
    if (data.assignee && !/^(\d+|me|[^@ ]+@[^@ ]+)$/.test(data.assignee)) refuse(400, `assignee: Not a recognized ID: ${data.assignee}`);
    if (data.owner && !/^\d+$/.test(data.owner)) refuse(400, `owner: Not a recognized ID: ${data.owner}`);
    if (data.color && !/^(dark|light)-/.test(data.color)) refuse(400, `color: Value is not one of the allowed values: ${data.color}`);
    if (data.text === '') refuse(400, 'text: Comments may not be empty');
    for (const gid of Object.keys(data.custom_fields ?? {})) if (!fields[gid]) refuse(400, `Custom field with ID ${gid} is not on given object`);
}

/// What is kept of what was written: references as objects, custom fields as an array.
function kept({ assignee, owner, parent, team, projects, custom_fields: values, ...others }, before = {}) {
    const references = Object.entries({ assignee: [assignee, 'user'], owner: [owner, 'user'], parent: [parent, 'task'], team: [team, 'team'] }).filter(([, [gid]]) => gid !== undefined);
    const fieldsNow = { ...Object.fromEntries((before.custom_fields ?? []).map(({ gid, value }) => [gid, value])), ...values };
    return {
        ...others, ...Object.fromEntries(references.map(([name, [gid, type]]) => [name, compact(gid, type)])), ...(projects && { projects: projects.map((gid) => compact(gid, 'project')) }),
        ...(values && { custom_fields: Object.entries(fieldsNow).map(([gid, value]) => ({ gid, resource_subtype: fields[gid], value, [`${fields[gid]}_value`]: value })) }),
    };
}

/// What a read shows: what it asks for, and what always is there.
function shown(record, opt_fields) {
    const asked = opt_fields?.split(',').map((one) => one.split('.')[0]) ?? Object.keys(record);
    return Object.fromEntries(Object.entries(record).filter(([name]) => ['gid', 'resource_type'].includes(name) || asked.includes(name)));
}

function routesOf(object) {
    const [both, first] = shapes[object];
    const one = ({ objects, path: { id }, refuse }) => objects[object].find(id) ??
        (object === 'tasks' && id.startsWith('external:') && objects.tasks.all().find(({ external }) => external?.gid === id.slice(9))) ?? refuse(404, `${object.slice(0, -1)}: Unknown object: ${id}`);
    const found = (request) => one(request) || request.refuse(404, `${object.slice(0, -1)}: Unknown object: ${request.path.id}`);
    const several = ({ query: { limit = '20', offset, opt_fields }, objects, refuse }) => {
        if (!(limit >= 1 && limit <= 100)) refuse(400, 'limit: Must be between 1 and 100');
        const page = byCursor(objects[object].all(), offset, Number(limit)) ?? refuse(400, 'offset: Your pagination token is invalid.');
        return [200, { data: page.items.map((record) => shown(record, opt_fields ?? 'name')), next_page: page.next ? { offset: page.next, path: '/', uri: 'https://app.asana.com/api/1.0/' } : null }];
    };
    return {
        ...(object === 'stories' ? { 'POST /tasks/{task}/stories': { body: members({ data: members(both) }), query: ['opt_fields'], run({ body: { data }, path: { task }, objects, refuse }) {
            checkValues(data, refuse);
            if (!/^\d+$/.test(task)) refuse(404, `task: Unknown object: ${task}`);
            return [201, { data: objects.stories.insert({ resource_type: 'story', resource_subtype: 'comment_added', type: 'comment', created_at: '2026-01-02T03:04:05.000Z', target: compact(task, 'task'), ...data }) }];
        } } } : { [`POST /${object}`]: { body: members({ data: members({ workspace, ...both, ...first }) }), query: ['opt_fields'], run({ body: { data: { workspace: _, ...data } }, objects, refuse }) {
            checkValues(data, refuse);
            const record = objects[object].insert({ resource_type: object.slice(0, -1), created_at: '2026-01-02T03:04:05.000Z', ...kept(data) });
            record.permalink_url = `https://app.asana.com/1/31326/${object}/${record.gid}`;
            return [201, { data: record }];
        } } }),
        [`PUT /${object}/{id}`]: { body: members({ data: members(both) }), query: ['opt_fields'], run(request) {
            checkValues(request.body.data, request.refuse);
            const record = found(request);
            return [200, { data: request.objects[object].update(record, kept(request.body.data, record)) }];
        } },
        [`DELETE /${object}/{id}`]: { run(request) { request.objects[object].remove(found(request)); return [200, { data: {} }]; } },
        [`GET /${object}/{id}`]: { query: ['opt_fields'], run: (request) => [200, { data: shown(found(request), request.query.opt_fields) }] },
        [object === 'tasks' ? 'GET /projects/{project}/tasks' : object === 'stories' ? 'GET /tasks/{task}/stories' : `GET /workspaces/{workspace}/${object}`]: { query: ['limit', 'offset', 'opt_fields', 'archived', 'completed_since'], run: several },
    };
}

const numbered = { id: 'gid', give: (number) => String(1199184420000 + number) };

export default {
    auth: auth.bearer('2/1234/5678:stand-in'),
    refusal: failure,
    unauthorized: () => [401, failure(401, 'Not Authorized')],
    limited: () => [429, failure(429, 'You have made too many requests recently. Please, be chill.'), { 'retry-after': '1' }],
    limits: { concurrent: 50 },
    objects: { tasks: numbered, projects: numbered, tags: numbered, stories: numbered },
    routes: {
        ...routesOf('tasks'), ...routesOf('projects'), ...routesOf('tags'), ...routesOf('stories'),
        'GET /users/me': { query: ['opt_fields'], run: () => [200, { data: { gid: '12345', resource_type: 'user', name: 'Greg Sanchez', email: 'gsanchez@example.com', workspaces: [{ gid: '31326', resource_type: 'workspace', name: 'Acme' }] } }] },
    },
};
