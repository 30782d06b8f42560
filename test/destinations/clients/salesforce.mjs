// jsforce against the stand-in.
import assert from 'node:assert/strict';
import jsforce from 'jsforce';

export default async function prove({ url, credentials }) {
    const oauth2 = { loginUrl: url, clientId: credentials.client_id, clientSecret: credentials.client_secret };
    const of = (more) => new jsforce.Connection({ instanceUrl: url, version: '61.0', ...more });
    const refused = (call, code) => assert.rejects(call, (error) => error.errorCode === code || assert.fail(error));
    const client = of({ oauth2 });
    await client.authorize({ grant_type: 'client_credentials' });
    assert.equal((await client.request('/services/oauth2/userinfo')).preferred_username, 'integration@acme.example');
    await refused(() => of({ accessToken: 'nobody' }).query('SELECT Id FROM Contact'), 'INVALID_SESSION_ID');

    // A session that has expired is renewed, and a refresh token stays the same.
    const renewed = of({ oauth2, accessToken: 'expired', refreshToken: '5Aep861' });
    let answer;
    renewed.on('refresh', (token, of) => (answer = of));
    assert.equal((await renewed.query('SELECT Id FROM Contact')).totalSize, 0);
    assert.equal(answer.refresh_token, undefined);

    const { sobjects } = await client.describeGlobal();
    assert.ok(sobjects.some(({ name, custom, createable }) => name === 'Invoice__c' && custom && createable));
    const { fields } = await client.describe('Invoice__c');
    assert.deepEqual(fields.filter(({ externalId }) => externalId).map(({ name }) => name), ['Number__c']);
    assert.equal(fields.find(({ name }) => name === 'Channels__c').type, 'multipicklist');
    await refused(() => client.describe('Nothing__c'), 'NOT_FOUND');

    for (const [name, good, change] of [
        ['Contact', { LastName: 'Lovelace', Email: 'ada@example.com', Birthdate: '1815-12-10', Score__c: 1.5, Vip__c: true }, { FirstName: 'Ada' }],
        ['Account', { Name: 'Acme', AnnualRevenue: 1e6 }, { Industry: 'Energy' }], ['Lead', { LastName: 'Hopper', Company: 'Navy' }, { Status: 'Open' }],
        ['Opportunity', { Name: 'Big', StageName: 'New', CloseDate: '2026-01-31' }, { Amount: 12.5 }], ['Invoice__c', { Total__c: 1, Channels__c: 'web;shop' }, { Paid__c: true }],
    ]) {
        const object = client.sobject(name);
        // 200, and a word for each row.
        const rows = await object.create([good, { ...good, CreatedDate: '2026-01-01T00:00:00Z' }], { allOrNone: false });
        assert.deepEqual(rows.map(({ success }) => success), [true, false]);
        assert.equal(rows[1].errors[0].statusCode, 'INVALID_FIELD_FOR_INSERT_UPDATE');
        const { id } = rows[0];
        assert.deepEqual((await object.update([{ Id: id, ...change }], { allOrNone: false })).map(({ success }) => success), [true]);
        const [field] = Object.keys(change);
        assert.deepEqual((await object.retrieve([id, '003dx0000999999AAA'], { fields: ['Id', field] })).map((one) => one?.[field]), [change[field], undefined]);
        assert.equal((await client.query(`SELECT Id, ${field} FROM ${name}`)).records[0][field], change[field]);
        // The same in bulk: open, upload, close, poll, three files, and the job is deleted.
        const load = async (operation, input, more) => {
            const job = client.bulk2.createJob({ object: name, operation, ...more });
            await job.open();
            await job.uploadData(input);
            await job.close();
            await job.poll(1, 5000);
            const results = await job.getAllResults();
            await job.delete();
            await refused(() => job.check(), 'NOT_FOUND');
            return results;
        };
        const made = await load('insert', [{ ...good, CreatedDate: '' }, { ...good, CreatedDate: '2026-01-01T00:00:00Z' }]);
        assert.deepEqual([made.successfulResults.length, made.failedResults.length, made.unprocessedRecords.length], [1, 1, 0]);
        assert.match(made.failedResults[0].sf__Error, /^INVALID_FIELD_FOR_INSERT_UPDATE:/);
        const changed = await load('update', [{ Id: id, [field]: null }, { Id: made.successfulResults[0].sf__Id, ...change }]);
        assert.deepEqual(changed.successfulResults.map((one) => one.sf__Id), [made.successfulResults[0].sf__Id, id], 'in another order');
        assert.equal((await object.retrieve(id))[field], field === 'Paid__c' ? false : null);
        assert.equal((await load('delete', [{ Id: made.successfulResults[0].sf__Id }])).successfulResults.length, 1);
        assert.match((await load('delete', [{ Id: made.successfulResults[0].sf__Id }])).failedResults[0].sf__Error, /^ENTITY_IS_DELETED:/);
        const external = name === 'Invoice__c' ? 'Number__c' : 'Customer_Ref__c';
        assert.deepEqual((await object.upsert([{ ...good, [external]: 'x1' }, { ...good, [external]: 'x9', CreatedDate: '2026-01-01T00:00:00Z' }], external, { allOrNone: false })).map(({ success }) => success), [true, false]);
        assert.equal((await object.upsert([{ ...change, [external]: 'x1' }], external))[0].created, false);
        assert.equal((await client.request(`/services/data/v61.0/sobjects/${name}/${external}/x1?fields=Id,${field}`))[field], change[field]);
        await refused(() => client.request(`/services/data/v61.0/sobjects/${name}/${external}/x2`), 'NOT_FOUND');
        const put = await load('upsert', [{ ...good, [external]: 'x1' }, { ...good, [external]: 'x2' }], { externalIdFieldName: external });
        assert.deepEqual(put.successfulResults.map((one) => [one[external], one.sf__Created]), [['x2', 'true'], ['x1', 'false']]);
        assert.deepEqual((await object.destroy([id, '003dx0000999999AAA'])).map(({ success }) => success), [true, false]);
    }

    const contacts = client.sobject('Contact');
    const locked = await contacts.create([{ LastName: 'x', Customer_Ref__c: 'C-7507' }], { allOrNone: false });
    assert.equal(locked[0].errors[0].statusCode, 'UNABLE_TO_LOCK_ROW');
    await refused(() => contacts.create(Array(201).fill({ LastName: 'x' }), { allOrNone: false }), 'EXCEEDED_ID_LIMIT');
    await refused(() => contacts.create([{ Nothing__c: 'x' }], { allOrNone: false }), 'INVALID_FIELD');

    // A query in pages.
    for (let at = 0; at < 1000; at += 200) await client.sobject('Account').create(Array.from({ length: 200 }, (_, n) => ({ Name: `Acme ${at + n}` })), { allOrNone: false });
    let page = await client.query('SELECT Id, Name FROM Account');
    assert.equal(page.done, false);
    const found = [...page.records];
    for (; !page.done; found.push(...page.records)) page = await client.queryMore(page.nextRecordsUrl);
    assert.equal(new Set(found.map(({ Id }) => Id)).size, page.totalSize);
    await refused(() => client.query('SELECT Nothing FROM Account'), 'INVALID_FIELD');

    // Jobs that fail, are broken off, and are not finished.
    const job = async (rows, object = 'Contact', operation = 'insert') => {
        const open = client.bulk2.createJob({ object, operation });
        await open.open();
        await open.uploadData(rows);
        return open;
    };
    const failed = await job([{ Nothing__c: 'x' }]);
    await failed.close();
    await assert.rejects(() => failed.poll(1, 5000), /Field name not found : Nothing__c/);
    assert.equal((await failed.getUnprocessedRecords()).length, 1);
    const broken = await job(Array.from({ length: 700 }, (_, n) => ({ LastName: `L${n}`, Company: 'x' })), 'Lead');
    await broken.close();
    await assert.rejects(() => broken.poll(1, 5000), /Retried more than twenty times/);
    const results = await broken.getAllResults();
    assert.deepEqual([results.successfulResults.length, results.unprocessedRecords.length], [699, 1]);
    const aborted = await job([{ LastName: 'x' }]);
    await assert.rejects(() => aborted.getFailedResults(), /INVALIDJOBSTATE/);
    await aborted.abort();
    await refused(() => aborted.close(), 'INVALIDJOBSTATE');
    await refused(() => client.bulk2.createJob({ object: 'Contact', operation: 'upsert' }).open(), 'INVALIDJOB');
    await refused(() => client.bulk2.createJob({ object: 'Nothing__c', operation: 'insert' }).open(), 'INVALIDENTITY');
}
