// @segment/analytics-node against the stand-in.
import assert from 'node:assert/strict';
import { Analytics } from '@segment/analytics-node';

export default async function prove({ url, credentials }) {
    const kept = async (store) => (await fetch(`${url}/_control/records/${store}`)).json();
    const errors = [];
    const open = (writeKey) => {
        const analytics = new Analytics({ writeKey, host: url, flushAt: 50, flushInterval: 5, maxRetries: 0 });
        analytics.on('error', ({ reason }) => errors.push(String(reason)));
        return analytics;
    };
    const client = open(credentials.write_key);
    const done = (call) => new Promise((resolve) => call(resolve));
    const timestamp = new Date('2026-01-02T03:04:05Z');
    await Promise.all([
        done((then) => client.track({ userId: 'ada', event: 'ordered', properties: { revenue: 9.5 }, timestamp, messageId: 'order-1' }, then)),
        done((then) => client.track({ anonymousId: 'a1', event: 'seen', integrations: { All: false } }, then)),
        done((then) => client.identify({ userId: 'ada', traits: { email: 'ada@example.com' } }, then)),
        done((then) => client.group({ userId: 'ada', groupId: 'acme', traits: { name: 'Acme' } }, then)),
        done((then) => client.page({ userId: 'ada', name: 'Home', properties: { url: 'https://example.com' } }, then)),
        done((then) => client.screen({ userId: 'ada', name: 'Start' }, then)),
        done((then) => client.alias({ userId: 'ada', previousId: 'a1' }, then)),
    ]);
    await done((then) => client.track({ userId: 'ada', event: 'ordered', messageId: 'order-1' }, then));
    assert.deepEqual(errors, []);
    assert.deepEqual((await kept('events')).map(({ event }) => event).sort(), ['ordered', 'seen']);
    assert.deepEqual(await kept('users'), [{ userId: 'ada', email: 'ada@example.com' }]);
    assert.deepEqual(await kept('groups'), [{ id: 'ada/acme', userId: 'ada', groupId: 'acme', name: 'Acme' }]);
    assert.deepEqual((await Promise.all(['pages', 'screens', 'aliases'].map(kept))).map((found) => found.length), [1, 1, 1]);
    const refused = await done((then) => open('another').track({ userId: 'ada', event: 'ordered' }, then));
    assert.match(`${refused} ${refused?.reason}`, /401/);
}
