// Twilio's messages, by its OpenAPI description (twilio_api_v2010) and its client (npm twilio 6.3.1).
import { afterLast, auth, matching, members, oneOf, text } from './kit/kit.mjs';

const account = 'AC00000000000000000000000000000000';
const at = `/2010-04-01/Accounts/${account}`;
const url = matching(/^https?:\/\//);
const time = matching(/^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}(\.\d+)?(Z|[+-]\d{2}:?\d{2})$/);
const flag = oneOf('true', 'false');
const whole = matching(/^\d+$/);

const message = members({
    'To?': text, 'From?': text, 'MessagingServiceSid?': matching(/^MG[0-9a-fA-F]{32}$/), 'Body?': text, 'MediaUrl?': url, 'ContentSid?': matching(/^HX[0-9a-fA-F]{32}$/),
    'ContentVariables?': text, 'StatusCallback?': url, 'ApplicationSid?': text, 'MaxPrice?': matching(/^\d+(\.\d+)?$/), 'ProvideFeedback?': flag, 'Attempt?': whole,
    'ValidityPeriod?': whole, 'ForceDelivery?': flag, 'ContentRetention?': oneOf('retain', 'discard'), 'AddressRetention?': oneOf('retain', 'obfuscate'),
    'SmartEncoded?': flag, 'PersistentAction?': text, 'ShortenUrls?': flag, 'ScheduleType?': oneOf('fixed'), 'SendAt?': time, 'SendAsMms?': flag, 'RiskCheck?': oneOf('enable', 'disable'),
});
const change = members({ 'Body?': oneOf(''), 'Status?': oneOf('canceled') });

/// What is wrong with a message, as code and text, or nothing.
function faultOf({ To, From, MessagingServiceSid, Body, MediaUrl, ContentSid, ScheduleType, SendAt }) {
    if (!To) return [21604, "A 'To' phone number is required."];
    if (!/^(whatsapp:)?\+\d{8,15}$/.test(To)) return [21211, `Invalid 'To' Phone Number: ${To}`];
    if (!From && !MessagingServiceSid) return [21603, "A 'From' phone number is required."];
    if (!Body && !MediaUrl && !ContentSid) return [21602, 'Message body is required.'];
    return !ScheduleType !== !SendAt ? [35111, "Parameter 'SendAt' and 'ScheduleType' go together"] : null;
}

const one = ({ objects, path, refuse }) => objects.messages.find(path.sid) ?? refuse(404, `The requested resource ${at}/Messages/${path.sid}.json was not found`, 20404);
const now = 'Fri, 02 Jan 2026 03:04:05 +0000';

export default {
    auth: auth.basic(account, '0123456789abcdef0123456789abcdef'),
    refusal: (status, text, code) => ({ code: code ?? 20001, message: text, more_info: `https://www.twilio.com/docs/errors/${code ?? 20001}`, status }),
    unauthorized: () => [401, { code: 20003, message: 'Authenticate', more_info: 'https://www.twilio.com/docs/errors/20003', status: 401 }],
    limited: () => [429, { code: 20429, message: 'Too Many Requests', more_info: 'https://www.twilio.com/docs/errors/20429', status: 429 }, { 'retry-after': '1' }],
    objects: { messages: { id: 'sid', give: (number) => `SM${number.toString(16).padStart(32, '0')}` } },
    routes: {
        [`POST ${at}/Messages.json`]: { format: 'form', body: message, run({ body, objects, refuse }) {
            const fault = faultOf(body);
            if (fault) refuse(400, fault[1], fault[0]);
            const { To: to, From: from = null, MessagingServiceSid: service = null, Body: text = '', MediaUrl: media, ScheduleType: scheduled } = body;
            return [201, objects.messages.insert({
                to, from, messaging_service_sid: service, body: text, num_media: media ? '1' : '0', num_segments: '1', status: scheduled ? 'scheduled' : 'queued',
                direction: 'outbound-api', account_sid: account, api_version: '2010-04-01', date_created: now, date_updated: now, date_sent: null, price: null,
                price_unit: 'USD', error_code: null, error_message: null,
            })];
        } },
        [`POST ${at}/Messages/{sid}.json`]: { format: 'form', body: change, run(request) {
            const { body: { Body, Status }, objects, refuse } = request;
            const found = one(request);
            if (Status && found.status !== 'scheduled') refuse(400, 'Cannot cancel a message that is not scheduled', 30409);
            return [200, objects.messages.update(found, { ...(Body === undefined ? {} : { body: Body }), ...(Status ? { status: Status } : {}) }) && found];
        } },
        [`DELETE ${at}/Messages/{sid}.json`]: { run(request) { request.objects.messages.remove(one(request)); return [204]; } },
        [`GET ${at}/Messages/{sid}.json`]: { run: (request) => [200, one(request)] },
        [`GET ${at}/Messages.json`]: { query: ['To', 'From', /^DateSent[<>]?$/, 'PageSize', 'Page', 'PageToken'], run({ query, objects, refuse }) {
            const size = Number(query.PageSize ?? 50);
            if (!(size >= 1 && size <= 1000)) refuse(400, 'Page size must be between 1 and 1000', 20006);
            const found = objects.messages.all().filter(({ to, from }) => [undefined, to].includes(query.To) && [undefined, from].includes(query.From));
            const page = afterLast(found, 'sid', query.PageToken, size) ?? refuse(400, 'Invalid page token', 20007);
            const number = Number(query.Page ?? 0);
            const next = page.more ? `${at}/Messages.json?${new URLSearchParams({ ...query, PageSize: size, Page: number + 1, PageToken: page.items.at(-1).sid })}` : null;
            return [200, { messages: page.items, page: number, page_size: size, start: number * size, end: number * size + page.items.length - 1, next_page_uri: next, previous_page_uri: null,
                first_page_uri: `${at}/Messages.json?PageSize=${size}&Page=0`, uri: `${at}/Messages.json` }];
        } },
        [`GET ${at}.json`]: { run: () => [200, { sid: account, friendly_name: 'Acme', status: 'active' }] },
    },
};
