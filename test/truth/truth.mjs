// What suites tell of the operations whose requests were judged, a line of JSON each in the file that TRUTH names. What
// becomes of it is in run_tests.
import { appendFileSync, existsSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';

const connectors = new URL('../../connectors/', import.meta.url);
export const read = (path) => JSON.parse(readFileSync(path, 'utf8'));
export const manifestOf = (connector) => read(new URL(`${connector}.json`, connectors));

/// The vendor's published file ("file") or its own client ("client") has judged an operation, and found nothing.
export function passed(connector, object, operation, by, what) {
    if (process.env.TRUTH)
        appendFileSync(process.env.TRUTH, `${JSON.stringify({ connector, object, operation, by, what })}\n`);
}

/// The same of each operation that makes such a request.
export function requestPassed(connector, request, by, what) {
    for (const [object, operation] of operationsOf(connector, request)) passed(connector, object, operation, by, what);
}

/// What a published file is, by the table of SOURCES.md beside it.
export function fileSource(file) {
    const sources = `${process.env.API_SPECS}/SOURCES.md`;
    const rows = existsSync(sources) ? readFileSync(sources, 'utf8').split('\n') : [];
    const cells = rows.map((row) => row.split('|').map((cell) => cell.trim()));
    const found = cells.find((row) => row[1]?.split(', ').includes(file));
    if (!found) throw new Error(`${sources} does not say where ${file} comes from`);
    return `${file}: ${found[2].split('. ')[0]}, ${found[3]}`;
}

/// A vendor's client and its version; `from` is the import.meta.url of the test that uses it.
export function clientVersion(name, from) {
    for (const folder of createRequire(from).resolve.paths(name)) {
        const path = `${folder}/${name}/package.json`;
        if (existsSync(path)) return `${name} ${read(path).version}`;
    }
    throw new Error(`the package ${name} is not installed`);
}

/// [object, operation] of each whose request is "METHOD /path" as the manifest writes it. Where two different operations
/// make such a request, nobody knows which it was: none.
export function operationsOf(connector, { method, path }) {
    const fits = requestsOf(connector).filter((one) => one.method === method && one.path.test(path.split('?')[0]));
    const closest = Math.max(...fits.map((one) => one.letters));
    const found = fits.filter((one) => one.letters === closest);
    return new Set(found.map((one) => one.operation)).size > 1 ? [] : found.map((one) => [one.object, one.operation]);
}

const known = new Map();
function requestsOf(connector) {
    if (!known.has(connector)) known.set(connector, allRequests(manifestOf(connector)));
    return known.get(connector);
}

/// The operations of a manifest: what each object says over what they share.
export function operations(manifest) {
    return Object.entries(manifest.objects).filter(([object]) => object !== '$note').flatMap(([object, own]) =>
        ['create', 'update', 'upsert', 'delete', 'lookup', 'list'].map((operation) => {
            const shared = manifest.operations?.[operation];
            const said = own.operations?.[operation] === undefined ? shared : own.operations[operation]; // null takes it out
            if (said === undefined || said === null) return null;
            const forms = [said].flat().map((form) => (Array.isArray(shared) ? form : { ...shared, ...form }));
            return { object, operation, forms };
        }).filter(Boolean));
}

function allRequests(manifest) {
    const named = Object.keys(manifest.objects);
    return operations(manifest).flatMap(({ object, operation, forms }) =>
        requestLines(forms).map((line) => {
            const [, method, template] = /^(\S+) (.*)$/.exec(line);
            const parts = template.split('?')[0].split(/(\{[^{}]*\})/);
            const pattern = parts.map((part) => {
                if (!part.startsWith('{')) return part.replace(/[^\w/]/g, '\\$&');
                if (!part.startsWith('{object')) return '[^/]+';
                if (object !== '*') return object.replace(/[^\w]/g, '\\$&');
                return `(?!(?:${named.filter((name) => name !== '*').join('|')})(?:/|$))[^/]+`;
            }).join('');
            const letters = parts.filter((part) => !part.startsWith('{') || (part === '{object}' && object !== '*')).join('').length;
            return { object, operation, method, path: new RegExp(`^(?:/.*)?${pattern}$`), letters };
        }));
}

/// What stands at "request", be it of a step of a job.
function requestLines(value) {
    if (value === null || typeof value !== 'object') return [];
    return Object.entries(value).flatMap(([name, part]) =>
        name === 'request' && typeof part === 'string' && /^\S+ /.test(part) ? [part] : requestLines(part));
}
