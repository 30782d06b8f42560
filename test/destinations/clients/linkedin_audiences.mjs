// linkedin-api-client against the stand-in.
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { createRequire } from 'node:module';

const require = createRequire(import.meta.url);
const { RestliClient } = require('linkedin-api-client');

export default async function prove({ url, credentials }) {
    const client = new RestliClient();
    // Its address is fixed: each request goes to ours instead.
    client.axiosInstance.interceptors.request.use((request) => ({ ...request, url: request.url.replace('https://api.linkedin.com', url) }));
    const sha256 = (value) => createHash('sha256').update(value).digest('hex');
    const kept = async (store) => (await fetch(`${url}/_control/records/${store}`)).json();
    const form = new URLSearchParams({ grant_type: 'refresh_token', client_id: credentials.client_id, client_secret: credentials.client_secret, refresh_token: credentials.refresh_token });
    const { access_token: accessToken } = await (await fetch(`${url}/oauth/v2/accessToken`, { method: 'POST', body: form })).json();
    const common = { versionString: '202608', accessToken };
    const refused = (call, status) => assert.rejects(call, ({ response }) => response?.status === status);
    const statuses = ({ data }) => data.elements.map(({ status }) => status);

    const user = (action, value) => ({ action, userIds: [{ idType: 'SHA256_EMAIL', idValue: value }] });
    const [ada, bob] = ['ada@example.com', 'bob@example.com'].map(sha256);
    const users = (...entities) => client.batchCreate({ ...common, resourcePath: '/dmpSegments/{segment}/users', pathKeys: { segment: '10804' }, entities });
    assert.deepEqual(statuses(await users(user('ADD', ada), user('ADD', 'bob@example.com'), user('ADD', bob), user('ADD', ada))), [201, 400, 201, 201]);
    assert.deepEqual(statuses(await users(user('REMOVE', bob), user('REMOVE', bob))), [201, 201]);
    assert.deepEqual((await kept('users')).map(({ email }) => email), [ada]);
    await refused(users(...Array(5001).fill(user('ADD', ada))), 400);
    await refused(client.batchCreate({ ...common, resourcePath: '/dmpSegments/{segment}/users', pathKeys: { segment: '1' }, entities: [user('ADD', ada)] }), 404);

    const companies = (...entities) => client.batchCreate({ ...common, resourcePath: '/dmpSegments/{segment}/companies', pathKeys: { segment: '10805' }, entities });
    assert.deepEqual(statuses(await companies({ action: 'ADD', companyName: 'LinkedIn' }, { action: 'ADD', companyName: 'Acme' }, { action: 'REMOVE', companyName: 'Acme' })), [201, 201, 201]);
    assert.deepEqual((await kept('companies')).map(({ companyName }) => companyName), ['LinkedIn']);

    const account = 'urn:li:sponsoredAccount:516848833';
    const entity = { name: 'Buyers', account, accessPolicy: 'PRIVATE', sourcePlatform: 'ACME', type: 'USER', destinations: [{ destination: 'LINKEDIN' }] };
    const made = await client.create({ ...common, resourcePath: '/dmpSegments', entity });
    assert.match(String(made.createdEntityId), /^\d+$/);
    await refused(client.create({ ...common, resourcePath: '/dmpSegments', entity: { ...entity, account: 'urn:li:sponsoredAccount:1' } }), 403);
    for (let n = 0; n < 3; ++n) await client.create({ ...common, resourcePath: '/dmpSegments', entity: { ...entity, name: `S${n}` } });
    const page = await client.finder({ ...common, resourcePath: '/dmpSegments', finderName: 'account', queryParams: { account, start: 2, count: 5 } });
    assert.deepEqual([page.data.elements.map(({ name }) => name), page.data.paging.total], [['S1', 'S2'], 4]);
    await refused(client.finder({ ...common, accessToken: 'another', resourcePath: '/dmpSegments', finderName: 'account', queryParams: { account } }), 401);
}
