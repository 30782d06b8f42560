// Shopify's GraphQL Admin API 2026-07: customers, their consents, products, metafields and tags, by https://shopify.dev/docs/api/admin-graphql.
import { anything, auth, boolean, byCursor, dictionary, firstOf, integer, list, matching, members, nullable, number, oneOf, Taken, text } from './kit/kit.mjs';
import { asked, Wrong } from './kit/graphql.mjs';

const gid = (...of) => matching(new RegExp(`^gid://shopify/(${of.join('|')})/\\d+$`));
const owner = gid('Customer', 'Product', 'Order');
const moment = matching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)$/);
const now = '2026-01-02T03:04:05Z';
const customer = {
    'email?': nullable(text), 'phone?': nullable(text), 'firstName?': nullable(text), 'lastName?': nullable(text), 'note?': nullable(text), 'locale?': text, 'tags?': list(text, { most: 250 }),
    'taxExempt?': boolean, 'taxExemptions?': list(text), 'addresses?': list(dictionary(anything)),
};
const product = {
    'title?': text, 'handle?': text, 'descriptionHtml?': text, 'vendor?': text, 'productType?': text, 'status?': oneOf('ACTIVE', 'ARCHIVED', 'DRAFT', 'UNLISTED'), 'tags?': list(text, { most: 250 }),
    'category?': matching(/^gid:\/\/shopify\/TaxonomyCategory\/[a-z0-9-]+$/), 'templateSuffix?': text, 'seo?': members({ 'title?': text, 'description?': text }),
};
const metafield = { ownerId: owner, 'namespace?': text, key: text };
const decimal = firstOf(matching(/^\d+(\.\d+)?$/), number);
const variant = {
    'price?': decimal, 'compareAtPrice?': nullable(decimal), 'barcode?': nullable(text), 'taxable?': boolean, 'optionValues?': list(members({ optionName: text, name: text })),
    'inventoryItem?': members({ 'sku?': nullable(text), 'tracked?': boolean }),
};
const consent = { marketingState: oneOf('SUBSCRIBED', 'UNSUBSCRIBED', 'PENDING'), 'marketingOptInLevel?': oneOf('SINGLE_OPT_IN', 'CONFIRMED_OPT_IN', 'UNKNOWN'), 'consentUpdatedAt?': moment };

const shown = {
    customers: ({ id, email, phone, ...more }) => ({
        __typename: ['Customer', 'Node', 'HasMetafields'], id, firstName: null, lastName: null, displayName: more.firstName ?? email, note: null, locale: 'en', tags: [], taxExempt: false, state: 'DISABLED',
        numberOfOrders: '0', createdAt: now, updatedAt: now, ...more, email, phone, amountSpent: { __typename: 'MoneyV2', amount: '0.0', currencyCode: 'EUR' },
        defaultEmailAddress: email && { __typename: 'CustomerEmailAddress', emailAddress: email, marketingState: 'NOT_SUBSCRIBED' },
        defaultPhoneNumber: phone && { __typename: 'CustomerPhoneNumber', phoneNumber: phone, marketingState: 'NOT_SUBSCRIBED' },
    }),
    products: ({ id, category, seo, ...more }) => ({
        __typename: ['Product', 'Node', 'HasMetafields'], id, descriptionHtml: '', vendor: 'acme', productType: '', status: 'ACTIVE', tags: [], templateSuffix: null, totalInventory: 0, onlineStoreUrl: null,
        publishedAt: null, createdAt: now, updatedAt: now, ...more, category: category && { __typename: 'TaxonomyCategory', id: category }, seo: { __typename: 'SEO', title: null, description: null, ...seo },
    }),
    variants: ({ id, productId, optionValues = [], inventoryItem = {}, ...more }) => ({
        __typename: ['ProductVariant', 'Node', 'HasMetafields'], id, title: optionValues.map(({ name }) => name).join(' / '), barcode: null, price: '0.00', compareAtPrice: null, taxable: true, position: 1,
        inventoryQuantity: 0, createdAt: now, updatedAt: now, ...more, sku: inventoryItem.sku ?? null, product: { __typename: ['Product', 'Node'], id: productId },
        inventoryItem: { __typename: 'InventoryItem', id: id.replace('ProductVariant', 'InventoryItem'), tracked: inventoryItem.tracked ?? false },
        selectedOptions: optionValues.map(({ optionName, name }) => ({ __typename: 'SelectedOption', name: optionName, value: name })),
    }),
    metafields: ({ ownerId, ...more }) => ({ __typename: ['Metafield', 'Node'], createdAt: now, updatedAt: now, ...more, owner: { __typename: [ownerId.split('/')[3], 'Node'], id: ownerId } }),
};
const one = (store, record) => (record ? shown[store](record) : null);
const nothing = { customer: null, product: null, node: null, deletedCustomerId: null, deletedProductId: null };
const failed = (message, ...field) => ({ ...nothing, userErrors: [{ __typename: 'UserError', field, message }] });

/// A node by its id; of metafields, any owner is there but those whose number begins with 0.
function node(id, { objects }) {
    const metafieldOf = ({ namespace = 'app', key }) => one('metafields', objects.metafields.find(`${id} ${namespace} ${key}`));
    const found = one('customers', objects.customers.find(id)) ?? one('products', objects.products.find(id));
    return found ? { ...found, metafield: metafieldOf } : /\/0\d*$/.test(id) ? null : { __typename: [id.split('/')[3], 'Node', 'HasMetafields'], id, metafield: metafieldOf };
}
const listed = (store) => ({ args: members({ first: integer, 'after?': text, 'sortKey?': oneOf('ID', 'CREATED_AT', 'UPDATED_AT') }), run({ args: { first, after }, objects, refuse }) {
    if (first > 250) refuse(200, `first cannot exceed 250`);
    const page = byCursor(objects[store].all(), after, first) ?? refuse(200, 'Invalid cursor for current pagination sort.');
    return { nodes: page.items.map(shown[store]), pageInfo: { hasNextPage: !!page.next, endCursor: page.next ?? null } };
} });
/// Writes a customer, or says what is wrong with it.
function written({ objects }, values, found) {
    if (values.email && !/^[^@ ]+@[^@ ]+\.[^@ ]+$/.test(values.email)) return failed('Email is invalid', 'email');
    if (values.phone && !/^\+\d{6,15}$/.test(values.phone)) return failed('Phone is invalid', 'phone');
    try {
        return { customer: one('customers', found ? objects.customers.update(found, values) : objects.customers.insert(values)), userErrors: [] };
    } catch (taken) {
        if (!(taken instanceof Taken)) throw taken;
        return failed(`${taken.field === 'email' ? 'Email' : 'Phone'} has already been taken`, taken.field);
    }
}
const consents = (kind, store) => ({ args: members({ input: members({ customerId: gid('Customer'), [`${kind}MarketingConsent`]: members(consent) }) }), run({ args: { input }, objects }) {
    const id = input.customerId;
    if (/\/0\d*$/.test(id)) return failed('Customer does not exist', 'input', 'customerId');
    objects[store].insert({ ...(objects[store].find(id) ? (objects[store].remove({ id }), {}) : {}), id, ...input[`${kind}MarketingConsent`] });
    return { customer: { __typename: 'Customer', id }, userErrors: [] };
} });
const tagging = (change) => ({ args: members({ id: owner, tags: list(text, { least: 1, most: 250 }) }), run({ args: { id, tags }, objects }) {
    if (/\/0\d*$/.test(id)) return failed('Resource not found', 'id');
    if (tags.some((tag) => tag.length > 255)) return failed('Tag is too long (maximum is 255 characters)', 'tags');
    for (const tag of tags) change(objects.tags, { id: `${id} ${tag}`, ownerId: id, tag });
    return { node: { __typename: 'Node', id }, userErrors: [] };
} });
const removed = (store, what, missing) => ({ args: members({ input: members({ id: gid(what) }) }), run({ args: { input: { id } }, objects }) {
    const found = objects[store].find(id);
    if (!found) return failed(missing, 'id');
    objects[store].remove(found);
    return { [`deleted${what}Id`]: id, userErrors: [] };
} });

/// Variants of one product, all or none.
const ofProduct = (shape, named, change) => ({ args: members({ productId: gid('Product'), [named]: list(shape, { least: 1, most: 250 }) }), run({ args: { productId, [named]: given }, objects }) {
    const wrong = (message, code, at) => ({ product: null, productVariants: null, userErrors: [{ __typename: 'UserError', field: [named, String(at)], message, code }] });
    const found = given.map((of) => objects.variants.find(of.id ?? of));
    const gone = named === 'variantsIds' || given[0].id ? found.findIndex((one) => one?.productId !== productId) : -1;
    if (gone >= 0) return wrong('Product variant does not exist', named === 'variantsIds' ? 'AT_LEAST_ONE_VARIANT_DOES_NOT_BELONG_TO_THE_PRODUCT' : 'PRODUCT_VARIANT_DOES_NOT_EXIST', gone);
    const bare = given.findIndex(({ id, optionValues }) => named === 'variants' && !id && !optionValues?.length);
    if (bare >= 0) return wrong('The option values are missing', 'NEED_TO_ADD_OPTION_VALUES', bare);
    const done = given.map((of, at) => change(objects.variants, of, found[at], productId));
    return { product: one('products', objects.products.find(productId)), productVariants: done.map((of) => of && shown.variants(of)), userErrors: [] };
} });
const stocked = (found, of) => ({ ...of, ...(of.inventoryItem ? { inventoryItem: { ...found?.inventoryItem, ...of.inventoryItem } } : {}) });

const queries = {
    shop: { args: members({}), run: () => ({ __typename: 'Shop', name: 'Acme', myshopifyDomain: 'acme.myshopify.com' }) },
    node: { args: members({ id: owner }), run: ({ args: { id }, ...of }) => node(id, of) },
    nodes: { args: members({ ids: list(gid('Customer', 'Product', 'ProductVariant', 'Order'), { most: 250 }) }), run: ({ args: { ids }, objects }) => ids.map((id) => ['customers', 'products', 'variants'].map((store) => one(store, objects[store].find(id))).find(Boolean) ?? null) },
    customers: listed('customers'),
    products: listed('products'),
    productVariants: listed('variants'),
    customerByIdentifier: { args: members({ identifier: members({ 'emailAddress?': text, 'phoneNumber?': text, 'id?': text }) }), run: ({ args: { identifier: { emailAddress, phoneNumber, id } }, objects }) =>
        one('customers', emailAddress ? objects.customers.by('email', emailAddress) : phoneNumber ? objects.customers.by('phone', phoneNumber) : objects.customers.find(id)) },
    productByIdentifier: { args: members({ identifier: members({ 'handle?': text, 'id?': text }) }), run: ({ args: { identifier: { handle, id } }, objects }) =>
        one('products', handle ? objects.products.by('handle', handle) : objects.products.find(id)) },
};
const mutations = {
    customerCreate: { args: members({ input: members(customer) }), run: ({ args: { input }, ...of }) => written(of, input) },
    customerSet: { args: members({ 'identifier?': members({ 'email?': text, 'phone?': text, 'id?': gid('Customer') }), input: members(customer) }), run({ args: { identifier: { email, phone } = {}, input }, ...of }) {
        if ((email && input.email !== email) || (phone && input.phone !== phone)) return failed('The identifier value does not match the value of the corresponding field in the input.', 'input');
        return written(of, input, email ? of.objects.customers.by('email', email) : of.objects.customers.by('phone', phone));
    } },
    customerUpdate: { args: members({ input: members({ id: gid('Customer'), ...customer }) }), run({ args: { input: { id, ...input } }, ...of }) {
        const found = of.objects.customers.find(id);
        return found ? written(of, input, found) : failed('Customer does not exist', 'id');
    } },
    customerDelete: removed('customers', 'Customer', `Customer can't be found`),
    customerEmailMarketingConsentUpdate: consents('email', 'email_consents'),
    customerSmsMarketingConsentUpdate: consents('sms', 'sms_consents'),
    productCreate: { args: members({ product: members(product) }), run({ args: { product: values }, objects }) {
        if (!values.title) return failed(`Title can't be blank`, 'title');
        const handle = values.handle ?? values.title.toLowerCase().replace(/[^a-z0-9]+/g, '-');
        if (objects.products.by('handle', handle)) return failed(`Handle '${handle}' already in use. Please provide a new handle.`, 'handle');
        return { product: one('products', objects.products.insert({ ...values, handle })), userErrors: [] };
    } },
    productUpdate: { args: members({ product: members({ id: gid('Product'), ...product }) }), run({ args: { product: { id, ...values } }, objects }) {
        const found = objects.products.find(id);
        return found ? { product: one('products', objects.products.update(found, values)), userErrors: [] } : failed('Product does not exist', 'id');
    } },
    productVariantsBulkCreate: ofProduct(members(variant), 'variants', (store, of, _, productId) => store.insert({ productId, ...of })),
    productVariantsBulkUpdate: ofProduct(members({ id: gid('ProductVariant'), ...variant }), 'variants', (store, { id, ...of }, found) => store.update(found, stocked(found, of))),
    productVariantsBulkDelete: ofProduct(gid('ProductVariant'), 'variantsIds', (store, id, found) => void store.remove(found)),
    productDelete: removed('products', 'Product', 'Product does not exist'),
    metafieldsSet: { args: members({ metafields: list(members({ ...metafield, value: text, 'type?': text }), { least: 1, most: 25 }) }), run({ args: { metafields }, objects }) {
        const bad = metafields.findIndex(({ type, value }) => type === 'number_integer' && !/^-?\d+$/.test(value));
        if (bad >= 0) return { metafields: [], userErrors: [{ __typename: 'MetafieldsSetUserError', field: ['metafields', String(bad), 'value'], message: 'Value must be an integer.', code: 'INVALID_VALUE', elementIndex: bad }] };
        for (const { ownerId, namespace = 'app', key, ...more } of metafields) {
            const at = { id: `${ownerId} ${namespace} ${key}` };
            objects.metafields.remove(at);
            objects.metafields.insert({ ...at, ownerId, namespace, key, type: 'single_line_text_field', ...more });
        }
        return { metafields: metafields.map(({ ownerId, namespace, key }) => node(ownerId, { objects }).metafield({ namespace, key })), userErrors: [] };
    } },
    metafieldsDelete: { args: members({ metafields: list(members(metafield), { least: 1, most: 250 }) }), run: ({ args: { metafields }, objects }) => ({ userErrors: [], deletedMetafields: metafields.map(({ ownerId, namespace, key }) => {
        const found = objects.metafields.find(`${ownerId} ${namespace} ${key}`);
        if (found) objects.metafields.remove(found);
        return found ? { __typename: 'MetafieldIdentifier', ownerId, namespace, key } : null;
    }) }) },
    tagsAdd: tagging((store, record) => store.find(record.id) ?? store.insert(record)),
    tagsRemove: tagging((store, record) => store.remove(record)),
};

const cost = (actualQueryCost) => ({ extensions: { cost: { requestedQueryCost: 10, actualQueryCost, throttleStatus: { maximumAvailable: 2000.0, currentlyAvailable: 1990, restoreRate: 100.0 } } } });
const numbered = (what) => ({ give: (number) => `gid://shopify/${what}/${1000 + number}` });

export default {
    auth: auth.anyOf(auth.header('x-shopify-access-token', 'shpat_0123456789'), auth.oauth({
        path: '/admin/oauth/access_token', expects: { grant_type: 'client_credentials', client_id: 'app', client_secret: 'secret' }, lifetime: 86399, show: (token) => ({ 'x-shopify-access-token': token }),
        answer: (access_token) => ({ access_token, scope: 'write_customers,write_products', expires_in: 86399 }),
    })),
    refusal: (status, message) => (status === 404 ? { errors: 'Not Found' } : { errors: [{ message, locations: [{ line: 1, column: 1 }], extensions: { code: 'invalid' } }], ...cost(null) }),
    unauthorized: () => [401, { errors: '[API] Invalid API key or access token (unrecognized login or wrong password)' }],
    limited: () => [200, { errors: [{ message: 'Throttled', extensions: { code: 'THROTTLED', documentation: 'https://shopify.dev/api/usage/rate-limits' } }], ...cost(null) }],
    objects: { customers: { ...numbered('Customer'), unique: ['email', 'phone'] }, products: { ...numbered('Product'), unique: ['handle'] }, variants: numbered('ProductVariant'), metafields: {}, tags: {}, email_consents: {}, sms_consents: {} },
    routes: {
        'POST /admin/api/2026-07/graphql.json': { body: members({ query: text, 'variables?': dictionary(anything), 'operationName?': nullable(text) }), run({ body: { query, variables }, objects, refuse }) {
            try {
                const { is, field, args, with: select } = asked(query, variables);
                const known = is === 'mutation' ? mutations : queries;
                if (!Object.hasOwn(known, field)) throw new Wrong(`Field '${field}' doesn't exist on type '${is === 'mutation' ? 'Mutation' : 'QueryRoot'}'`);
                const fault = known[field].args(args, '');
                if (fault) throw new Wrong(`Variable was provided invalid value: ${fault}`);
                return [200, { data: select(known[field].run({ args, objects, refuse })), ...cost(10) }];
            } catch (error) {
                if (error instanceof Wrong) refuse(200, error.message);
                throw error;
            }
        } },
    },
};
