// @google-cloud/bigquery against the stand-in.
import assert from 'node:assert/strict';
import { createRequire } from 'node:module';

const require = createRequire(import.meta.url);
const { BigQuery } = require('@google-cloud/bigquery');
const { OAuth2Client } = require('google-auth-library');

export default async function prove({ url, credentials }) {
    const of = (access_token) => {
        const authClient = new OAuth2Client();
        authClient.setCredentials({ access_token });
        return new BigQuery({ projectId: 'acme-1', apiEndpoint: url, authClient, autoRetry: false, maxRetries: 0 }).dataset('crm');
    };
    const crm = of(credentials.access_token);
    const people = crm.table('people');
    await people.insert([{ email: 'ada@example.com', seats: 7, seen: '2026-01-02T03:04:05Z', tags: ['a'] }, { email: 'b@example.com', extra: '{"a":1}' }]);
    const rows = [{ insertId: 'x', json: { email: 'c@example.com' } }, { json: { email: 'd@example.com', seats: 'x' } }, { insertId: 'x', json: { email: 'c@example.com' } }];
    const insert = (raw, options) => people.insert(raw, { raw: true, partialRetries: 0, ...options });
    await assert.rejects(insert(rows, { skipInvalidRows: true }), (error) => error.name === 'PartialFailureError' && error.errors.length === 1 && error.response.insertErrors[0].index === 1);
    await assert.rejects(insert(rows), (error) => error.response.insertErrors.map(({ errors }) => errors[0].reason).join() === 'stopped,invalid,stopped');
    const [{ schema }] = await people.getMetadata();
    assert.deepEqual(schema.fields[0], { name: 'email', type: 'STRING', mode: 'REQUIRED', description: 'where they are' });
    assert.deepEqual((await crm.getTables())[0].map(({ id }) => id), ['old', 'people']);
    await assert.rejects(crm.table('nobody').insert([{ email: 'x' }]), (error) => error.code === 404);
    await assert.rejects(of('another').table('people').insert([{ email: 'x' }]), (error) => error.code === 401);
}
