// @linear/sdk against the stand-in.
import assert from 'node:assert/strict';
import { LinearClient } from '@linear/sdk';

export default async function prove({ url, credentials }) {
    const open = (apiKey) => new LinearClient({ apiKey, apiUrl: `${url}/graphql` });
    const client = open(credentials.api_key);
    const ask = async (of, query, variables) => (await of.client.rawRequest(query, variables)).data;
    const teamId = '00000000-0000-4000-8000-000000000001';
    const listed = 'query ($first: Int, $after: String) { issues(first: $first, after: $after) { nodes { id title description } pageInfo { hasNextPage endCursor } } }';

    const first = await client.createIssue({ teamId, title: 'Broken', description: 'It is', priority: 2 });
    const second = await client.createIssue({ teamId, title: 'Worse' });
    assert.ok(first.success && first.issueId && second.issueId);
    await assert.rejects(client.createIssue({ teamId: 'OPS', title: 'No' }), /teamId/);
    assert.ok((await client.updateIssue(first.issueId, { description: 'It was' })).success);
    const { issues: { nodes, pageInfo } } = await ask(client, listed, { first: 1 });
    assert.deepEqual([nodes[0].description, pageInfo.hasNextPage], ['It was', true]);
    assert.deepEqual((await ask(client, listed, { first: 1, after: pageInfo.endCursor })).issues.nodes.map(({ id }) => id), [second.issueId]);
    assert.ok((await client.deleteIssue(first.issueId)).success);
    await assert.rejects(client.updateIssue(first.issueId, { title: 'Gone' }), /Could not find referenced Issue/);

    const acme = await client.customerUpsert({ externalId: 'c1', name: 'Acme', domains: ['acme.example'] });
    assert.equal((await client.customerUpsert({ externalId: 'c1', revenue: 7 })).customerId, acme.customerId);
    assert.ok((await client.updateCustomer(acme.customerId, { name: 'Acme Ltd' })).success);
    const byKey = 'query ($ids: [String!]!, $first: Int) { customers(first: $first, filter: { externalIds: { some: { in: $ids } } }) { nodes { id name revenue } } }';
    assert.deepEqual((await ask(client, byKey, { ids: ['c1', 'c2'], first: 50 })).customers.nodes.map(({ name, revenue }) => [name, revenue]), [['Acme Ltd', 7]]);
    const need = await client.createCustomerNeed({ customerExternalId: 'c1', issueId: second.issueId, body: 'We need it', priority: 1 });
    assert.ok((await client.updateCustomerNeed(need.needId, { body: 'We needed it' })).success);
    assert.deepEqual((await ask(client, 'query { customerNeeds(first: 1) { nodes { id body customer { id externalIds } } } }')).customerNeeds.nodes.map(({ body }) => body), ['We needed it']);
    assert.ok((await client.deleteCustomerNeed(need.needId)).success);
    await assert.rejects(client.deleteCustomerNeed(need.needId), /Could not find referenced CustomerNeed/);
    assert.ok((await client.deleteCustomer(acme.customerId)).success);

    assert.equal((await ask(client, 'query { viewer { id name email } }')).viewer.email, 'ada@example.com');
    await assert.rejects(open('another').deleteIssue(second.issueId), ({ type }) => type === 'AuthenticationError');
}
