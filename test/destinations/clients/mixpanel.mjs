// mixpanel against the stand-in.
import assert from 'node:assert/strict';
import { createRequire } from 'node:module';

const require = createRequire(import.meta.url);
const Mixpanel = require('mixpanel');
const http = require('http');
// With a service account the client speaks https only, and the stand-in does not.
require('https').request = (options, then) => http.request({ ...options, agent: undefined }, then);

export default async function prove({ url, credentials }) {
    const { hostname: host, port } = new URL(url);
    const kept = async (store) => (await fetch(`${url}/_control/records/${store}`)).json();
    const open = (secret, token = '0123456789abcdef0123456789abcdef') => Mixpanel.init(token, {
        host, port, verbose: true, protocol: 'https',
        credentials: new Mixpanel.ServiceAccountCredentials(credentials.service_account, secret, '1234567'),
    });
    const done = (start) => new Promise((resolve, reject) => start((error) => { const first = [error].flat().find(Boolean); return first ? reject(first) : resolve(); }));
    const client = open(credentials.secret);
    const ordered = (id, more) => ({ event: 'ordered', properties: { time: new Date('2026-01-02T03:04:05Z'), distinct_id: id, $insert_id: 'order-1', ...more } });

    await done((then) => client.import_batch([ordered('ada', { total: 9.5 }), ordered('')], then));
    await done((then) => client.import_batch([ordered('ada', { total: 9.5 })], then));
    assert.deepEqual((await kept('events')).map(({ event, properties }) => [event, properties.time, properties.distinct_id]), [['ordered', 1767323045000, 'ada'], ['ordered', 1767323045000, '']]);
    await assert.rejects(() => done((then) => client.import_batch([ordered('anonymous'), ordered('grace')], then)), /failed validation/);
    assert.equal((await kept('events')).length, 3);
    await assert.rejects(() => done((then) => open('another').import_batch([ordered('ada')], then)), /Invalid credentials/);

    const post = (of, endpoint, data) => done((then) => of.send_request({ method: 'POST', endpoint, data }, then));
    const of = { $token: client.token };
    await post(client, '/engage', [{ ...of, $distinct_id: 'ada', $set: { $email: 'ada@example.com' } }, { ...of, $distinct_id: 'grace', $set: { $name: 'Grace' } }]);
    await post(client, '/engage', [{ ...of, $distinct_id: 'ada', $set: { $name: 'Ada' } }]);
    await post(client, '/engage', [{ ...of, $distinct_id: 'grace', $delete: '', $ignore_alias: true }]);
    assert.deepEqual(await kept('profiles'), [{ id: 'ada', $email: 'ada@example.com', $name: 'Ada' }]);
    await assert.rejects(() => post(client, '/engage', [{ $token: 'another', $distinct_id: 'ada', $set: {} }]), /invalid/);
    await post(client, '/groups', [{ ...of, $group_key: 'company', $group_id: 'acme', $set: { $name: 'Acme' } }]);
    assert.deepEqual(await kept('groups'), [{ id: 'company/acme', $name: 'Acme' }]);
    await post(client, '/groups', [{ ...of, $group_key: 'company', $group_id: 'acme', $delete: '' }]);
    assert.deepEqual(await kept('groups'), []);
}
