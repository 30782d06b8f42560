// posthog-node against the stand-in.
import assert from 'node:assert/strict';
import { PostHog } from 'posthog-node';

export default async function prove({ url, credentials }) {
    const open = (key) => new PostHog(key, { host: url, flushAt: 100, flushInterval: 0, fetchRetryCount: 0, featureFlagsRequestMaxRetries: 0 });
    const kept = async (store) => (await fetch(`${url}/_control/records/${store}`)).json();
    const client = open(credentials.project_key);

    client.capture({ distinctId: 'ada', event: 'ordered', timestamp: new Date('2026-01-02T03:04:05Z'), groups: { company: 'acme' }, properties: { total: 9.5, $set: { plan: 'gold' } } });
    client.capture({ distinctId: 'ada', event: 'paid', uuid: '0190b0a0-0000-7000-8000-000000000001' });
    client.setPersonProperties({ distinctId: 'ada', properties: { email: 'ada@example.com' }, propertiesOnce: { source: 'web' } });
    client.identify({ distinctId: 'ada', properties: { name: 'Ada' } });
    client.groupIdentify({ groupType: 'company', groupKey: 'acme', properties: { name: 'Acme' } });
    client.alias({ distinctId: 'ada', alias: 'a@example.com' });
    await client.flush();

    const [ordered, paid] = await kept('events');
    assert.deepEqual([ordered.event, ordered.properties.total, ordered.properties.$groups.company, paid.event], ['ordered', 9.5, 'acme', 'paid']);
    assert.deepEqual(await kept('persons'), [{ distinct_id: 'ada', source: 'web', email: 'ada@example.com', name: 'Ada' }]);
    assert.equal((await kept('groups'))[0].name, 'Acme');
    assert.equal((await kept('aliases'))[0].alias, 'a@example.com');
    client.capture({ distinctId: 'ada', event: 'paid', uuid: '0190b0a0-0000-7000-8000-000000000001' });
    await client.flush();
    assert.equal((await kept('events')).length, 2);
    assert.deepEqual(await client.getAllFlags('ada'), {});

    const stranger = open('phc_another');
    stranger.capture({ distinctId: 'ada', event: 'ordered' });
    await assert.rejects(() => stranger.flush(), (error) => error.status === 401);
    client.capture({ distinctId: 'ada', event: '' });
    await assert.rejects(() => client.flush(), (error) => error.status === 400);
}
