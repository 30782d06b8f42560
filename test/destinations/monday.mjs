// monday.com: the items of one board, by the schema as the vendor's client has it (npm @mondaydotcomorg/api 14.0.0).
import { anything, auth, boolean, byCursor, dictionary, integer, list, matching, members, oneOf, text } from './kit/kit.mjs';
import { asked, Wrong } from './kit/graphql.mjs';

const board = '1234567890';
const now = '2026-01-02T03:04:05Z';
const id = matching(/^\d+$/);
const labels = ['Working on it', 'Done', 'Stuck'];
const fail = (code, message, more = {}) => { throw Object.assign(new Error(message), { extensions: { code, status_code: 200, error_data: {}, ...more } }); };
const wrongValue = (type, message = 'invalid value, please check our API documentation for the correct data structure for this column.') => fail('ColumnValueException', message, { error_data: { column_type: type } });

/// A type of column: how a value is given, as what it is kept, and the text of it. An empty one clears.
const fits = (type, shape, kept = (value) => value) => (value) => (shape(value, '') ? wrongValue(type) : kept(value));
const types = {
    text: [fits('text', text), (kept) => kept],
    numbers: [fits('numbers', matching(/^-?\d+(\.\d+)?$/)), (kept) => kept],
    date: [fits('date', matching(/^\d{4}-\d\d-\d\d( \d\d:\d\d(:\d\d)?)?$/), (date) => ({ date })), ({ date }) => date],
    status: [(value) => (labels.includes(value) ? { label: value } : wrongValue('status', `The status label '${value}' doesn't exist, possible statuses are: {0: Working on it, 1: Done, 2: Stuck}`)), ({ label }) => label],
    email: [fits('email', members({ email: matching(/^[^@ ]+@[^@ ]+\.[^@ ]+$/), text })), (kept) => kept.text],
    checkbox: [fits('checkbox', members({ checked: oneOf('true', 'false') })), ({ checked }) => (checked === 'true' ? 'v' : '')],
};
const columns = [
    ['name', 'Name', 'name'], ['status', 'Stage', 'status'], ['numbers', 'Seats', 'numbers'], ['date4', 'Since', 'date'], ['email_mk1', 'Email', 'email'], ['text_key', 'CRM id', 'text'],
    ['checkbox', 'Active', 'checkbox'], ['formula', 'Score', 'formula'], ['subtasks', 'Subitems', 'subtasks'],
].map(([key, title, type]) => ({ __typename: 'Column', id: key, title, type, archived: false }));

function valuesOf(json, name) {
    let given;
    try { given = JSON.parse(json); } catch { fail('JsonParseException', 'Syntax error in JSON input'); }
    return Object.fromEntries(Object.entries(given).map(([key, value]) => {
        if (key === 'name' && name) return [key, named(value)];
        const { type } = columns.find((one) => one.id === key && types[one.type]) ?? fail('InvalidColumnIdException', `This column ID doesn't exist for the board`, { error_data: { column_id: key } });
        return [key, value === null || value === '' ? null : types[type][0](value)];
    }));
}
const named = (name) => (typeof name !== 'string' || name === '' ? fail('InvalidItemNameException', 'Item name cannot be blank') : name.length > 255 ? fail('ItemNameTooLongException', 'Item name exceeded max length of 255 characters') : name);
const onBoard = (given) => String(given) === board || fail('InvalidBoardIdException', 'Invalid board id');
const there = ({ items }, item) => items.find(item) ?? fail('InvalidItemIdException', 'This item ID does not exist', { error_data: { item_id: item } });
const valueOf = (item, { id: key, type }) => {
    const kept = item[key] ?? null;
    return { __typename: 'ColumnValue', id: key, type, text: kept === null || !types[type] ? '' : types[type][1](kept), value: kept === null ? null : JSON.stringify(kept) };
};
const shown = (item) => ({
    __typename: 'Item', id: item.id, name: item.name, state: 'active', url: `https://acme.monday.com/boards/${board}/pulses/${item.id}`, created_at: now, updated_at: now, group: { __typename: 'Group', id: item.group },
    column_values: ({ ids }) => columns.filter((one) => one.type !== 'name' && (!ids || ids.includes(one.id))).map((one) => valueOf(item, one)),
});
const limited = (given, most) => (given === undefined || (given >= 1 && given <= most) ? given ?? 25 : fail('InvalidArgumentException', `limit must be between 1 and ${most}`));
const page = (found, { limit, cursor }) => {
    const { items, next } = byCursor(found, cursor, limited(limit, 500)) ?? fail('CursorException', 'Invalid cursor');
    return { __typename: 'ItemsResponse', cursor: next ?? null, items: items.map(shown) };
};
const query = members({ board_id: id, 'limit?': integer, 'cursor?': text, columns: list(members({ column_id: text, column_values: list(text) }), { least: 1 }) });

const fields = {
    me: [members({}), () => ({ __typename: 'User', id: '1', name: 'Ada', email: 'ada@example.com' })],
    boards: [members({ 'ids?': list(id), 'limit?': integer, 'page?': integer, 'state?': oneOf('active', 'all', 'archived', 'deleted') }), ({ ids, page: number = 1 }, { items }) => (number > 1 || (ids && !ids.includes(board)) ? [] : [
        { __typename: 'Board', id: board, name: 'Customers', type: 'board', columns, items_page: (args) => page(items.all(), args) },
        ...(ids ? [] : [{ __typename: 'Board', id: '77', name: 'Subitems of Customers', type: 'sub_items_board', columns: [], items_page: () => null }]),
    ])],
    items: [members({ ids: list(id, { most: 100 }), 'limit?': integer, 'exclude_nonactive?': boolean }), ({ ids, limit }, { items }) => ids.map((one) => items.find(one)).filter(Boolean).slice(0, limited(limit, 100)).map(shown)],
    items_page_by_column_values: [query, (args, { items }) => {
        onBoard(args.board_id);
        const has = (item) => args.columns.every(({ column_id: key, column_values: any }) => any.includes(key === 'name' ? item.name : valueOf(item, columns.find((one) => one.id === key) ?? fail('InvalidColumnIdException', `This column ID doesn't exist for the board`)).text));
        return page(items.all().filter(has), args);
    }],
    create_item: [members({ board_id: id, item_name: text, 'group_id?': text, 'column_values?': text, 'create_labels_if_missing?': boolean }), (args, { items }) => {
        onBoard(args.board_id);
        if (!['topics', 'group_2', undefined].includes(args.group_id)) fail('ResourceNotFoundException', 'Group not found', { error_data: { resource_type: 'group' } });
        return shown(items.insert({ name: named(args.item_name), group: args.group_id ?? 'topics', ...valuesOf(args.column_values ?? '{}') }));
    }],
    change_multiple_column_values: [members({ board_id: id, item_id: id, column_values: text, 'create_labels_if_missing?': boolean }), (args, objects) => onBoard(args.board_id) && shown(objects.items.update(there(objects, args.item_id), valuesOf(args.column_values, true)))],
    delete_item: [members({ item_id: id }), ({ item_id: item }, objects) => {
        const found = there(objects, item);
        objects.items.remove(found);
        return shown(found);
    }],
};
const complexity = { query: 10010, after: 9000000, reset_in_x_seconds: 60 };
const failure = (message, extensions) => ({ data: null, errors: [{ message, locations: [{ line: 1, column: 1 }], extensions }], account_id: 1 });

export default {
    auth: auth.header('authorization', 'the-token'),
    headers: { 'api-version': '2026-10' },
    refusal: (status, message) => failure(message, { code: 'BadRequest', status_code: status }),
    unauthorized: () => [401, { errors: ['Not Authenticated'] }],
    limited: () => [429, failure('Complexity budget exhausted', { code: 'COMPLEXITY_BUDGET_EXHAUSTED', complexity: 10010, complexity_budget_left: 100, complexity_budget_limit: 5000000, retry_in_seconds: 1, status_code: 429 })],
    objects: { items: { give: (number) => String(9000000000 + number) } },
    routes: {
        'POST /v2': { body: members({ query: text, 'variables?': dictionary(anything), 'operationName?': text }), run({ body, objects }) {
            try {
                const costs = /complexity \{[^}]*\}/.test(body.query);
                const { field, args, with: chosen } = asked(body.query.replace(/complexity \{[^}]*\}/, ''), body.variables);
                const [shape, run] = Object.hasOwn(fields, field) ? fields[field] : fail('GRAPHQL_VALIDATION_FAILED', `Cannot query field "${field}" on type "Query".`);
                const wrong = shape(args, '');
                if (wrong) fail('GRAPHQL_VALIDATION_FAILED', wrong);
                return [200, { data: { ...(costs ? { complexity } : {}), ...chosen(run(args, objects)) }, account_id: 1 }];
            } catch (error) {
                if (error instanceof Wrong) return [400, failure(error.message, { code: 'GRAPHQL_VALIDATION_FAILED', status_code: 400 })];
                if (!error.extensions) throw error;
                return [200, failure(error.message, error.extensions)];
            }
        } },
    },
};
