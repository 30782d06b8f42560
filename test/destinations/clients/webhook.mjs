// standardwebhooks signs, and the stand-in takes it.
import assert from 'node:assert/strict';
import { createRequire } from 'node:module';

const { Webhook } = createRequire(import.meta.url)('standardwebhooks');

export default async function prove({ url, credentials }) {
    const send = async (id, time, body, secrets) => {
        const signatures = secrets.map((secret) => new Webhook(secret).sign(id, time, body)).join(' ');
        const headers = { 'content-type': 'application/json', 'webhook-id': id, 'webhook-timestamp': String(Math.floor(time / 1000)), 'webhook-signature': signatures };
        return (await fetch(`${url}/contacts`, { method: 'POST', headers, body })).status;
    };
    const secrets = [credentials.signing_secret, credentials.previous_secret];
    const body = JSON.stringify({ type: 'contact.created', timestamp: '2026-01-02T03:04:05Z', data: { name: 'Zoë' } });
    assert.equal(await send('msg_1', new Date(), body, secrets), 204);
    assert.equal(await send('msg_2', new Date(), JSON.stringify({ type: 'no type' }), secrets), 422);
    assert.equal(await send('msg_3', new Date(), body, ['whsec_YW5vdGhlcmFub3RoZXJhbm90aGVyYW5v']), 401);
    assert.equal(await send('msg_4', new Date(Date.now() - 600_000), body, secrets), 401);
}
