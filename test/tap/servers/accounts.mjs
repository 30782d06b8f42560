// A destination whose access tokens an OAuth server gives: the npm registry's oidc-provider, with refresh tokens that rotate
// and whose reuse revokes all that was granted with them: accounts.mjs PORT
//
//   POST /grant            {"refresh_token": ...} for a new account
//   POST /things           takes {"rows": [{"id": ...}]} with a good access token
//   GET  /fields           {"fields": [{"name": ...}]}, with a good access token
//   POST /expire           no access token that was given is good any more
//   POST /set              {"leeway": s, "delay": ms, "slow": ms}: a used refresh token is taken again for so long, as many
//                          servers do for the sake of answers that are lost; answers with tokens, and to rows, come so late
//   GET  /state            {"fetched", "reused", "revoked", "rows": {id: times}}
import { Provider } from 'oidc-provider';

const port = process.argv[2];
const settings = { leeway: 0, delay: 0, slow: 0 };
const state = { fetched: 0, reused: 0, revoked: 0, rows: {} };
const kept = new Map();
const now = () => Date.now() / 1000;
const sleep = (ms) => new Promise((done) => setTimeout(done, ms));

class Adapter {
    constructor(model) { this.model = model; }
    key(id) { return `${this.model}:${id}`; }
    async upsert(id, payload) { kept.set(this.key(id), payload); }
    async find(id) {
        const payload = kept.get(this.key(id));
        if (!payload?.used) return payload;
        state.reused += 1;
        return now() - payload.used < settings.leeway ? payload : { ...payload, consumed: Math.floor(payload.used) };
    }
    async findByUid() { return undefined; }
    async findByUserCode() { return undefined; }
    async consume(id) { kept.get(this.key(id)).used ??= now(); }
    async destroy(id) { kept.delete(this.key(id)); }
    async revokeByGrantId(grant) {
        state.revoked += 1;
        for (const [key, payload] of kept) if (payload.grantId === grant) kept.delete(key);
    }
}

const provider = new Provider(`http://127.0.0.1:${port}`, {
    adapter: Adapter,
    clients: [{
        client_id: 'warehouse',
        client_secret: 'the secret of a test',
        token_endpoint_auth_method: 'client_secret_basic',
        grant_types: ['authorization_code', 'refresh_token'],
        redirect_uris: ['https://warehouse.example/back'],
        response_types: ['code'],
    }],
    findAccount: (ctx, id) => ({ accountId: id, claims: async () => ({ sub: id }) }),
    rotateRefreshToken: true,
    features: { devInteractions: { enabled: false } },
    ttl: { AccessToken: 4, RefreshToken: 86400, Grant: 86400, IdToken: 60 },
});

async function grant() {
    const scope = 'openid offline_access';
    const one = new provider.Grant({ accountId: 'somebody', clientId: 'warehouse' });
    one.addOIDCScope(scope);
    const client = await provider.Client.find('warehouse');
    const token = new provider.RefreshToken({
        accountId: 'somebody', client, grantId: await one.save(), gty: 'authorization_code', scope,
        authTime: Math.floor(now()), iiat: Math.floor(now()),
    });
    return { refresh_token: await token.save() };
}

async function body(ctx) {
    let text = '';
    for await (const part of ctx.req) text += part;
    return text === '' ? {} : JSON.parse(text);
}

async function isGood(ctx) {
    const token = await provider.AccessToken.find((ctx.get('authorization') || '').replace(/^Bearer /, ''));
    if (token?.isValid) return true;
    ctx.status = 401;
    ctx.body = { message: 'the token is not good' };
    return false;
}

provider.use(async (ctx, next) => {
    switch (ctx.path) {
    case '/grant':
        ctx.body = await grant();
        return;
    case '/set':
        Object.assign(settings, await body(ctx));
        ctx.body = {};
        return;
    case '/expire':
        for (const key of kept.keys()) if (key.startsWith('AccessToken:')) kept.delete(key);
        ctx.body = {};
        return;
    case '/state':
        ctx.body = state;
        return;
    case '/fields':
        if (await isGood(ctx)) ctx.body = { fields: [{ name: 'id' }, { name: 'points' }] };
        return;
    case '/things': {
        const { rows } = await body(ctx);
        if (!await isGood(ctx)) return;
        for (const { id } of rows) state.rows[id] = (state.rows[id] ?? 0) + 1;
        await sleep(settings.slow);
        ctx.body = {};
        return;
    }
    case '/token':
        state.fetched += 1;
        await next();
        await sleep(settings.delay);
        return;
    default:
        await next();
    }
});
provider.listen(port, '127.0.0.1');
