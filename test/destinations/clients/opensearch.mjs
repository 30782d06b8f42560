// @opensearch-project/opensearch against the stand-in.
import assert from 'node:assert/strict';
import { createRequire } from 'node:module';

const { Client } = createRequire(import.meta.url)('@opensearch-project/opensearch');

export default async function prove({ url, credentials }) {
    const client = new Client({ node: url, auth: credentials });
    const index = 'people';
    // The client itself asks by PUT where an index is named; the documentation advises POST, which is what the connector sends.
    const bulk = async (bulkBody) => (await client.transport.request({ method: 'POST', path: `/${index}/_bulk`, querystring: { refresh: 'wait_for' }, bulkBody })).body;
    const made = await bulk([{ create: { _id: 'a' } }, { name: 'Ada', seats: 7 }, { create: {} }, { name: 'Grace' }, { create: { _id: 'a' } }, { name: 'Ada' }]);
    assert.deepEqual([made.errors, ...made.items.map(({ create }) => create.status)], [true, 201, 201, 409]);
    const laid = await bulk([{ update: { _id: 'a', retry_on_conflict: 3 } }, { doc: { ip: '10.0.0.1' }, doc_as_upsert: true },
        { update: { _id: 'b' } }, { doc: { name: 'B' } }, { update: { _id: 'c' } }, { doc: { ip: 'x' }, doc_as_upsert: true }]);
    assert.deepEqual(laid.items.map(({ update }) => [update.status, update.error?.type]), [[200, undefined], [404, 'document_missing_exception'], [400, 'mapper_parsing_exception']]);
    const { body: put } = await client.bulk({ index, body: [{ index: { _id: 'd' } }, { name: 'D' }] });
    assert.equal(put.items[0].index.status, 201);
    const helped = await client.helpers.bulk({ datasource: [{ name: 'E' }], onDocument: () => ({ index: { _index: index, _id: 'e' } }) });
    assert.equal(helped.successful, 1);
    const { body: found } = await client.search({ index, body: { size: 10, query: { ids: { values: ['a', 'zz'] } } } });
    assert.deepEqual(found.hits.hits.map(({ _id, _source }) => [_id, _source]), [['a', { name: 'Ada', seats: 7, ip: '10.0.0.1' }]]);
    const first = (await client.search({ index, body: { size: 1, sort: ['_id'] } })).body.hits.hits;
    const second = (await client.search({ index, body: { size: 1, sort: ['_id'], search_after: first[0].sort } })).body.hits.hits;
    assert.ok(first[0]._id < second[0]._id);
    const gone = await bulk([{ delete: { _id: 'a' } }, { delete: { _id: 'a' } }]);
    assert.deepEqual(gone.items.map(({ delete: one }) => [one.status, one.result]), [[200, 'deleted'], [404, 'not_found']]);
    assert.equal((await client.cat.indices({ format: 'json', h: 'index,status' })).body[0].index, index);
    assert.equal((await client.ppl.query({ body: { query: 'describe people' } })).body.datarows[0][3], 'name');
    assert.equal((await client.info()).body.cluster_name, 'acme');
    await assert.rejects(client.search({ index, body: { size: 10001 } }), (error) => error.statusCode === 400);
    await assert.rejects(new Client({ node: url, auth: { username: 'x', password: 'y' } }).info(), (error) => error.statusCode === 401);
    await client.close();
}
