// facebook-nodejs-business-sdk against the stand-in.
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import sdk from 'facebook-nodejs-business-sdk';

const { AdAccount, CustomAudience, FacebookAdsApi } = sdk;

export default async function prove({ url, credentials: { access_token: token } }) {
    Object.defineProperty(FacebookAdsApi, 'GRAPH', { configurable: true, get: () => url });
    FacebookAdsApi.init(token);
    const sha256 = (value) => createHash('sha256').update(value).digest('hex');
    const kept = async () => (await fetch(`${url}/_control/records/users`)).json();
    const refused = (call, code, subcode) => assert.rejects(call, ({ response }) => response?.code === code && (subcode === undefined || response.error_subcode === subcode));
    const counts = ({ num_received: received, num_invalid_entries: invalid }) => [received, invalid];

    const users = new CustomAudience('23840000000000000');
    const ada = sha256('ada@example.com');
    const payload = { schema: ['EMAIL', 'FN', 'EXTERN_ID'], data: [[ada, sha256('ada'), 'c1'], [sha256('bob@example.com'), '', 'c2']] };
    const session = { session_id: 7, batch_seq: 1, last_batch_flag: true, estimated_num_total: 2 };
    assert.deepEqual(counts((await users.createUser([], { payload, session }))._data), [2, 0]);
    assert.deepEqual(counts((await users.createUser([], { payload: { schema: ['EMAIL', 'LN'], data: [[ada, sha256('lovelace')], ['eve@example.com', '']] } }))._data), [2, 1]);
    assert.deepEqual((await kept()).map(({ EMAIL, LN }) => [EMAIL === ada, LN ?? null]), [[true, sha256('lovelace')], [false, null]]);
    assert.deepEqual(counts(await users.deleteUsers({ payload: { schema: ['EXTERN_ID'], data: [['c1']] } })), [1, 0]);
    assert.equal((await kept()).length, 1);
    await refused(() => users.createUser([], { payload: { schema: ['SHOE'], data: [['44']] } }), 100);
    await refused(() => new CustomAudience('9').createUser([], { payload }), 100, 33);

    const account = new AdAccount('act_1234567890');
    assert.equal((await account.get(['name'])).name, 'Acme');
    const made = await account.createCustomAudience([], { name: 'Buyers', subtype: 'CUSTOM', customer_file_source: 'USER_PROVIDED_ONLY' });
    await refused(() => account.createCustomAudience([], { name: 'Buyers', subtype: 'CUSTOM' }), 100);
    await new CustomAudience(made.id).update([], { description: 'who bought' });
    const read = await new CustomAudience(made.id).get(['name', 'description', 'subtype', 'approximate_count_lower_bound']);
    assert.deepEqual([read.name, read.description, read.subtype, read.approximate_count_lower_bound], ['Buyers', 'who bought', 'CUSTOM', 1000]);
    await refused(() => new CustomAudience(made.id).get(['shoes']), 100);
    for (let n = 0; n < 30; ++n) await account.createCustomAudience([], { name: `A${n}`, subtype: 'CUSTOM', customer_file_source: 'USER_PROVIDED_ONLY' });
    let page = await account.getCustomAudiences(['name'], { limit: 20 });
    let count = page.length;
    while (page.hasNext()) {
        page = await page.next();
        count += page.length;
    }
    assert.equal(count, 31);
    await new CustomAudience(made.id).delete([]);
    await refused(() => new CustomAudience(made.id).get(['name']), 100, 33);
    FacebookAdsApi.init('another');
    await refused(() => new AdAccount('act_1234567890').get(['name']), 190);
}
