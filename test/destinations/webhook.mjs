// A receiver of Standard Webhooks, by the specification. Who signs is judged by the package standardwebhooks where it is there.
import { createHmac, timingSafeEqual } from 'node:crypto';
import { anything, dictionary, matching, members } from './kit/kit.mjs';

const secrets = ['whsec_MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3', 'whsec_YWJjZGVmZ2hpamtsbW5vcHFyc3R1dnd4'];
const { Webhook } = await import('standardwebhooks').catch(() => ({}));

/// Whether one of the signatures is that of the secret, and the attempt was made now.
function verified(secret, { headers, bytes }) {
    const { 'webhook-id': id, 'webhook-timestamp': time, 'webhook-signature': signatures = '' } = headers;
    if (!id || !/^\d+$/.test(time) || Math.abs(Date.now() / 1000 - time) > 300) return false;
    const wanted = createHmac('sha256', Buffer.from(secret.slice(6), 'base64')).update(`${id}.${time}.`).update(bytes).digest();
    return signatures.split(' ').some((one) => {
        const [version, signature] = one.split(',');
        const given = Buffer.from(signature ?? '', 'base64');
        return version === 'v1' && given.length === wanted.length && timingSafeEqual(given, wanted);
    });
}

function accepted(secret, request) {
    if (!verified(secret, request)) return false;
    if (Webhook) new Webhook(secret).verify(request.bytes.toString(), request.headers);
    return true;
}

const moment = matching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)$/);

export default {
    // A sender that changes its secret signs with both of them.
    auth: { lets: (request) => secrets.every((secret) => accepted(secret, request)) },
    refusal: (status, message) => ({ message }),
    unauthorized: () => [401, { message: 'No matching signature found' }],
    limited: () => [429, '', { 'retry-after': '1' }],
    objects: { events: { id: '_id' } },
    routes: {
        'POST /contacts': {
            status: 422,
            body: members({ type: matching(/^[a-zA-Z0-9_]+(\.[a-zA-Z0-9_]+)*$/), timestamp: moment, data: dictionary(anything) }),
            run({ body, headers, objects }) {
                // The id tells that an event was here before.
                if (!objects.events.find(headers['webhook-id'])) objects.events.insert({ _id: headers['webhook-id'], ...body });
                return [204, null];
            },
        },
    },
};
