// Segment's HTTP API, by the vendor's client (npm @segment/analytics-node 3.1.0) and its documentation.
import { anything, auth, dictionary, list, matching, members, oneOf, text } from './kit/kit.mjs';

const time = matching(/^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}(\.\d+)?(Z|[+-]\d{2}:?\d{2})$/);
const object = dictionary(anything);
const common = {
    messageId: matching(/^.{1,99}$/), 'anonymousId?': text, 'userId?': text, 'timestamp?': time, 'context?': object, 'integrations?': object,
    // The client says this of itself.
    '_metadata?': object,
};
const calls = {
    track: members({ type: oneOf('track'), ...common, 'event?': text, 'properties?': object }),
    identify: members({ type: oneOf('identify'), ...common, 'traits?': object }),
    group: members({ type: oneOf('group'), ...common, groupId: text, 'traits?': object }),
    page: members({ type: oneOf('page'), ...common, 'name?': text, 'category?': text, 'properties?': object }),
    screen: members({ type: oneOf('screen'), ...common, 'name?': text, 'category?': text, 'properties?': object }),
    alias: members({ type: oneOf('alias'), ...common, previousId: text }),
};
const call = (value, at) => (Object.hasOwn(calls, value?.type) ? calls[value.type](value, at) : `${at}/type is not known`);

const keep = {
    track: ({ events }, one) => events.insert(one),
    page: ({ pages }, one) => pages.insert(one),
    screen: ({ screens }, one) => screens.insert(one),
    alias: ({ aliases }, one) => aliases.insert(one),
    identify: ({ users }, { userId, anonymousId, traits }) => {
        const found = users.find(userId ?? anonymousId) ?? users.insert({ userId: userId ?? anonymousId });
        users.update(found, traits ?? {});
    },
    group: ({ groups }, { userId, groupId, traits }) => {
        const found = groups.find(`${userId}/${groupId}`) ?? groups.insert({ id: `${userId}/${groupId}`, userId, groupId });
        groups.update(found, traits ?? {});
    },
};
const sized = { id: 'messageId' };

export default {
    auth: auth.basic('AbCdEf0123456789AbCdEf0123456789', ''),
    refusal: (status, message, code) => ({ success: false, code: code ?? 'bad_request', message }),
    limited: () => [429, { success: false, code: 'rate_limited', message: 'too many requests' }, { 'retry-after': '1', 'x-ratelimit-reset': '1' }],
    objects: { events: sized, users: { id: 'userId' }, groups: {}, pages: sized, screens: sized, aliases: sized, seen: sized },
    routes: {
        'POST /v1/batch': {
            body: members({ batch: list(call), 'sentAt?': time, 'writeKey?': text, 'context?': object, 'integrations?': object }),
            run({ body: { batch }, bytes, objects, refuse }) {
                if (bytes.length > 500 * 1024 || batch.some((one) => JSON.stringify(one).length > 32 * 1024)) refuse(400, 'Exceeded payload limit', 'payload_too_large');
                // What is not as it should be is dropped without a word: too many calls, nobody who did it, no event.
                for (const one of batch.length > 2500 ? [] : batch) {
                    if (!(one.userId || one.anonymousId) || (one.type === 'track' && !one.event) || objects.seen.find(one.messageId)) continue;
                    objects.seen.insert({ messageId: one.messageId });
                    keep[one.type](objects, one);
                }
                return [200, { success: true }];
            },
        },
    },
};
