// asana against the stand-in.
import assert from 'node:assert/strict';
import { createRequire } from 'node:module';

const Asana = createRequire(import.meta.url)('asana');

const refused = (call, status) => assert.rejects(call, (error) => error.status === status);

async function cycle(api, noun, first, change, isChanged, list) {
    const made = (await api[`create${noun}`]({ data: { workspace: '31326', ...first } }, {})).data;
    assert.equal((await api[`get${noun}`](made.gid, { opt_fields: 'name' })).data.gid, made.gid);
    assert.ok(isChanged((await api[`update${noun}`]({ data: change }, made.gid, {})).data));
    const second = (await api[`create${noun}`]({ data: { workspace: '31326', ...first } }, {})).data;
    const page = await list({ limit: 1 });
    const next = await list({ limit: 1, offset: page._response.next_page.offset });
    assert.deepEqual([page.data[0].gid, next.data[0].gid, next._response.next_page], [made.gid, second.gid, null]);
    await api[`delete${noun}`](made.gid);
    await refused(api[`get${noun}`](made.gid, {}), 404);
}

export default async function prove({ url, credentials }) {
    const client = new Asana.ApiClient();
    client.basePath = url;
    client.authentications.token.accessToken = credentials.access_token;
    const tasks = new Asana.TasksApi(client);
    const projects = new Asana.ProjectsApi(client);
    const tags = new Asana.TagsApi(client);
    await cycle(tasks, 'Task', { name: 'Call', assignee: '12345', due_on: '2026-01-02', projects: ['1199184420'], custom_fields: { 4578152156: 'gold' } }, { completed: true }, ({ completed }) => completed,
        (options) => tasks.getTasksForProject('1199184420', options));
    await cycle(projects, 'Project', { name: 'Launch', team: '778' }, { archived: true }, ({ archived }) => archived, (options) => projects.getProjectsForWorkspace('31326', options));
    await cycle(tags, 'Tag', { name: 'Gold', color: 'light-orange' }, { color: 'dark-red' }, ({ color }) => color === 'dark-red', (options) => tags.getTagsForWorkspace('31326', options));
    const own = (await tasks.createTask({ data: { workspace: '31326', name: 'Mine', external: { gid: 'crm-1' } } }, {})).data;
    assert.equal((await tasks.getTask('external:crm-1', { opt_fields: 'name,external' })).data.gid, own.gid);
    await refused(tasks.createTask({ data: { workspace: '31326', name: 'Call', assignee: 'nobody' } }, {}), 400);
    assert.equal((await new Asana.UsersApi(client).getUser('me', {})).data.email, 'gsanchez@example.com');
    const stories = new Asana.StoriesApi(client);
    const story = (await stories.createStoryForTask({ data: { text: 'They paid' } }, own.gid, {})).data;
    assert.equal((await stories.getStory(story.gid, { opt_fields: 'text,target' })).data.target.gid, own.gid);
    assert.equal((await stories.updateStory({ data: { text: 'They paid all' } }, story.gid, {})).data.text, 'They paid all');
    assert.equal((await stories.getStoriesForTask(own.gid, { limit: 1, opt_fields: 'text' })).data[0].text, 'They paid all');
    await stories.deleteStory(story.gid);
    await refused(stories.getStory(story.gid, {}), 404);
    client.authentications.token.accessToken = 'another';
    await refused(tasks.getTask(own.gid, {}), 401);
}
