// @shopify/admin-api-client against the stand-in. It speaks to https only, so its requests are led here.
import assert from 'node:assert/strict';
import { createAdminApiClient } from '@shopify/admin-api-client';

export default async function prove({ url, credentials: { client_id, client_secret } }) {
    const form = new URLSearchParams({ grant_type: 'client_credentials', client_id, client_secret });
    const { access_token } = await (await fetch(`${url}/admin/oauth/access_token`, { method: 'POST', body: form })).json();
    const open = (accessToken) => createAdminApiClient({
        storeDomain: 'acme.myshopify.com', apiVersion: '2026-07', accessToken, logger: () => {},
        customFetchApi: (asked, init) => fetch(asked.replace('https://acme.myshopify.com', url), init),
    });
    const client = open(access_token);
    const ask = async (operation, variables = {}) => {
        const { data, errors } = await client.request(operation, { variables });
        assert.equal(errors, undefined, JSON.stringify(errors));
        return Object.values(data)[0];
    };
    const failed = ({ userErrors }) => userErrors.map(({ message }) => message);

    assert.equal((await ask('query { shop { name myshopifyDomain } }')).name, 'Acme');
    const create = 'mutation ($input: CustomerInput!) { customerCreate(input: $input) { customer { id } userErrors { field message } } }';
    const { customer: { id } } = await ask(create, { input: { email: 'ada@example.com', firstName: 'Ada', tags: ['vip'] } });
    assert.deepEqual(failed(await ask(create, { input: { email: 'ada@example.com' } })), ['Email has already been taken']);
    const set = 'mutation ($email: String!, $input: CustomerSetInput!) { customerSet(identifier: { email: $email }, input: $input) { customer { id email } userErrors { field message } } }';
    assert.equal((await ask(set, { email: 'ada@example.com', input: { email: 'ada@example.com', note: 'early' } })).customer.id, id);
    assert.equal(failed(await ask(set, { email: 'ada@example.com', input: { email: 'other@example.com' } })).length, 1);
    const { customer: grace } = await ask(set, { email: 'grace@example.com', input: { email: 'grace@example.com', phone: '+4915112345678' } });
    const update = 'mutation ($input: CustomerInput!) { customerUpdate(input: $input) { customer { id lastName } userErrors { field message } } }';
    assert.equal((await ask(update, { input: { id, lastName: 'Lovelace' } })).customer.lastName, 'Lovelace');
    const people = 'query ($after: String) { customers(first: 1, after: $after, sortKey: ID) { nodes { id defaultEmailAddress { emailAddress } } pageInfo { hasNextPage endCursor } } }';
    const { pageInfo: { hasNextPage, endCursor } } = await ask(people);
    assert.ok(hasNextPage);
    assert.equal((await ask(people, { after: endCursor })).nodes[0].id, grace.id);
    assert.deepEqual(await ask('query ($ids: [ID!]!) { nodes(ids: $ids) { ... on Customer { id lastName } } }', { ids: [id, 'gid://shopify/Customer/7'] }), [{ id, lastName: 'Lovelace' }, null]);
    assert.equal((await ask('query ($key: String!) { customerByIdentifier(identifier: { phoneNumber: $key }) { id } }', { key: '+4915112345678' })).id, grace.id);
    assert.equal((await ask('query ($key: String!) { customerByIdentifier(identifier: { emailAddress: $key }) { id note } }', { key: 'ada@example.com' })).note, 'early');
    for (const kind of ['Email', 'Sms'])
        assert.deepEqual(failed(await ask(`mutation ($input: Customer${kind}MarketingConsentUpdateInput!) { customer${kind}MarketingConsentUpdate(input: $input) { customer { id } userErrors { field message } } }`,
            { input: { customerId: id, [`${kind.toLowerCase()}MarketingConsent`]: { marketingState: 'SUBSCRIBED', marketingOptInLevel: 'SINGLE_OPT_IN' } } })), []);

    const { product } = await ask('mutation ($product: ProductCreateInput!) { productCreate(product: $product) { product { id handle } userErrors { field message } } }', { product: { title: 'Red shoes' } });
    assert.equal(product.handle, 'red-shoes');
    await ask('mutation ($product: ProductUpdateInput!) { productUpdate(product: $product) { product { id } userErrors { field message } } }', { product: { id: product.id, status: 'DRAFT' } });
    assert.equal((await ask('query ($key: String!) { productByIdentifier(identifier: { handle: $key }) { id status } }', { key: 'red-shoes' })).status, 'DRAFT');
    assert.equal((await ask('query { products(first: 200) { nodes { id seo { title } category { id } } pageInfo { hasNextPage endCursor } } }')).nodes.length, 1);

    const ofProduct = (change, type, list) => `mutation ($product: ID!, $variants: [${type}!]!) { productVariantsBulk${change}(productId: $product, ${list}: $variants) { ${change === 'Delete' ? '' : 'productVariants { id sku } '}userErrors { field message } } }`;
    const size = (name, sku) => ({ optionValues: [{ optionName: 'Size', name }], price: '7.50', inventoryItem: { sku, tracked: true } });
    const made = await ask(ofProduct('Create', 'ProductVariantsBulkInput', 'variants'), { product: product.id, variants: [size('M', 'm-1'), size('L', 'l-1')] });
    assert.deepEqual(made.productVariants.map(({ sku }) => sku), ['m-1', 'l-1']);
    const [medium, large] = made.productVariants.map((variant) => variant.id);
    const changed = { product: product.id, variants: [{ id: medium, price: '8.00' }, { id: 'gid://shopify/ProductVariant/7777', price: '9.00' }] };
    assert.equal(failed(await ask(ofProduct('Update', 'ProductVariantsBulkInput', 'variants'), changed)).length, 1);
    assert.deepEqual(failed(await ask(ofProduct('Update', 'ProductVariantsBulkInput', 'variants'), { ...changed, variants: [changed.variants[0]] })), []);
    assert.deepEqual(await ask('query ($ids: [ID!]!) { nodes(ids: $ids) { ... on ProductVariant { price sku product { id } selectedOptions { name value } } } }', { ids: [medium] }),
        [{ price: '8.00', sku: 'm-1', product: { id: product.id }, selectedOptions: [{ name: 'Size', value: 'M' }] }]);
    assert.deepEqual(failed(await ask(ofProduct('Delete', 'ID', 'variantsIds'), { product: product.id, variants: [large] })), []);
    assert.equal((await ask('query ($after: String) { productVariants(first: 100, after: $after, sortKey: ID) { nodes { id inventoryItem { tracked } } pageInfo { hasNextPage endCursor } } }')).nodes.length, 1);

    const points = { ownerId: product.id, namespace: 'loyalty', key: 'points' };
    const setFields = 'mutation ($metafields: [MetafieldsSetInput!]!) { metafieldsSet(metafields: $metafields) { metafields { key value } userErrors { field message elementIndex } } }';
    assert.deepEqual((await ask(setFields, { metafields: [{ ...points, type: 'number_integer', value: '7' }] })).metafields, [{ key: 'points', value: '7' }]);
    assert.equal((await ask(setFields, { metafields: [{ ...points, value: '8' }, { ...points, key: 'x', type: 'number_integer', value: 'many' }] })).userErrors[0].elementIndex, 1);
    const field = 'query ($owner: ID!, $namespace: String!, $key: String!) { node(id: $owner) { ... on HasMetafields { metafield(namespace: $namespace, key: $key) { value owner { ... on Node { id } } } } } }';
    assert.deepEqual(await ask(field, { owner: product.id, namespace: 'loyalty', key: 'points' }), { metafield: { value: '7', owner: { id: product.id } } });
    const dropFields = 'mutation ($metafields: [MetafieldIdentifierInput!]!) { metafieldsDelete(metafields: $metafields) { deletedMetafields { key } userErrors { field message } } }';
    assert.deepEqual((await ask(dropFields, { metafields: [points, points] })).deletedMetafields, [{ key: 'points' }, null]);
    for (const change of ['tagsAdd', 'tagsRemove'])
        assert.equal((await ask(`mutation ($id: ID!, $tags: [String!]!) { ${change}(id: $id, tags: $tags) { node { id } userErrors { field message } } }`, { id, tags: ['vip', 'new'] })).node.id, id);

    const remove = (what) => `mutation ($id: ID!) { ${what}Delete(input: { id: $id }) { userErrors { field message } } }`;
    assert.deepEqual(failed(await ask(remove('product'), { id: product.id })), []);
    assert.deepEqual(failed(await ask(remove('customer'), { id })), []);
    assert.deepEqual(failed(await ask(remove('customer'), { id })), [`Customer can't be found`]);

    assert.match((await client.request('query { shop { no } }')).errors.graphQLErrors[0].message, /Field 'no' doesn't exist on type 'Shop'/);
    assert.match((await client.request('query { nothing { id } }')).errors.graphQLErrors[0].message, /QueryRoot/);
    assert.equal((await open('another').request('query { shop { name } }')).errors.networkStatusCode, 401);
}
