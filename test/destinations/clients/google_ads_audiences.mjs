// @google-ads/datamanager against the stand-in, over HTTP in place of gRPC.
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { createRequire } from 'node:module';

const require = createRequire(import.meta.url);
const { v1 } = require('@google-ads/datamanager');
const { OAuth2Client } = require('google-auth-library');

export default async function prove({ url, credentials }) {
    const { hostname, port } = new URL(url);
    const of = (kind, more) => {
        const authClient = new OAuth2Client(more);
        authClient.setCredentials(more?.clientId ? { refresh_token: credentials.refresh_token } : { access_token: more?.token ?? 'token' });
        return new v1[kind]({ fallback: true, protocol: 'http', apiEndpoint: hostname, port: Number(port), projectId: 'acme-1', authClient });
    };
    const once = { retry: null, timeout: 5000 };
    const sha256 = (value) => createHash('sha256').update(value).digest('hex');
    const kept = async (store) => (await fetch(`${url}/_control/records/${store}`)).json();
    const refused = (call, words) => assert.rejects(call, (error) => words.test(JSON.stringify(error) + error.message));

    const destinations = [{ operatingAccount: { accountType: 'GOOGLE_ADS', accountId: '1234567890' }, loginAccount: { accountType: 'GOOGLE_ADS', accountId: '9876543210' }, productDestinationId: '8877665544' }];
    const ingestion = of('IngestionServiceClient');
    const user = (...identifiers) => ({ userData: { userIdentifiers: identifiers } });
    const address = { givenName: sha256('ada'), familyName: sha256('lovelace'), regionCode: 'GB', postalCode: 'E1' };
    const more = { consent: { adUserData: 'CONSENT_GRANTED', adPersonalization: 'CONSENT_DENIED' }, encoding: 'HEX', termsOfService: { customerMatchTermsOfServiceStatus: 'ACCEPTED' } };
    const ada = user({ emailAddress: sha256('ada@example.com') }, { phoneNumber: sha256('+441234567') }, { address });
    const [{ requestId }] = await ingestion.ingestAudienceMembers({ destinations, audienceMembers: [ada, { mobileData: { mobileIds: ['0000000a-0000-4000-8000-000000000001'] } }], ...more }, once);
    const [status] = await ingestion.retrieveRequestStatus({ requestId }, once);
    assert.equal(status.requestStatusPerDestination[0].requestStatus, 'SUCCESS');
    assert.deepEqual((await kept('members')).map(({ postalCode, address: at, mobile_id: id }) => [at?.postalCode ?? null, id ?? null]), [['E1', null], [null, '0000000a-0000-4000-8000-000000000001']]);
    // One that is bad, and none is taken.
    await refused(ingestion.ingestAudienceMembers({ destinations, audienceMembers: [user({ emailAddress: sha256('bob@example.com') }), user({ emailAddress: 'bob@example.com' })], ...more }, once), /problem with the request/);
    await refused(ingestion.ingestAudienceMembers({ destinations: [{ ...destinations[0], productDestinationId: '1' }], audienceMembers: [ada], ...more }, once), /problem with the request/);
    await refused(ingestion.ingestAudienceMembers({ destinations, audienceMembers: [ada], encoding: 'HEX' }, once), /problem with the request/);
    assert.equal((await kept('members')).length, 2);
    await ingestion.removeAudienceMembers({ destinations, audienceMembers: [user({ emailAddress: sha256('ada@example.com') })], encoding: 'HEX' }, once);
    assert.equal((await kept('members')).length, 1);

    const conversions = [{ ...destinations[0], productDestinationId: '7766554433' }];
    const event = { transactionId: 'o1', eventTimestamp: { seconds: 1767323045, nanos: 0 }, eventSource: 'WEB', conversionValue: 9.5, currency: 'EUR', adIdentifiers: { gclid: 'g1' }, ...user({ emailAddress: sha256('ada@example.com') }) };
    await ingestion.ingestEvents({ destinations: conversions, events: [event, { ...event, transactionId: 'o2' }], encoding: 'HEX' }, once);
    await ingestion.ingestEvents({ destinations: conversions, events: [event], encoding: 'HEX' }, once);
    assert.deepEqual((await kept('conversions')).map(({ transactionId, adIdentifiers }) => [transactionId, adIdentifiers.gclid]), [['o1', 'g1'], ['o2', 'g1']]);
    await refused(ingestion.ingestEvents({ destinations: conversions, events: [{ ...event, currency: 'Euro' }], encoding: 'HEX' }, once), /problem with the request/);

    const lists = of('UserListServiceClient');
    const parent = 'accountTypes/GOOGLE_ADS/accounts/1234567890';
    const headers = { ...once, otherArgs: { headers: { 'login-account': 'accountTypes/GOOGLE_ADS/accounts/9876543210' } } };
    const userList = { displayName: 'Buyers', ingestedUserListInfo: { uploadKeyTypes: ['CONTACT_ID'], contactIdInfo: { dataSourceType: 'DATA_SOURCE_TYPE_FIRST_PARTY' } }, membershipDuration: { seconds: 7776000 } };
    const [made] = await lists.createUserList({ parent, userList }, headers);
    await refused(lists.createUserList({ parent, userList }, headers), /problem with the request/);
    const [changed] = await lists.updateUserList({ userList: { name: made.name, description: 'who bought' } }, headers);
    assert.deepEqual([changed.displayName, changed.description], ['Buyers', 'who bought']);
    assert.equal((await lists.getUserList({ name: made.name }, headers))[0].membershipStatus, 'OPEN');
    for (let n = 0; n < 3; ++n) await lists.createUserList({ parent, userList: { ...userList, displayName: `L${n}` } }, headers);
    assert.equal((await lists.listUserLists({ parent, pageSize: 2 }, headers))[0].length, 4);
    await lists.deleteUserList({ name: made.name }, headers);
    await refused(lists.getUserList({ name: made.name }, headers), /not found/);

    const refreshed = of('IngestionServiceClient', { clientId: credentials.client_id, clientSecret: credentials.client_secret, endpoints: { oauth2TokenUrl: `${url}/token` } });
    await refreshed.removeAudienceMembers({ destinations, audienceMembers: [ada], encoding: 'HEX' }, once);
    await refused(of('IngestionServiceClient', { token: 'another' }).removeAudienceMembers({ destinations, audienceMembers: [ada], encoding: 'HEX' }, once), /invalid authentication/);
}
