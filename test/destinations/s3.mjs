// S3, by the vendor's client (npm @aws-sdk/client-s3 3.1175.0) and its documentation: one bucket, addressed by its path.
import { createHash } from 'node:crypto';
import { readBody } from './kit/bodies.mjs';
import { auth } from './kit/kit.mjs';

const codes = { 400: 'InvalidRequest', 401: 'AccessDenied', 403: 'AccessDenied', 404: 'NoSuchBucket', 405: 'MethodNotAllowed', 415: 'InvalidRequest' };
const escaped = (text) => text.replace(/[<&]/g, (sign) => (sign === '<' ? '&lt;' : '&amp;'));
const failure = (code, message) => `<?xml version="1.0" encoding="UTF-8"?>\n<Error><Code>${code}</Code><Message>${escaped(message)}</Message><RequestId>1</RequestId></Error>`;
const xml = { 'content-type': 'application/xml' };

const signed = auth.sigv4({ id: 'AKIDEXAMPLE', secret: 'secret', service: 's3', region: 'eu-central-1', pathAsIs: true });
const encoded = (text) => encodeURIComponent(text).replace(/[!'()*]/g, (sign) => `%${sign.charCodeAt(0).toString(16).toUpperCase()}`);

/// S3 signs the key that it has understood, with no sign but slashes as it is.
const canonical = (url) => {
    const [path, ...search] = url.split('?');
    return [decodeURIComponent(path).split('/').map(encoded).join('/'), ...search].join('?');
};

const keyed = { id: '_id', give: String };
const stores = ['ndjson', 'ndjson_gz', 'csv', 'csv_gz', 'ndjson_by_day', 'csv_by_day'];

/// An object is written as a whole. What stands in it are rows, whose store its name tells.
function put(key, { body, bytes, headers, objects, refuse }) {
    const [, day, kind, packed] = /^(?:[^/]+\/)*?(?:dt=(\d{4}-\d\d-\d\d)\/)?[^/]+\.(ndjson|csv)(\.gz)?$/.exec(key) ?? refuse(400, `nobody expects ${key}`, 'InvalidArgument');
    if ((headers['content-encoding'] === 'gzip') !== Boolean(packed)) refuse(400, 'what is compressed is called so', 'InvalidArgument');
    if (headers['content-type'].split(';')[0] !== { ndjson: 'application/x-ndjson', csv: 'text/csv' }[kind]) refuse(400, 'the media type is another one', 'InvalidArgument');
    for (const name of Object.keys(headers).filter((one) => one.startsWith('x-amz-')))
        if (!['x-amz-meta-request-id', 'x-amz-date', 'x-amz-content-sha256', 'x-amz-storage-class', 'x-amz-user-agent', 'x-amz-checksum-crc32', 'x-amz-sdk-checksum-algorithm'].includes(name)) refuse(400, `${name} is not known`, 'InvalidArgument');
    if (![undefined, 'STANDARD', 'STANDARD_IA', 'INTELLIGENT_TIERING', 'GLACIER_IR'].includes(headers['x-amz-storage-class'])) refuse(400, 'The storage class you specified is not valid', 'InvalidStorageClass');
    const store = objects[`${kind}${day ? '_by_day' : packed ? '_gz' : ''}`];
    for (const row of store.all().filter((one) => one._key === key)) store.remove(row);
    for (const row of readBody(kind, Buffer.from(body))) store.insert({ ...row, ...(day ? { day } : {}), _key: key });
    return [200, '', { etag: `"${createHash('md5').update(bytes).digest('hex')}"` }];
}

const object = { format: 'text', media: ['application/x-ndjson', 'text/csv'], query: ['x-id'] };

export default {
    auth: {
        lets: ({ url, headers, ...request }) => {
            const names = /SignedHeaders=([^,]+)/.exec(headers.authorization)?.[1].split(';') ?? [];
            return Object.keys(headers).every((name) => !name.startsWith('x-amz-') || names.includes(name)) &&
                headers['x-amz-content-sha256'] === createHash('sha256').update(request.bytes).digest('hex') && signed.lets({ ...request, headers, url: canonical(url) });
        },
    },
    refusal: (status, message, code = codes[status]) => failure(code, message),
    unauthorized: () => [403, failure('SignatureDoesNotMatch', 'The request signature we calculated does not match the signature you provided. Check your key and signing method.'), xml],
    limited: () => [503, failure('SlowDown', 'Please reduce your request rate.'), xml],
    objects: Object.fromEntries(stores.map((name) => [name, keyed])),
    routes: {
        'PUT /acme-exports/{name}': { ...object, run: (request) => put(request.path.name, request) },
        'PUT /acme-exports/{folder}/{name}': { ...object, run: (request) => put(`${request.path.folder}/${request.path.name}`, request) },
        'GET /acme-exports/': {
            query: ['list-type', 'max-keys', 'prefix'],
            run({ query, objects, refuse }) {
                if (query['list-type'] !== '2') refuse(400, 'list-type must be 2', 'InvalidArgument');
                const keys = [...new Set(stores.flatMap((name) => objects[name].all().map(({ _key }) => _key)))].sort().slice(0, Number(query['max-keys'] ?? 1000));
                const contents = keys.map((key) => `<Contents><Key>${escaped(key)}</Key><Size>1</Size></Contents>`).join('');
                return [200, `<?xml version="1.0" encoding="UTF-8"?>\n<ListBucketResult xmlns="http://s3.amazonaws.com/doc/2006-03-01/"><Name>acme-exports</Name><KeyCount>${keys.length}</KeyCount><IsTruncated>false</IsTruncated>${contents}</ListBucketResult>`, xml];
            },
        },
    },
};
