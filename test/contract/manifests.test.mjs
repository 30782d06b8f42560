// The manifest language is published as connectors/connector.schema.json, and read by the engine. A corpus of right and
// wrong manifests holds both to it: here the schema, in test/unit/manifest_corpus_test.cpp the engine, which also has to
// name the place.
import assert from 'node:assert/strict';
import { readFileSync, readdirSync } from 'node:fs';
import { test } from 'node:test';
import Ajv from 'ajv';

const folder = process.env.CONNECTORS;
const read = (path) => JSON.parse(readFileSync(path));
const matches = new Ajv({ allErrors: true, allowUnionTypes: true, strictRequired: false, strictTypes: false })
    .compile(read(`${folder}/connector.schema.json`));
// The files beside good.json hold cases, each about a subject.
const corpus = new URL('manifests/', import.meta.url);
const good = read(new URL('good.json', corpus));
const cases = readdirSync(corpus).filter((name) => name.endsWith('.json') && name !== 'good.json')
    .map((name) => read(new URL(name, corpus)));
const right = cases.flatMap((of) => of.right);
const wrong = cases.flatMap((of) => of.wrong);

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

// Sketches: the core requests of vendors, each from a document that its note names.
for (const file of readdirSync(new URL('vendors/', corpus)))
    test(`the sketch ${file} is as the schema says`, () => {
        const sketch = read(new URL(`vendors/${file}`, corpus));
        assert.ok(matches(sketch), JSON.stringify(matches.errors));
        assert.ok(sketch.note, 'it names its document');
    });

/// The good manifest with what a case sets or removes.
function manifestOf({ set = {}, remove }) {
    let manifest = remove === undefined ? good : changed(good, remove);
    for (const [place, value] of Object.entries(set)) manifest = changed(manifest, place, value);
    return manifest;
}

for (const one of [{ why: 'a good manifest' }, ...right])
    test(`the schema takes ${one.why}`, () => assert.ok(matches(manifestOf(one)), JSON.stringify(matches.errors)));

// Where the schema cannot see a fault, it must not; when it learns to, the reason is no longer true.
for (const { why, beyond_schema: beyond, ...one } of wrong)
    test(beyond ? `the schema lets pass ${why}: ${beyond}` : `the schema refuses ${why}`, () =>
        assert.equal(matches(manifestOf(one)), Boolean(beyond)));

test('what extends a manifest may have every member of one', () => {
    const schema = read(`${folder}/connector.schema.json`);
    assert.deepEqual(Object.keys(schema.definitions.extension.properties).sort(), Object.keys({ ...schema.else.properties, extends: 1 }).sort());
});
