// @onesignal/node-onesignal against the stand-in.
import assert from 'node:assert/strict';
import OneSignal from '@onesignal/node-onesignal';

const app = 'b2f7f966-d8cc-11e4-bed1-df8f05be55ba';

export default async function prove({ url, credentials: { api_key } }) {
    const open = (restApiKey) => new OneSignal.DefaultApi(OneSignal.createConfiguration({ restApiKey, baseServer: new OneSignal.ServerConfiguration(url, {}) }));
    const client = open(api_key);
    const made = await client.createUser(app, { identity: { external_id: 'u/1' }, properties: { tags: { plan: 'free' }, language: 'de' }, subscriptions: [{ type: 'Email', token: 'ada@example.com' }] });
    const { onesignal_id } = made.identity;
    const again = await client.createUser(app, { identity: { external_id: 'u/1' }, properties: { tags: { seats: 7 } }, subscriptions: [{ type: 'SMS', token: '+4915112345678' }] });
    assert.equal(again.identity.onesignal_id, onesignal_id);
    await assert.rejects(client.createUser(app, { properties: { language: 'de' } }), { code: 400 });
    const other = await client.createUser(app, { identity: { external_id: 'u/2' } });
    await assert.rejects(client.createUser(app, { identity: { external_id: 'u/1', onesignal_id: other.identity.onesignal_id } }), { code: 409 });

    for (const [label, id] of [['external_id', 'u/1'], ['onesignal_id', onesignal_id]]) {
        const user = await client.getUser(app, label, id);
        assert.deepEqual([user.identity.external_id, user.subscriptions.map(({ type }) => type)], ['u/1', ['Email', 'SMS']]);
        assert.equal((await client.updateUser(app, label, id, { properties: { timezone_id: 'Europe/Berlin', tags: { plan: '' } } })).properties.tags.seats, 7);
    }
    assert.equal((await client.getUser(app, 'external_id', 'u/1')).properties.tags.plan, undefined);
    await client.createCustomEvents(app, { events: [{ name: 'ordered', external_id: 'u/1', payload: { order: 7 }, timestamp: '2026-01-02T03:04:05Z' }] });
    assert.equal((await client.getSegments(app)).total_count, 1);
    await client.deleteUser(app, 'external_id', 'u/1');
    await client.deleteUser(app, 'onesignal_id', other.identity.onesignal_id);
    await assert.rejects(client.getUser(app, 'external_id', 'u/1'), { code: 404 });
    await assert.rejects(open('another').getUser(app, 'external_id', 'u/1'), { code: 403 });
}
