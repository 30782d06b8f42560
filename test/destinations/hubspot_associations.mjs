// HubSpot's associations of version 4 and lists of version 3, by its client @hubspot/api-client 13.5.0 and its guides at
// https://developers.hubspot.com/docs/api-reference/latest/crm/associations and https://developers.hubspot.com/docs/api-reference/latest/crm/lists.
import { anything, auth, dictionary, integer, list, matching, members, oneOf, text } from './kit/kit.mjs';
import { account, batched, error, shared, told } from './hubspot.mjs';

const kinds = { contacts: 'CONTACT', companies: 'COMPANY', deals: 'DEAL' };
const isId = (id) => /^\d+$/.test(id);
const now = '2026-01-02T03:04:05.061Z';
const known = [['HUBSPOT_DEFINED', 279], ['HUBSPOT_DEFINED', 1], ['USER_DEFINED', 36]];
const end = members({ id: text });
const spec = members({ associationCategory: oneOf('HUBSPOT_DEFINED', 'USER_DEFINED', 'INTEGRATOR_DEFINED'), associationTypeId: integer });
const inputs = (shape, most) => members({ inputs: list(members(shape), { least: 1, most }) });
const kindsOf = ({ path: { from, to }, refuse }) => [from, to].map((type) => kinds[type] ?? refuse(400, `Unable to infer object type from: ${type}`));

/// Pairs one by one: those that are wrong are among the errors, without a word on which input they were.
function pairs(request, apply, status, shown) {
    const [from, to] = kindsOf(request);
    const bad = (one) => (!isId(one.from.id) ? `${from}=${one.from.id}` : isId(one.to.id) ? null : `${to}=${one.to.id}`);
    const good = request.body.inputs.filter((one) => !bad(one));
    for (const { types = [] } of good) for (const { associationCategory: category, associationTypeId: type } of types)
        if (!known.some((one) => one[0] === category && one[1] === type)) request.refuse(400, `${type} is not a valid association type between ${from} and ${to}`, { subCategory: 'crm.associations.INVALID_ASSOCIATION_TYPE' });
    good.forEach(apply);
    return batched(good.map(shown), request.body.inputs.filter(bad).map((one) => ({ ...error('VALIDATION_ERROR', `${bad(one)} is not valid`), subCategory: 'crm.associations.INVALID_OBJECT_IDS' })), status);
}
const put = (store, record) => { if (!store.find(record.id)) store.insert(record); };
const take = (store, id) => { const record = store.find(id); if (record) store.remove(record); };
const pair = ({ from, to }) => `${from.id}/${to.id}`;
const associated = (id, { category, type_id: typeId }) => ({ toObjectId: id, associationTypes: [{ category, typeId, label: typeId === 36 ? 'Billing contact' : null }] });

/// The lists that are always there: a static one and one that HubSpot fills.
const always = { 611: 'MANUAL', 612: 'DYNAMIC' };
const processing = oneOf('MANUAL', 'DYNAMIC', 'SNAPSHOT');
const shown = ({ listId, name, processingType, objectTypeId }) => ({ listId, name, processingType, objectTypeId, listVersion: 1, processingStatus: 'COMPLETE', createdAt: now, updatedAt: now, filtersUpdatedAt: now, createdById: '1', updatedById: '1' });
const listOf = ({ objects, path: { list: id }, refuse }) => objects.lists.find(id) ?? refuse(404, `List does not exist with ID ${id}.`, { subCategory: 'ILS.LIST_NOT_FOUND' });
const free = ({ objects, refuse }, name, own) => { const other = objects.lists.by('name', name); if (other && other !== own) refuse(400, `List with name ${name} already exists.`, { subCategory: 'ILS.DUPLICATE_LIST_NAMES' }); };
/// Members may be changed of lists that HubSpot does not fill itself.
function membersOf(request, { add = [], remove = [] }) {
    const { objects, path: { list: id }, refuse } = request;
    if ((always[id] ?? listOf(request).processingType) === 'DYNAMIC') refuse(400, `List ${id} has processing type DYNAMIC, and only MANUAL and SNAPSHOT lists support changes of their memberships.`);
    const there = (record) => isId(record) && !record.startsWith('999');
    const added = add.filter((one) => there(one) && !objects.list_members.find(`${id}/${one}`)), removed = remove.filter((one) => objects.list_members.find(`${id}/${one}`));
    for (const one of added) objects.list_members.insert({ id: `${id}/${one}`, list_id: id, record_id: one });
    for (const one of removed) take(objects.list_members, `${id}/${one}`);
    const lacking = [...add, ...remove].filter((one) => !there(one));
    // Empty lists are left out.
    return [200, { ...(added.length && { recordsIdsAdded: added }), ...(removed.length && { recordIdsRemoved: removed }), ...(lacking.length && { recordIdsMissing: lacking }) }];
}
const ids = list(text, { least: 1, most: 100_000 });
const app = { client_id: '00000000-0000-0000-0000-00000000abcd', client_secret: 'secret-1', refresh_token: 'refresh-1' };
const tokens = (path) => auth.oauth({ path, lifetime: 1800, expects: { grant_type: 'refresh_token', ...app }, answer: (token) => ({ token_type: 'bearer', access_token: token, refresh_token: app.refresh_token, expires_in: 1800 }) });
const path = '/crm/v4/associations/{from}/{to}';

export default {
    ...shared,
    auth: auth.anyOf(auth.bearer('pat-na1-1'), tokens('/oauth/2026-03/token'), tokens('/oauth/v1/token')),
    objects: { associations: {}, labeled_associations: {}, association_labels: { id: 'typeId', unique: ['name'], give: (number) => 100 + number }, lists: { id: 'listId', unique: ['name'], like: (name) => String(name).toLowerCase(), give: (number) => String(1000 + number) }, list_members: {}, associated: {} },
    begin(objects) {
        for (let n = 1; n <= 20; ++n) objects.associated.insert({ id: String(5000 + n), to: [associated(String(n), { category: 'HUBSPOT_DEFINED', type_id: 3 })], ...(n === 7 && { paging: { next: { after: 'MQ==', link: '' } } }) });
    },
    routes: told({
        [`POST ${path}/batch/associate/default`]: { body: inputs({ from: end, to: end }, 2000), run: (request) => [200, pairs(request, (one) => put(request.objects.associations, { id: pair(one), from_id: one.from.id, to_id: one.to.id }), 200,
            ({ from, to }) => ({ from, to, associationSpec: { associationCategory: 'HUBSPOT_DEFINED', associationTypeId: 279 } }))[1]] },
        [`POST ${path}/batch/archive`]: { body: inputs({ from: end, to: list(end) }, 2000), run(request) {
            kindsOf(request);
            for (const { from, to } of request.body.inputs) for (const one of to) {
                take(request.objects.associations, pair({ from, to: one }));
                for (const record of request.objects.labeled_associations.all().filter((other) => other.from_id === from.id && other.to_id === one.id)) request.objects.labeled_associations.remove(record);
            }
            return [204];
        } },
        [`POST ${path}/batch/create`]: { body: inputs({ from: end, to: end, types: list(spec, { least: 1 }) }, 2000), run: (request) => pairs(request, (one) => {
            for (const { associationCategory: category, associationTypeId: type_id } of one.types) put(request.objects.labeled_associations, { id: `${pair(one)}/${category}/${type_id}`, from_id: one.from.id, to_id: one.to.id, category, type_id });
        }, 201, ({ from, to }) => ({ fromObjectTypeId: '0-1', fromObjectId: from.id, toObjectTypeId: '0-2', toObjectId: to.id, labels: ['Billing contact'] })) },
        [`POST ${path}/batch/labels/archive`]: { body: inputs({ from: end, to: end, types: list(spec, { least: 1 }) }, 2000), run(request) {
            for (const one of request.body.inputs) for (const { associationCategory: category, associationTypeId: type } of one.types) take(request.objects.labeled_associations, `${pair(one)}/${category}/${type}`);
            return [204];
        } },
        [`POST ${path}/batch/read`]: { body: inputs({ id: text, 'after?': text }, 1000), run(request) {
            const { objects, body } = request;
            const [from, to] = kindsOf(request).map((kind) => kind.toLowerCase());
            const toOf = (id) => [...objects.associations.all().map((one) => ({ category: 'HUBSPOT_DEFINED', type_id: 279, ...one })), ...objects.labeled_associations.all()].filter((one) => one.from_id === id).map((one) => associated(one.to_id, one));
            const all = body.inputs.map(({ id }) => ({ id, ...(objects.associated.find(id) ?? { to: toOf(id) }) }));
            return batched(all.filter((one) => one.to.length).map(({ id, ...of }) => ({ from: { id }, ...of })), all.filter((one) => !one.to.length).map(({ id }) => ({
                ...error('OBJECT_NOT_FOUND', `No ${to} is associated with ${from} ${id}.`, { fromObjectId: [id], fromObjectType: [from], toObjectType: [to] }), subCategory: 'crm.associations.NO_ASSOCIATIONS_FOUND',
            })));
        } },
        [`GET ${path}/labels`]: { run: ({ objects }) => [200, { results: [{ category: 'HUBSPOT_DEFINED', typeId: 279, label: null }, ...objects.association_labels.all().map(({ typeId, label }) => ({ category: 'USER_DEFINED', typeId, label }))] }] },
        [`POST ${path}/labels`]: { body: members({ label: text, name: matching(/^[A-Za-z]\w*$/), 'inverseLabel?': text }), run({ body, objects }) {
            const { typeId, label } = objects.association_labels.insert(body);
            return [200, { results: [{ category: 'USER_DEFINED', typeId, label }] }];
        } },
        [`PUT ${path}/labels`]: { body: members({ associationTypeId: integer, label: text, 'inverseLabel?': text }), run({ body: { associationTypeId, ...of }, objects, refuse }) {
            objects.association_labels.update(objects.association_labels.find(associationTypeId) ?? refuse(404, 'There is no such association type'), of);
            return [204];
        } },
        [`DELETE ${path}/labels/{type}`]: { run({ path: { type }, objects, refuse }) {
            objects.association_labels.remove(objects.association_labels.find(type) ?? refuse(404, 'There is no such association type'));
            return [204];
        } },
        'POST /crm/v3/lists': { body: members({ name: text, objectTypeId: matching(/^\d-\d+$/), processingType: processing, 'filterBranch?': anything, 'listFolderId?': integer, 'customProperties?': dictionary(text), 'listPermissions?': anything, 'membershipSettings?': anything }), run(request) {
            free(request, request.body.name);
            return [200, { list: shown(request.objects.lists.insert(request.body)) }];
        } },
        'POST /crm/v3/lists/search': { body: members({ 'query?': text, 'count?': integer, 'offset?': integer, 'sort?': text, 'listIds?': list(text), 'processingTypes?': list(processing), 'additionalProperties?': list(text) }), run({ body: { query = '', count = 20, offset = 0 }, objects, refuse }) {
            if (!(count >= 1 && count <= 500)) refuse(400, 'count must be between 1 and 500');
            const all = objects.lists.all().filter(({ name }) => name.toLowerCase().includes(query.toLowerCase()));
            return [200, { lists: all.slice(offset, offset + count).map((one) => ({ ...shown(one), additionalProperties: { hs_list_size: '0' } })), hasMore: offset + count < all.length, offset: offset + count, total: all.length }];
        } },
        'GET /crm/v3/lists/{list}': { query: ['includeFilters'], run: (request) => [200, { list: shown(listOf(request)) }] },
        'DELETE /crm/v3/lists/{list}': { run(request) { request.objects.lists.remove(listOf(request)); return [204]; } },
        'GET /crm/v3/lists/object-type-id/{type}/name/{name}': { query: ['includeFilters'], run({ path: { type, name }, objects, refuse }) {
            const one = objects.lists.by('name', name);
            return [200, { list: shown(one?.objectTypeId === type ? one : refuse(404, `List does not exist with name ${name} and object type ID ${type}.`)) }];
        } },
        'PUT /crm/v3/lists/{list}/update-list-name': { query: ['listName', 'includeFilters'], run(request) {
            const one = listOf(request), name = request.query.listName || request.refuse(400, 'listName is required');
            free(request, name, one);
            return [200, { updatedList: shown(request.objects.lists.update(one, { name })) }];
        } },
        'PUT /crm/v3/lists/{list}/memberships/add': { body: ids, run: (request) => membersOf(request, { add: request.body }) },
        'PUT /crm/v3/lists/{list}/memberships/remove': { body: ids, run: (request) => membersOf(request, { remove: request.body }) },
        'PUT /crm/v3/lists/{list}/memberships/add-and-remove': { body: members({ recordIdsToAdd: list(text, { most: 100_000 }), recordIdsToRemove: list(text, { most: 100_000 }) }), run: (request) => membersOf(request, { add: request.body.recordIdsToAdd, remove: request.body.recordIdsToRemove }) },
        'GET /crm/v3/lists/{list}/memberships': { query: ['limit', 'after', 'before'], run(request) {
            const { objects, query: { limit = 100, after = '0' }, path: { list: id }, refuse } = request;
            if (!(limit >= 1 && limit <= 250)) refuse(400, 'limit must be between 1 and 250');
            if (!always[id]) listOf(request);
            const all = objects.list_members.all().filter((one) => one.list_id === id).map((one) => one.record_id).sort((a, b) => a - b), start = Number(after), next = start + Number(limit);
            return [200, { total: all.length, results: all.slice(start, next).map((recordId) => ({ recordId, membershipTimestamp: now })), ...(next < all.length && { paging: { next: { after: String(next), link: '' } } }) }];
        } },
        ...account,
    }),
};
