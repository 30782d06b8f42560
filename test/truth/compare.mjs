// See run_tests.
import { existsSync, readFileSync, readdirSync, writeFileSync } from 'node:fs';
import { basename } from 'node:path';
import { fileURLToPath } from 'node:url';
import { manifestOf, operations } from './truth.mjs';

const root = fileURLToPath(new URL('../../', import.meta.url));
const told = `${root}build/truth/`;
const [mode, ...chosen] = process.argv.slice(2);

/// {connector: {object: {operation: {file, client}}}}, of all that was told.
function facts() {
    const all = {};
    const files = existsSync(told) ? readdirSync(told).filter((name) => name.endsWith('.jsonl')) : [];
    for (const line of files.flatMap((name) => readFileSync(told + name, 'utf8').split('\n')).filter(Boolean)) {
        const { connector, object, operation, by, what } = JSON.parse(line);
        if (!['file', 'client'].includes(by)) throw new Error(`nobody knows a judge "${by}": ${line}`);
        const judges = (((all[connector] ??= {})[object] ??= {})[operation] ??= {});
        judges[by] = [...new Set([...(judges[by] ?? []), what])].sort();
    }
    return all;
}

const sorted = (object) => Object.entries(object).sort(([a], [b]) => (a < b ? -1 : 1));

/// The file's text: an operation a line.
function written(objects) {
    const operation = ([name, { file, client }]) =>
        `    ${JSON.stringify(name)}: ${JSON.stringify({ file: file?.join('; '), client: client?.join('; ') })}`;
    return `{\n${sorted(objects).map(([name, of]) =>
        `  ${JSON.stringify(name)}: {\n${sorted(of).map(operation).join(',\n')}\n  }`).join(',\n')}\n}\n`;
}

const path = (connector) => `${root}connectors/${connector}.truth.json`;
const committed = (connector) => (existsSync(path(connector)) ? readFileSync(path(connector), 'utf8') : '');
const connectors = readdirSync(`${root}connectors`).filter((file) => /^[^.]+\.json$/.test(file)).map((file) => basename(file, '.json'));

const all = facts();
if (mode === '--write') {
    for (const connector of chosen.length ? chosen : Object.keys(all))
        writeFileSync(path(connector), written(all[connector] ?? {}));
    process.exit(0);
}

let count = 0;
let failed = 0;
function ok(fine, name, why) {
    count++;
    failed += fine ? 0 : 1;
    console.log(`${fine ? 'ok' : 'not ok'} ${count} - ${name}`);
    if (!fine) console.log(why.replace(/^/gm, '# '));
}

for (const connector of connectors) {
    const is = all[connector] ? written(all[connector]) : '';
    ok(committed(connector) === is, `connectors/${connector}.truth.json is what the suites have found out`,
        `It is stale: test/truth/run_tests --write ${connector}\nmakes\n${is}`);
}
for (const connector of connectors) {
    const manifest = manifestOf(connector);
    const has = operations(manifest);
    const nowhere = Object.entries(all[connector] ?? {}).flatMap(([object, of]) => Object.keys(of).map((operation) => [object, operation]))
        .filter(([object, operation]) => !has.some((one) => one.object === object && one.operation === operation));
    ok(nowhere.length === 0, `${connector}: what was judged is an operation`, `It has no ${JSON.stringify(nowhere)}`);
    // Of an API of the user's own, or of a folder of the server, nobody else tells.
    if (!manifest.base_url || manifest.base_url.startsWith('{base_url}')) continue;
    const silent = has.filter(({ object, operation, forms }) => {
        const notes = JSON.stringify([forms.map((form) => form.note), manifest.defaults?.note, manifest.note]);
        return !all[connector]?.[object]?.[operation] && !(/https:\/\/\S/.test(notes) && /\d{4}-\d\d-\d\d/.test(notes));
    }).map(({ object, operation }) => `${object} ${operation}`);
    ok(silent.length === 0, `${connector}: what rests on documentation alone says in its "note" on which page, read when`,
        `These do not: ${silent.join(', ')}`);
}
console.log(`1..${count}`);
process.exit(failed ? 1 : 0);
