// @sendgrid/client against the stand-in.
import assert from 'node:assert/strict';
import sendgrid from '@sendgrid/client';

export default async function prove({ url, credentials }) {
    const client = new sendgrid.Client();
    client.setApiKey(credentials.api_key);
    client.setDefaultRequest('baseUrl', url);
    const ask = async (method, path, { body, qs } = {}) => (await client.request({ method, url: path, body, qs }))[0];
    const refused = (call, status) => assert.rejects(call, (error) => error.code === status && error.response.body.errors.length > 0);
    const contacts = '/v3/marketing/contacts';

    const put = await ask('PUT', contacts, { body: { list_ids: ['ca7a3796-e8a8-4029-9ccb-df8937940562'], contacts: [{ email: 'Ada@example.com', first_name: 'Ada', custom_fields: { w1: 'gold', e2_N: 3 } }, { email: 'grace@example.com' }] } });
    assert.equal(put.statusCode, 202);
    const job = await ask('GET', `${contacts}/imports/${put.body.job_id}`);
    assert.equal(job.body.status, 'completed');
    assert.equal(job.body.results.requested_count, 2);
    await refused(() => ask('PUT', contacts, { body: { contacts: [{ email: 'a@example.com' }, { email: 'nobody' }] } }), 400);
    await refused(() => ask('PUT', contacts, { body: { contacts: [{ email: 'a@example.com', custom_fields: { w9: 'x' } }] } }), 400);
    await refused(() => ask('PUT', contacts, { body: { contacts: [{ email: 'a@example.com', colour: 'red' }] } }), 400);
    await refused(() => ask('PUT', contacts, { body: { contacts: [{ first_name: 'Ada' }] } }), 400);

    const found = await ask('POST', `${contacts}/search/emails`, { body: { emails: ['ada@example.com', 'nobody@example.com'] } });
    assert.deepEqual(Object.keys(found.body.result), ['ada@example.com', 'nobody@example.com']);
    const ada = found.body.result['ada@example.com'].contact;
    assert.deepEqual(ada.custom_fields, { tier: 'gold', seats: 3 });
    assert.equal(found.body.result['nobody@example.com'].error, 'contact not found');
    await refused(() => ask('POST', `${contacts}/search/emails`, { body: { emails: ['nobody@example.com'] } }), 404);
    assert.equal((await ask('GET', `${contacts}/${ada.id}`)).body.first_name, 'Ada');
    assert.equal((await ask('POST', `${contacts}/batch`, { body: { ids: [ada.id, 'x'] } })).body.result.length, 1);
    assert.equal((await ask('GET', `${contacts}/count`)).body.contact_count, 2);
    assert.equal((await ask('GET', '/v3/marketing/field_definitions')).body.custom_fields[0].id, 'w1');

    await ask('PUT', contacts, { body: { contacts: [{ email: 'ada@example.com', last_name: 'Lovelace' }] } });
    assert.equal((await ask('GET', `${contacts}/${ada.id}`)).body.first_name, 'Ada');
    assert.equal((await ask('DELETE', contacts, { qs: { ids: ada.id } })).statusCode, 202);
    await refused(() => ask('GET', `${contacts}/${ada.id}`), 404);
    client.setApiKey('SG.another');
    client.setDefaultRequest('baseUrl', url);
    await refused(() => ask('GET', `${contacts}/count`), 401);
}
