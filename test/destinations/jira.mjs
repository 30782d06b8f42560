// Jira Cloud's REST API v3, by its documentation and a client that is made from its description (npm jira.js 5.4.0).
import { anything, auth, byCursor, integer, list, matching, members, nullable, number, oneOf, text } from './kit/kit.mjs';

const date = matching(/^\d{4}-\d{2}-\d{2}$/);
const named = members({ 'name?': text, 'id?': text });
const account = members({ accountId: text });
const paragraph = members({ type: oneOf('paragraph'), content: list(members({ type: oneOf('text'), text: matching(/./s) })) });
const doc = members({ type: oneOf('doc'), version: integer, content: list(paragraph) });
const custom = { customfield_10001: ['Tier', 'textfield', text], customfield_10002: ['Score', 'float', number], customfield_10003: ['Colour', 'select', members({ value: oneOf('Red', 'Green') })], customfield_10004: ['Notes', 'textarea', doc] };
const shapes = {
    summary: text, issuetype: named, project: members({ key: text }), description: nullable(doc), labels: list(text), priority: named, assignee: nullable(account), reporter: account,
    parent: members({ key: text }), duedate: nullable(date), components: list(named), fixVersions: list(named), versions: list(named),
    ...Object.fromEntries(Object.entries(custom).map(([id, [,, shape]]) => [id, nullable(shape)])),
};
const types = ['Task', 'Bug', 'Story'];

/// What is wrong with the fields of an issue, each with its reason; null if nothing is.
function faultsOf(fields, isNew) {
    const errors = {};
    for (const [name, value] of Object.entries(fields)) {
        if (!shapes[name]) errors[name] = `Field '${name}' cannot be set. It is not on the appropriate screen, or unknown.`;
        else if (shapes[name](value, '')) errors[name] = name === 'description' ? 'Operation value must be an Atlassian Document (see the Atlassian Document Format)' : `data was not of the expected type`;
    }
    if (isNew ? !fields.summary : fields.summary === '') errors.summary = 'You must specify a summary of the issue.';
    if (isNew ? !types.includes(fields.issuetype?.name) : fields.issuetype && !types.includes(fields.issuetype.name)) errors.issuetype = 'Specify a valid issue type';
    if (isNew && fields.project?.key !== 'OPS') errors.project = "valid project is required";
    const label = Array.isArray(fields.labels) && fields.labels.find((one) => /\s/.test(one));
    if (label) errors.labels = `The label '${label}' contains spaces which is invalid.`;
    return Object.keys(errors).length ? { errorMessages: [], errors } : null;
}

const shown = ({ key, id, fields }) => ({ id, key, self: `https://acme.atlassian.net/rest/api/3/issue/${id}`, fields: {
    created: '2026-01-02T03:04:05.000+0000', updated: '2026-01-02T03:04:05.000+0000', status: { name: 'To Do' }, resolution: null, labels: [], ...fields } });
const one = ({ objects, path, refuse }) => objects.issues.find(path.key) ?? refuse(404, 'Issue does not exist or you do not have permission to see it.');
const wanted = list(text);
const comment = members({ body: doc, 'visibility?': members({ type: oneOf('role', 'group'), 'value?': text, 'identifier?': text }) });
/// An issue to comment on or to move: the test writes to them without making them first.
const known = ({ path, refuse }) => (/^OPS-\d{1,4}$/.test(path.key) ? path.key : refuse(404, 'Issue does not exist or you do not have permission to see it.'));
const commentOf = (request) => {
    const found = request.objects.comments.find(request.path.id);
    return found?.issue === known(request) ? found : request.refuse(404, `Can not find a comment for the id: ${request.path.id}.`);
};

export default {
    auth: auth.basic('ada@example.com', 'ATATT3xFf'),
    refusal: (status, message) => ({ errorMessages: [message], errors: {} }),
    unauthorized: () => [401, 'Client must be authenticated to access this resource.', { 'content-type': 'text/plain' }],
    limited: () => [429, { errorMessages: ['Rate limit exceeded.'], errors: {} }, { 'retry-after': '1', 'x-ratelimit-remaining': '0', 'ratelimit-reason': 'jira-burst-based' }],
    objects: { issues: { id: 'key', give: (last) => `OPS-${last}` }, comments: { give: (last) => String(10000 + last) }, transitions: {} },
    routes: {
        'POST /rest/api/3/issue/bulk': { body: members({ issueUpdates: list(members({ fields: anything, 'update?': anything })) }), run({ body: { issueUpdates }, objects, refuse }) {
            if (!issueUpdates.length || issueUpdates.length > 50) refuse(400, 'You can create between 1 and 50 issues');
            const errors = [];
            const issues = issueUpdates.flatMap(({ fields }, failedElementNumber) => {
                const elementErrors = faultsOf(fields, true);
                if (elementErrors) return void errors.push({ status: 400, elementErrors, failedElementNumber }) ?? [];
                const { key, id } = objects.issues.insert({ id: String(10000 + objects.issues.size), fields });
                return [{ id, key, self: `https://acme.atlassian.net/rest/api/3/issue/${id}` }];
            });
            return [issues.length ? 201 : 400, { issues, errors }];
        } },
        'POST /rest/api/3/issue/bulkfetch': {
            body: members({ issueIdsOrKeys: list(text, { least: 1, most: 100 }), 'fields?': wanted, 'expand?': wanted, 'properties?': wanted, 'fieldsByKeys?': anything }),
            run: ({ body, objects }) => [200, { issues: body.issueIdsOrKeys.map((key) => objects.issues.find(key)).filter(Boolean).map(shown), issueErrors: [] }],
        },
        'POST /rest/api/3/search/jql': {
            body: members({ jql: matching(/^project = "OPS"( ORDER BY created ASC)?$/), 'maxResults?': integer, 'fields?': wanted, 'nextPageToken?': text, 'expand?': text, 'properties?': wanted, 'fieldsByKeys?': anything, 'failFast?': anything, 'reconcileIssues?': list(integer) }),
            run({ body, objects, refuse }) {
                const page = byCursor(objects.issues.all(), body.nextPageToken, Math.min(body.maxResults ?? 50, 100)) ?? refuse(400, 'The provided next page token is invalid or expired.');
                return [200, { issues: page.items.map(shown), isLast: !page.next, ...(page.next ? { nextPageToken: page.next } : {}) }];
            },
        },
        'GET /rest/api/3/issue/{key}': { query: ['fields', 'expand'], run: (request) => [200, shown(one(request))] },
        'PUT /rest/api/3/issue/{key}': { query: ['notifyUsers', 'returnIssue'], body: members({ fields: anything, 'update?': anything }), run(request) {
            const found = one(request);
            const faults = faultsOf(request.body.fields, false);
            if (faults) return [400, faults];
            request.objects.issues.update(found, { fields: { ...found.fields, ...request.body.fields } });
            return [204];
        } },
        'DELETE /rest/api/3/issue/{key}': { query: ['deleteSubtasks'], run(request) { request.objects.issues.remove(one(request)); return [204]; } },
        'POST /rest/api/3/issue/{key}/comment': { query: ['expand'], body: comment, run(request) {
            const { id, body } = request.objects.comments.insert({ issue: known(request), ...request.body });
            return [201, { id, body, self: `https://acme.atlassian.net/rest/api/3/issue/10000/comment/${id}` }];
        } },
        'PUT /rest/api/3/issue/{key}/comment/{id}': { query: ['notifyUsers', 'overrideEditableFlag', 'expand'], body: comment, run(request) {
            const { id, body } = request.objects.comments.update(commentOf(request), request.body);
            return [200, { id, body }];
        } },
        'DELETE /rest/api/3/issue/{key}/comment/{id}': { run(request) { request.objects.comments.remove(commentOf(request)); return [204]; } },
        'POST /rest/api/3/issue/{key}/transitions': { body: members({ transition: members({ id: text }), 'fields?': members({ 'resolution?': members({ name: oneOf('Done', "Won't do") }) }), 'update?': anything }), run(request) {
            if (!['11', '21', '31'].includes(request.body.transition.id)) request.refuse(400, 'It seems that you have tried to perform an invalid workflow operation.');
            request.objects.transitions.insert({ issue: known(request), ...request.body });
            return [204];
        } },
        'GET /rest/api/3/myself': { query: ['expand'], run: () => [200, { accountId: 'a1', emailAddress: 'ada@example.com', displayName: 'Ada', active: true }] },
        'GET /rest/api/3/field': { run: () => [200, [
            { id: 'summary', key: 'summary', name: 'Summary', custom: false, schema: { type: 'string', system: 'summary' } },
            ...Object.entries(custom).map(([id, [name, type]]) => ({ id, key: id, name, custom: true, schema: { type: 'any', custom: `com.atlassian.jira.plugin.system.customfieldtypes:${type}`, customId: Number(id.slice(12)) } })),
        ]] },
    },
};
