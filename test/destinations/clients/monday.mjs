// @mondaydotcomorg/api against the stand-in.
import assert from 'node:assert/strict';
import { createRequire } from 'node:module';

const { ApiClient } = createRequire(import.meta.url)('@mondaydotcomorg/api');

export default async function prove({ url, credentials }) {
    const open = (token) => new ApiClient({ token, apiVersion: '2026-10', endpoint: `${url}/v2` });
    const client = open(credentials.api_token);
    const boardId = '1234567890';
    const refused = (call, code) => assert.rejects(call, ({ response }) => response.errors[0].extensions.code === code);
    const { create_item: first } = await client.operations.createItemOp({ boardId, groupId: 'topics', itemName: 'Acme' });
    const changed = (itemId, values) => client.operations.changeMultipleColumnValuesOp({ boardId, itemId, columnValues: JSON.stringify(values) });
    const { change_multiple_column_values: item } = await changed(first.id, { name: 'Acme Ltd', status: 'Done', numbers: '4.5', date4: '2026-01-02', email_mk1: { email: 'ada@example.com', text: 'Ada' }, text_key: 'k1', checkbox: null });
    assert.deepEqual([item.name, JSON.parse(item.column_values.find(({ id }) => id === 'status').value)], ['Acme Ltd', { label: 'Done' }]);
    await refused(changed(first.id, { status: 'Nowhere' }), 'ColumnValueException');
    await refused(changed(first.id, { nothing: 'x' }), 'InvalidColumnIdException');
    await refused(changed('1', { status: 'Done' }), 'InvalidItemIdException');
    await refused(client.operations.createItemOp({ boardId: '1', groupId: 'topics', itemName: 'x' }), 'InvalidBoardIdException');

    const create = 'mutation ($board: ID!, $name: String!, $values: JSON) { complexity { query after } create_item(board_id: $board, item_name: $name, column_values: $values) { id } }';
    const second = await client.request(create, { board: boardId, name: 'Beta', values: '{"text_key":"k2"}' });
    assert.ok(second.complexity.after > 0);
    const listed = 'query ($board: [ID!], $cursor: String) { boards(ids: $board) { items_page(limit: 1, cursor: $cursor) { cursor items { id name column_values { id text } } } } }';
    const page = (await client.request(listed, { board: [boardId] })).boards[0].items_page;
    assert.equal((await client.request(listed, { board: [boardId], cursor: page.cursor })).boards[0].items_page.items[0].name, 'Beta');
    const found = 'query ($board: ID!, $keys: [String]!) { items_page_by_column_values(board_id: $board, limit: 500, columns: [{ column_id: "text_key", column_values: $keys }]) { items { id name key: column_values(ids: ["text_key"]) { text } } } }';
    assert.deepEqual((await client.request(found, { board: boardId, keys: ['k1', 'k3'] })).items_page_by_column_values.items, [{ id: first.id, name: 'Acme Ltd', key: [{ text: 'k1' }] }]);
    await client.request('mutation ($item: ID!) { delete_item(item_id: $item) { id } }', { item: first.id });
    const both = await client.request('query ($ids: [ID!]) { items(ids: $ids, limit: 100, exclude_nonactive: true) { id } }', { ids: [first.id, second.create_item.id] });
    assert.deepEqual(both.items, [{ id: second.create_item.id }]);
    assert.equal((await client.request('query { me { email } }')).me.email, 'ada@example.com');
    await assert.rejects(open('another').request('query { me { id } }'), ({ response }) => response.status === 401);
}
