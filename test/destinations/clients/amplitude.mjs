// @amplitude/analytics-node against the stand-in.
import assert from 'node:assert/strict';
import { createRequire } from 'node:module';

const { Identify, createInstance } = createRequire(import.meta.url)('@amplitude/analytics-node');

export default async function prove({ url, credentials }) {
    const kept = async (store) => (await fetch(`${url}/_control/records/${store}`)).json();
    const open = async (key) => {
        const client = createInstance();
        await client.init(key, { serverUrl: `${url}/batch`, useBatch: true, flushIntervalMillis: 5, flushMaxRetries: 2, logLevel: 0 }).promise;
        return client;
    };
    const client = await open(credentials.api_key);
    const sent = async (...calls) => {
        const results = calls.map(({ promise }) => promise);
        await client.flush().promise;
        return (await Promise.all(results)).map(({ code }) => code);
    };
    const more = { user_id: 'person ada', time: 1767323045006, groups: { company: 'acme' }, insert_id: 'order-1' };

    assert.deepEqual(await sent(client.track('ordered', { total: 9.5 }, more), client.track('paid', {}, { ...more, insert_id: 'order-2' })), [200, 200]);
    assert.deepEqual(await sent(client.track('ordered', { total: 9.5 }, more)), [200]);
    assert.deepEqual((await kept('events')).map(({ event_type: type, event_properties: { total } }) => [type, total ?? null]), [['ordered', 9.5], ['paid', null]]);
    assert.deepEqual(await sent(client.identify(new Identify().set('email', 'ada@example.com'), { user_id: 'person ada' })), [200]);
    assert.deepEqual(await sent(client.groupIdentify('company', 'acme', new Identify().set('name', 'Acme'))), [200]);
    assert.deepEqual([(await kept('users'))[0], (await kept('groups'))[0].name], [{ user_id: 'person ada', email: 'ada@example.com' }, 'Acme']);

    // One that is bad is told, nothing is taken, and the client sends the other again.
    const both = [client.track('short', {}, { user_id: 'n' }), client.track('long', {}, { user_id: 'person grace' })];
    assert.deepEqual(await Promise.all(both.map(async ({ promise }) => (await promise).code)), [400, 200]);
    assert.deepEqual((await kept('events')).map(({ event_type: type }) => type), ['ordered', 'paid', 'long']);

    const stranger = await open('another');
    assert.equal((await stranger.track('ordered', {}, { user_id: 'person ada' }).promise).code, 400);
}
