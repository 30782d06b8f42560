// klaviyo-api against the stand-in.
import assert from 'node:assert/strict';
import klaviyo from 'klaviyo-api';

const { AccountsApi, ApiKeySession, EventsApi, ListsApi, ProfilesApi, RetryWithExponentialBackoff } = klaviyo;

export default async function prove({ url, credentials }) {
    const session = new ApiKeySession(credentials.private_key, new RetryWithExponentialBackoff({ numRetries: 1 }));
    const of = (Api, who = session) => Object.assign(new Api(who), { basePath: url });
    const [accounts, profiles, events, lists] = [AccountsApi, ProfilesApi, EventsApi, ListsApi].map((Api) => of(Api));
    const refused = (call, status) => assert.rejects(call, (error) => error.response?.status === status && error.response.data.errors.length === 1);
    const profile = (attributes) => ({ data: { type: 'profile', attributes } });

    assert.equal((await accounts.getAccounts()).body.data[0].id, 'AbC123');
    const ada = (await profiles.createProfile(profile({ email: 'ada@example.com', firstName: 'Ada', location: { city: 'London' }, properties: { tier: 'gold' } }))).body.data;
    assert.equal(ada.attributes.location.city, 'London');
    await refused(() => profiles.createProfile(profile({ email: 'Ada@Example.com' })), 409);
    await refused(() => profiles.createProfile(profile({ email: 'nobody' })), 400);
    await refused(() => profiles.createProfile(profile({ firstName: 'Nobody' })), 400);
    const again = await profiles.createOrUpdateProfile(profile({ email: 'ada@example.com', lastName: 'Lovelace' }));
    assert.equal(again.response.status, 200);
    assert.equal(again.body.data.attributes.firstName, 'Ada');
    assert.equal((await profiles.createOrUpdateProfile(profile({ email: 'grace@example.com', externalId: 'g1', phoneNumber: '+15005550006' }))).response.status, 201);
    const changed = (await profiles.updateProfile(ada.id, { data: { type: 'profile', id: ada.id, attributes: { firstName: null } } })).body.data;
    assert.equal(changed.attributes.firstName, null);
    assert.equal((await profiles.getProfile(ada.id)).body.data.attributes.email, 'ada@example.com');
    await refused(() => profiles.getProfile('01GNOBODY'), 404);
    for (const filter of ['equals(email,"grace@example.com")', 'equals(external_id,"g1")', 'equals(phone_number,"+15005550006")'])
        assert.deepEqual((await profiles.getProfiles({ filter })).body.data.map((one) => one.attributes.externalId), ['g1']);
    const first = (await profiles.getProfiles({ pageSize: 1 })).body;
    assert.equal((await profiles.getProfiles({ pageSize: 1, pageCursor: new URL(first.links.next).searchParams.get('page[cursor]') })).body.links.next, null);

    const job = (await profiles.bulkImportProfiles({ data: { type: 'profile-bulk-import-job', attributes: { profiles: { data: [profile({ email: 'b1@example.com' }).data, profile({ email: 'nobody' }).data] } } } })).body.data;
    assert.equal(job.attributes.status, 'queued');
    const state = (await profiles.getBulkImportProfilesJob(job.id)).body.data.attributes;
    assert.deepEqual([state.status, state.failedCount], ['complete', 1]);
    const faults = (await profiles.getErrorsForBulkImportProfilesJob(job.id, { pageSize: 100 })).body.data;
    assert.deepEqual(faults.map(({ attributes }) => [attributes.detail, attributes.originalPayload.email]), [['Invalid email address', 'nobody']]);

    const event = (email) => ({ type: 'event-bulk-create', attributes: { profile: profile({ email }), events: { data: [{ type: 'event', attributes: { properties: { order: 7 }, value: 9.5, uniqueId: 'o7', metric: { data: { type: 'metric', attributes: { name: 'Ordered' } } } } }] } } });
    const bulk = (...data) => events.bulkCreateEvents({ data: { type: 'event-bulk-create-job', attributes: { eventsBulkCreate: { data } } } });
    assert.equal((await bulk(event('ada@example.com'), event('grace@example.com'))).response.status, 202);
    await refused(() => bulk(event('nobody')), 400);
    assert.equal((await events.getEvents({ pageSize: 200 })).body.data.length, 2);

    const list = (await lists.createList({ data: { type: 'list', attributes: { name: 'Friends', optInProcess: 'single_opt_in' } } })).body.data;
    assert.equal((await lists.updateList(list.id, { data: { type: 'list', id: list.id, attributes: { name: 'Best friends' } } })).body.data.attributes.name, 'Best friends');
    assert.equal((await lists.getList(list.id)).body.data.id, list.id);
    assert.equal((await lists.getLists({ filter: 'equals(name,"Best friends")' })).body.data.length, 1);
    const members = { data: [{ type: 'profile', id: ada.id }] };
    assert.equal((await lists.addProfilesToList(list.id, members)).response.status, 204);
    assert.deepEqual((await lists.getProfilesForList(list.id)).body.data.map(({ id }) => id), [ada.id]);
    assert.equal((await lists.removeProfilesFromList(list.id, members)).response.status, 204);
    const spare = (await lists.createList({ data: { type: 'list', attributes: { name: 'Spare' } } })).body.data;
    assert.equal((await lists.deleteList(spare.id)).response.status, 204);
    await refused(() => lists.deleteList(spare.id), 404);
    await refused(() => lists.getList('Y6nobody'), 404);

    const jobOf = (type, profilesOfIt, more) => ({ data: { type, attributes: { profiles: { data: profilesOfIt.map((attributes) => ({ type: 'profile', attributes })) } }, ...more } });
    const inList = { relationships: { list: { data: { type: 'list', id: list.id } } } };
    const marketing = (consent) => ({ marketing: { consent } });
    const both = (consent) => [{ email: 'ada@example.com', subscriptions: { email: marketing(consent) } }, { phoneNumber: '+15005550006', subscriptions: { sms: marketing(consent) } }];
    assert.equal((await profiles.bulkSubscribeProfiles(jobOf('profile-subscription-bulk-create-job', both('SUBSCRIBED'), inList))).response.status, 202);
    await refused(() => profiles.bulkSubscribeProfiles(jobOf('profile-subscription-bulk-create-job', [{ email: 'nobody', subscriptions: { email: marketing('SUBSCRIBED') } }], inList)), 400);
    assert.equal((await profiles.bulkUnsubscribeProfiles(jobOf('profile-subscription-bulk-delete-job', both('UNSUBSCRIBED'), inList))).response.status, 202);
    for (const [call, kind] of [['bulkSuppressProfiles', 'create'], ['bulkUnsuppressProfiles', 'delete']])
        assert.equal((await profiles[call](jobOf(`profile-suppression-bulk-${kind}-job`, [{ email: 'ada@example.com' }]))).response.status, 202);
    await refused(() => of(ProfilesApi, new ApiKeySession('pk_another', new RetryWithExponentialBackoff({ numRetries: 1 }))).getProfiles(), 401);
}
