// Stripe, API version 2023-08-16, by its OpenAPI description and https://docs.stripe.com/api. Forms in, JSON out.
import { afterLast, anything, auth, dictionary, list, matching, members, oneOf, text } from './kit/kit.mjs';

const whole = matching(/^-?\d+$/);
/// Of each kind: what stands in the form, and what becomes of it.
const kinds = {
    text: [text, (value) => value || null], integer: [whole, Number], moment: [whole, Number], decimal: [matching(/^\d+(\.\d{1,12})?$/), (value) => value],
    boolean: [oneOf('true', 'false'), (value) => value === 'true'], texts: [list(text), (value) => value], percent: [matching(/^\d+(\.\d+)?$/), Number],
    hash: [(value, at) => (value === '' ? null : dictionary(text)(value, at)), (value) => value || {}], any: [anything, (value) => value],
    // Of an object that is there once, and whose members may be cleared one by one.
    address: [(value, at) => (value === '' ? null : members({ 'line1?': text, 'line2?': text, 'city?': text, 'state?': text, 'postal_code?': text, 'country?': text })(value, at)), (value) => value || null],
    items: [list(members({ price: text, 'quantity?': whole, 'metadata?': dictionary(text) }), { least: 1, most: 20 }), (value) => ({ object: 'list', data: value.map((one, index) => ({ id: `si_${index}`, object: 'subscription_item', ...one, quantity: Number(one.quantity ?? 1) })) })],
    coupon: [text, (id) => ({ id, object: 'coupon' })],
    recurring: [members({ interval: oneOf('day', 'week', 'month', 'year'), 'interval_count?': whole, 'usage_type?': oneOf('licensed', 'metered') }), (value) => value],
};
/// Fields that are taken when a record is made and changed, only then, and only when it is changed.
const kept = {
    customers: [{ email: 'text', name: 'text', phone: 'text', description: 'text', metadata: 'hash', address: 'address', shipping: 'any', balance: 'integer', preferred_locales: 'texts', tax_exempt: 'text', invoice_settings: 'any' }, { payment_method: 'text' }, { default_source: 'text' }],
    products: [{ name: 'text', active: 'boolean', description: 'text', metadata: 'hash', images: 'texts', statement_descriptor: 'text', tax_code: 'text', unit_label: 'text', url: 'text', shippable: 'boolean' }, { id: 'text' }, { default_price: 'text' }],
    prices: [{ lookup_key: 'text', active: 'boolean', nickname: 'text', metadata: 'hash', tax_behavior: 'text' }, { product: 'text', currency: 'text', unit_amount: 'integer', unit_amount_decimal: 'decimal', recurring: 'recurring', billing_scheme: 'text' }, {}],
    subscriptions: [{ cancel_at_period_end: 'boolean', collection_method: 'text', days_until_due: 'integer', default_payment_method: 'text', description: 'text', metadata: 'hash', trial_end: 'moment' }, { customer: 'text', items: 'items' }, {}],
    invoiceitems: [{ amount: 'integer', description: 'text', metadata: 'hash', discountable: 'boolean' }, { customer: 'text', currency: 'text', invoice: 'text', subscription: 'text' }, {}],
    promotion_codes: [{ active: 'boolean', metadata: 'hash' }, { code: 'text', coupon: 'coupon', customer: 'text', expires_at: 'moment', max_redemptions: 'integer', restrictions: 'any' }, {}],
    coupons: [{ name: 'text', metadata: 'hash' }, { id: 'text', percent_off: 'percent', amount_off: 'integer', currency: 'text', duration: 'text', duration_in_months: 'integer', max_redemptions: 'integer', redeem_by: 'moment' }, {}],
};
const needed = { customers: [], products: ['name'], prices: ['currency'], subscriptions: ['customer', 'items'], invoiceitems: ['customer'], promotion_codes: ['coupon'], coupons: [] };
const filters = {
    customers: ['email', /^created\[(gte?|lte?)\]$/], products: ['active', 'url', /^ids\[\d*\]$/], prices: ['active', 'currency', 'product', 'type', /^lookup_keys\[\d*\]$/],
    subscriptions: ['customer', 'status', 'collection_method', 'price'], invoiceitems: ['customer', 'invoice'], promotion_codes: ['active', 'code', 'coupon', 'customer'], coupons: [],
};
const single = (object) => object.replace(/s$/, '');
const failure = (status, message, code, param) => ({ error: { type: 'invalid_request_error', message, ...(code && { code }), ...(param && { param }) } });

function checkValues(object, body, refuse) {
    const wrong = (message, code) => refuse(400, message, code);
    if (body.email !== undefined && body.email !== '' && !/^[^@ ]+@[^@ ]+\.[^@ ]+$/.test(body.email)) wrong(`Invalid email address: ${body.email}`, 'email_invalid');
    if (object !== 'customers' && body.customer !== undefined && !body.customer.startsWith('cus_')) wrong(`No such customer: '${body.customer}'`, 'resource_missing');
    if (object === 'prices' && body.product !== undefined && !body.product.startsWith('prod_')) wrong(`No such product: '${body.product}'`, 'resource_missing');
    if (body.coupon === 'none') wrong("No such coupon: 'none'", 'resource_missing');
    if (body.percent_off > 100) wrong('Invalid percent_off: must be at most 100');
    if (object === 'products' && body.name === '') wrong("You passed an empty string for 'name'.", 'parameter_invalid_empty');
    for (const value of Object.values(body.metadata ?? {})) if (value.length > 500) wrong('Metadata values can have up to 500 characters');
}

const shapeOf = (fields, required = []) => members(Object.fromEntries(Object.entries(fields).map(([name, kind]) => [required.includes(name) ? name : `${name}?`, (value, at) =>
    (value === '' && !['hash', 'address'].includes(kind) && kind !== 'text' ? `You passed an empty string for '${name}'.` : kinds[kind][0](value, at))])));

/// What a form makes of a record: members of metadata and of an address are laid over those that are there.
function laidOver(found, body, fields) {
    return Object.fromEntries(Object.entries(body).map(([name, value]) => {
        const made = kinds[fields[name]][1](value);
        if (!['hash', 'address'].includes(fields[name]) || value === '') return [name, made];
        return [name, Object.fromEntries(Object.entries({ ...found?.[name], ...made }).map(([key, one]) => [key, one || null]).filter(([, one]) => one !== null || fields[name] === 'address'))];
    }));
}

/// The answer of a request with an idempotency key is kept, and given again.
const answers = new Map();
function once(run) {
    return (request) => {
        const key = request.headers['idempotency-key'];
        const said = request.bytes.toString() + request.url;
        const before = answers.get(key);
        if (before && before.said !== said) return [400, { error: { type: 'idempotency_error', message: 'Keys for idempotent requests can only be used with the same parameters they were first used with.' } }];
        const answer = before?.answer ?? run(request);
        if (key) answers.set(key, { said, answer });
        return answer;
    };
}

function routesOf(object) {
    const [both, first, later] = kept[object];
    const forNew = { ...both, ...first };
    const forOld = { ...both, ...later };
    const one = ({ objects, path, refuse }) => objects[object].find(path.id) ?? refuse(404, `No such ${single(object)}: '${path.id}'`, 'resource_missing');
    const extra = { subscriptions: { status: 'active', current_period_start: 1767323045, current_period_end: 1769915045 }, products: { active: true }, prices: { active: true, type: 'one_time' }, promotion_codes: { active: true, times_redeemed: 0 } }[object];
    return {
        [`POST /v1/${object}`]: { format: 'form', body: shapeOf(forNew, needed[object]), run: once(({ body, objects, refuse }) => {
            checkValues(object, body, refuse);
            const taken = objects[object].find(body.id);
            if (taken) refuse(400, `${single(object)} already exists.`, 'resource_already_exists');
            if (body.lookup_key && objects.prices.all().some(({ lookup_key }) => lookup_key === body.lookup_key)) refuse(400, `A price (\`price_1\`) already uses that lookup key.`);
            return [200, objects[object].insert({ object: single(object), created: 1767323045, livemode: true, metadata: {}, ...extra, ...(object === 'invoiceitems' && { date: 1767323045 }), ...laidOver(undefined, body, forNew) })];
        }) },
        [`POST /v1/${object}/{id}`]: { format: 'form', body: shapeOf(forOld), run: once((request) => {
            const found = one(request);
            checkValues(object, request.body, request.refuse);
            return [200, request.objects[object].update(found, laidOver(found, request.body, forOld))];
        }) },
        [`GET /v1/${object}/{id}`]: { query: [/^expand\[\d*\]$/], run: (request) => [200, one(request)] },
        ...(['prices', 'promotion_codes'].includes(object) ? {} : { [`DELETE /v1/${object}/{id}`]: { run(request) {
            const found = one(request);
            request.objects[object].remove(found);
            return [200, object === 'subscriptions' ? { ...found, status: 'canceled', canceled_at: 1767323045 } : { id: found.id, object: single(object), deleted: true }];
        } } }),
        [`GET /v1/${object}`]: { query: ['limit', 'starting_after', 'ending_before', ...filters[object]], run({ query: { limit = '10', starting_after, ending_before, ...given }, url, objects, refuse }) {
            if (!(limit >= 1 && limit <= 100)) refuse(400, 'Invalid integer: limit must be from 1 to 100', 'parameter_invalid_integer');
            const several = (name) => [...new URL(url, 'http://x').searchParams].filter(([of]) => of.startsWith(`${name}[`)).map(([, value]) => value);
            return [200, { object: 'list', url: `/v1/${object}`, ...pageOf(objects[object].all(), given, several, starting_after, Number(limit), refuse) }];
        } },
    };
}

function pageOf(records, given, several, after, limit, refuse) {
    const wanted = { ids: several('ids'), lookup_keys: several('lookup_keys') };
    if (wanted.lookup_keys.length > 10) refuse(400, 'lookup_keys: at most 10');
    const found = records.filter((record) => Object.entries(given).every(([name, value]) => name.includes('[') || String(record[name]) === value) &&
        (!wanted.ids.length || wanted.ids.includes(record.id)) && (!wanted.lookup_keys.length || wanted.lookup_keys.includes(record.lookup_key)));
    const page = afterLast(found.reverse(), 'id', after, limit) ?? refuse(400, `No such object: '${after}'`, 'resource_missing');
    return { data: page.items, has_more: page.more };
}

const prefixes = { customers: 'cus_', products: 'prod_', prices: 'price_', subscriptions: 'sub_', invoiceitems: 'ii_', promotion_codes: 'promo_', coupons: 'coupon_' };

export default {
    auth: auth.bearer('sk_test_stand_in'),
    headers: { 'stripe-version': '2023-08-16' },
    refusal: failure,
    unauthorized: () => [401, failure(401, 'Invalid API Key provided: sk_***')],
    limited: () => [429, failure(429, 'Request rate limit exceeded. Learn more about rate limits at https://stripe.com/docs/rate-limits.', 'rate_limit')],
    objects: Object.fromEntries(Object.entries(prefixes).map(([object, prefix]) => [object, { give: (number) => `${prefix}${String(number).padStart(14, '0')}` }])),
    routes: {
        ...Object.assign({}, ...Object.keys(kept).map(routesOf)),
        'GET /v1/account': { run: () => [200, { id: 'acct_1032D82eZvKYlo2C', object: 'account', email: 'site@example.com' }] },
    },
};
