// An OAuth server, which is the npm registry's oidc-provider; its access tokens live two seconds: oauth.mjs PORT
//
// It keeps nothing: whoever restarts it makes all tokens invalid. GET /check answers nginx's auth_request, whether the
// token of a request is good.
import { Provider } from 'oidc-provider';

const port = process.argv[2];
const provider = new Provider(`http://127.0.0.1:${port}`, {
    clients: [{
        client_id: 'warehouse',
        client_secret: 'the secret of a test',
        token_endpoint_auth_method: 'client_secret_post',
        grant_types: ['client_credentials'],
        redirect_uris: [],
        response_types: [],
    }],
    features: { clientCredentials: { enabled: true }, devInteractions: { enabled: false } },
    ttl: { ClientCredentials: 2 },
});
provider.use(async (ctx, next) => {
    if (ctx.path !== '/check')
        return next();
    const token = await provider.ClientCredentials.find((ctx.get('authorization') || '').replace(/^Bearer /, ''));
    ctx.status = token?.isValid ? 204 : 401;
});
provider.listen(port, '127.0.0.1');
