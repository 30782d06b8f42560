// The stand-in against which t/jobs_on_the_wire.pl runs, by the vendor's client.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import jsforce from 'jsforce';
import { server } from './bulk.mjs';

let url;
before(() => new Promise((resolve) => server.listen(0, '127.0.0.1', () => {
    url = `http://127.0.0.1:${server.address().port}`;
    resolve();
})));
after(() => server.close());

const connect = (accessToken = 'token-test') => new jsforce.Connection({ instanceUrl: url, accessToken, version: '59.0' });
const set = (value) => fetch(`${url}/_set`, { method: 'POST', body: JSON.stringify(value) });
const failure = (promise) => promise.then(() => assert.fail('was accepted'), (error) => error);
const load = (input, more) => connect().bulk2.loadAndWaitForResults({ object: 'Contact', input, pollInterval: 5, pollTimeout: 5000, ...more });
const upsert = { operation: 'upsert', externalIdFieldName: 'Ref__c' };

test('open, upload, close, poll and three files of results', async () => {
    await set({ polls: 3, later: ['c'] });
    const rows = [{ Ref__c: 'a', LastName: 'Love"lace,\nAda' }, { Ref__c: 'b', LastName: '' }, { Ref__c: 'c', LastName: 'Hopper' }];
    const results = await load(rows, upsert);
    assert.deepEqual(results.successfulResults.map((row) => [row.Ref__c, row.LastName, row.sf__Created]), [['a', 'Love"lace,\nAda', 'true']]);
    assert.match(results.successfulResults[0].sf__Id, /^003\w{15}$/);
    assert.deepEqual(results.failedResults.map((row) => [row.Ref__c, row.sf__Error.split(':')[0]]), [['b', 'REQUIRED_FIELD_MISSING']]);
    assert.deepEqual(results.unprocessedRecords.map((row) => row.Ref__c), ['c']);
    const again = await load([{ Ref__c: 'a', LastName: '#N/A', Email: 'a@example.com' }], upsert);
    assert.equal(again.successfulResults.length + again.failedResults.length, 1);
    await set({ polls: 1 });
});

test('insert, and delete by id', async () => {
    const { successfulResults } = await load([{ LastName: 'Lovelace' }, { LastName: 'Hopper' }], { operation: 'insert' });
    assert.equal(successfulResults.length, 2);
    const gone = await load(successfulResults.map((row) => ({ Id: row.sf__Id })), { operation: 'delete' });
    assert.equal(gone.successfulResults.length, 2);
});

test('what is wrong is refused in the vendor\'s words', async () => {
    assert.match((await failure(load([{ Ref__c: 'a', Nobody: 'x' }], upsert))).message, /Field name not found : Nobody/);
    assert.equal((await failure(load([], { operation: 'upsert' }))).errorCode, 'INVALIDJOB');
    assert.equal((await failure(connect('wrong').bulk2.createJob({ object: 'Contact', operation: 'insert' }).open())).errorCode, 'INVALID_SESSION_ID');
    const job = connect().bulk2.createJob({ object: 'Contact', operation: 'insert' });
    await job.open();
    assert.match((await failure(job.close())).message, /nothing was uploaded/);
    assert.match((await failure(job.poll(5, 100))).message, /still open/);
    await job.uploadData([{ LastName: 'Lovelace' }]);
    await job.close();
    assert.equal((await failure(job.close())).errorCode, 'INVALIDJOBSTATE');
    await job.poll(5, 1000);
    await job.delete();
    assert.equal((await failure(job.check())).errorCode, 'NOT_FOUND');
});
