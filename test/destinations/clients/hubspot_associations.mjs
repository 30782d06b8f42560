// @hubspot/api-client against the stand-in.
import assert from 'node:assert/strict';
import { Client } from '@hubspot/api-client';

export default async function prove({ url, credentials: { client_id, client_secret, refresh_token } }) {
    const refused = async (call, code, message) => {
        const fault = await call().then(() => assert.fail('it was accepted'), (error) => error);
        assert.equal(fault.code, code, fault.stack);
        assert.match(fault.body.message, message);
    };
    const stranger = new Client({ accessToken: 'another', basePath: url, numberOfApiCallRetries: 0 });
    await refused(() => stranger.crm.lists.listsApi.getById('1'), 401, /^Authentication credentials not found/);
    await assert.rejects(() => stranger.oauth.tokensApi.create('refresh_token', undefined, undefined, client_id, client_secret, 'unknown'), (error) => error.code === 400);
    const tokens = await stranger.oauth.tokensApi.create('refresh_token', undefined, undefined, client_id, client_secret, refresh_token);
    assert.deepEqual([tokens.refreshToken, tokens.expiresIn], [refresh_token, 1800]);
    const client = new Client({ accessToken: tokens.accessToken, basePath: url, numberOfApiCallRetries: 0 });
    assert.equal((await (await client.apiRequest({ method: 'GET', path: '/account-info/v3/details' })).json()).portalId, 1234567);

    // Associations without a label, and with.
    const { batchApi, schema: { definitionsApi } } = client.crm.associations.v4;
    const pair = (from, to, ...types) => ({ _from: { id: from }, to: { id: to }, ...(types.length && { types: types.map(([associationCategory, associationTypeId]) => ({ associationCategory, associationTypeId })) }) });
    const plain = await batchApi.createDefault('contacts', 'companies', { inputs: [pair('1', '2'), pair('3', '4'), pair('nobody', '4')] });
    assert.deepEqual(plain.results.map(({ _from: from, to }) => [from.id, to.id]), [['3', '4'], ['1', '2']]);
    assert.deepEqual([plain.numErrors, plain.errors[0].message], [1, 'CONTACT=nobody is not valid']);
    const labeled = await batchApi.create('contacts', 'companies', { inputs: [pair('1', '2', ['USER_DEFINED', 36]), pair('1', '5', ['HUBSPOT_DEFINED', 1])] });
    assert.deepEqual(labeled.results.map(({ fromObjectId, toObjectId }) => [fromObjectId, toObjectId]), [['1', '5'], ['1', '2']]);
    await refused(() => batchApi.create('contacts', 'companies', { inputs: [pair('1', '2', ['USER_DEFINED', 37])] }), 400, /^37 is not a valid association type between CONTACT and COMPANY$/);
    await refused(() => batchApi.createDefault('nothings', 'companies', { inputs: [pair('1', '2')] }), 400, /nothings/);
    await refused(() => batchApi.getPage('contacts', 'companies', { inputs: Array.from({ length: 1001 }, () => ({ id: '1' })) }), 400, /more than 1000/);

    const read = () => batchApi.getPage('contacts', 'companies', { inputs: [{ id: '1' }, { id: '3' }, { id: '7' }] });
    const first = await read();
    assert.deepEqual(first.results.map(({ _from: from, to }) => [from.id, to.map(({ toObjectId }) => toObjectId)]), [['3', ['4']], ['1', ['2', '2', '5']]]);
    assert.deepEqual([first.numErrors, first.errors[0].subCategory, first.errors[0].context.fromObjectId], [1, 'crm.associations.NO_ASSOCIATIONS_FOUND', ['7']]);
    await batchApi.archiveLabels('contacts', 'companies', { inputs: [pair('1', '5', ['HUBSPOT_DEFINED', 1])] });
    await batchApi.archive('contacts', 'companies', { inputs: [{ _from: { id: '1' }, to: [{ id: '2' }] }] });
    assert.deepEqual((await read()).results.map(({ _from }) => _from.id), ['3']);

    const [label] = (await definitionsApi.create('contacts', 'companies', { label: 'Billing contact', name: 'billing_contact' })).results;
    assert.equal(label.category, 'USER_DEFINED');
    await definitionsApi.update('contacts', 'companies', { associationTypeId: label.typeId, label: 'Pays' });
    assert.deepEqual((await definitionsApi.getAll('contacts', 'companies')).results.map((one) => [one.category, one.label]), [['HUBSPOT_DEFINED', null], ['USER_DEFINED', 'Pays']]);
    await refused(() => definitionsApi.create('contacts', 'companies', { label: 'x', name: '7-x' }), 400, /name/);
    await definitionsApi.remove('contacts', 'companies', label.typeId);
    await refused(() => definitionsApi.remove('contacts', 'companies', label.typeId), 404, /no such/);

    // Lists, and who is in them.
    const { listsApi, membershipsApi } = client.crm.lists;
    const { list } = await listsApi.create({ name: 'Friends', objectTypeId: '0-1', processingType: 'MANUAL' });
    await refused(() => listsApi.create({ name: 'friends', objectTypeId: '0-1', processingType: 'MANUAL' }), 400, /already exists/);
    const { list: filled } = await listsApi.create({ name: 'Customers', objectTypeId: '0-1', processingType: 'DYNAMIC', filterBranch: { filterBranchType: 'OR', filterBranches: [], filters: [] } });
    assert.equal((await listsApi.updateName(list.listId, 'Best friends')).updatedList.name, 'Best friends');
    await refused(() => listsApi.updateName(list.listId, 'customers'), 400, /already exists/);
    assert.equal((await listsApi.getById(list.listId)).list.name, 'Best friends');
    assert.equal((await listsApi.getByName('best friends', '0-1')).list.listId, list.listId);
    await refused(() => listsApi.getByName('Best friends', '0-2'), 404, /does not exist/);
    const page = await listsApi.doSearch({ count: 1, offset: 0 });
    assert.deepEqual([page.total, page.hasMore, page.offset, page.lists[0].name], [2, true, 1, 'Best friends']);
    assert.deepEqual((await listsApi.doSearch({ query: 'cust', count: 500 })).lists.map(({ listId }) => listId), [filled.listId]);
    await refused(() => listsApi.doSearch({ count: 501 }), 400, /500/);

    const added = await membershipsApi.add(list.listId, ['12', '11', '99912']);
    assert.deepEqual([added.recordsIdsAdded, added.recordIdsMissing, added.recordIdsRemoved], [['12', '11'], ['99912'], undefined]);
    assert.deepEqual(Object.values(await membershipsApi.add(list.listId, ['12'])).filter(Boolean), [], 'who is a member already is not named');
    const both = await membershipsApi.addAndRemove(list.listId, { recordIdsToAdd: ['13'], recordIdsToRemove: ['11'] });
    assert.deepEqual([both.recordsIdsAdded, both.recordIdsRemoved], [['13'], ['11']]);
    assert.deepEqual((await membershipsApi.remove(list.listId, ['13', '14'])).recordIdsRemoved, ['13']);
    await membershipsApi.add(list.listId, ['15']);
    const some = await membershipsApi.getPage(list.listId, undefined, undefined, 1);
    assert.deepEqual([some.total, some.results[0].recordId], [2, '12']);
    assert.deepEqual((await membershipsApi.getPage(list.listId, some.paging.next.after, undefined, 250)).results.map(({ recordId }) => recordId), ['15']);
    await refused(() => membershipsApi.getPage(list.listId, undefined, undefined, 251), 400, /250/);
    await refused(() => membershipsApi.add(filled.listId, ['12']), 400, /DYNAMIC/);
    await refused(() => membershipsApi.add('7', ['12']), 404, /does not exist/);
    await listsApi.remove(list.listId);
    await refused(() => listsApi.getById(list.listId), 404, /does not exist/);
}
