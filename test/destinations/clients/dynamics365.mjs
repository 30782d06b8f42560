// dynamics-web-api against the stand-in.
import assert from 'node:assert/strict';
import { DynamicsWebApi } from 'dynamics-web-api';

export default async function prove({ url, credentials }) {
    const token = async () => (await (await fetch(`${url}/7c9e6679-7425-40de-944b-e07fc1f90ae7/oauth2/v2.0/token`, {
        method: 'POST', body: new URLSearchParams({ grant_type: 'client_credentials', scope: 'https://acme.crm4.dynamics.com/.default', ...credentials }),
    })).json()).access_token;
    const open = (onTokenRefresh) => new DynamicsWebApi({ serverUrl: url, dataApi: { version: '9.2' }, onTokenRefresh });
    const given = await token();
    const client = open(async () => given);
    const refused = (call, status, code) => assert.rejects(call, (error) => { assert.deepEqual([error.status, error.code], [status, code]); return true; });

    assert.ok((await client.callFunction('WhoAmI')).UserId);
    for (const [collection, type, id, key, other] of [
        ['contacts', 'contact', 'contactid', 'emailaddress1', 'firstname'], ['accounts', 'account', 'accountid', 'accountnumber', 'name'],
        ['leads', 'lead', 'leadid', 'emailaddress1', 'subject'], ['opportunities', 'opportunity', 'opportunityid', 'name', 'stepname'],
        ['new_shipments', 'new_shipment', 'new_shipmentid', 'new_number', 'new_carrier'],
    ]) {
        const all = (of) => client.retrieveMultiple({ collection, ...of });
        const bulk = (actionName, Targets) => client.callAction({ collection, actionName: `Microsoft.Dynamics.CRM.${actionName}`, action: { Targets: Targets.map((row) => ({ '@odata.type': `Microsoft.Dynamics.CRM.${type}`, ...row })) } });
        const { Ids } = await bulk('CreateMultiple', [{ [key]: 'a', [other]: '1' }, { [key]: "b'c", [other]: '2' }]);
        await refused(bulk('CreateMultiple', [{ [key]: 'd' }, { [key]: 'e', [other]: 'x'.repeat(101) }]), 400, '0x80044331');
        assert.equal((await all()).value.length, 2);
        await refused(bulk('CreateMultiple', [{ [key]: 'A' }]), 412, '0x80060892');
        await bulk('UpdateMultiple', [{ [id]: Ids[0], [other]: '3' }]);
        await refused(bulk('UpdateMultiple', [{ [id]: Ids[0], [other]: '4' }, { [id]: '00000000-0000-0000-0000-000000000001', [other]: '4' }]), 404, '0x80040217');
        await client.upsert({ collection, key: `${key}='a'`, data: { [other]: '5' } });
        for (const made of ['f', "g''h"]) await client.upsert({ collection, key: `${key}='${made}'`, data: { [other]: '6' } });
        assert.deepEqual((await all()).value.map((row) => [row[key], row[other]]), [['a', '5'], ["b'c", '2'], ['f', '6'], ["g'h", '6']]);
        await refused(client.upsert({ collection, key: `${key}='50%25'`, data: { [other]: '8' } }), 400, '0x80060888');
        await refused(client.upsert({ collection, key: `nothing='g'`, data: { [other]: '8' } }), 400, '0x80060888');
        await client.update({ collection, key: Ids[0], data: { [other]: '9' } });
        await refused(client.update({ collection, key: '00000000-0000-0000-0000-000000000001', data: { [other]: '9' } }), 404, '0x80040217');
        assert.equal((await client.retrieve({ collection, key: Ids[0] }))[other], '9');
        assert.deepEqual((await all({ filter: `${key} eq 'b''c'` })).value.map((row) => row[id]), [Ids[1]]);
        const first = await all({ maxPageSize: 3 });
        const second = await client.retrieveMultiple({ collection, maxPageSize: 3 }, first.oDataNextLink);
        assert.deepEqual([first.value.length, second.value.length, second.oDataNextLink], [3, 1, undefined]);
        assert.match(await client.create({ collection, data: { [key]: 'h', [other]: '1' } }), /^[0-9a-f-]{36}$/);
        await client.deleteRecord({ collection, key: Ids[1] });
        await refused(client.deleteRecord({ collection, key: Ids[1] }), 404, '0x80040217');
    }
    const { value: [{ Attributes }] } = await client.retrieveMultiple({ collection: 'EntityDefinitions', select: ['LogicalName'], filter: "EntitySetName eq 'contacts'", expand: [{ property: 'Attributes', select: ['LogicalName', 'AttributeType'] }] });
    assert.ok(Attributes.some(({ LogicalName, AttributeType }) => LogicalName === 'new_score' && AttributeType === 'Decimal'));
    await refused(open(async () => 'another').callFunction('WhoAmI'), 401, undefined);
}
