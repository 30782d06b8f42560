// Azure Blob Storage, by the vendor's client (npm @azure/storage-blob 12.32.0) and its documentation: one container.
import { createHash } from 'node:crypto';
import { gunzipSync } from 'node:zlib';
import { readBody } from './kit/bodies.mjs';
import { auth } from './kit/kit.mjs';

const codes = { 400: 'InvalidInput', 404: 'ResourceNotFound', 405: 'UnsupportedHttpVerb', 415: 'InvalidHeaderValue' };
const failure = (code, message) => `\uFEFF<?xml version="1.0" encoding="utf-8"?><Error><Code>${code}</Code><Message>${message.replace(/[<&]/g, '')}\nRequestId:1</Message></Error>`;
const answered = (status, code, message, more) => [status, failure(code, message), { 'content-type': 'application/xml', 'x-ms-error-code': code, ...more }];
const stores = ['ndjson', 'ndjson_gz', 'csv', 'csv_gz', 'ndjson_by_day', 'csv_by_day'];

/// A blob is written as a whole, and never over another one. What stands in it are rows, whose store its name tells.
function put({ path, body, headers, objects, refuse }) {
    if (path.container !== 'exports') return answered(404, 'ContainerNotFound', 'The specified container does not exist.');
    const name = [path.folder, path.day, path.name].filter(Boolean).join('/');
    const [, day, kind, packed] = /^(?:[^/]+\/)*?(?:dt=(\d{4}-\d\d-\d\d)\/)?[^/]+\.(ndjson|csv)(\.gz)?$/.exec(name) ?? refuse(400, `nobody expects ${name}`);
    const encoding = headers['x-ms-blob-content-encoding'];
    if ((encoding ?? headers['content-encoding']) !== (packed ? 'gzip' : undefined)) refuse(400, 'what is compressed is called so');
    if ((headers['x-ms-blob-content-type'] ?? headers['content-type']).split(';')[0] !== { ndjson: 'application/x-ndjson', csv: 'text/csv' }[kind]) refuse(400, 'the media type is another one');
    if (headers['x-ms-blob-type'] !== 'BlockBlob') return answered(400, 'MissingRequiredHeader', 'An HTTP header that is mandatory for this request is not specified: x-ms-blob-type');
    const store = objects[`${kind}${day ? '_by_day' : packed ? '_gz' : ''}`];
    const there = store.all().filter((one) => one._name === name);
    if (headers['if-none-match'] === '*' && there.length) return answered(409, 'BlobAlreadyExists', 'The specified blob already exists.');
    for (const row of there) store.remove(row);
    for (const row of readBody(kind, encoding ? gunzipSync(body) : body)) store.insert({ ...row, ...(day ? { day } : {}), _name: name });
    return [201, '', { etag: '"0x8D"', 'content-md5': createHash('md5').update(body).digest('base64'), 'x-ms-request-id': '1', 'x-ms-request-server-encrypted': 'true' }];
}
const blob = { format: 'bytes', media: ['application/x-ndjson', 'text/csv', 'application/octet-stream'], run: put };
const bearers = auth.anyOf(auth.bearer('token'), auth.oauth({ path: '/tenant/oauth2/v2.0/token', expects: { grant_type: 'client_credentials', client_id: 'client', client_secret: 'secret' } }));

export default {
    auth: { ...bearers, lets: (request) => bearers.lets(request) && /^20\d\d-\d\d-\d\d$/.test(request.headers['x-ms-version']) },
    refusal: (status, message) => failure(codes[status] ?? 'InvalidInput', message),
    unauthorized: () => answered(401, 'InvalidAuthenticationInfo', 'Server failed to authenticate the request. Please refer to the information in the www-authenticate header.', { 'www-authenticate': 'Bearer authorization_uri=https://login.microsoftonline.com/tenant/oauth2/authorize' }),
    limited: () => answered(503, 'ServerBusy', 'The server is currently unable to receive requests. Please retry your request.'),
    objects: Object.fromEntries(stores.map((name) => [name, { id: '_id' }])),
    routes: {
        'PUT /{container}/{folder}/{name}': blob,
        'PUT /{container}/{folder}/{day}/{name}': blob,
        'GET /{container}': {
            query: ['restype', 'comp', 'maxresults', 'prefix', 'marker', 'include'],
            run({ path, query, objects, refuse }) {
                if (path.container !== 'exports') return answered(404, 'ContainerNotFound', 'The specified container does not exist.');
                if (query.restype !== 'container' || query.comp !== 'list') refuse(400, 'Value for one of the query parameters specified in the request URI is invalid.');
                const names = [...new Set(stores.flatMap((name) => objects[name].all().map(({ _name }) => _name)))].sort().slice(0, Number(query.maxresults ?? 5000));
                const blobs = names.map((name) => `<Blob><Name>${name}</Name><Properties><Last-Modified>Fri, 02 Jan 2026 03:04:05 GMT</Last-Modified><Etag>0x8D</Etag><Content-Length>1</Content-Length><BlobType>BlockBlob</BlobType></Properties></Blob>`).join('');
                return [200, `\uFEFF<?xml version="1.0" encoding="utf-8"?><EnumerationResults ServiceEndpoint="http://127.0.0.1/" ContainerName="exports"><Blobs>${blobs}</Blobs><NextMarker /></EnumerationResults>`, { 'content-type': 'application/xml' }];
            },
        },
    },
};
