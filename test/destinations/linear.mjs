// Linear's GraphQL API: issues and customers, by the schema as the vendor's client has it (npm @linear/sdk 98.0.0).
import { anything, auth, byCursor, dictionary, integer, list, matching, members, nullable, text } from './kit/kit.mjs';

const uuid = matching(/^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/);
const day = matching(/^\d{4}-\d{2}-\d{2}$/);
const now = '2026-01-02T03:04:05.000Z';
const issue = {
    'title?': text, 'description?': nullable(text), 'priority?': integer, 'estimate?': nullable(integer), 'dueDate?': nullable(day), 'labelIds?': list(uuid), 'stateId?': uuid,
    'assigneeId?': nullable(uuid), 'projectId?': nullable(uuid), 'cycleId?': nullable(uuid), 'parentId?': nullable(uuid),
};
const customer = {
    'name?': text, 'domains?': list(text), 'logoUrl?': nullable(text), 'revenue?': nullable(integer), 'size?': nullable(integer), 'ownerId?': nullable(uuid), 'statusId?': uuid,
    'tierId?': nullable(uuid), 'slackChannelId?': nullable(text),
};
const need = { 'customerId?': uuid, 'customerExternalId?': text, 'issueId?': text, 'body?': nullable(text), 'priority?': integer, 'attachmentUrl?': text };
const status = '00000000-0000-4000-8000-0000000000aa';

const wrong = (type, message, code, more = '') => ({ errors: [{ message: more || message, extensions: { type, code, userError: true, userPresentableMessage: message } }], data: null });
const invalid = (message) => [400, wrong('invalid input', message, 'INVALID_INPUT', 'Argument Validation Error')];
const missing = (what) => [200, wrong('invalid input', `Could not find referenced ${what}.`, 'INPUT_ERROR', `Entity not found: ${what} - Could not find referenced ${what}.`)];

const of = (id, name = 'x') => (id ? { id, name } : null);
const shown = {
    issues: ({ id, identifier, teamId, stateId, assigneeId, projectId, cycleId, parentId, ...more }) => ({
        id, identifier, description: null, priority: 0, estimate: null, dueDate: null, url: `https://linear.app/acme/issue/${identifier}`, createdAt: now, updatedAt: now, completedAt: null,
        archivedAt: null, labelIds: [], ...more, team: of(teamId), state: of(stateId ?? status, 'Todo'), assignee: of(assigneeId), project: of(projectId), cycle: of(cycleId), parent: of(parentId),
    }),
    customers: ({ id, externalIds, ownerId, statusId, tierId, ...more }) => ({
        id, externalIds, domains: [], logoUrl: null, revenue: null, size: null, slackChannelId: null, url: `https://linear.app/acme/customer/${id}`, createdAt: now, updatedAt: now,
        archivedAt: null, ...more, status: of(statusId ?? status), tier: of(tierId), owner: of(ownerId),
    }),
    customer_needs: ({ customerId, customerExternalId, issueId, attachmentUrl = null, ...more }) => ({
        body: null, priority: 0, createdAt: now, updatedAt: now, ...more, url: attachmentUrl, issue: of(issueId),
        customer: customerId || customerExternalId ? { id: customerId ?? status, externalIds: customerExternalId ? [customerExternalId] : [] } : null,
    }),
};

/// Lists and look-ups by filter.
const connection = (store) => ({ variables: members({ 'first?': integer, 'after?': text, 'filter?': dictionary(anything), 'ids?': list(text) }), run({ variables: v, objects, query }) {
    const wanted = v.ids && new Set(v.ids);
    const found = objects[store].all().filter((one) => !wanted || (query.includes('externalIds: {') ? one.externalIds.some((id) => wanted.has(id)) : wanted.has(one.id)));
    if ((v.first ?? 50) > 250) return invalid('first must not be greater than 250');
    const page = byCursor(found, v.after, v.first ?? 50);
    return page ? { nodes: page.items.map(shown[store]), pageInfo: { hasNextPage: !!page.next, endCursor: page.next ?? null } } : invalid('after is no cursor');
} });
const change = (store, what, shape) => ({ variables: members({ id: text, input: members(shape) }), run({ variables: { id, input }, objects }) {
    const found = objects[store].find(id);
    if (!found) return missing(what);
    objects[store].update(found, input);
    return { success: true, lastSyncId: 1, ...(store === 'customer_needs' ? { need: { id }, updatedRelatedNeeds: [] } : { [store.slice(0, -1)]: { id } }) };
} });
const remove = (store, what) => ({ variables: members({ id: text }), run({ variables: { id }, objects }) {
    const found = objects[store].find(id);
    if (!found) return missing(what);
    objects[store].remove(found);
    return { success: true, lastSyncId: 1, entity: { id }, entityId: id };
} });

/// The root fields that are known.
const fields = {
    issueCreate: { variables: members({ input: members({ teamId: uuid, ...issue }) }), run({ variables: { input }, objects }) {
        const { id } = objects.issues.insert({ identifier: `OPS-${objects.issues.size + 1}`, ...input });
        return { success: true, lastSyncId: 1, issue: { id } };
    } },
    issueUpdate: change('issues', 'Issue', { 'teamId?': uuid, ...issue }),
    issueDelete: remove('issues', 'Issue'),
    issues: connection('issues'),
    customerUpsert: { variables: members({ input: members({ 'externalId?': text, 'tierName?': text, ...customer }) }), run({ variables: { input: { externalId, ...input } }, objects }) {
        if (input.statusId && input.statusId !== status) return missing('CustomerStatus');
        const found = objects.customers.all().find(({ externalIds: [first] }) => first === externalId);
        if (!found && !input.name) return invalid('name must be given');
        if (found) objects.customers.update(found, input);
        return { success: true, lastSyncId: 1, customer: { id: (found ?? objects.customers.insert({ externalIds: [externalId], ...input })).id } };
    } },
    customerUpdate: change('customers', 'Customer', { 'externalIds?': list(text), ...customer }),
    customerDelete: remove('customers', 'Customer'),
    customers: connection('customers'),
    customerNeedCreate: { variables: members({ input: members({ ...need, 'createdAt?': text }) }), run({ variables: { input }, objects }) {
        if (!input.issueId) return invalid('Either issueId or projectId must be provided');
        if (!/^(OPS-\d+|[0-9a-f-]{36})$/.test(input.issueId)) return missing('Issue');
        return { success: true, lastSyncId: 1, need: { id: objects.customer_needs.insert(input).id } };
    } },
    customerNeedUpdate: change('customer_needs', 'CustomerNeed', need),
    customerNeedDelete: remove('customer_needs', 'CustomerNeed'),
    customerNeeds: connection('customer_needs'),
    viewer: { variables: members({}), run: () => ({ id: status, name: 'Ada', email: 'ada@example.com' }) },
};
const numbered = { give: (number) => `00000000-0000-4000-8000-${String(number).padStart(12, '0')}` };

export default {
    auth: auth.header('authorization', 'lin_api_0123456789'),
    refusal: (code, message) => wrong('graphql error', message, 'GRAPHQL_VALIDATION_FAILED'),
    unauthorized: () => [401, wrong('authentication error', 'You need to authenticate to access this operation.', 'AUTHENTICATION_ERROR', 'Authentication required, not authenticated')],
    limited: () => [400, wrong('ratelimited', 'Rate limit exceeded.', 'RATELIMITED'), { 'x-ratelimit-requests-limit': '5000', 'x-ratelimit-requests-remaining': '0' }],
    objects: { issues: numbered, customers: numbered, customer_needs: numbered },
    routes: {
        'POST /graphql': { body: members({ query: text, 'variables?': dictionary(anything), 'operationName?': text }), run({ body: { query, variables = {} }, objects, refuse }) {
            const name = /^\s*(?:query|mutation)?[^{]*\{\s*(\w+)/.exec(query)?.[1];
            const field = Object.hasOwn(fields, name ?? '') ? fields[name] : refuse(400, `Cannot query field "${name}" on type "Query".`);
            for (const given of Object.keys(variables)) if (!query.includes(`$${given}:`)) refuse(400, `Variable "$${given}" is not defined.`);
            const fault = field.variables(variables, '');
            if (fault) return invalid(fault);
            const said = field.run({ variables, objects, query });
            return Array.isArray(said) ? said : [200, { data: { [name]: said } }];
        } },
    },
};
