// intercom-client against the stand-in.
import assert from 'node:assert/strict';
import { IntercomClient } from 'intercom-client';

export default async function prove({ url, credentials }) {
    const client = new IntercomClient({ token: credentials.access_token, environment: url, maxRetries: 0 });
    const refused = (call, status) => assert.rejects(call, (error) => error.statusCode === status);

    const ada = await client.contacts.create({ role: 'user', email: 'ada@example.com', name: 'Ada', custom_attributes: { plan: 'gold', seats: 3 } });
    assert.equal(ada.email, 'ada@example.com');
    await refused(() => client.contacts.create({ email: 'Ada@Example.com' }), 409);
    await refused(() => client.contacts.create({ email: 'nobody' }), 400);
    await refused(() => client.contacts.create({ email: 'b@example.com', custom_attributes: { colour: 'red' } }), 400);
    const updated = await client.contacts.update({ contact_id: ada.id, name: 'Augusta', external_id: 'a1' });
    assert.equal(updated.name, 'Augusta');
    assert.equal((await client.contacts.find({ contact_id: ada.id })).custom_attributes.plan, 'gold');
    assert.equal((await client.contacts.showContactByExternalId({ external_id: 'a1' })).id, ada.id);
    const search = { query: { field: 'email', operator: 'IN', value: ['ada@example.com', 'nobody@example.com'] }, pagination: { per_page: 150 } };
    assert.deepEqual((await client.contacts.search(search)).data.map(({ id }) => id), [ada.id]);
    await client.contacts.archive({ contact_id: ada.id });
    assert.equal((await client.contacts.search(search)).data.length, 0);
    await refused(() => client.contacts.create({ email: 'ada@example.com' }), 409);
    await client.contacts.unarchive({ contact_id: ada.id });
    assert.equal((await client.contacts.search(search)).data.length, 1);
    const everybody = [];
    for (let n = 0; n < 7; ++n) await client.contacts.create({ email: `c${n}@example.com` });
    for await (const one of await client.contacts.search({ query: { operator: 'AND', value: [{ field: 'created_at', operator: '>', value: '0' }] }, pagination: { per_page: 3 } })) everybody.push(one.email);
    assert.equal(new Set(everybody).size, 8);
    assert.equal((await client.contacts.delete({ contact_id: ada.id })).deleted, true);
    await refused(() => client.contacts.find({ contact_id: ada.id }), 404);

    const acme = await client.companies.createOrUpdate({ company_id: 'c1', name: 'Acme', monthly_spend: 7 });
    assert.equal((await client.companies.createOrUpdate({ company_id: 'c1', name: 'Acme & Co' })).id, acme.id);
    assert.equal((await client.companies.find({ company_id: acme.id })).name, 'Acme & Co');
    assert.equal((await client.companies.update({ company_id: acme.id, body: { name: 'Acme Ltd' } })).name, 'Acme Ltd');
    assert.equal((await client.companies.retrieve({ company_id: 'c1' })).name ?? 'Acme Ltd', 'Acme Ltd');
    assert.equal((await client.companies.list({ page: 1, per_page: 60 })).data.length, 1);
    const { id } = await client.contacts.create({ email: 'member@example.com' });
    assert.equal((await client.companies.attachContact({ contact_id: id, id: acme.id })).id, acme.id);
    await refused(() => client.companies.attachContact({ contact_id: id, id: 'nothing' }), 404);
    await client.companies.detachContact({ contact_id: id, company_id: acme.id });
    assert.equal((await client.tags.tagContact({ contact_id: id, id: 't1' })).id, 't1');
    await client.tags.untagContact({ contact_id: id, tag_id: 't1' });
    await client.companies.delete({ company_id: acme.id });
    await refused(() => client.companies.find({ company_id: acme.id }), 404);

    await client.events.create({ event_name: 'ordered', created_at: 1767323045, user_id: 'a1', metadata: { order: '7' } });
    const attributes = await client.dataAttributes.list({ model: 'contact' });
    assert.ok(attributes.data.some(({ name, custom }) => custom && name === 'plan'));
    await refused(() => new IntercomClient({ token: 'another', environment: url, maxRetries: 0 }).contacts.find({ contact_id: ada.id }), 401);
}
