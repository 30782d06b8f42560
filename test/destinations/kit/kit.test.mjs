// The kit is strict: what is wrong is refused, and what is right is read as it was meant.
import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import { test } from 'node:test';
import { gzipSync } from 'node:zlib';
import * as auth from './auth.mjs';
import { Unreadable, readBody, unpacked } from './bodies.mjs';
import { Destination } from './destination.mjs';
import { asked, Wrong } from './graphql.mjs';
import { Jobs } from './jobs.mjs';
import { afterLast, byCursor, byOffset } from './pages.mjs';
import { anything, boolean, dictionary, firstOf, integer, list, matching, members, nullable, oneOf, text } from './shapes.mjs';
import { Store, Taken } from './store.mjs';

const bytes = (string) => Buffer.from(string);

test('shapes say what is wrong, and where', () => {
    const shape = members({ email: text, 'age?': nullable(integer), 'tags?': list(oneOf('a', 'b'), { least: 1, most: 2 }), 'more?': dictionary(boolean), 'any?': anything, 'day?': matching(/^\d+$/), 'id?': firstOf(text, integer) });
    for (const right of [{ email: 'a' }, { email: 'a', age: null, tags: ['a'], more: { x: true }, any: [{}], day: '7', id: 7 }]) assert.equal(shape(right, ''), null);
    const wrong = {
        '/email is missing': {}, '/email is not a string': { email: 7 }, '/emial is not known': { email: 'a', emial: 'a' },
        '/age is not an integer': { email: 'a', age: 1.5 }, '/tags has fewer than 1 elements': { email: 'a', tags: [] },
        '/tags has more than 2 elements': { email: 'a', tags: ['a', 'b', 'a'] }, '/tags/0 is not one of a, b': { email: 'a', tags: ['c'] },
        '/more/x is not a boolean': { email: 'a', more: { x: 1 } }, '/day is not like /^\\d+$/': { email: 'a', day: 'x' },
        '/id is not a string': { email: 'a', id: [] }, 'the body is not an object': [],
    };
    for (const [fault, value] of Object.entries(wrong)) assert.equal(shape(value, ''), fault);
});

test('bodies are read by their format', () => {
    assert.deepEqual(readBody('ndjson', bytes('{"a":1}\n{"a":2}\n')), [{ a: 1 }, { a: 2 }]);
    assert.deepEqual(readBody('form', bytes('a[b]=c%26&a[d][0]=e&a[d][]=f&g=')), { a: { b: 'c&', d: ['e', 'f'] }, g: '' });
    assert.deepEqual(readBody('csv', bytes('id,name\n1,"a ""b"", c\nd"\n2,\n')), [{ id: '1', name: 'a "b", c\nd' }, { id: '2', name: '' }]);
    const parts = readBody('multipart', bytes('--x\r\nContent-Disposition: form-data; name="a"\r\n\r\nb\r\n--x\r\nContent-Disposition: form-data; name="f"; filename="f.csv"\r\nContent-Type: text/csv\r\n\r\n1\r\n2\r\n--x--\r\n'), 'multipart/form-data; boundary=x');
    assert.equal(parts.a, 'b');
    assert.deepEqual([parts.f.filename, parts.f.type, parts.f.bytes.toString()], ['f.csv', 'text/csv', '1\r\n2']);
    assert.equal(unpacked(gzipSync('x'), 'gzip').toString(), 'x');
    for (const [format, body, type] of [['json', '{'], ['ndjson', '{}\n\n{}'], ['form', 'a=1&a=2'], ['csv', 'a,b\n1\n'], ['csv', 'a\n"x'], ['multipart', '--y--', 'multipart/form-data; boundary=x']])
        assert.throws(() => readBody(format, bytes(body), type), Unreadable, `${format} ${body}`);
    assert.throws(() => readBody('text', Buffer.from([0xff])), Unreadable);
    assert.throws(() => unpacked(bytes('x'), 'br'), Unreadable);
    assert.throws(() => unpacked(bytes('x'), 'gzip'), Unreadable);
});

test('an answer is lost of what was done, and not of a request that is not let in', () => {
    const destination = new Destination({ auth: auth.bearer('a'), routes: { 'GET /x': { run: () => [200, {}] } } });
    const asked = (token) => { const [[status], fault] = destination.answer({ method: 'GET', url: '/x', headers: { authorization: `Bearer ${token}` }, bytes: bytes('') }); return [status, fault]; };
    destination.faults.add({ kind: 'hang' });
    assert.deepEqual(['b', 'a', 'a'].map(asked), [[401, undefined], [200, 'hang'], [200, undefined]]);
    assert.equal(destination.faults.met, 1);
});

test('a store changes nothing where a unique value is taken', () => {
    const store = new Store({ unique: ['email'], like: (value) => value.toLowerCase() });
    const ada = store.insert({ email: 'Ada' });
    const bob = store.insert({ email: 'bob' });
    assert.throws(() => store.insert({ email: 'ADA' }), (fault) => fault instanceof Taken && fault.record === ada);
    assert.throws(() => store.update(bob, { email: 'ada', name: 'x' }), Taken);
    assert.deepEqual(bob, { email: 'bob', id: '2' });
    store.update(ada, { email: 'augusta' });
    assert.equal(store.by('email', 'AUGUSTA'), ada);
    assert.equal(store.by('email', 'ada'), undefined);
    store.remove(ada);
    assert.equal(store.insert({ email: 'augusta' }).email, 'augusta');
});

test('pages end where there is nothing more', () => {
    const records = [{ id: 1 }, { id: 2 }, { id: 3 }];
    const first = byCursor(records, undefined, 2);
    assert.deepEqual(byCursor(records, first.next, 2), { items: [{ id: 3 }], next: undefined });
    assert.equal(byCursor(records, 'nonsense', 2), null);
    assert.deepEqual(byOffset(records, 2, 2), { items: [{ id: 3 }], next: undefined, total: 3 });
    assert.deepEqual(afterLast(records, 'id', '1', 1), { items: [{ id: 2 }], more: true });
    assert.equal(afterLast(records, 'id', '9', 1), null);
});

test('a job ends once', () => {
    const jobs = new Jobs();
    let ended = 0;
    const { id } = jobs.open({}, { asks: 2, done: () => ++ended });
    assert.deepEqual([1, 2, 3].map(() => jobs.ask(id).ended), [false, true, true]);
    assert.equal(ended, 1);
});

const ask = (destination, method, url, { headers = {}, body = '' } = {}) => destination.answer({ method, url, headers, bytes: bytes(body) })[0];

test('a destination refuses what it does not know', () => {
    const json = { 'content-type': 'application/json', authorization: 'Bearer t', v: '1' };
    const destination = new Destination({
        auth: auth.bearer('t'), headers: { v: '1' }, objects: { things: {} }, limits: { concurrent: 1 },
        routes: { 'POST /things': { body: members({ a: text }), query: ['dry'], run: ({ body, objects }) => [200, objects.things.insert(body)] }, 'GET /things/{id}': { run: ({ path }) => [200, path] } },
    });
    const status = (...of) => ask(destination, ...of)[0];
    assert.equal(status('POST', '/things', { headers: json, body: '{"a":"b"}' }), 200);
    assert.deepEqual(ask(destination, 'GET', '/things/a%2Fb', { headers: json })[1], { id: 'a/b' });
    assert.equal(status('POST', '/things', { headers: { ...json, authorization: 'Bearer x' }, body: '{"a":"b"}' }), 401);
    assert.equal(status('POST', '/things', { headers: { ...json, v: '2' }, body: '{"a":"b"}' }), 400);
    assert.equal(status('POST', '/things', { headers: { ...json, 'content-type': 'text/plain' }, body: '{"a":"b"}' }), 415);
    assert.equal(status('POST', '/things', { headers: json, body: '{"b":"b"}' }), 400);
    assert.equal(status('POST', '/things?wet=1', { headers: json, body: '{"a":"b"}' }), 400);
    assert.equal(status('GET', '/things/1', { headers: json, body: '{}' }), 400);
    assert.equal(status('PUT', '/things', { headers: json }), 405);
    assert.equal(status('GET', '/nothing', { headers: json }), 404);
    assert.equal(destination.objects.things.size, 1);
    assert.equal(destination.limits.open, 0);
});

test('a body may be none', () => {
    const destination = new Destination({ nothing: '{}', routes: { 'GET /things': { run: () => [200, {}] } } });
    assert.equal(ask(destination, 'GET', '/things', { body: '{}' })[0], 200);
    assert.equal(ask(destination, 'GET', '/things', { body: '{"a":1}' })[0], 400);
});

test('a token is given for the right credentials, until it expires', () => {
    const kind = auth.oauth({ path: '/token', expects: { grant_type: 'client_credentials', client_id: 'i', client_secret: 's' } });
    const destination = new Destination({ auth: kind, routes: { 'GET /': { run: () => [200, {}] } } });
    const token = (body) => ask(destination, 'POST', '/token', { headers: { 'content-type': 'application/x-www-form-urlencoded' }, body });
    assert.equal(token('grant_type=client_credentials&client_id=i&client_secret=x')[0], 400);
    const given = token('grant_type=client_credentials&client_id=i&client_secret=s')[1].access_token;
    const get = () => ask(destination, 'GET', '/', { headers: { authorization: `Bearer ${given}` } })[0];
    assert.equal(get(), 200);
    kind.expire();
    assert.equal(get(), 401);
});

const vectors = `${process.env.API_SPECS}/schemas/sigv4_vectors.json`;
test('a signature of AWS is checked', { skip: existsSync(vectors) ? false : 'the vectors are not here' }, () => {
    const { cases } = JSON.parse(readFileSync(vectors));
    const plain = Object.entries(cases).filter(([name]) => /vanilla|form-urlencoded|sts-header|header-key-[cs]/.test(name) && !/utf8|encoded$/.test(name));
    assert.ok(plain.length > 10);
    for (const [name, { context, signed_request: signed }] of plain) {
        const [head, body = ''] = signed.split('\n\n');
        const [line, ...lines] = head.split('\n');
        const [method, url] = line.split(' ');
        const headers = Object.fromEntries(lines.map((one) => [one.split(':')[0].toLowerCase(), one.slice(one.indexOf(':') + 1)]));
        const { access_key_id: id, secret_access_key: secret } = context.credentials;
        const lets = (request, key = secret) => auth.sigv4({ id, secret: key, service: context.service, region: context.region }).lets(request);
        assert.ok(lets({ method, url, headers, bytes: bytes(body) }), name);
        assert.ok(!lets({ method, url, headers, bytes: bytes(`${body}x`) }), `${name}, another body`);
        assert.ok(!lets({ method, url, headers, bytes: bytes(body) }, 'another key'), `${name}, another key`);
    }
});

test('GraphQL is read, and what is not there is not selected', () => {
    const query = 'mutation Named($id: ID!, $more: [Input!]) { done: change(where: { id: $id, kind: BIG }, list: [1, "a\\"b", true, null], more: $more) { row: thing { id size(in: CM) ... on Big { weight } ... on Small { none } } errors { message } } }';
    const answer = asked(query, { id: '7' });
    assert.deepEqual([answer.is, answer.field, answer.args], ['mutation', 'change', { where: { id: '7', kind: 'BIG' }, list: [1, 'a"b', true, null] }]);
    const thing = { __typename: ['Thing', 'Big'], id: '7', size: (args) => args.in, weight: 5, secret: 1 };
    assert.deepEqual(answer.with({ thing, errors: [{ message: 'm', field: 'f' }, null] }), { done: { row: { id: '7', size: 'CM', weight: 5 }, errors: [{ message: 'm' }, null] } });
    const wrong = {
        'query { a(': {}, 'query { a { id ': {}, 'query { a } }': {}, 'query { a b }': {}, 'subscription { a }': {}, 'query ($id: ID!) { a(id: $id) }': {}, 'query { a(id: $id) }': {}, 'query { a ? }': {},
    };
    for (const [text, variables] of Object.entries(wrong)) assert.throws(() => asked(text, variables), Wrong, text);
    assert.throws(() => asked('query { a }', { id: '7' }), /\$id is not declared/);
    assert.throws(() => asked('query { thing { colour } }').with(thing), /'colour' doesn't exist on type 'Thing'/);
    assert.throws(() => asked('query { thing }').with(thing), /must have selections/);
    assert.throws(() => asked('query { thing { id { of } } }').with(thing), Wrong);
});
