// stripe against the stand-in.
import assert from 'node:assert/strict';
import { createRequire } from 'node:module';

const Stripe = createRequire(import.meta.url)('stripe');

const refused = (call, code) => assert.rejects(call, (error) => (error.code ?? error.type) === code);

async function cycle(resource, first, change, isChanged) {
    const made = await resource.create(first);
    assert.equal((await resource.retrieve(made.id)).id, made.id);
    assert.ok(isChanged(await resource.update(made.id, change)));
    const second = await resource.create(first.id ? { ...first, id: `${first.id}2` } : first.lookup_key ? { ...first, lookup_key: 'second' } : first);
    const page = await resource.list({ limit: 1 });
    const next = await resource.list({ limit: 1, starting_after: page.data[0].id });
    assert.deepEqual([page.data[0].id, page.has_more, next.data[0].id, next.has_more], [second.id, true, made.id, false]);
    if (!resource.del && !resource.cancel) return;
    const gone = await (resource.cancel ?? resource.del).call(resource, made.id);
    assert.ok(gone.deleted || gone.status === 'canceled');
    await refused(resource.retrieve(made.id), 'resource_missing');
}

export default async function prove({ url, credentials }) {
    const { hostname, port } = new URL(url);
    const options = { host: hostname, port, protocol: 'http', apiVersion: '2023-08-16', telemetry: false, maxNetworkRetries: 0 };
    const stripe = new Stripe(credentials.secret_key, options);
    const address = { line1: '1 Main Street', country: 'GB' };
    await cycle(stripe.customers, { email: 'ada@example.com', name: 'Ada', address, preferred_locales: ['en', 'de'], metadata: { plan: 'pro' } }, { name: 'Ada L.', metadata: { plan: '' } },
        ({ name, address: { line1 }, metadata }) => name === 'Ada L.' && line1 === '1 Main Street' && !('plan' in metadata));
    await cycle(stripe.products, { id: 'prod_a', name: 'Seat', active: true, images: ['https://example.com/a.png'] }, { name: 'Desk' }, ({ name }) => name === 'Desk');
    await cycle(stripe.prices, { product: 'prod_a', currency: 'eur', unit_amount: 1050, lookup_key: 'first', recurring: { interval: 'month' } }, { active: false }, ({ active }) => active === false);
    await cycle(stripe.subscriptions, { customer: 'cus_1', items: [{ price: 'price_1', quantity: 2 }] }, { cancel_at_period_end: true }, (one) => one.cancel_at_period_end);
    await cycle(stripe.invoiceItems, { customer: 'cus_1', amount: 700, currency: 'eur' }, { amount: 800 }, ({ amount }) => amount === 800);
    await cycle(stripe.coupons, { id: 'SPRING', percent_off: 25.5, duration: 'once' }, { name: 'Spring' }, ({ name }) => name === 'Spring');
    await cycle(stripe.promotionCodes, { coupon: 'SPRING', code: 'ADA25', expires_at: 1893553445 }, { active: false }, ({ active, coupon }) => !active && coupon.id === 'SPRING');
    assert.ok((await stripe.promotionCodes.list({ code: 'ADA25' })).data.length);
    assert.equal((await stripe.customers.list({ email: 'ada@example.com' })).data.length, 1);
    assert.equal((await stripe.prices.list({ lookup_keys: ['second', 'third'] })).data.length, 1);
    assert.equal((await stripe.products.list({ ids: ['prod_a2'] })).data.length, 1);
    await refused(stripe.customers.create({ email: 'nobody' }), 'email_invalid');
    await refused(stripe.products.create({ id: 'prod_a2', name: 'Seat' }), 'resource_already_exists');
    const key = { idempotencyKey: 'the same' };
    assert.equal((await stripe.customers.create({ name: 'Grace' }, key)).id, (await stripe.customers.create({ name: 'Grace' }, key)).id);
    await assert.rejects(stripe.customers.create({ name: 'Edith' }, key), ({ type }) => type === 'StripeIdempotencyError');
    await assert.rejects(new Stripe('sk_test_another', options).customers.retrieve('cus_1'), ({ type }) => type === 'StripeAuthenticationError');
    assert.equal((await stripe.accounts.retrieve()).email, 'site@example.com');
}
