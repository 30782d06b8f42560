// @google-cloud/storage against the stand-in.
import assert from 'node:assert/strict';
import { createRequire } from 'node:module';

const require = createRequire(import.meta.url);
const { Storage } = require('@google-cloud/storage');
// Its own copy: another version's clients are none to it.
const { OAuth2Client } = createRequire(require.resolve('@google-cloud/storage'))('google-auth-library');

export default async function prove({ url, credentials }) {
    const of = (access_token, bucket = 'acme-exports') => {
        const authClient = new OAuth2Client();
        authClient.setCredentials({ access_token });
        return new Storage({ projectId: 'acme-1', apiEndpoint: url, authClient, useAuthWithCustomEndpoint: true, retryOptions: { autoRetry: false, maxRetries: 0 } }).bucket(bucket);
    };
    const bucket = of(credentials.access_token);
    const save = (name, data, contentType, to = bucket) => to.file(name).save(data, { resumable: false, validation: false, contentType, preconditionOpts: { ifGenerationMatch: 0 } });
    const ndjson = '{"name":"Zoë"}\n{"name":"Ada"}\n';
    await save('crm/1.ndjson', ndjson, 'application/x-ndjson');
    await save('1.csv', 'id,name\n1,"Zoë, ""Z"""\n', 'text/csv');
    await save('dt=2026-11-27/1.ndjson', ndjson, 'application/x-ndjson');
    const refused = (call, status) => assert.rejects(call, (error) => Number(error.code) === status);
    await refused(save('1.csv', 'id\n2\n', 'text/csv'), 412);
    await refused(save('2.csv', 'id\n2\n', 'application/x-ndjson'), 400);
    await refused(save('2.ndjson', '{', 'application/x-ndjson'), 400);
    await refused(save('2.csv', 'id\n2\n', 'text/csv', of(credentials.access_token, 'nowhere')), 404);
    assert.deepEqual((await bucket.iam.testPermissions('storage.objects.create'))[0], { 'storage.objects.create': true });
    await refused(save('2.csv', 'id\n2\n', 'text/csv', of('another')), 401);
}
