// The manifest language is published as connectors/connector.schema.json, and read by the extension: both must take
// every manifest that comes along, and refuse the same faults, at the same place.
import assert from 'node:assert/strict';
import { readFileSync, readdirSync } from 'node:fs';
import { test } from 'node:test';
import Ajv from 'ajv';
import { freshDatabase } from './postgres.mjs';

const folder = process.env.CONNECTORS;
const read = (path) => JSON.parse(readFileSync(path));
const matches = new Ajv({ allErrors: true, allowUnionTypes: true, strictRequired: false, strictTypes: false })
    .compile(read(`${folder}/connector.schema.json`));
const { good, cases } = read(new URL('bad_manifests.json', import.meta.url));
const sql = freshDatabase('contract_manifests');

/// The JSON pointer in the DETAIL of the extension's refusal; nothing if it takes the manifest.
function refusal(manifest) {
    try {
        sql(`SELECT reverse_etl.check_manifest('acme', :'manifest')`, { manifest: JSON.stringify(manifest) });
    } catch (error) {
        assert.match(error.stderr, /DETAIL: /, error.stderr);
        return error.stderr;
    }
}

/// A copy of the manifest in which what stands at the JSON pointer is set, or removed if there is no value.
function changed(manifest, pointer, value) {
    if (pointer === '') return value;
    const copy = structuredClone(manifest);
    const path = pointer.slice(1).split('/').map((token) => token.replaceAll('~1', '/').replaceAll('~0', '~'));
    const last = path.pop();
    const place = path.reduce((node, token) => node[token], copy);
    if (value === undefined) delete place[last];
    else place[last] = value;
    return copy;
}

for (const file of readdirSync(folder).filter((name) => /^\w+\.json$/.test(name)))
    test(`${file} is as the schema says`, () => assert.ok(matches(read(`${folder}/${file}`)), JSON.stringify(matches.errors)));

test('a good manifest is taken', () => {
    assert.ok(matches(good), JSON.stringify(matches.errors));
    assert.equal(refusal(good), undefined);
});

for (const { why, set = {}, remove, pointer, beyond_schema: beyond } of cases) {
    let manifest = remove === undefined ? good : changed(good, remove);
    for (const [place, value] of Object.entries(set)) manifest = changed(manifest, place, value);

    // Where the schema cannot see a fault, it must not; when it learns to, the reason is no longer true.
    test(beyond ? `the schema lets pass ${why}: ${beyond}` : `the schema refuses ${why}`, () =>
        assert.equal(matches(manifest), Boolean(beyond)));
    test(`the extension refuses ${why}`, () => {
        const message = refusal(manifest);
        assert.ok(message, 'it took the manifest');
        assert.ok(message.includes(`"${pointer}"`), message);
    });
}
