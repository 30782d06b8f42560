// @aws-sdk/client-s3 against the stand-in.
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { createRequire } from 'node:module';
import { gzipSync } from 'node:zlib';

const { S3 } = createRequire(import.meta.url)('@aws-sdk/client-s3');

export default async function prove({ url, credentials }) {
    const of = (accessKeyId) => new S3({
        endpoint: url, region: 'eu-central-1', forcePathStyle: true, credentials: { accessKeyId, secretAccessKey: credentials.secret_access_key }, maxAttempts: 1,
    });
    const client = of(credentials.access_key_id);
    const put = (Key, Body, more) => client.putObject({ Bucket: 'acme-exports', Key, Body, ...more });
    const lines = { ContentType: 'application/x-ndjson' };
    const table = { ContentType: 'text/csv; charset=utf-8' };
    const packed = { ContentEncoding: 'gzip' };
    const ndjson = '{"name":"Zoë"}\n{"name":"Ada"}\n';
    const csv = 'id,name\n1,"Zoë, ""Z"""\n';
    const made = await put('1.ndjson', ndjson, { ...lines, StorageClass: 'STANDARD_IA' });
    assert.equal(made.ETag, `"${createHash('md5').update(ndjson).digest('hex')}"`);
    await put('1.ndjson', ndjson, lines);
    await put('1.ndjson.gz', gzipSync(ndjson), { ...lines, ...packed });
    await put('1.csv', csv, table);
    await put('1.csv.gz', gzipSync(csv), { ...table, ...packed });
    await put('dt=2026-11-27/1.ndjson.gz', gzipSync(ndjson), { ...lines, ...packed });
    await put('dt=2026-11-27/1.csv.gz', gzipSync(csv), { ...table, ...packed });
    const refused = (call, name, status) => assert.rejects(call, (error) => error.name === name && error.$metadata.httpStatusCode === status);
    await refused(put('1.ndjson', ndjson, { ...lines, ...packed }), 'InvalidRequest', 400);
    await refused(put('1.ndjson', '{', lines), 'InvalidRequest', 400);
    await refused(put('1.csv', csv, { ...table, StorageClass: 'WARM' }), 'InvalidStorageClass', 400);
    await refused(client.putObject({ Bucket: 'nowhere', Key: '1.csv', Body: csv, ...table }), 'NoSuchBucket', 404);
    const listed = await client.listObjectsV2({ Bucket: 'acme-exports', MaxKeys: 1 });
    assert.deepEqual([listed.KeyCount, listed.Contents[0].Key], [1, '1.csv']);
    await refused(of('ANOTHER').putObject({ Bucket: 'acme-exports', Key: '1.csv', Body: csv, ...table }), 'SignatureDoesNotMatch', 403);
}
