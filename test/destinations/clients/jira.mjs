// jira.js against the stand-in.
import assert from 'node:assert/strict';
import { Version3Client } from 'jira.js';

export default async function prove({ url, credentials }) {
    const open = (apiToken) => new Version3Client({ host: url, authentication: { basic: { email: credentials.email, apiToken } } });
    const client = open(credentials.api_token);
    const refused = (call, status) => assert.rejects(call, (error) => (error.status ?? error.response?.status) === status);
    const doc = (text) => ({ type: 'doc', version: 1, content: [{ type: 'paragraph', content: [{ type: 'text', text }] }] });
    const fields = { project: { key: 'OPS' }, issuetype: { name: 'Task' } };

    assert.equal((await client.myself.getCurrentUser()).emailAddress, 'ada@example.com');
    assert.ok((await client.issueFields.getFields()).some(({ id, custom }) => custom && id === 'customfield_10001'));
    const made = await client.issues.createIssues({ issueUpdates: [
        { fields: { ...fields, summary: 'First', description: doc('It is broken'), labels: ['bug'], customfield_10001: 'gold' } },
        { fields: { ...fields, summary: '' } },
        { fields: { ...fields, summary: 'Third', customfield_10003: { value: 'Red' } } },
    ] });
    assert.deepEqual([made.issues.map(({ key }) => key), made.errors.map(({ failedElementNumber }) => failedElementNumber)], [['OPS-1', 'OPS-2'], [1]]);
    assert.match(made.errors[0].elementErrors.errors.summary, /summary/);
    await refused(client.issues.createIssues({ issueUpdates: [{ fields: { ...fields, summary: '' } }] }), 400);
    await client.issues.editIssue({ issueIdOrKey: 'OPS-1', fields: { summary: 'Changed', customfield_10002: 4.5 } });
    await refused(client.issues.editIssue({ issueIdOrKey: 'OPS-1', fields: { labels: ['a b'] } }), 400);
    assert.equal((await client.issues.getIssue({ issueIdOrKey: 'OPS-1' })).fields.summary, 'Changed');
    const both = await client.issues.bulkFetchIssues({ issueIdsOrKeys: ['OPS-1', 'OPS-2', 'OPS-9'], fields: ['*all'] });
    assert.deepEqual(both.issues.map(({ key }) => key), ['OPS-1', 'OPS-2']);
    const search = { jql: 'project = "OPS"', maxResults: 1, fields: ['*all'] };
    const first = await client.issueSearch.searchForIssuesUsingJqlEnhancedSearchPost(search);
    const second = await client.issueSearch.searchForIssuesUsingJqlEnhancedSearchPost({ ...search, nextPageToken: first.nextPageToken });
    assert.deepEqual([first.issues[0].key, second.issues[0].key, second.nextPageToken], ['OPS-1', 'OPS-2', undefined]);
    const comment = await client.issueComments.addComment({ issueIdOrKey: 'OPS-1', comment: 'Paid' });
    await client.issueComments.updateComment({ issueIdOrKey: 'OPS-1', id: comment.id, body: 'Not paid' });
    await client.issueComments.deleteComment({ issueIdOrKey: 'OPS-1', id: comment.id });
    await refused(client.issueComments.deleteComment({ issueIdOrKey: 'OPS-1', id: comment.id }), 404);
    await refused(client.issues.doTransition({ issueIdOrKey: 'OPS-1', transition: { id: '99' } }), 400);
    await client.issues.doTransition({ issueIdOrKey: 'OPS-1', transition: { id: '31' }, fields: { resolution: { name: 'Done' } } });
    await client.issues.deleteIssue({ issueIdOrKey: 'OPS-1' });
    await refused(client.issues.getIssue({ issueIdOrKey: 'OPS-1' }), 404);
    await refused(open('another').myself.getCurrentUser(), 401);
}
