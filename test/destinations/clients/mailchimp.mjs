// @mailchimp/mailchimp_marketing against the stand-in.
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import mailchimp from '@mailchimp/mailchimp_marketing';

export default async function prove({ url, credentials }) {
    mailchimp.setConfig({ apiKey: credentials.api_key, server: 'us21' });
    mailchimp.lists.apiClient.basePath = `${url}/3.0`;
    const { lists, root } = mailchimp;
    const list = 'a1b2c3d4e5';
    const hash = (address) => createHash('md5').update(address).digest('hex');
    const refused = (call, status, title) => assert.rejects(call, (error) => error.status === status && error.response.body.title === title);

    assert.equal((await root.getRoot()).account_name, 'Acme');
    const ada = await lists.addListMember(list, { email_address: 'Ada@example.com', status: 'subscribed', merge_fields: { FNAME: 'Ada' }, tags: ['vip'] });
    assert.equal(ada.id, hash('ada@example.com'));
    await refused(() => lists.addListMember(list, { email_address: 'ada@example.com', status: 'subscribed' }), 400, 'Member Exists');
    await refused(() => lists.addListMember(list, { email_address: 'nobody', status: 'subscribed' }), 400, 'Invalid Resource');
    await refused(() => lists.addListMember(list, { email_address: 'b@example.com', status: 'subscribed', merge_fields: { NO: 'x' } }), 400, 'Invalid Resource');
    const batch = await lists.batchListMembers(list, { members: [{ email_address: 'ada@example.com', merge_fields: { LNAME: 'Lovelace' } }, { email_address: 'grace@example.com', status: 'pending' }, { email_address: 'nobody', status: 'subscribed' }], update_existing: true });
    assert.deepEqual([batch.total_created, batch.total_updated, batch.error_count, batch.errors[0].email_address], [1, 1, 1, 'nobody']);
    assert.deepEqual(batch.updated_members[0].merge_fields, { FNAME: 'Ada', LNAME: 'Lovelace' });
    assert.equal((await lists.updateListMember(list, ada.id, { status: 'unsubscribed' })).status, 'unsubscribed');
    assert.equal((await lists.getListMember(list, ada.id)).tags[0].name, 'vip');
    assert.deepEqual((await lists.getListMembersInfo(list, { count: 1, offset: 1 })).members.map((one) => one.email_address), ['grace@example.com']);
    assert.equal((await lists.getListMembersInfo(list, { status: 'pending' })).total_items, 1);
    await lists.updateListMemberTags(list, ada.id, { tags: [{ name: 'old', status: 'active' }] });
    await lists.createListMemberEvent(list, ada.id, { name: 'ordered', properties: { order: '7' } });
    assert.equal((await lists.getListMergeFields(list, { count: 1000 })).merge_fields[0].tag, 'FNAME');
    await lists.deleteListMember(list, ada.id);
    assert.equal((await lists.getListMember(list, ada.id)).status, 'archived');
    await refused(() => lists.deleteListMember(list, ada.id), 405, 'Method Not Allowed');
    await refused(() => lists.getListMember(list, hash('nobody@example.com')), 404, 'Resource Not Found');
    await refused(() => lists.getListMember('another', ada.id), 404, 'Resource Not Found');
    mailchimp.setConfig({ apiKey: 'another-us21', server: 'us21' });
    await refused(() => root.getRoot(), 401, 'API Key Invalid');
}
