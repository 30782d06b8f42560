// Google Cloud Storage's JSON API, by Google's client (npm @google-cloud/storage 7.22.0) and its documentation: one bucket.
import { readBody } from './kit/bodies.mjs';
import { auth } from './kit/kit.mjs';

const reasons = { 400: 'invalid', 401: 'authError', 403: 'forbidden', 404: 'notFound', 412: 'conditionNotMet', 429: 'rateLimitExceeded' };
const failure = (code, message, reason = reasons[code] ?? 'invalid') => ({ error: { code, message, errors: [{ message, domain: 'global', reason }] } });
const kinds = { 'application/x-ndjson': 'ndjson', 'text/csv': 'csv' };

/// The media type and the content of an upload in two parts: metadata, and the object itself.
function parts(body, type, refuse) {
    const boundary = /boundary="?([^";]+)"?/.exec(type)?.[1];
    const [, metadata, object] = boundary ? body.split(`--${boundary}`).map((part) => part.replace(/^\r?\n|\r?\n$/g, '')) : [];
    if (object === undefined) refuse(400, 'Malformed multipart body.');
    const content = /^(.*?)\r?\n\r?\n(.*)$/s;
    return { ...JSON.parse(content.exec(metadata)[2]), media: /content-type: *([^;\r\n]+)/i.exec(content.exec(object)[1])[1], content: content.exec(object)[2] };
}

/// An object is written as a whole. What stands in it are rows, whose store its name tells.
function insert({ path, query, body, headers, objects, refuse }) {
    if (path.bucket !== 'acme-exports') refuse(404, 'The specified bucket does not exist.');
    const type = headers['content-type'];
    const whole = query.uploadType === 'multipart';
    if (!whole && query.uploadType !== 'media') refuse(400, `Invalid uploadType ${query.uploadType}`);
    const { name = query.name, media, content } = whole ? parts(body, type, refuse) : { media: type.split(';')[0], content: body };
    const [, day, kind] = /^(?:[^/]+\/)*?(?:dt=(\d{4}-\d\d-\d\d)\/)?[^/]+\.(ndjson|csv)$/.exec(name ?? '') ?? refuse(400, `nobody expects ${name}`);
    if (kinds[media] !== kind) refuse(400, `${media} is not what the name says`);
    const store = objects[`${kind}${day ? '_by_day' : ''}`];
    const there = store.all().filter((one) => one._name === name);
    if (query.ifGenerationMatch === '0' && there.length) refuse(412, 'At least one of the pre-conditions you specified did not hold.');
    for (const row of there) store.remove(row);
    for (const row of readBody(kind, Buffer.from(content))) store.insert({ ...row, ...(day ? { day } : {}), _name: name });
    return [200, { kind: 'storage#object', id: `acme-exports/${name}/1`, name, bucket: 'acme-exports', generation: '1', metageneration: '1', contentType: media, size: String(Buffer.byteLength(content)) }];
}

export default {
    auth: auth.anyOf(auth.bearer('token'), auth.oauth({ path: '/token', expects: { grant_type: 'urn:ietf:params:oauth:grant-type:jwt-bearer', assertion: true } })),
    refusal: failure,
    unauthorized: () => [401, failure(401, 'Invalid Credentials')],
    limited: () => [429, failure(429, 'The total number of changes to the bucket exceeds the rate limit.'), { 'retry-after': '1' }],
    objects: Object.fromEntries(['ndjson', 'csv', 'ndjson_by_day', 'csv_by_day'].map((name) => [name, { id: '_id' }])),
    routes: {
        'POST /upload/storage/v1/b/{bucket}/o': { format: 'text', media: [...Object.keys(kinds), 'multipart/related'], query: ['uploadType', 'name', 'ifGenerationMatch', 'prettyPrint'], run: insert },
        'GET /storage/v1/b/{bucket}/iam/testPermissions': {
            query: ['permissions', 'prettyPrint'],
            run({ path, query, refuse }) {
                if (path.bucket !== 'acme-exports') refuse(404, 'The specified bucket does not exist.');
                return [200, { kind: 'storage#testIamPermissionsResponse', permissions: [query.permissions].filter((one) => one === 'storage.objects.create') }];
            },
        },
    },
};
