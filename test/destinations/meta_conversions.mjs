// Meta's Conversions API, by the vendor's client (npm facebook-nodejs-business-sdk 24.0.1) and its documentation.
import { anything, auth, boolean, dictionary, firstOf, integer, list, matching, members, nullable, number, oneOf, text } from './kit/kit.mjs';

const each = (names, shape) => Object.fromEntries(names.map((name) => [`${name}?`, shape]));
const one = (shape) => firstOf(shape, list(shape, { least: 1 }));
const hashed = ['em', 'ph', 'fn', 'ln', 'ge', 'db', 'ct', 'st', 'zp', 'country'];
const plain = ['client_ip_address', 'client_user_agent', 'fbc', 'fbp', 'subscription_id', 'fb_login_id', 'lead_id', 'anon_id', 'madid', 'page_id', 'page_scoped_user_id', 'ctwa_clid'];
const user = members({ ...each(hashed, one(matching(/^[0-9a-f]{64}$/))), 'external_id?': one(text), ...each(plain, text) });
const known = new Map([...['value', 'predicted_ltv'].map((name) => [name, number]), ['currency', matching(/^[a-z]{3}$/i)], ['content_ids', list(text)], ['num_items', integer],
    ['contents', list(dictionary(anything))], ...['content_name', 'content_category', 'content_type', 'order_id', 'search_string', 'status', 'delivery_category'].map((name) => [name, text])]);
// Properties of one's own are anything.
const custom = (value, at) => dictionary(anything)(value, at) ?? Object.entries(value).map(([name, of]) => known.get(name)?.(of, `${at}/${name}`)).find((fault) => fault) ?? null;
const sources = oneOf('website', 'app', 'physical_store', 'system_generated', 'email', 'phone_call', 'chat', 'business_messaging', 'other');
const event = members({
    event_name: text, event_time: integer, 'event_id?': text, 'action_source?': sources, 'event_source_url?': text, 'referrer_url?': text, 'opt_out?': boolean,
    'user_data?': user, 'custom_data?': custom, 'data_processing_options?': list(oneOf('LDU')), 'data_processing_options_country?': integer, 'data_processing_options_state?': integer,
    'messaging_channel?': text, 'app_data?': dictionary(anything), 'original_event_data?': dictionary(anything), 'attribution_data?': dictionary(anything),
});

const failure = (message, code, more = {}) => ({ error: { message, type: code === 190 ? 'OAuthException' : 'GraphMethodException', code, ...more, fbtrace_id: 'AFbLpbOyRXdsEXdNi1i4ZuP' } });
const invalid = (subcode, title, said) => failure('Invalid parameter', 100, { error_subcode: subcode, is_transient: false, error_user_title: title, error_user_msg: said });
const week = 7 * 24 * 3600;

/// What is wrong with an event, as the API says it.
function faultOf({ event_time: time, user_data: of, custom_data: data, event_name: name, action_source: source, event_source_url: url }) {
    const now = Date.now() / 1000;
    if (time < now - week) return invalid(2804003, 'Event Timestamp Too Old', 'The timestamp for this event is too far in the past. It must be within the last 7 days.');
    if (time > now + 60) return invalid(2804004, 'Event Timestamp In The Future', 'The timestamp for this event is in the future.');
    if (!of || !Object.keys(of).length) return invalid(2804050, 'Not enough customer information', 'This event has no customer information parameters.');
    if (!source) return invalid(2804008, 'Missing action_source', 'The parameter action_source is required.');
    if (source === 'website' && !url) return invalid(2804022, 'Missing event_source_url', 'A website event needs event_source_url.');
    if (name === 'Purchase' && (data?.value === undefined || data?.currency === undefined)) return invalid(2804009, 'Missing value', 'A purchase needs value and currency.');
    return null;
}

export default {
    auth: auth.query('access_token', 'EAAB-token'),
    refusal: (status, message) => failure(message, 100, { is_transient: false }),
    unauthorized: () => [401, failure('Invalid OAuth access token - Cannot parse access token', 190)],
    limited: () => [400, failure('(#80004) There have been too many calls to this ad-account. Wait a bit and try again.', 80004, { error_subcode: 2446079 })],
    nothing: '{}',
    objects: { events: { id: 'event_id' } },
    routes: {
        'POST /{version}/{dataset}/events': {
            query: ['access_token'],
            body: members({
                data: list(event, { least: 1, most: 1000 }),
                ...each(['access_token', 'id', 'test_event_code', 'partner_agent', 'namespace_id', 'upload_id', 'upload_tag', 'upload_source'], nullable(text)),
            }),
            run({ path, body, objects }) {
                if (!/^v\d+\.\d+$/.test(path.version)) return [400, failure('Unknown path components', 2500)];
                if (path.dataset !== '1234567890123456') return [400, failure(`Unsupported post request. Object with ID '${path.dataset}' does not exist`, 100, { error_subcode: 33 })];
                // Nothing is taken where one of them is bad.
                const fault = body.data.map(faultOf).find((of) => of);
                if (fault) return [400, fault];
                const seen = new Set(objects.events.all().map(({ event_id: id, event_name: name }) => `${id} ${name}`));
                for (const of of body.data)
                    if (of.event_id === undefined || !seen.has(`${of.event_id} ${of.event_name}`)) objects.events.insert({ ...of, ...(body.test_event_code ? { test: body.test_event_code } : {}) });
                return [200, { events_received: body.data.length, messages: [], fbtrace_id: 'AFbLpbOyRXdsEXdNi1i4ZuP' }];
            },
        },
        'GET /{version}/me': { query: ['access_token', 'fields'], run: () => [200, { name: 'Conversions API System User', id: '122100000000000001' }] },
    },
};
