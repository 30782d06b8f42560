// twilio against the stand-in.
import assert from 'node:assert/strict';
import { createRequire } from 'node:module';

const twilio = createRequire(import.meta.url)('twilio');

export default async function prove({ url, credentials }) {
    // The client has the host in itself.
    const wire = new twilio.RequestClient();
    const httpClient = { request: (options) => wire.request({ ...options, uri: options.uri.replace('https://api.twilio.com', url) }) };
    const account = 'AC00000000000000000000000000000000';
    const open = (token) => twilio(account, token, { httpClient });
    const client = open(credentials.auth_token);
    const refused = (call, status, code) => assert.rejects(call, (error) => error.status === status && error.code === code);
    const of = { to: '+15558675310', from: '+15017122661' };

    const one = await client.messages.create({ ...of, body: 'Hello & welcome', mediaUrl: ['https://example.com/a.png'] });
    assert.deepEqual([one.to, one.body, one.status, one.dateCreated.toISOString()], ['+15558675310', 'Hello & welcome', 'queued', '2026-01-02T03:04:05.000Z']);
    await refused(client.messages.create({ ...of, to: 'nobody', body: 'Hello' }), 400, 21211);
    await refused(client.messages.create(of), 400, 21602);
    await refused(client.messages.create({ to: of.to, body: 'Hello' }), 400, 21603);
    assert.equal((await client.messages(one.sid).fetch()).sid, one.sid);
    assert.equal((await client.messages(one.sid).update({ body: '' })).body, '');
    await refused(client.messages(one.sid).update({ status: 'canceled' }), 400, 30409);
    const later = await client.messages.create({ ...of, body: 'Later', scheduleType: 'fixed', sendAt: new Date('2026-12-24T12:00:00Z') });
    assert.equal((await client.messages(later.sid).update({ status: 'canceled' })).status, 'canceled');
    await client.messages.create({ ...of, to: '+15558675311', body: 'Another' });
    assert.equal((await client.messages.list({ pageSize: 2 })).length, 3);
    assert.equal((await client.messages.list({ to: '+15558675311' })).length, 1);
    assert.equal(await client.messages(one.sid).remove(), true);
    await refused(client.messages(one.sid).fetch(), 404, 20404);
    assert.equal((await client.api.v2010.accounts(account).fetch()).friendlyName, 'Acme');
    await refused(open('another').messages.list(), 401, 20003);
}
