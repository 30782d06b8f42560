import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { WebClient } from '@slack/web-api';
import { records, skip, tellOfClient, url } from './sandbox.mjs';

after(() => skip || tellOfClient('slack', '@slack/web-api', import.meta.url));

const clientOf = (token) => new WebClient(token, { slackApiUrl: `${url}/api/`, retryConfig: { retries: 0 } });
const client = clientOf('xoxb-test');
const error = (promise) => promise.then(() => assert.fail('was accepted'), (failure) => failure.data.error);

test('messages are posted, changed and deleted', { skip }, async () => {
    assert.equal((await client.auth.test()).ok, true);
    const blocks = [{ type: 'section', text: { type: 'mrkdwn', text: '*hi*' } }];
    const posted = await client.chat.postMessage({ channel: 'C0GENERAL1', text: 'hello "you"\nthere', blocks });
    assert.equal(posted.message.text, 'hello "you"\nthere');
    assert.deepEqual(posted.message.blocks, blocks);
    assert.match(posted.ts, /^\d{10}\.\d{6}$/);

    const { channel, ts } = posted;
    assert.equal((await client.chat.update({ channel, ts, text: 'changed' })).text, 'changed');
    const kept = (await records('slack', 'messages')).find((message) => message.ts === ts);
    assert.equal(kept.text, 'changed');
    await client.chat.delete({ channel, ts });
    assert.equal(await error(client.chat.update({ channel, ts, text: 'x' })), 'message_not_found');
});

test('what Slack refuses comes as ok:false', { skip }, async () => {
    assert.equal(await error(client.chat.postMessage({ channel: 'nowhere', text: 'x' })), 'channel_not_found');
    assert.equal(await error(client.chat.postMessage({ channel: 'C0GENERAL1' })), 'no_text');
    assert.equal(await error(client.users.lookupByEmail({ email: 'nobody@example.com' })), 'users_not_found');
    assert.equal(await error(clientOf('wrong').auth.test()), 'invalid_auth');
    assert.equal(await error(clientOf(undefined).auth.test()), 'not_authed');
});

test('lists come in pages', { skip }, async () => {
    const names = [];
    for await (const page of client.paginate('conversations.list', { limit: 2 }))
        names.push(...page.channels.map((channel) => channel.name));
    assert.deepEqual(names, ['general', 'random', 'sales', 'alerts', 'revops']);
    const members = [];
    for await (const page of client.paginate('users.list', { limit: 3 })) members.push(...page.members);
    assert.equal(members.length, 5);
    assert.equal((await client.users.lookupByEmail({ email: 'ada@example.com' })).user.name, 'ada');
});
