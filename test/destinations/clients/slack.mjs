// @slack/web-api against the stand-in. It asks for everything by POST; the connector's reads are GETs, which the vendor's file judges.
import assert from 'node:assert/strict';
import { WebClient } from '@slack/web-api';

export default async function prove({ url, credentials }) {
    const open = (token) => new WebClient(token, { slackApiUrl: `${url}/api/`, retryConfig: { retries: 0 }, logLevel: 'error' });
    const client = open(credentials.bot_token);
    const refused = (call, error) => assert.rejects(call, ({ data }) => data?.error === error);

    assert.equal((await client.auth.test()).user, 'reverse_etl');
    const blocks = [{ type: 'section', text: { type: 'mrkdwn', text: '*hi*' } }];
    const { channel, ts, message } = await client.chat.postMessage({ channel: 'C0000001', text: 'hello "you"\nthere & + =', blocks, username: 'robot', unfurl_links: false });
    assert.deepEqual([message.text, message.blocks, message.username], ['hello "you"\nthere & + =', blocks, 'robot']);
    assert.match(ts, /^\d{10}\.\d{6}$/);
    assert.equal((await client.chat.update({ channel, ts, text: 'changed', reply_broadcast: true })).text, 'changed');
    await refused(client.chat.update({ channel: 'C0000002', ts, text: 'x' }), 'message_not_found');
    assert.equal((await client.chat.delete({ channel, ts })).ts, ts);
    await refused(client.chat.delete({ channel, ts }), 'message_not_found');
    await refused(client.chat.postMessage({ channel: 'nowhere', text: 'x' }), 'channel_not_found');
    await refused(client.chat.postMessage({ channel: 'C0000001', text: '' }), 'no_text');

    const first = await client.users.list({ limit: 200 });
    const second = await client.users.list({ limit: 200, cursor: first.response_metadata.next_cursor });
    assert.deepEqual([first.members.length, second.members.length, second.response_metadata.next_cursor], [200, 50, '']);
    await refused(client.users.list({ cursor: 'elsewhere' }), 'invalid_cursor');
    assert.equal((await client.users.lookupByEmail({ email: 'person7@example.com' })).user.id, 'U00000007');
    await refused(client.users.lookupByEmail({ email: 'nobody@example.com' }), 'users_not_found');
    assert.equal((await client.users.info({ user: 'U00000007' })).user.profile.email, 'Person7@example.com');
    await refused(client.users.info({ user: 'U1' }), 'user_not_found');

    const { channel: made } = await client.conversations.create({ name: 'sales', is_private: true });
    for (const name of ['support', 'alerts']) await client.conversations.create({ name });
    await refused(client.conversations.create({ name: 'sales' }), 'name_taken');
    await refused(client.conversations.create({ name: 'Sales & more' }), 'invalid_name_specials');
    assert.equal((await client.conversations.rename({ channel: made.id, name: 'sales-eu' })).channel.name, 'sales-eu');
    const seen = async () => (await client.conversations.info({ channel: made.id, include_num_members: true })).channel;
    assert.deepEqual([(await seen()).is_private, (await seen()).num_members, (await seen()).is_archived], [true, 1, false]);
    assert.equal((await client.conversations.archive({ channel: made.id })).ok, true);
    assert.equal((await seen()).is_archived, true);
    await refused(client.conversations.archive({ channel: made.id }), 'already_archived');
    await refused(client.conversations.rename({ channel: 'C0', name: 'x' }), 'channel_not_found');
    const names = [];
    for await (const page of client.paginate('conversations.list', { limit: 2, types: 'public_channel,private_channel' })) names.push(...page.channels.map(({ name }) => name));
    assert.deepEqual(names, ['support', 'alerts', 'sales-eu']);
    assert.equal((await client.conversations.list()).channels.length, 2);
    await refused(open('another').auth.test(), 'invalid_auth');
}
