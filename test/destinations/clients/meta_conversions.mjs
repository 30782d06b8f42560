// facebook-nodejs-business-sdk against the stand-in.
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import sdk from 'facebook-nodejs-business-sdk';

const { Content, CustomData, EventRequest, FacebookAdsApi, ServerEvent, User, UserData } = sdk;

export default async function prove({ url, credentials: { access_token: token } }) {
    Object.defineProperty(FacebookAdsApi, 'GRAPH', { get: () => url });
    const dataset = '1234567890123456';
    const sha256 = (value) => createHash('sha256').update(value).digest('hex');
    const kept = async () => (await fetch(`${url}/_control/records/events`)).json();
    const now = Math.floor(Date.now() / 1000);
    const user = () => new UserData().setEmail(' Ada@Example.com').setPhone('+49 151 1234567').setFirstName('Ada').setCity('London').setCountry('gb').setZip('E1 6AN')
        .setExternalId('c1').setClientIpAddress('192.0.2.1').setClientUserAgent('Mozilla/5.0').setFbc('fb.1.1.a').setFbp('fb.1.1.1');
    const event = (id, time = now, of = user()) => new ServerEvent().setEventName('Purchase').setEventTime(time).setEventId(id).setActionSource('website').setEventSourceUrl('https://shop.example.com/')
        .setUserData(of).setCustomData(new CustomData().setValue(9.5).setCurrency('EUR').setContents([new Content().setId('p1').setQuantity(2).setItemPrice(4.75)]).setCustomProperties({ plan: 'gold' }));
    const send = (events, code, pixel = dataset, of = token) => {
        const request = new EventRequest(of, pixel).setEvents(events);
        if (code) request.setTestEventCode(code);
        return request.execute();
    };
    const refused = (call, code, subcode) => assert.rejects(call, ({ response }) => response?.code === code && (subcode === undefined || response.error_subcode === subcode));

    const answer = await send([event('o1'), event('o2')]);
    assert.deepEqual([answer.events_received, answer.messages], [2, []]);
    await send([event('o2'), event('o3')], 'TEST12345');
    const [first, , third] = await kept();
    assert.equal((await kept()).length, 3);
    assert.equal(third.test, 'TEST12345');
    assert.deepEqual(first.user_data.em, [sha256('ada@example.com')]);
    assert.deepEqual(first.user_data.ph, [sha256('491511234567')]);
    assert.deepEqual([first.user_data.fbp, first.user_data.client_ip_address], ['fb.1.1.1', '192.0.2.1']);
    assert.deepEqual([first.custom_data.value, first.custom_data.currency, first.custom_data.plan], [9.5, 'EUR', 'gold']);

    // One that is bad, and none is taken.
    await refused(() => send([event('o4'), event('o5', now - 8 * 24 * 3600)]), 100, 2804003);
    await refused(() => send([event('o4', now, new UserData())]), 100);
    await refused(() => send(Array.from({ length: 1001 }, (_, n) => event(`m${n}`))), 100);
    assert.equal((await kept()).length, 3);
    await refused(() => send([event('o6')], null, '9'), 100, 33);
    await refused(() => send([event('o6')], null, dataset, 'another'), 190);

    FacebookAdsApi.init(token);
    assert.equal((await new User('me').get(['id', 'name'])).name, 'Conversions API System User');
}
