// @azure/storage-blob against the stand-in. The client shows tokens over TLS only, so a step of its own adds one.
import assert from 'node:assert/strict';
import { createRequire } from 'node:module';
import { gzipSync } from 'node:zlib';

const require = createRequire(import.meta.url);
const { AnonymousCredential, BlobServiceClient, newPipeline } = require('@azure/storage-blob');

export default async function prove({ url, credentials }) {
    const of = (token, container = 'exports') => {
        const pipeline = newPipeline(new AnonymousCredential(), { retryOptions: { maxTries: 1 } });
        pipeline.factories.unshift({ create: (next) => ({ sendRequest: (request) => { request.headers.set('authorization', `Bearer ${token}`); return next.sendRequest(request); } }) });
        return new BlobServiceClient(url, pipeline).getContainerClient(container);
    };
    const container = of(credentials.access_token);
    const put = (name, data, blobContentType, to = container) => to.getBlockBlobClient(name).upload(data, Buffer.byteLength(data), {
        blobHTTPHeaders: { blobContentType, ...(name.endsWith('.gz') ? { blobContentEncoding: 'gzip' } : {}) }, conditions: { ifNoneMatch: '*' },
    });
    const lines = 'application/x-ndjson';
    const ndjson = '{"name":"Zoë"}\n{"name":"Ada"}\n';
    const csv = 'id,name\n1,"Zoë, ""Z"""\n';
    assert.equal((await put('crm/1.ndjson', ndjson, lines))._response.status, 201);
    await put('crm/1.ndjson.gz', gzipSync(ndjson), lines);
    await put('crm/1.csv', csv, 'text/csv');
    await put('crm/1.csv.gz', gzipSync(csv), 'text/csv');
    await put('crm/dt=2026-11-27/1.ndjson.gz', gzipSync(ndjson), lines);
    await put('crm/dt=2026-11-27/1.csv.gz', gzipSync(csv), 'text/csv');
    const refused = (call, status, code) => assert.rejects(call, (error) => error.statusCode === status && (!code || error.code === code));
    await refused(put('crm/1.csv', 'id\n2\n', 'text/csv'), 409, 'BlobAlreadyExists');
    await refused(put('crm/2.csv', csv, lines), 400);
    await refused(put('crm/2.ndjson', '{', lines), 400);
    await refused(put('crm/2.csv', csv, 'text/csv', of(credentials.access_token, 'nowhere')), 404, 'ContainerNotFound');
    const { value: page } = await container.listBlobsFlat().byPage({ maxPageSize: 1 }).next();
    assert.deepEqual(page.segment.blobItems.map(({ name }) => name), ['crm/1.csv']);
    await refused(put('crm/2.csv', csv, 'text/csv', of('another')), 401, 'InvalidAuthenticationInfo');
}
