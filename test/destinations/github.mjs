// GitHub's REST API for issues, by the vendor's OpenAPI description as its client has it (npm @octokit/rest 22.0.1).
import { Taken, auth, integer, list, matching, members, nullable, oneOf, text } from './kit/kit.mjs';

const repo = '/repos/acme/support';
const now = '2026-01-02T03:04:05Z';
const time = matching(/^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}(\.\d+)?(Z|[+-]\d{2}:?\d{2})$/);
const user = { login: 'ada', id: 1 };
const number = { id: 'number', give: (last) => last };

const issue = { 'title?': text, 'body?': nullable(text), 'labels?': list(text), 'assignees?': list(text), 'milestone?': nullable(integer), 'type?': nullable(text) };
const closing = { 'state?': oneOf('open', 'closed'), 'state_reason?': nullable(oneOf('completed', 'not_planned', 'duplicate', 'reopened')) };
const label = { 'color?': text, 'description?': nullable(text) };
const milestone = { 'title?': text, 'description?': text, 'state?': oneOf('open', 'closed'), 'due_on?': time };

const fault = (resource, field, code, more) => ({ message: 'Validation Failed', errors: [{ resource, field, code, ...more }], documentation_url: 'https://docs.github.com/rest' });
const invalid = (...of) => [422, fault(...of)];

/// What is wrong with the values of an object, or nothing.
const wrong = {
    issues: ({ title }, isNew) => (isNew ? !title : title === '') && invalid('Issue', 'title', 'missing_field'),
    comments: ({ body }) => !body && invalid('IssueComment', 'data', 'unprocessable', { message: 'Body cannot be blank' }),
    labels: ({ color }) => color !== undefined && !/^[0-9a-fA-F]{6}$/.test(color) && invalid('Label', 'color', 'invalid'),
    milestones: ({ title }, isNew) => (isNew ? !title : title === '') && invalid('Milestone', 'title', 'missing_field'),
};
const resource = { labels: 'Label', milestones: 'Milestone' };

/// What an answer says of a record.
const shown = {
    issues: ({ labels = [], assignees = [], milestone: of = null, type = null, ...more }) => ({
        ...more, labels: labels.map((name, id) => ({ id, name, color: 'ededed' })), assignees: assignees.map((login, id) => ({ login, id })),
        milestone: of && { number: of, title: `Milestone ${of}` }, type: type && { name: type },
    }),
    comments: ({ issue_number: of, ...more }) => ({ ...more, issue_url: `https://api.github.com${repo}/issues/${of}` }),
    labels: (record) => record, milestones: (record) => record,
};
const made = { issues: { state: 'open', comments: 0, locked: false, user }, comments: { user }, labels: { default: false, color: 'ededed' }, milestones: { state: 'open', open_issues: 0 } };

function paged(name, { objects, query, base, url }, records = objects[name].all()) {
    const [size, page] = [Math.min(Number(query.per_page ?? 30), 100), Number(query.page ?? 1)];
    const next = new URL(url, base);
    next.searchParams.set('page', page + 1);
    const link = page * size < records.length ? { link: `<${next}>; rel="next"` } : {};
    return [200, records.slice((page - 1) * size, page * size).map(shown[name]), link];
}

/// The routes of an object: where its list is, where one is, and what its bodies are.
function routesOf(name, place, create, update, query = []) {
    const one = ({ objects, path, refuse }) => objects[name].find(name === 'labels' ? path.of.toLowerCase() : path.of) ?? refuse(404, 'Not Found');
    const unique = (make) => {
        try { return make(); } catch (error) { if (error instanceof Taken) return null; throw error; }
    };
    return {
        [`POST ${repo}/${create.at ?? place}`]: { status: 422, body: members(create.shape), run({ objects, body, path, refuse }) {
            if (path.issue && path.issue > 5000) refuse(404, 'Not Found');
            if (path.issue && objects.issues.find(path.issue)?.locked) refuse(403, 'Unable to create comment because issue is locked.');
            const bad = wrong[name](body, true);
            if (bad) return bad;
            const key = name === 'labels' ? { key: body.name.toLowerCase() } : path.issue ? { issue_number: Number(path.issue) } : {};
            const record = unique(() => objects[name].insert({ ...made[name], created_at: now, updated_at: now, ...body, ...key }));
            return record ? [201, shown[name](record)] : invalid(resource[name], name === 'labels' ? 'name' : 'title', 'already_exists');
        } },
        [`PATCH ${repo}/${place}/{of}`]: { status: 422, body: members(update), run(request) {
            const bad = wrong[name](request.body, false);
            const found = one(request);
            return bad || [200, shown[name](request.objects[name].update(found, request.body) && found)];
        } },
        ...(name === 'issues' ? {} : { [`DELETE ${repo}/${place}/{of}`]: { run(request) { request.objects[name].remove(one(request)); return [204]; } } }),
        [`GET ${repo}/${place}/{of}`]: { run: (request) => [200, shown[name](one(request))] },
        [`GET ${repo}/${place}`]: { query: ['per_page', 'page', ...query], run: (request) => paged(name, request, request.objects[name].all()
            .filter((record) => !request.query.milestone || String(record.milestone) === request.query.milestone)) },
    };
}

export default {
    auth: { lets: ({ headers }) => ['Bearer', 'token'].some((kind) => auth.header('authorization', `${kind} github_pat_0123456789`).lets({ headers })) && !!headers['user-agent'] },
    refusal: (status, message) => (status === 422 ? { message: `Invalid request.\n\n${message}` } : { message, documentation_url: 'https://docs.github.com/rest', status: String(status) }),
    unauthorized: () => [401, { message: 'Bad credentials', documentation_url: 'https://docs.github.com/rest', status: '401' }],
    limited: () => [403, { message: 'API rate limit exceeded for user ID 1.' }, { 'x-ratelimit-limit': '5000', 'x-ratelimit-remaining': '0', 'x-ratelimit-reset': String(Math.ceil(Date.now() / 1000) + 1) }],
    objects: { issues: number, comments: { give: (last) => last }, labels: { id: 'key' }, milestones: { ...number, unique: ['title'] } },
    routes: {
        ...routesOf('issues', 'issues', { shape: issue }, { ...issue, ...closing }, ['state', 'creator', 'milestone', 'since']),
        ...routesOf('comments', 'issues/comments', { at: 'issues/{issue}/comments', shape: { body: text } }, { body: text }, ['since']),
        ...routesOf('labels', 'labels', { shape: { name: text, ...label } }, { 'new_name?': text, ...label }),
        ...routesOf('milestones', 'milestones', { shape: milestone }, milestone, ['state']),
        'GET /user': { run: () => [200, user] },
    },
};
