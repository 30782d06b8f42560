import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { Client } from '@hubspot/api-client';
import { skip, tellOfClient, url } from './sandbox.mjs';

after(() => skip || tellOfClient('hubspot', '@hubspot/api-client', import.meta.url));

const client = new Client({ accessToken: 'pat-test', basePath: url, numberOfApiCallRetries: 0 });
const email = (name) => `${name}.${process.pid}@example.com`;
const upsert = (name, properties, trace) => ({
    id: email(name),
    idProperty: 'email',
    properties: { email: email(name), ...properties },
    ...(trace && { objectWriteTraceId: trace }),
});
const failure = (promise) => promise.then(() => assert.fail('was accepted'), (error) => error);

test('contacts in batches: upsert, read, update, archive', { skip }, async () => {
    const { batchApi } = client.crm.contacts;
    const first = await batchApi.upsert({
        inputs: [upsert('ada', { firstname: 'Ada' }), upsert('grace', { firstname: 'Grace' })],
    });
    assert.equal(first.status, 'COMPLETE');
    assert.deepEqual(first.results.map((row) => row._new), [true, true]);
    assert.deepEqual(first.results.map((row) => row.properties.email), [email('grace'), email('ada')],
        'answered in another order than asked');
    assert.ok(first.results[0].createdAt instanceof Date);

    const second = await batchApi.upsert({ inputs: [upsert('ada', { firstname: '' })] });
    assert.equal(second.results[0]._new, false);
    const id = second.results[0].id;

    const read = await batchApi.read({
        inputs: [{ id: email('ada').toUpperCase() }, { id: email('nobody') }],
        idProperty: 'email',
        properties: ['email', 'firstname'],
        propertiesWithHistory: [],
    });
    assert.equal(read.results.length, 1);
    assert.equal(read.results[0].properties.hs_object_id, id);
    assert.equal(read.results[0].properties.firstname, null, 'an empty string cleared it');
    assert.equal(read.numErrors, 1);
    assert.deepEqual(read.errors[0].context.ids, [email('nobody')]);

    const updated = await batchApi.update({ inputs: [{ id, properties: { firstname: 'Augusta' } }] });
    assert.equal(updated.results[0].properties.firstname, 'Augusta');

    await batchApi.archive({ inputs: first.results.map((row) => ({ id: row.id })) });
    const gone = await failure(client.crm.contacts.basicApi.getById(id));
    assert.equal(gone.code, 404);
});

test('bad rows stand alone with trace ids and sink the batch without', { skip }, async () => {
    const { batchApi } = client.crm.contacts;
    const rows = [upsert('edith', { firstname: 'Edith' }, 'row-1'), upsert('mary', { unknown_x: '1' }, 'row-2')];
    const traced = await batchApi.upsert({ inputs: rows });
    assert.deepEqual(traced.results.map((row) => row.objectWriteTraceId), ['row-1']);
    assert.equal(traced.numErrors, 1);
    assert.equal(traced.errors[0].category, 'VALIDATION_ERROR');
    assert.match(traced.errors[0].message, /PROPERTY_DOESNT_EXIST/);
    assert.deepEqual(traced.errors[0].context, { objectWriteTraceId: ['row-2'] });

    const bad = await failure(batchApi.create({ inputs: [{ properties: { email: 'no at sign' } }] }));
    assert.equal(bad.code, 400);
    assert.match(bad.body.message, /INVALID_EMAIL/);

    const conflict = await failure(batchApi.create({ inputs: [{ properties: { email: email('edith') } }] }));
    assert.equal(conflict.code, 409);
    assert.match(conflict.body.message, /Contact already exists\. Existing ID: \d+/);

    const many = Array.from({ length: 101 }, (_, at) => upsert(`many${at}`, {}));
    assert.equal((await failure(batchApi.upsert({ inputs: many }))).code, 400);
});

test('companies one by one, listed in pages, found by search', { skip }, async () => {
    const { basicApi, searchApi } = client.crm.companies;
    const name = `Company ${process.pid}`;
    const created = [];
    for (let at = 0; at < 3; ++at)
        created.push(await basicApi.create({ properties: { name, domain: `${at}.example.com` } }));
    await basicApi.update(created[0].id, { properties: { city: 'London' } });
    assert.equal((await basicApi.getById(created[0].id, ['city'])).properties.city, 'London');

    const page = await basicApi.getPage(2, undefined, ['name']);
    assert.equal(page.results.length, 2);
    const rest = await basicApi.getPage(100, page.paging.next.after, ['name']);
    assert.ok(rest.results.length >= 1);

    const found = await searchApi.doSearch({
        filterGroups: [{ filters: [{ propertyName: 'name', operator: 'EQ', value: name }] }],
        properties: ['name'],
        limit: 10,
    });
    assert.equal(found.total, 3);
    await basicApi.archive(created[0].id);
    assert.equal((await failure(basicApi.getById(created[0].id))).code, 404);
});

test('a token that is none is refused', { skip }, async () => {
    const stranger = new Client({ accessToken: 'wrong', basePath: url, numberOfApiCallRetries: 0 });
    const refused = await failure(stranger.crm.contacts.basicApi.getPage());
    assert.equal(refused.code, 401);
    assert.equal(refused.body.category, 'INVALID_AUTHENTICATION');
});
