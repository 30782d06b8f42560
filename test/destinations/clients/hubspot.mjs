// @hubspot/api-client against the stand-in.
import assert from 'node:assert/strict';
import { Client } from '@hubspot/api-client';

export default async function prove({ url, credentials: { access_token: accessToken } }) {
    const stranger = new Client({ accessToken: 'another', basePath: url, numberOfApiCallRetries: 0 });
    const refused = async (call, code, message) => {
        const fault = await call().then(() => assert.fail('it was accepted'), (error) => error);
        assert.equal(fault.code, code, fault.stack);
        assert.match(fault.body.message, message);
    };
    await refused(() => stranger.crm.contacts.basicApi.getPage(), 401, /^Authentication credentials not found/);
    const client = new Client({ accessToken, basePath: url, numberOfApiCallRetries: 0 });
    const account = await client.apiRequest({ method: 'GET', path: '/account-info/v3/details' });
    assert.equal((await account.json()).portalId, 1234567);
    assert.equal(account.headers.get('x-hubspot-ratelimit-remaining'), '99');

    // What an account has.
    const { results: properties } = await client.crm.properties.coreApi.getAll('contacts');
    const score = properties.find(({ name }) => name === 'score');
    assert.deepEqual([score.type, score.modificationMetadata.readOnlyValue], ['number', false]);
    assert.equal(properties.find(({ name }) => name === 'email').hasUniqueValue, true);
    assert.deepEqual((await client.crm.schemas.coreApi.getAll()).results.map(({ fullyQualifiedName }) => fullyQualifiedName), ['p1234567_cars']);

    // Batches: in another order than asked, 207 where some are bad, refused where a record is named twice.
    const { batchApi, basicApi, searchApi } = client.crm.contacts;
    const upsert = (email, more = {}, trace = email) => ({ id: email, idProperty: 'email', objectWriteTraceId: trace, properties: { email, ...more } });
    const first = await batchApi.upsert({ inputs: [upsert('Ada@example.com', { firstname: 'Ada' }), upsert('grace@example.com'), upsert('nobody')] });
    assert.deepEqual(first.results.map(({ properties: { email }, _new }) => [email, _new]), [['grace@example.com', true], ['ada@example.com', true]]);
    assert.equal(first.numErrors, 1);
    assert.deepEqual(first.errors[0].context, { objectWriteTraceId: ['nobody'] });
    assert.match(first.errors[0].message, /INVALID_EMAIL/);
    const [grace, ada] = first.results.map(({ id }) => id);
    const again = await batchApi.upsert({ inputs: [upsert('ADA@example.com', { lastname: 'Lovelace' })] });
    assert.deepEqual([again.results[0].id, again.results[0]._new], [ada, false]);
    await refused(() => batchApi.upsert({ inputs: [upsert('ada@example.com'), upsert('Ada@example.com', {}, '2')] }), 400, /^Duplicate IDs found in batch input/);
    await refused(() => batchApi.upsert({ inputs: [{ id: 'x', properties: {} }] }), 400, /non-unique CONTACT property hs_object_id/);
    await refused(() => batchApi.create({ inputs: [{ properties: { email: 'nobody' } }, { properties: { email: 'alan@example.com' } }] }), 400, /INVALID_EMAIL/);
    await refused(() => batchApi.create({ inputs: [{ properties: { email: 'ada@example.com' } }] }), 409, new RegExp(`^Contact already exists. Existing ID: ${ada}$`));
    await refused(() => batchApi.create({ inputs: Array.from({ length: 101 }, () => ({ properties: { firstname: 'Many' } })) }), 400, /more than 100/);
    await refused(() => batchApi.create({ inputs: [{ properties: { unheard_of: 'x' } }] }), 400, /PROPERTY_DOESNT_EXIST/);
    const made = await batchApi.create({ inputs: [{ properties: { email: 'alan@example.com', vip: 'true' }, objectWriteTraceId: 'a' }] });
    assert.equal(made.results[0].properties.vip, 'true');

    const updated = await batchApi.update({ inputs: [{ id: ada, properties: { firstname: '' } }, { id: '7', properties: { firstname: 'x' } }] });
    assert.deepEqual(updated.results.map(({ id }) => id), [ada]);
    assert.deepEqual(updated.errors.map(({ category, context }) => [category, context]), [['OBJECT_NOT_FOUND', { ids: ['7'] }]]);
    await refused(() => batchApi.update({ inputs: [{ id: 'ada@example.com', idProperty: 'email', properties: {} }] }), 400, /^Unable to perform update\/upsert by non-unique CONTACT property email$/);
    await refused(() => batchApi.update({ inputs: [{ id: ada, properties: {} }, { id: ada, properties: {} }] }), 400, /^Duplicate IDs/);

    const read = (of, more) => batchApi.read({ properties: ['email', 'firstname'], propertiesWithHistory: [], inputs: of.map((id) => ({ id })), ...more });
    const known = await read(['grace@example.com', 'ada@example.com', 'nobody@example.com'], { idProperty: 'email' });
    assert.deepEqual(known.results.map(({ id }) => id), [ada, grace]);
    assert.equal(known.results[0].properties.firstname, null, 'an empty text clears');
    assert.deepEqual([known.numErrors, known.errors[0].context.ids], [1, ['nobody@example.com']]);
    await refused(() => read([ada, ada]), 400, /^Duplicate IDs/);

    const page = await basicApi.getPage(2, undefined, ['email']);
    assert.equal(page.results.length, 2);
    const rest = await basicApi.getPage(2, page.paging.next.after, ['email']);
    assert.deepEqual([rest.results.map(({ properties: { email } }) => email), rest.paging], [['alan@example.com'], undefined]);
    await refused(() => basicApi.getPage(101), 400, /limit/);

    // Searches have limits of their own.
    const filters = (count) => Array.from({ length: count }, () => ({ propertyName: 'email', operator: 'IN', values: ['ada@example.com', 'x'] }));
    const search = (more) => searchApi.doSearch({ filterGroups: [{ filters: filters(1) }], limit: 200, properties: ['email'], ...more });
    assert.equal((await search()).total, 1);
    await refused(() => search({ limit: 201 }), 400, /between 1 and 200/);
    await refused(() => search({ after: '9801' }), 400, /10,000/);
    await refused(() => search({ filterGroups: Array.from({ length: 6 }, () => ({ filters: filters(1) })) }), 400, /more than 5/);
    await refused(() => search({ filterGroups: Array.from({ length: 4 }, () => ({ filters: filters(5) })) }), 400, /maximum is 18/);

    await batchApi.archive({ inputs: [{ id: ada }, { id: '7' }] });
    assert.equal((await read([ada, grace])).numErrors, 1);

    // The other objects take the same requests.
    for (const [of, name, value, change] of [['companies', 'name', 'Acme', { domain: 'acme.com' }], ['deals', 'dealname', 'Big', { pipeline: 'default', dealstage: 'closedwon' }], ['tickets', 'subject', 'Help', { hs_pipeline: '0', hs_pipeline_stage: '1' }]]) {
        const api = client.crm[of].batchApi;
        const [{ id }] = (await api.create({ inputs: [{ properties: { [name]: value, ...change } }] })).results;
        assert.equal((await api.update({ inputs: [{ id, properties: change }] })).results[0].id, id);
        assert.equal((await api.read({ properties: [name], propertiesWithHistory: [], inputs: [{ id }] })).results[0].properties[name], value);
        assert.equal((await client.crm[of].basicApi.getPage(100)).results.length, 1);
        if (of === 'companies') assert.equal((await client.crm.companies.searchApi.doSearch({ filterGroups: [{ filters: [{ propertyName: 'domain', operator: 'IN', values: ['acme.com'] }] }] })).results[0].id, id);
        await api.archive({ inputs: [{ id }] });
        if (of !== 'deals') assert.equal((await api.upsert({ inputs: [{ id: 'r1', idProperty: 'external_ref', properties: { [name]: value, ...change } }] })).results[0]._new, true);
        await refused(() => api.upsert({ inputs: [{ id: value, idProperty: name, properties: {} }] }), 400, /by non-unique/);
    }
    const deal = (ref) => ({ id: ref, idProperty: 'order_ref', properties: { dealname: ref, pipeline: 'default', dealstage: 'closedwon' } });
    assert.equal((await client.crm.deals.batchApi.upsert({ inputs: [deal('o1'), deal('o2')] })).results.length, 2);
    const cars = client.crm.objects.batchApi;
    const [car] = (await cars.upsert('p1234567_cars', { inputs: [{ id: 'V1', idProperty: 'vin', properties: { model: 'T' } }] })).results;
    assert.equal((await cars.update('p1234567_cars', { inputs: [{ id: 'V1', idProperty: 'vin', properties: { model: 'A' } }] })).results[0].id, car.id);
    assert.equal((await cars.create('p1234567_cars', { inputs: [{ properties: { vin: 'V2' } }] })).status, 'COMPLETE');
    assert.equal((await cars.read('p1234567_cars', { idProperty: 'vin', properties: ['model'], propertiesWithHistory: [], inputs: [{ id: 'V1' }] })).results[0].properties.model, 'A');
    assert.equal((await client.crm.objects.basicApi.getPage('p1234567_cars', 100)).results.length, 2);
    await cars.archive('p1234567_cars', { inputs: [{ id: car.id }] });
}
