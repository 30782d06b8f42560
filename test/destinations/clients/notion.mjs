// @notionhq/client against the stand-in.
import assert from 'node:assert/strict';
import { createRequire } from 'node:module';

const { Client, LogLevel } = createRequire(import.meta.url)('@notionhq/client');

const refused = (call, code) => assert.rejects(call, (error) => error.code === code);
const source = 'd9824bdc-8445-4327-be8b-5b47500af6ce';

export default async function prove({ url, credentials }) {
    const options = { baseUrl: url, logLevel: LogLevel.ERROR, logger: () => {}, retry: false };
    const notion = new Client({ auth: credentials.token, ...options });
    const named = (content) => ({ title: { title: [{ text: { content } }] } });
    const parent = { type: 'data_source_id', data_source_id: source };
    const page = await notion.pages.create({ parent, properties: { ...named('Ada'), Email: { email: 'ada@example.com' }, Seats: { number: 5 }, Stage: { select: { name: 'Lead' } } } });
    assert.equal((await notion.pages.retrieve({ page_id: page.id })).properties.Name.title[0].plain_text, 'Ada');
    assert.equal((await notion.pages.update({ page_id: page.id, properties: { Seats: { number: 7 } } })).properties.Seats.number, 7);
    const second = await notion.pages.create({ parent, properties: named('Grace'), icon: { type: 'emoji', emoji: '🥑' }, children: [{ paragraph: { rich_text: [{ text: { content: 'Hello' } }] } }] });
    assert.equal((await notion.pages.update({ page_id: second.id, icon: null })).icon, null);
    const query = { data_source_id: source, page_size: 1 };
    const first = await notion.dataSources.query(query);
    const last = await notion.dataSources.query({ ...query, start_cursor: first.next_cursor });
    assert.deepEqual([first.results[0].id, last.results[0].id, last.has_more], [page.id, second.id, false]);
    const found = await notion.dataSources.query({ ...query, filter: { or: [{ property: 'title', title: { equals: 'Grace' } }, { property: 'title', title: { equals: 'Edith' } }] } });
    assert.deepEqual(found.results.map(({ id }) => id), [second.id]);
    assert.equal((await notion.pages.update({ page_id: page.id, in_trash: true })).in_trash, true);
    await refused(notion.pages.update({ page_id: page.id, properties: { Seats: { number: 8 } } }), 'validation_error');
    await refused(notion.pages.create({ parent, properties: { Email: { email: 'nobody' } } }), 'validation_error');
    await refused(notion.pages.retrieve({ page_id: '59833787-2cf9-4fdf-8782-e53db20768a5' }), 'object_not_found');
    assert.equal((await notion.dataSources.retrieve({ data_source_id: source })).properties.Seats.type, 'number');
    assert.equal((await notion.search({ filter: { property: 'object', value: 'data_source' } })).results[0].id, source);
    assert.equal((await notion.users.me({})).name, 'Reverse ETL');
    await refused(new Client({ auth: 'another', ...options }).users.me({}), 'unauthorized');
}
