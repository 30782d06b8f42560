// resend against the stand-in.
import assert from 'node:assert/strict';
import { Resend } from 'resend';

export default async function prove({ url, credentials }) {
    const resend = new Resend(credentials.api_key, { baseUrl: url });
    const done = async (call) => { const { data, error } = await call; assert.equal(error, null); return data; };
    const refused = async (call, status, name) => { const { error } = await call; assert.deepEqual([error?.statusCode, error?.name], [status, name]); };

    const ada = await done(resend.contacts.create({ email: 'ada@example.com', firstName: 'Ada', unsubscribed: false, properties: { tier: 'gold', seats: 3 } }));
    await refused(resend.contacts.create({ email: 'nobody' }), 422, 'validation_error');
    await refused(resend.contacts.create({ email: 'b@example.com', properties: { colour: 'red' } }), 422, 'validation_error');
    await done(resend.contacts.update({ email: 'ada@example.com', lastName: 'Lovelace' }));
    const found = await done(resend.contacts.get({ id: ada.id }));
    assert.deepEqual([found.first_name, found.last_name, found.properties], ['Ada', 'Lovelace', { tier: 'gold', seats: 3 }]);
    assert.equal((await done(resend.contacts.get({ email: 'ada@example.com' }))).id, ada.id);
    await refused(resend.contacts.get({ email: 'nobody@example.com' }), 404, 'not_found');
    const grace = await done(resend.contacts.create({ email: 'grace@example.com' }));
    const first = await done(resend.contacts.list({ limit: 1 }));
    assert.deepEqual([first.has_more, first.data[0].id, first.data[0].properties], [true, ada.id, undefined]);
    assert.deepEqual((await done(resend.contacts.list({ limit: 1, after: ada.id }))).data.map(({ id }) => id), [grace.id]);
    assert.ok((await done(resend.contactProperties.list())).data.some(({ key }) => key === 'tier'));

    const segment = await done(resend.segments.create({ name: 'Friends' }));
    await done(resend.segments.update(segment.id, { name: 'Best friends' }));
    assert.equal((await done(resend.segments.get(segment.id))).name, 'Best friends');
    assert.equal((await done(resend.segments.list())).data.length, 1);
    await done(resend.contacts.segments.add({ email: 'ada@example.com', segmentId: segment.id }));
    await done(resend.contacts.segments.remove({ email: 'ada@example.com', segmentId: segment.id }));
    const topics = [{ id: 'b6d24b8e', subscription: 'opt_out' }, { id: '07d84122', subscription: 'opt_in' }];
    await done(resend.contacts.topics.update({ email: 'ada@example.com', topics }));
    await refused(resend.contacts.topics.update({ email: 'nobody', topics }), 404, 'not_found');
    assert.equal((await done(resend.segments.remove(segment.id))).deleted, true);
    await refused(resend.segments.get(segment.id), 404, 'not_found');
    assert.equal((await done(resend.contacts.remove({ email: 'ada@example.com' }))).deleted, true);
    await refused(resend.contacts.remove({ email: 'ada@example.com' }), 404, 'not_found');

    const email = (to) => ({ from: 'Acme <acme@example.com>', to, subject: 'Order 7', text: 'Thank you' });
    await refused(resend.batch.send([email('ada@example.com'), email('nobody')]), 422, 'validation_error');
    const options = { batchValidation: 'permissive', idempotencyKey: 'k1' };
    const sent = await done(resend.batch.send([email('ada@example.com'), email('nobody')], options));
    assert.deepEqual([sent.data.length, sent.errors.map(({ index }) => index)], [1, [1]]);
    assert.deepEqual(await done(resend.batch.send([email('ada@example.com'), email('nobody')], options)), sent);
    await refused(resend.batch.send([email('grace@example.com')], options), 409, 'invalid_idempotent_request');
    assert.equal((await done(resend.emails.get(sent.data[0].id))).text, 'Thank you');
    assert.equal((await done(resend.emails.list())).data.length, 1);
    await refused(new Resend('re_another', { baseUrl: url }).contacts.list(), 401, 'validation_error');
}
