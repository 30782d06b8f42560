// @octokit/rest against the stand-in.
import assert from 'node:assert/strict';
import { Octokit } from '@octokit/rest';

const at = { owner: 'acme', repo: 'support' };
const refused = (call, status) => assert.rejects(call, (error) => error.status === status);

export default async function prove({ url, credentials }) {
    const silent = { debug() {}, info() {}, warn() {}, error() {} };
    const { issues, users, paginate } = new Octokit({ auth: credentials.token, baseUrl: url, log: silent });
    assert.equal((await users.getAuthenticated()).data.login, 'ada');

    const one = (await issues.create({ ...at, title: 'Broken', body: 'It is', labels: ['bug'], milestone: 2 })).data;
    assert.deepEqual([one.labels[0].name, one.milestone.number, one.state], ['bug', 2, 'open']);
    await refused(issues.create({ ...at, title: '' }), 422);
    const closed = (await issues.update({ ...at, issue_number: one.number, state: 'closed', state_reason: 'completed' })).data;
    assert.equal(closed.state, 'closed');
    assert.equal((await issues.get({ ...at, issue_number: one.number })).data.title, 'Broken');
    for (let n = 0; n < 4; ++n) await issues.create({ ...at, title: `More ${n}` });
    assert.equal((await paginate(issues.listForRepo, { ...at, state: 'all', per_page: 2 })).length, 5);
    await refused(issues.get({ ...at, issue_number: 99 }), 404);

    const said = (await issues.createComment({ ...at, issue_number: one.number, body: 'Yes' })).data;
    assert.equal((await issues.updateComment({ ...at, comment_id: said.id, body: 'No' })).data.body, 'No');
    assert.equal((await issues.getComment({ ...at, comment_id: said.id })).data.issue_url.split('/').at(-1), String(one.number));
    assert.equal((await issues.listCommentsForRepo({ ...at, per_page: 100 })).data.length, 1);
    await refused(issues.createComment({ ...at, issue_number: one.number, body: '' }), 422);
    await issues.deleteComment({ ...at, comment_id: said.id });
    await refused(issues.getComment({ ...at, comment_id: said.id }), 404);

    await issues.createLabel({ ...at, name: 'Bug', color: 'ff0000' });
    await assert.rejects(issues.createLabel({ ...at, name: 'bug', color: '00ff00' }), ({ response: { data } }) => data.errors[0].code === 'already_exists');
    await refused(issues.createLabel({ ...at, name: 'worse', color: 'red' }), 422);
    assert.equal((await issues.updateLabel({ ...at, name: 'bug', description: 'broken' })).data.description, 'broken');
    assert.equal((await issues.getLabel({ ...at, name: 'bug' })).data.color, 'ff0000');
    assert.equal((await issues.listLabelsForRepo({ ...at, per_page: 100 })).data.length, 1);
    await issues.deleteLabel({ ...at, name: 'bug' });

    const first = (await issues.createMilestone({ ...at, title: 'v1', due_on: '2026-01-02T03:04:05Z' })).data;
    await refused(issues.createMilestone({ ...at, title: 'v1' }), 422);
    assert.equal((await issues.updateMilestone({ ...at, milestone_number: first.number, state: 'closed' })).data.state, 'closed');
    assert.equal((await issues.getMilestone({ ...at, milestone_number: first.number })).data.title, 'v1');
    assert.equal((await issues.listMilestones({ ...at, state: 'all', per_page: 100 })).data.length, 1);
    await issues.deleteMilestone({ ...at, milestone_number: first.number });

    await refused(new Octokit({ auth: 'another', baseUrl: url, log: silent }).issues.listForRepo(at), 401);
}
