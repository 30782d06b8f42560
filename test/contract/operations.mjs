// Every operation of the connectors hubspot and slack: the SQL that asks for it, the requests that it must send, and
// what may be done to such a request that the vendor would refuse.
//
// sends: "METHOD path" of each request, in order; the query is left out.
// bad:   [what is wrong, request => request, why Prism does not see it (nothing: it does)].
//
// outdated: where the published description is older than the API, why what it finds is right all the same:
//        {why, findings}.

const json = (change) => (request) => {
    const body = JSON.parse(request.body);
    change(body, body.inputs?.[0]);
    return { ...request, body: JSON.stringify(body) };
};
const form = (change) => (request) => {
    const body = new URLSearchParams(request.body);
    change(body);
    return { ...request, body: body.toString() };
};
const query = (change) => (request) => {
    const url = new URL(request.path, 'http://x');
    change(url.searchParams);
    return { ...request, path: url.pathname + url.search };
};
const rename = (object, from, to) => {
    object[to] = object[from];
    delete object[from];
};

const misspelt = 'it takes members and parameters that the description does not name';

const without_inputs = ['no inputs', json((body) => delete body.inputs)];
const id_as_number = ['an id that is a number', json((body, input) => (input.id = 7))];
const value_as_number = ['a property that is a JSON number', json((body, input) => (input.properties.x = 7))];
const value_as_null = ['a property that is null', json((body, input) => (input.properties.x = null))];
const limit_as_text = ['a limit that is no number', query((parameters) => parameters.set('limit', 'many'))];
const cursor_misspelt = ['a misspelt parameter', query((parameters) => parameters.set('cursr', 'x')), misspelt];

const trace_misspelt =
    ['a misspelt trace id', json((body, input) => rename(input, 'objectWriteTraceId', 'objectWriteTraceID')), misspelt];

const bad_create = [value_as_number, value_as_null, without_inputs, trace_misspelt];
const bad_update = [value_as_number, id_as_number, trace_misspelt,
    ['no properties', json((body, input) => delete input.properties)]];
const bad_update_by_key = [...bad_update,
    ['a misspelt idProperty', json((body, input) => rename(input, 'idProperty', 'idPropertyName')), misspelt]];
const bad_upsert = [...bad_update_by_key, without_inputs];
const bad_delete = [id_as_number, without_inputs,
    ['an idProperty, which archive has not', json((body, input) => (input.idProperty = 'email')), misspelt]];
const bad_lookup = [id_as_number,
    ['no propertiesWithHistory', json((body) => delete body.propertiesWithHistory)],
    ['properties in one string', json((body) => (body.properties = 'email,firstname'))]];
const bad_list = [limit_as_text,
    ['a misspelt parameter', query((parameters) => parameters.set('property', 'email')), misspelt]];

/// What to write into an object, and what to change of it.
const samples = {
    contacts: { columns: 'firstname, lastname', values: `E'O\\'Neil "x"\\n', NULL`, set: "lastname = 'Zoë'" },
    companies: { columns: 'name, numberofemployees, annualrevenue', values: "'Acme', 12, 1e6", set: 'annualrevenue = 0.5' },
    deals: {
        columns: 'dealname, amount, closedate',
        values: "'Big', 1234.50, timestamptz '2026-03-01 12:00+02'",
        set: "closedate = timestamptz '2026-04-01 00:00+00'",
    },
    tickets: { columns: 'subject, hs_pipeline_stage', values: "'Help', '1'", set: "content = 'still open'" },
};

function hubspot(object) {
    const { columns, values, set } = samples[object];
    const path = `/crm/v3/objects/${object}`;
    const [create, update, upsert, archive, read] =
        ['create', 'update', 'upsert', 'archive', 'read'].map((verb) => `POST ${path}/batch/${verb}`);
    // HubSpot updates contacts by its own id.
    const looks_up = object === 'contacts';
    const rows = (n, more) => `SELECT ${values}${more} FROM generate_series(1, ${n}) AS row`;
    const operation = (name, sql, sends, bad) => 
        ({ connector: 'hubspot', object, name: `${object}: ${name}`, sql, sends, bad });
    return [
        operation('create', `INSERT INTO hubspot.${object} (${columns}) ${rows(150, '')}`, [create, create], bad_create),
        operation('upsert by a unique property',
            `INSERT INTO by_ref.${object} (${columns}, ref) ${rows(3, `, 'ref-' || row`)}`, [upsert], bad_upsert),
        operation('update by id', `UPDATE hubspot.${object} SET ${set} WHERE id = :'id'`, [update], bad_update),
        operation('update by a unique property',
            `UPDATE by_ref.${object} SET ${set} WHERE ref = 'ref-2'`, looks_up ? [read, update] : [update],
            looks_up ? bad_update : bad_update_by_key),
        operation('look-up by id', `SELECT * FROM hubspot.${object} WHERE id = :'id'`, [read], bad_lookup),
        operation('look-up by a unique property',
            `SELECT id FROM by_ref.${object} WHERE ref IN ('ref-1', 'nobody')`, [read], bad_lookup),
        operation('list with a second page', `SELECT * FROM hubspot.${object}`, [`GET ${path}`, `GET ${path}`], bad_list),
        operation('delete by id', `DELETE FROM hubspot.${object} WHERE id = :'id'`, [archive], bad_delete),
        operation('delete by a unique property',
            `DELETE FROM by_ref.${object} WHERE ref = 'ref-3'`, [read, archive], bad_delete),
    ];
}

const byEmail = [
    ['upsert', `INSERT INTO contacts (email, firstname) VALUES ('ada@example.com', 'Ada'), ('bob@example.com', 'Bob')`,
        ['upsert'], bad_upsert],
    ['update', `UPDATE contacts SET firstname = 'Augusta' WHERE email = 'ada@example.com'`, ['read', 'update'], bad_update],
    ['look-up', `SELECT * FROM contacts WHERE email = 'ada@example.com'`, ['read'], bad_lookup],
    ['delete', `DELETE FROM contacts WHERE email = 'ada@example.com'`, ['read', 'archive'], bad_delete],
].map(([name, sql, verbs, bad]) => ({
    connector: 'hubspot',
    object: 'contacts',
    name: `contacts: ${name} by email`,
    sql: sql.replace('contacts', 'by_email.contacts'),
    sends: verbs.map((verb) => `POST /crm/v3/objects/contacts/batch/${verb}`),
    bad,
}));

const slack = [
    {
        name: 'messages: create',
        sql: `INSERT INTO slack.messages (channel, text, blocks, attachments, thread_ts, reply_broadcast, mrkdwn,
                                          unfurl_links, unfurl_media, username, icon_emoji, icon_url)
              VALUES ('C0GENERAL1', 'a & b = "c"', '[{"type": "divider"}]', '[{"text": "more"}]', '1700000000.000100',
                      false, true, false, true, 'robot', ':robot_face:', 'https://example.com/robot.png')`,
        sends: ['POST /api/chat.postMessage'],
        bad: [
            ['no channel', form((body) => body.delete('channel'))],
            ['a boolean that is none', form((body) => body.set('unfurl_links', 'maybe'))],
            ['a misspelt argument', form((body) => body.set('txt', 'x')), misspelt],
        ],
    },
    {
        name: 'messages: update',
        sql: `UPDATE slack.messages SET text = 'changed', blocks = '[{"type": "divider"}]', attachments = '[]'
              WHERE channel = 'C0GENERAL1' AND ts = :'ts'`,
        sends: ['POST /api/chat.update'],
        bad: [
            ['no ts', form((body) => body.delete('ts'))],
            ['no channel', form((body) => body.delete('channel'))],
        ],
    },
    {
        name: 'messages: update of a reply',
        sql: `UPDATE slack.messages SET text = 'for all', reply_broadcast = true
              WHERE channel = 'C0GENERAL1' AND ts = :'ts'`,
        sends: ['POST /api/chat.update'],
        bad: [],
        outdated: {
            why: 'chat.update takes reply_broadcast by the reference of today; the description is of 2021',
            findings: ['body must NOT have additional properties (reply_broadcast)'],
        },
    },
    {
        name: 'messages: delete',
        sql: `DELETE FROM slack.messages WHERE channel = 'C0GENERAL1' AND ts = :'ts'`,
        sends: ['POST /api/chat.delete'],
        bad: [
            ['a ts that is no number', form((body) => body.set('ts', 'first'))],
            ['a misspelt argument', form((body) => body.set('chanel', 'C1')), misspelt],
        ],
    },
    {
        name: 'users: look-up by email',
        sql: `SELECT * FROM slack.users WHERE email = 'ada@example.com'`,
        sends: ['GET /api/users.lookupByEmail'],
        bad: [['no email', query((parameters) => parameters.delete('email'))]],
    },
    {
        name: 'users: list with further pages',
        sql: 'SELECT * FROM slack_in_pages.users',
        sends: Array(3).fill('GET /api/users.list'),
        bad: [limit_as_text, cursor_misspelt],
    },
    { name: 'users: list', sql: 'SELECT * FROM slack.users', sends: ['GET /api/users.list'], bad: [limit_as_text] },
    {
        name: 'channels: list with further pages',
        sql: 'SELECT * FROM slack_in_pages.channels',
        sends: Array(3).fill('GET /api/conversations.list'),
        bad: [limit_as_text, cursor_misspelt],
    },
    {
        name: 'channels: list',
        sql: 'SELECT * FROM slack.channels',
        sends: ['GET /api/conversations.list'],
        bad: [limit_as_text],
    },
].map((operation) => ({ connector: 'slack', object: 'messages', ...operation }));

const without_token = ['no token', ({ headers: { authorization, ...headers }, ...request }) => ({ ...request, headers })];

export const operations = [...Object.keys(samples).flatMap(hubspot), ...byEmail, ...slack]
    .map((operation) => ({ ...operation, bad: [...operation.bad, without_token] }));
