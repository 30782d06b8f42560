// node-zendesk against the stand-in.
import assert from 'node:assert/strict';
import zendesk from 'node-zendesk';

export default async function prove({ url, credentials }) {
    const clientOf = (token) => zendesk.createClient({ username: credentials.email, token, endpointUri: `${url}/api/v2` });
    const client = clientOf(credentials.api_token);
    const refused = (call, status) => assert.rejects(call, (error) => String(error).includes(`(${status})`));

    const user = { external_id: 'u1', name: 'Ada', email: 'ada@example.com', user_fields: { plan: 'gold' } };
    const { result: ada } = await client.users.createOrUpdate({ user });
    assert.equal((await client.users.createOrUpdate({ user: { external_id: 'u1', notes: 'x' } })).result.id, ada.id);
    assert.equal((await client.users.update(ada.id, { user: { user_fields: { seats: 3 } } })).result.user_fields.plan, 'gold');
    await refused(() => client.users.createOrUpdate({ user: { external_id: 'u2', name: 'x', email: 'nobody' } }), 422);
    const { result: job } = await client.users.createOrUpdateMany({ users: [{ ...user, notes: 'y' }, { external_id: 'u3', name: 'Bob', email: 'bob@example.com' }, { external_id: 'u4', email: 'nobody' }] });
    const { result: ended } = await client.jobstatuses.show(job.job_status?.id ?? job.id);
    assert.deepEqual((ended.job_status ?? ended).results.map(({ status }) => status), ['Updated', 'Created', 'Failed']);
    const many = await client.users.showMany([ada.id]);
    assert.equal((many.result?.users ?? many.result ?? many)[0].external_id, 'u1');
    assert.equal((await client.users.search({ query: 'email:"ada@example.com"' }))[0].external_id, 'u1');
    assert.equal((await client.users.list()).length, 2);
    for (let n = 0; n < 120; ++n) await client.users.createOrUpdate({ user: { external_id: `c${n}`, name: 'C', email: `c${n}@example.com` } });
    assert.equal((await client.users.list()).length, 122);
    await client.users.delete(ada.id);
    await refused(() => client.users.show(ada.id), 404);
    assert.ok((await client.userfields.list()).some(({ key }) => key === 'plan'));
    assert.equal((await client.users.me()).result.email, 'agent@example.com');

    const { result: acme } = await client.organizations.createOrUpdate({ organization: { external_id: 'o1', name: 'Acme', domain_names: ['acme.example'] } });
    assert.equal((await client.organizations.update(acme.id, { organization: { details: 'x' } })).result.details, 'x');
    await refused(() => client.organizations.createOrUpdate({ organization: { external_id: 'o2', name: 'Acme' } }), 422);
    assert.equal((await client.organizations.showManyByExternalIds(['o1', 'o9']))[0].id, acme.id);
    assert.equal((await client.organizations.list()).length, 1);
    await client.organizations.delete(acme.id);
    await refused(() => client.organizations.show(acme.id), 404);

    const { result: ticket } = await client.tickets.create({ ticket: { subject: 'Broken', comment: { body: 'It broke' }, external_id: 't1' } });
    assert.equal(ticket.description, 'It broke');
    assert.equal((await client.tickets.update(ticket.id, { ticket: { status: 'solved', comment: { body: 'done' } } })).result.status, 'solved');
    await refused(() => client.tickets.create({ ticket: { subject: 'Broken' } }), 422);
    await client.tickets.showMany([ticket.id]);
    assert.equal((await client.tickets.list()).length, 1);
    assert.equal((await client.tickets.listWithFilter('external_id', 't1')).length, 1);
    await client.tickets.delete(ticket.id);
    await refused(() => client.tickets.show(ticket.id), 404);
    await refused(() => clientOf('another').users.me(), 401);
}
