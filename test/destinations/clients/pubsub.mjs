// @google-cloud/pubsub against the stand-in, over HTTP in place of gRPC.
import assert from 'node:assert/strict';
import { createRequire } from 'node:module';

const require = createRequire(import.meta.url);
const { v1 } = require('@google-cloud/pubsub');
const { OAuth2Client } = require('google-auth-library');

export default async function prove({ url, credentials }) {
    const { hostname, port } = new URL(url);
    const of = (access_token) => {
        const authClient = new OAuth2Client();
        authClient.setCredentials({ access_token });
        return new v1.PublisherClient({ fallback: true, protocol: 'http', apiEndpoint: hostname, port: Number(port), projectId: 'acme-1', authClient });
    };
    const client = of(credentials.access_token);
    const once = { retry: null, timeout: 5000 };
    const message = (data, more) => ({ data: Buffer.from(JSON.stringify(data)), ...more });
    const publish = async (topic, ...messages) => (await client.publish({ topic: `projects/acme-1/topics/${topic}`, messages }, once))[0].messageIds;
    const ids = await publish('orders', message({ name: 'Zoë' }, { attributes: { kind: 'a' }, orderingKey: 'k' }), message(2));
    assert.equal(ids.length, 2);
    assert.ok(ids.every((id) => /^\d+$/.test(id)));
    const refused = (call, words) => assert.rejects(call, (error) => words.test(error.message));
    await refused(publish('orders', message(1, { attributes: { google: 'x' } })), /google.*is invalid/);
    await refused(publish('orders', {}), /no data/);
    await refused(publish('nowhere', message(1)), /Resource not found/);
    const [topics] = await client.listTopics({ project: 'projects/acme-1', pageSize: 1 }, { ...once, autoPaginate: false });
    assert.equal(topics[0].name, 'projects/acme-1/topics/orders');
    await refused(of('another').publish({ topic: 'projects/acme-1/topics/orders', messages: [message(1)] }, once), /invalid authentication/);
}
