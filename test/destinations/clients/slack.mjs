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
    let channels = 0;
    for await (const page of client.paginate('conversations.list', { limit: 100 })) channels += page.channels.length;
    assert.equal(channels, 250);
    await refused(open('another').auth.test(), 'invalid_auth');
}
