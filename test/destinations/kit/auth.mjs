// Who may ask. Each kind has `lets(request)`, which says whether a request is let in, and perhaps `expire()`, after which
// tokens that were given are no longer good, and `routes` of its own, which need no credentials.
import { createHmac, createHash, timingSafeEqual } from 'node:crypto';

export const open = { lets: () => true };
export const header = (name, value) => ({ lets: ({ headers }) => headers[name.toLowerCase()] === value });
export const bearer = (token) => header('authorization', `Bearer ${token}`);
export const basic = (username, password) =>
    header('authorization', `Basic ${Buffer.from(`${username}:${password}`).toString('base64')}`);
export const query = (name, value) => ({ lets: (request) => request.query[name] === value });
export const anyOf = (...kinds) => ({
    lets: (request) => kinds.some((kind) => kind.lets(request)),
    expire: () => kinds.forEach((kind) => kind.expire?.()),
    routes: Object.assign({}, ...kinds.map((kind) => kind.routes)),
});

/// OAuth 2: a form at `path` gives a token. `expects` are the parameters that it has to have, each with its value; with
/// `secretIn: 'header'` the client's id and secret come as Basic and not as parameters. `show` is where requests have the token.
export function oauth({ path, expects, secretIn = 'body', lifetime = 3600, show = (token) => ({ authorization: `Bearer ${token}` }), answer = (token) => ({ access_token: token, token_type: 'Bearer', expires_in: lifetime }) }) {
    const { client_id: id, client_secret: secret, ...others } = expects;
    const parameters = secretIn === 'body' ? expects : others;
    const given = new Set();
    let last = 0;
    const fits = ({ body, headers }) => Object.entries(parameters).every(([name, value]) => (value === true ? body[name] : body[name] === value)) &&
        Object.keys(body).every((name) => name in parameters || name === 'scope') &&
        (secretIn === 'body' || basic(id, secret).lets({ headers }));
    return {
        lets: ({ headers }) => [...given].some((token) =>
            Object.entries(show(token)).every(([name, value]) => headers[name.toLowerCase()] === value)),
        expire: () => given.clear(),
        routes: {
            [`POST ${path}`]: {
                format: 'form',
                open: true,
                token: true,
                run(request) {
                    if (!fits(request)) return [400, { error: 'invalid_grant', error_description: 'the credentials are not known' }];
                    const token = `token-${++last}`;
                    given.add(token);
                    return [200, answer(token)];
                },
            },
        },
    };
}

const hmac = (key, text) => createHmac('sha256', key).update(text).digest();
const digest = (bytes) => createHash('sha256').update(bytes).digest('hex');
const encoded = (text) => encodeURIComponent(text).replace(/[!'()*]/g, (sign) => `%${sign.charCodeAt(0).toString(16).toUpperCase()}`);

/// AWS Signature Version 4, computed anew from what arrived.
export const sigv4 = ({ id, secret, service, region, pathAsIs = false }) => ({
    lets({ method, url, headers, bytes }) {
        const [, scope, signed, signature] = /^AWS4-HMAC-SHA256 Credential=([^,]+), ?SignedHeaders=([^,]+), ?Signature=([0-9a-f]{64})$/.exec(headers.authorization ?? '') ?? [];
        if (!signature) return false;
        const date = headers['x-amz-date'];
        const hash = digest(bytes);
        if ((headers['x-amz-content-sha256'] ?? hash) !== hash) return false;
        if (scope !== `${id}/${date.slice(0, 8)}/${region}/${service}/aws4_request`) return false;
        const [path, search = ''] = url.split('?');
        const parameters = search.split('&').filter(Boolean).map((one) => (one.includes('=') ? one : `${one}=`)).sort();
        const canonical = [method, pathAsIs ? path : path.split('/').map(encoded).join('/'), parameters.join('&'),
            ...signed.split(';').map((name) => `${name}:${headers[name].trim().replace(/ +/g, ' ')}`), '', signed,
            hash].join('\n');
        const key = [date.slice(0, 8), region, service, 'aws4_request'].reduce(hmac, `AWS4${secret}`);
        const stamp = ['AWS4-HMAC-SHA256', date, scope.split('/').slice(1).join('/'), digest(canonical)].join('\n');
        return timingSafeEqual(hmac(key, stamp), Buffer.from(signature, 'hex'));
    },
});
