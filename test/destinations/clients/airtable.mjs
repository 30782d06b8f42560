// airtable.js against the stand-in. What it has no method for, as an upsert, goes through its makeRequest.
import assert from 'node:assert/strict';
import Airtable from 'airtable';

export default async function prove({ url, credentials: { access_token } }) {
    const open = (apiKey) => new Airtable({ apiKey, endpointUrl: url, noRetryIfRateLimited: true });
    const base = open(access_token).base('appAcmeAcmeAcme01');
    const people = base('People');
    const ask = (method, path, body, of = base) => of.makeRequest({ method, path, body }).then((answer) => answer.body);
    const all = (of) => of.select({ pageSize: 2 }).all();

    const [ada, grace, alan] = await people.create([{ fields: { Email: 'ada@example.com', Name: 'Ada' } }, { fields: { Email: 'grace@example.com', Paying: true } }, { fields: { Email: 'alan"@example.com', Paying: false } }]);
    assert.deepEqual([ada.fields.Name, grace.fields.Paying, alan.fields.Paying], ['Ada', true, undefined]);
    await assert.rejects(people.create([{ fields: { Nobody: 1 } }]), { error: 'UNKNOWN_FIELD_NAME', statusCode: 422 });
    await assert.rejects(people.create([{ fields: { Code: '7' } }]), { error: 'INVALID_VALUE_FOR_COLUMN' });
    assert.equal((await people.create([{ fields: { Code: '7' } }], { typecast: true }))[0].fields.Code, 7);
    await assert.rejects(people.create(Array(11).fill({ fields: {} })), { statusCode: 422 });
    assert.equal((await people.update([{ id: ada.id, fields: { 'Seats / year': 7 } }]))[0].fields.Name, 'Ada');
    await assert.rejects(people.update([{ id: 'recGone', fields: {} }, { id: ada.id, fields: { Name: 'No' } }]), { error: 'ROW_DOES_NOT_EXIST' });
    assert.equal((await people.find(ada.id)).fields.Name, 'Ada');
    await assert.rejects(people.find('recGone'), { statusCode: 404 });
    assert.deepEqual((await all(people)).map(({ id }) => id).slice(0, 3), [ada.id, grace.id, alan.id]);
    assert.deepEqual((await people.select({ filterByFormula: '{Email}&""="alan\\"@example.com"', method: 'post' }).all()).map(({ id }) => id), [alan.id]);

    assert.equal((await people.select({ filterByFormula: '{Seats / year}&""="7"', method: 'post', pageSize: 2, maxRecords: 2 }).all())[0].id, ada.id);

    for (const table of ['tblPeoplePeople01', 'tblOrdersOrders01']) {
        const path = `/${table}`;
        const kurt = (await ask('POST', path, { records: [{ fields: { Name: 'Kurt' } }], typecast: false })).records[0];
        const upsert = (...names) => ask('PATCH', path, { performUpsert: { fieldsToMergeOn: ['Name'] }, records: names.map((Name) => ({ fields: { Name } })) });
        const done = await upsert('Kurt', 'Emmy');
        assert.deepEqual([done.updatedRecords, done.createdRecords.length, done.records[0].id], [[kurt.id], 1, kurt.id]);
        const twice = (await ask('POST', path, { records: [{ fields: { Name: 'Emmy' } }] })).records[0];
        await assert.rejects(upsert('Emmy'), { statusCode: 422 });
        assert.equal((await ask('PATCH', path, { records: [{ id: kurt.id, fields: { Name: 'K"rt' } }] })).records[0].fields.Name, 'K"rt');
        assert.ok((await ask('GET', path)).records.length > 2);
        assert.equal((await ask('POST', `${path}/listRecords`, { filterByFormula: '{Name}&""="K\\"rt"', pageSize: 2, maxRecords: 2 })).records[0].id, kurt.id);
        assert.equal((await base(table).find(kurt.id)).fields.Name, 'K"rt');
        assert.deepEqual((await base(table).destroy([kurt.id, twice.id])).map(({ id }) => id), [kurt.id, twice.id]);
        await assert.rejects(base(table).destroy([kurt.id]), { statusCode: 422 });
    }

    assert.equal((await ask('GET', '/whoami', undefined, open(access_token).base('meta'))).email, 'ada@example.com');
    assert.deepEqual((await ask('GET', '/appAcmeAcmeAcme01/tables', undefined, open(access_token).base('meta/bases'))).tables.map(({ name }) => name), ['People', 'Orders, 2026']);
    await assert.rejects(open('another').base('appAcmeAcmeAcme01')('People').find(alan.id), { statusCode: 401 });
    await assert.rejects(open(access_token).base('appOther')('People').find(alan.id), { statusCode: 403 });
    await assert.rejects(base('Nothing').find(alan.id), { statusCode: 404 });
}
