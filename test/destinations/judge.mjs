// The requests that a connector sent, judged by what its vendor has published:
//
//   node judge.mjs FILE REQUESTS OPERATIONS
//
// REQUESTS has a recorded request on each line; OPERATIONS is [{object, operation, pattern}, ...] of the connector. Prints
// {source, operations: {"OBJECT.OPERATION": {judged, findings, sees}}}: where the file comes from; how many requests, what is
// wrong with them, and whether a request that is known to be bad is refused. An operation of which the file knows no path is
// left out.
import { readFileSync } from 'node:fs';
import { basename, dirname } from 'node:path';
import { makeChecker } from './checker.mjs';

const [file, recorded, named] = process.argv.slice(2);
const check = makeChecker(file, { strict: true });
const operations = JSON.parse(named).map((of) => ({ ...of, pattern: new RegExp(of.pattern) }));

/// The operation of a request: that of its label where it fits, else another one of the object.
function operationOf({ label, method, path }) {
    const [object, step] = label.split('.');
    const fit = operations.filter((of) => of.object === object && of.pattern.test(`${method} ${path}`));
    return fit.find((of) => of.operation === step) ?? fit[0];
}

/// Where a published file comes from, by the table of SOURCES.md beside it.
function sourceOf(path) {
    const rows = readFileSync(`${dirname(path)}/SOURCES.md`, 'utf8').split('\n').map((row) => row.split('|').map((cell) => cell.trim()));
    const found = rows.find((row) => row[1]?.split(', ').includes(basename(path)));
    if (!found) throw new Error(`SOURCES.md does not say where ${basename(path)} comes from`);
    return `${basename(path)}: ${found[2].split('. ')[0]}, ${found[3]}`;
}

const unknown = { 'not_known_here!': 'x' };

/// The request with something in it that no vendor would take.
function* spoilt(request) {
    const { headers, body, path } = request;
    const media = headers['content-type'] ?? '';
    if (media.includes('json') && body) {
        const value = JSON.parse(body);
        for (const wrong of Array.isArray(value) ? [7, [7]] : [{ ...value, ...unknown }, ...Object.keys(value).map((name) => ({ ...value, [name]: { wrong: [] } }))])
            yield { ...request, body: JSON.stringify(wrong) };
    } else if (body) {
        yield { ...request, body: `${body}&not_known_here=x` };
        yield { ...request, headers: { ...headers, 'content-type': 'text/plain' } };
    }
    yield { ...request, path: `${path}${path.includes('?') ? '&' : '?'}not_known_here=x` };
}

const results = {};
for (const line of readFileSync(recorded, 'utf8').split('\n').filter(Boolean)) {
    const { status, response, ...request } = JSON.parse(line);
    const of = operationOf(request);
    if (!of || !(status < 300)) continue;
    const findings = check(request);
    if (findings.some((finding) => finding.startsWith('no such path'))) continue;
    const result = (results[`${of.object}.${of.operation}`] ??= { judged: 0, findings: [], sees: false });
    ++result.judged;
    result.findings = [...new Set([...result.findings, ...findings])].slice(0, 50);
    result.sees ||= [...spoilt(request)].some((bad) => check(bad).length > findings.length);
}
console.log(JSON.stringify({ source: sourceOf(file), operations: results }));
