import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import jsforce from 'jsforce';
import { control, skip, tellOfClient, url } from './sandbox.mjs';

after(() => skip || tellOfClient('salesforce', 'jsforce', import.meta.url));

const connect = () => new jsforce.Connection({ instanceUrl: url, accessToken: 'token-test', version: '59.0' });
const failure = (promise) => promise.then(() => assert.fail('was accepted'), (error) => error);
const last = `Lovelace${process.pid}`;

test('collections: create, update, upsert by external id, retrieve, destroy', { skip }, async () => {
    const contacts = connect().sobject('Contact');
    const created = await contacts.create([{ LastName: last, Email: 'ada@example.com' }, { FirstName: 'Nobody' }],
        { allOrNone: false });
    assert.equal(created[0].success, true);
    assert.match(created[0].id, /^003[A-Za-z0-9]{15}$/);
    assert.equal(created[1].success, false);
    const [reason] = created[1].errors;
    assert.equal(reason.statusCode, 'REQUIRED_FIELD_MISSING');
    assert.equal(reason.message, 'Required fields are missing: [LastName]');
    assert.deepEqual(reason.fields, ['LastName']);

    const { id } = created[0];
    assert.equal((await contacts.update([{ Id: id, FirstName: 'Ada' }]))[0].success, true);
    const key = `key-${process.pid}`;
    const rows = [{ Ref__c: key, LastName: last }, { Ref__c: `${key}-2`, LastName: last, Email: 'none' }];
    const upserted = await contacts.upsert(rows, 'Ref__c', { allOrNone: false });
    assert.equal(upserted[0].created, true);
    assert.equal(upserted[1].errors[0].statusCode, 'INVALID_EMAIL_ADDRESS');
    const again = await contacts.upsert([{ Ref__c: key, LastName: last, FirstName: 'B' }], 'Ref__c');
    assert.deepEqual([again[0].created, again[0].id], [false, upserted[0].id]);

    const read = await contacts.retrieve([id, upserted[0].id]);
    assert.deepEqual(read.map((row) => row.FirstName), ['Ada', 'B']);
    assert.equal(read[0].attributes.type, 'Contact');
    const gone = await contacts.destroy([id, upserted[0].id]);
    assert.deepEqual(gone.map((row) => row.success), [true, true]);
    assert.equal((await failure(contacts.retrieve(id))).errorCode, 'NOT_FOUND');
});

test('single records and queries in pages', { skip }, async () => {
    const connection = connect();
    const leads = connection.sobject('Lead');
    for (let at = 0; at < 5; ++at) await leads.create({ LastName: last, Company: `Company ${at}` });
    const one = await leads.findOne({ LastName: last }, ['Id', 'Company']);
    assert.equal(one.Company, 'Company 0');
    await leads.update({ Id: one.Id, Company: 'O\'Neil' });
    const found = await connection.query(`SELECT Id FROM Lead WHERE Company = 'O\\'Neil' AND LastName = '${last}'`);
    assert.equal(found.totalSize, 1);

    await control('POST', 'settings', { salesforce_page_size: 2 });
    try {
        let page = await connection.query(`SELECT Id, Company FROM Lead WHERE LastName IN ('${last}')`);
        const companies = page.records.map((row) => row.Company);
        while (!page.done) {
            page = await connection.queryMore(page.nextRecordsUrl);
            companies.push(...page.records.map((row) => row.Company));
        }
        assert.deepEqual(companies, ["O'Neil", 'Company 1', 'Company 2', 'Company 3', 'Company 4']);
    } finally {
        await control('POST', 'settings', {});
    }
    await leads.destroy(one.Id);
    assert.equal((await failure(leads.create({ LastName: last }))).errorCode, 'REQUIRED_FIELD_MISSING');
    const described = await leads.describe();
    assert.ok(described.fields.some((field) => field.name === 'Company' && !field.nillable));
});

test('an expired token is refreshed in between', { skip }, async () => {
    const oauth2 = { loginUrl: url, clientId: 'client', clientSecret: 'secret-1' };
    const connection = new jsforce.Connection({ oauth2, instanceUrl: url, accessToken: 'expired', version: '59.0',
        refreshToken: 'refresh-1' });
    let refreshed = 0;
    connection.on('refresh', () => ++refreshed);
    assert.equal((await connection.sobject('Account').create({ Name: 'Ada Ltd' })).success, true);
    await control('POST', 'salesforce/expire', {});
    assert.equal((await connection.sobject('Account').create({ Name: 'Grace Ltd' })).success, true);
    assert.equal(refreshed, 2);

    const refused = new jsforce.Connection({ oauth2: { ...oauth2, clientSecret: 'wrong' }, instanceUrl: url,
        accessToken: 'expired', refreshToken: 'refresh-1' });
    assert.match(String(await failure(refused.sobject('Account').create({ Name: 'x' }))), /invalid client credentials/);
});
