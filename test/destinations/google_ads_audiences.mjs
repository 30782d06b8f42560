// Google's Data Manager API v1, by Google's client (npm @google-ads/datamanager 0.3.0) and its documentation.
import { anything, auth, boolean, byCursor, dictionary, firstOf, list, matching, members, nullable, number, oneOf, text } from './kit/kit.mjs';

// A name, or its number, as the client writes it.
const enumeration = (...names) => firstOf(oneOf(...names), oneOf(...names.map((_, index) => index)));
const types = enumeration('ACCOUNT_TYPE_UNSPECIFIED', 'GOOGLE_ADS', 'DISPLAY_VIDEO_PARTNER', 'DISPLAY_VIDEO_ADVERTISER', 'DATA_PARTNER', 'GOOGLE_ANALYTICS_PROPERTY');
const account = members({ accountType: types, accountId: matching(/^\d+$/) });
const destinations = list(members({ 'reference?': text, 'loginAccount?': account, 'linkedAccount?': account, operatingAccount: account, productDestinationId: text }), { least: 1, most: 10 });
const consentStatus = enumeration('CONSENT_STATUS_UNSPECIFIED', 'CONSENT_GRANTED', 'CONSENT_DENIED');
const consent = members({ 'adUserData?': consentStatus, 'adPersonalization?': consentStatus });
const terms = members({ 'customerMatchTermsOfServiceStatus?': enumeration('TERMS_OF_SERVICE_STATUS_UNSPECIFIED', 'ACCEPTED', 'REJECTED') });
const common = { destinations, 'encoding?': enumeration('ENCODING_UNSPECIFIED', 'HEX', 'BASE64'), 'validateOnly?': boolean };
const address = members({ givenName: text, familyName: text, regionCode: text, postalCode: text });
const userData = members({ userIdentifiers: list(members({ 'emailAddress?': text, 'phoneNumber?': text, 'address?': address }), { least: 1, most: 10 }) });
const member = members({ 'userData?': userData, 'mobileData?': members({ mobileIds: list(text, { least: 1 }) }), 'consent?': consent, 'destinationReferences?': list(text) });
const moment = (value, at) => (typeof value === 'string' && /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)$/.test(value) ? null : `${at} is no timestamp`);
const event = members({
    'transactionId?': text, eventTimestamp: moment, 'lastUpdatedTimestamp?': moment, 'eventSource?': enumeration('EVENT_SOURCE_UNSPECIFIED', 'WEB', 'APP', 'IN_STORE', 'PHONE', 'OTHER', 'MESSAGE'), 'eventName?': text,
    'conversionValue?': number, 'currency?': text, 'adIdentifiers?': members(Object.fromEntries(['gclid', 'gbraid', 'wbraid', 'sessionAttributes', 'mobileDeviceId'].map((name) => [`${name}?`, text]))),
    'userData?': userData, 'consent?': consent, 'cartData?': dictionary(anything), 'customVariables?': list(members({ variable: text, value: text })), 'userProperties?': dictionary(anything),
    'eventDeviceInfo?': dictionary(anything), 'clientId?': text, 'userId?': text, 'additionalEventParameters?': list(members({ parameterName: text, value: text })), 'destinationReferences?': list(text),
});
const userList = { 'displayName?': nullable(text), 'description?': nullable(text), 'membershipStatus?': enumeration('MEMBERSHIP_STATUS_UNSPECIFIED', 'OPEN', 'CLOSED'), 'membershipDuration?': nullable(matching(/^\d+s$/)), 'integrationCode?': nullable(text), 'name?': text };

const states = { 400: 'INVALID_ARGUMENT', 401: 'UNAUTHENTICATED', 403: 'PERMISSION_DENIED', 404: 'NOT_FOUND', 429: 'RESOURCE_EXHAUSTED' };
const failure = (code, message, details) => ({ error: { code, message, status: states[code] ?? 'UNKNOWN', ...(details && { details }) } });
const info = (reason) => ({ '@type': 'type.googleapis.com/google.rpc.ErrorInfo', reason, domain: 'datamanager.googleapis.com' });
const violation = (field, description, reason) => [400, failure(400, 'There was a problem with the request.', [info('INVALID_ARGUMENT'),
    { '@type': 'type.googleapis.com/google.rpc.BadRequest', fieldViolations: [{ field, description, reason }] }])];
const digest = (value) => /^[0-9a-f]{64}$/i.test(value);
const uuid = (value) => /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i.test(value);

/// What is wrong with one identifier of a user.
function faultOf(identifier, at) {
    const [[kind, value], ...more] = Object.entries(identifier).length ? Object.entries(identifier) : [[]];
    if (!kind || more.length) return violation(at, 'Exactly one identifier is required.', 'REQUIRED_FIELD_MISSING');
    const hashes = kind === 'address' ? [value.givenName, value.familyName] : [value];
    if (!hashes.every(digest)) return violation(`${at}.${kind}`, 'The value is no SHA-256 digest in hex.', 'INVALID_HEX_ENCODING');
    return kind === 'address' && !/^[A-Z]{2}$/.test(value.regionCode) ? violation(`${at}.address.region_code`, 'The region code is invalid.', 'INVALID_REGION_CODE') : null;
}

const faultOfUser = (data, at) => data?.userIdentifiers.map((one, index) => faultOf(one, `${at}.user_data.user_identifiers[${index}]`)).find((fault) => fault) ?? null;
const faultOfMember = (one, at) => {
    if (!one.userData === !one.mobileData) return violation(at, 'The audience member has no data, or several kinds of it.', 'INVALID_AUDIENCE_MEMBER');
    return one.mobileData?.mobileIds.some((id) => !uuid(id)) ? violation(`${at}.mobile_data.mobile_ids[0]`, 'The mobile id is invalid.', 'INVALID_MOBILE_ID_FORMAT') : faultOfUser(one.userData, at);
};

function faultOfRequest({ destinations: [{ operatingAccount, loginAccount, productDestinationId: id }], encoding, termsOfService }, known, needs) {
    if (operatingAccount.accountId !== '1234567890' || !['1234567890', '9876543210'].includes((loginAccount ?? operatingAccount).accountId)) return [403, failure(403, 'The caller does not have permission', [info('PERMISSION_DENIED')])];
    if (!known.includes(id)) return violation('destinations[0].product_destination_id', 'The user list id is invalid.', 'INVALID_USER_LIST_ID');
    if (needs.encoding && !['HEX', 1].includes(encoding)) return violation('encoding', 'The encoding is required.', 'REQUIRED_FIELD_MISSING');
    return needs.terms && !['ACCEPTED', 1].includes(termsOfService?.customerMatchTermsOfServiceStatus) ? violation('terms_of_service.customer_match_terms_of_service_status', 'The terms are not accepted.', 'TERMS_AND_CONDITIONS_NOT_SIGNED') : null;
}

/// A member by what it is known by: the first identifier, or the device.
const keyOf = ({ userData, mobileData }) => (mobileData ? mobileData.mobileIds[0] : userData.userIdentifiers[0].emailAddress ?? userData.userIdentifiers[0].phoneNumber ?? JSON.stringify(userData.userIdentifiers[0].address));

const changed = (add) => ({ body, objects: { members: store }, jobs }) => {
    const hashed = body.audienceMembers.some(({ userData: of }) => of);
    const fault = faultOfRequest(body, ['8877665544'], { encoding: hashed, terms: add }) ?? body.audienceMembers.map((one, index) => faultOfMember(one, `audience_members[${index}]`)).find((of) => of);
    if (fault) return fault;
    if (!body.validateOnly) for (const one of body.audienceMembers) {
        const found = store.find(keyOf(one));
        if (found) store.remove(found);
        const identifiers = Object.assign({}, ...one.userData?.userIdentifiers ?? []);
        if (add) store.insert({ key: keyOf(one), ...identifiers, ...(one.mobileData && { mobile_id: one.mobileData.mobileIds[0] }), consent: body.consent });
    }
    return [200, { requestId: jobs.open({ destination: body.destinations[0], count: body.audienceMembers.length, add }, { asks: 1 }).id }];
};

const path = '/v1/accountTypes/{type}/accounts/{account}/userLists';
const view = ({ id, ...of }) => ({ name: `accountTypes/GOOGLE_ADS/accounts/1234567890/userLists/${id}`, id, readOnly: false, ...of, accessReason: 'OWNED', sizeInfo: { displayNetworkMembersCount: '-1' } });
const found = ({ path: { id }, objects }) => objects.user_lists.find(id);
const gone = () => [404, failure(404, 'Requested entity was not found.', [info('NOT_FOUND')])];
const of = (run) => (request) => (request.path.account === '1234567890' && [undefined, 'accountTypes/GOOGLE_ADS/accounts/9876543210'].includes(request.headers['login-account']) ? run(request) : [403, failure(403, 'The caller does not have permission', [info('PERMISSION_DENIED')])]);

export default {
    auth: auth.anyOf(auth.bearer('token'), auth.oauth({ path: '/token', expects: { grant_type: 'refresh_token', client_id: 'client', client_secret: 'secret', refresh_token: '1//refresh' } })),
    refusal: (code, message) => failure(code, message),
    unauthorized: () => [401, failure(401, 'Request had invalid authentication credentials.', [info('ACCESS_TOKEN_EXPIRED')])],
    limited: () => [429, failure(429, 'Quota exceeded for quota metric IngestionMutateRequests.', [info('RATE_LIMIT_EXCEEDED')])],
    objects: { members: { id: 'key' }, conversions: { id: 'transactionId' }, user_lists: { unique: ['displayName'], give: (number) => String(8877665544 + number) } },
    routes: {
        'POST /v1/audienceMembers:ingest': { query: ['$alt'], body: members({ ...common, audienceMembers: list(member, { least: 1, most: 10000 }), 'consent?': consent, 'termsOfService?': terms }), run: changed(true) },
        'POST /v1/audienceMembers:remove': { query: ['$alt'], body: members({ ...common, audienceMembers: list(member, { least: 1, most: 10000 }) }), run: changed(false) },
        'POST /v1/events:ingest': { query: ['$alt'], body: members({ ...common, events: list(event, { least: 1, most: 2000 }), 'consent?': consent }), run({ body, objects: { conversions: store }, jobs }) {
            const wrong = ({ currency }, at) => (currency !== undefined && !/^[A-Z]{3}$/.test(currency) ? violation(`${at}.currency`, 'The currency code is invalid.', 'INVALID_CURRENCY_CODE') : null);
            const fault = faultOfRequest(body, ['7766554433'], { encoding: body.events.some(({ userData: user }) => user) })
                ?? body.events.map((one, index) => wrong(one, `events[${index}]`) ?? faultOfUser(one.userData, `events[${index}]`)).find((one) => one);
            if (fault) return fault;
            for (const one of body.events) if (!store.find(one.transactionId)) store.insert(one);
            return [200, { requestId: jobs.open({ destination: body.destinations[0], count: body.events.length }, { asks: 1 }).id }];
        } },
        'GET /v1/requestStatus:retrieve': { query: ['requestId', '$alt'], run({ query, jobs }) {
            const job = jobs.ask(query.requestId);
            if (!job) return violation('request_id', 'The request id is invalid.', 'INVALID_REQUEST_ID');
            return [200, { requestStatusPerDestination: [{ destination: job.destination, requestStatus: job.ended ? 'SUCCESS' : 'PROCESSING' }] }];
        } },
        [`POST ${path}`]: { query: ['$alt', 'validateOnly'], body: members({ ...userList, 'ingestedUserListInfo?': members({ uploadKeyTypes: list(enumeration('UPLOAD_KEY_TYPE_UNSPECIFIED', 'CONTACT_ID', 'MOBILE_ID', 'USER_ID', 'PAIR_ID', 'PSEUDONYMOUS_ID')), 'contactIdInfo?': dictionary(anything), 'mobileIdInfo?': dictionary(anything) }) }), run: of(({ body, objects }) => {
            if (!body.displayName?.trim()) return violation('user_list.display_name', 'The display name is required.', 'REQUIRED_FIELD_MISSING');
            if (!body.ingestedUserListInfo) return violation('user_list.ingested_user_list_info', 'The info is required.', 'REQUIRED_FIELD_MISSING');
            if (objects.user_lists.by('displayName', body.displayName)) return violation('user_list.display_name', 'The display name is already used.', 'DISPLAY_NAME_ALREADY_USED');
            const { name, ...values } = body;
            return [200, view(objects.user_lists.insert({ membershipStatus: 'OPEN', ...values }))];
        }) },
        [`GET ${path}`]: { query: ['$alt', 'pageSize', 'pageToken', 'filter'], run: of(({ query, objects, refuse }) => {
            const page = byCursor(objects.user_lists.all(), query.pageToken, Math.min(Number(query.pageSize ?? 50), 1000)) ?? refuse(400, 'The page token is invalid.');
            return [200, { ...(page.items.length && { userLists: page.items.map(view) }), ...(page.next && { nextPageToken: page.next }) }];
        }) },
        [`GET ${path}/{id}`]: { query: ['$alt'], run: of((request) => (found(request) ? [200, view(found(request))] : gone())) },
        [`PATCH ${path}/{id}`]: { query: ['$alt', 'updateMask', 'validateOnly'], body: members(userList), run: of((request) => {
            if (!found(request)) return gone();
            const { name, ...values } = request.body;
            return [200, view(request.objects.user_lists.update(found(request), values))];
        }) },
        [`DELETE ${path}/{id}`]: { query: ['$alt', 'validateOnly'], run: of((request) => {
            if (!found(request)) return gone();
            request.objects.user_lists.remove(found(request));
            return [200, {}];
        }) },
    },
};
