// Slack's Web API, by the vendor's description (slack_web_openapi_v2, 2021) and its client (npm @slack/web-api 8.2.0). What it
// refuses comes with status 200 and ok: false, but for too many requests.
import { auth, byCursor, matching, members, oneOf, text } from './kit/kit.mjs';

const json = (value, at) => { try { return Array.isArray(JSON.parse(value)) ? null : `${at} is not an array`; } catch { return `${at} is not JSON`; } };
const flag = oneOf('true', 'false');
const ts = matching(/^\d{10}\.\d{6}$/);
const name = matching(/^[\w.-]+$/);
const limit = matching(/^([1-9]\d{0,2}|1000)$/);
const said = { 'text?': text, 'blocks?': json, 'attachments?': json, 'as_user?': flag, 'link_names?': flag, 'parse?': oneOf('full', 'none'), 'reply_broadcast?': flag };
const lists = {
    users: members({ 'limit?': limit, 'cursor?': text, 'include_locale?': flag, 'team_id?': name }),
    channels: members({ 'limit?': limit, 'cursor?': text, 'exclude_archived?': flag, 'types?': matching(/^(public_channel|private_channel|mpim|im)(,(public_channel|private_channel|mpim|im))*$/), 'team_id?': name }),
};

/// What a message says, with its blocks and attachments as values.
function spoken({ text, blocks, attachments }) {
    const read = (value) => (value === undefined ? undefined : JSON.parse(value));
    return Object.fromEntries(Object.entries({ text, blocks: read(blocks), attachments: read(attachments) }).filter(([, value]) => value !== undefined));
}

const no = (error, more = {}) => [200, { ok: false, error, ...more }];
const nothing = ({ text, blocks, attachments }) => !text && !JSON.parse(blocks ?? '[]').length && !JSON.parse(attachments ?? '[]').length;

/// A method: what its arguments look like, and what it does. It gives what the answer has beside ok, or a refusal.
const method = (shape, run) => ({ shape, run });
const one = (change) => ({ args, objects }) => {
    if (!/^[CDG][A-Z0-9]+$/.test(args.channel)) return no('channel_not_found');
    const found = objects.messages.find(args.ts);
    return found?.channel === args.channel ? change(found, args, objects) : no('message_not_found');
};
const page = (stores, member, shows = () => true) => ({ args, objects }) => {
    const found = byCursor(stores.flatMap((store) => objects[store].all()).filter((one) => shows(one, args)), args.cursor, Number(args.limit ?? 100));
    return found ? { [member]: found.items, response_metadata: { next_cursor: found.next ?? '' } } : no('invalid_cursor');
};
const channel = (run) => ({ args, objects }) => {
    const found = objects.channels.find(args.channel) ?? objects.archived.find(args.channel);
    return found ? run(found, args, objects) : no('channel_not_found');
};
const misnamed = (name, { channels, archived }) => {
    if (!/^[\p{Ll}\p{Lo}\d_-]+$/u.test(name)) return no(name ? 'invalid_name_specials' : 'invalid_name_required');
    if (name.length > 80) return no('invalid_name_maxlength');
    return channels.by('name', name) || archived.by('name', name) ? no('name_taken') : undefined;
};
const methods = {
    'auth.test': method(members({}), () => ({ url: 'https://acme.slack.com/', team: 'Acme', user: 'reverse_etl', team_id: 'T0000001', user_id: 'U0000ROBOT', bot_id: 'B0000001', is_enterprise_install: false })),
    'chat.postMessage': method(members({
        channel: text, ...said, 'thread_ts?': ts, 'mrkdwn?': flag, 'unfurl_links?': flag, 'unfurl_media?': flag, 'username?': text, 'icon_emoji?': matching(/^:[\w+-]+:$/),
        'icon_url?': matching(/^https?:\/\//), 'markdown_text?': text, 'metadata?': text,
    }), ({ args, objects }) => {
        if (!/^([CDG][A-Z0-9]+|#.+)$/.test(args.channel)) return no('channel_not_found');
        if (nothing(args)) return no('no_text');
        if (args.text?.length > 40_000) return no('msg_too_long');
        const more = Object.fromEntries(['thread_ts', 'username'].filter((of) => args[of]).map((of) => [of, args[of]]));
        const message = objects.messages.insert({ channel: args.channel, text: '', ...spoken(args), ...more });
        const { channel, ...shown } = message;
        return { channel, ts: message.ts, message: { type: 'message', subtype: 'bot_message', bot_id: 'B0000001', ...shown } };
    }),
    'chat.update': method(members({ channel: text, ts, ...said, 'markdown_text?': text, 'metadata?': text, 'file_ids?': json }), one((found, args, objects) => {
        if (nothing({ ...args, text: args.text ?? found.text })) return no('no_text');
        objects.messages.update(found, spoken(args));
        return { channel: found.channel, ts: found.ts, text: found.text, message: { type: 'message', text: found.text } };
    })),
    'chat.delete': method(members({ channel: text, ts, 'as_user?': flag }), one((found, args, objects) => { objects.messages.remove(found); return { channel: found.channel, ts: found.ts }; })),
    'users.lookupByEmail': method(members({ email: text }), ({ args, objects }) => {
        const found = objects.users.all().find(({ profile }) => profile.email.toLowerCase() === args.email.toLowerCase());
        return found ? { user: found } : no('users_not_found');
    }),
    'users.info': method(members({ user: text, 'include_locale?': flag }), ({ args, objects }) => { const user = objects.users.find(args.user); return user ? { user } : no('user_not_found'); }),
    'conversations.create': method(members({ name: text, 'is_private?': flag, 'team_id?': name }), ({ args, objects }) => misnamed(args.name, objects) ?? {
        channel: objects.channels.insert({ name: args.name, is_channel: true, is_private: args.is_private === 'true', is_archived: false, num_members: 1 }),
    }),
    'conversations.rename': method(members({ channel: text, name: text }), channel((found, { name }, objects) => (found.is_archived ? no('is_archived') : misnamed(name, objects) ?? { channel: objects.channels.update(found, { name }) }))),
    'conversations.archive': method(members({ channel: text }), channel((found, args, objects) => {
        if (found.is_archived) return no('already_archived');
        objects.channels.remove(found);
        objects.archived.insert({ ...found, is_archived: true });
        return {};
    })),
    'conversations.info': method(members({ channel: text, 'include_locale?': flag, 'include_num_members?': flag }), channel((found, { include_num_members: counted }) => {
        const { num_members: count, ...shown } = found;
        return { channel: counted === 'true' ? { ...shown, num_members: count } : shown };
    })),
    'users.list': method(lists.users, page(['users'], 'members')),
    'conversations.list': method(lists.channels, page(['channels', 'archived'], 'channels', (one, { types = 'public_channel' }) => types.split(',').includes(one.is_private ? 'private_channel' : 'public_channel'))),
};

const called = (of, run, take) => (request) => {
    const args = take(request) ?? {};
    const fault = of.shape(args, '');
    if (fault) return no('invalid_arguments', { response_metadata: { messages: [`[ERROR] ${fault}`] } });
    const answer = run({ ...request, args });
    return Array.isArray(answer) ? answer : [200, { ok: true, ...answer }, { 'x-oauth-scopes': 'chat:write,chat:write.customize,users:read,users:read.email,channels:read' }];
};
const reads = ['users.lookupByEmail', 'users.list', 'conversations.list'];

export default {
    auth: auth.bearer('xoxb-0123456789'),
    refusal: (status, message) => ({ ok: false, error: message }),
    unauthorized: () => no('invalid_auth'),
    limited: () => [429, { ok: false, error: 'ratelimited' }, { 'retry-after': '1' }],
    objects: { messages: { id: 'ts', give: (number) => `${1_760_000_000 + number}.000100` }, users: {}, channels: { unique: ['name'], give: (number) => `C${String(number).padStart(8, '0')}` }, archived: { unique: ['name'] } },
    begin({ users }) {
        for (let n = 1; n <= 250; ++n) {
            const eight = String(n).padStart(8, '0');
            users.insert({ id: `U${eight}`, team_id: 'T0000001', name: `person${n}`, real_name: `Zoë ${n}`, tz: 'Europe/Berlin', deleted: n % 7 === 0, is_bot: false,
                profile: { email: `Person${n}@example.com`, real_name: `Zoë ${n}`, display_name: '' } });
        }
    },
    routes: Object.fromEntries(Object.entries(methods).flatMap(([name, of]) => [
        [`POST /api/${name}`, { ...(name === 'auth.test' ? {} : { format: 'form' }), run: called(of, of.run, ({ body }) => body) }],
        ...(reads.includes(name) ? [[`GET /api/${name}`, { query: [/./], run: called(of, of.run, ({ query }) => query) }]] : []),
    ])),
};
