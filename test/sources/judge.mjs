// judge.mjs CHECKER FILE REQUESTS: what is found in requests by the vendor's published file: the strict checker's findings, or, where the file
// is a model of AWS, those of its schemas. A line for each finding, and at the end how many were judged. Paths that the file does not have are
// not judged.
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';

const [checker, file, requests] = process.argv.slice(2);

/// Checks a request by the schema of the operation that it names.
function checkerOfModel(model) {
    const Ajv = createRequire(checker)('ajv/dist/2020.js').default;
    const ajv = new Ajv({ allErrors: true, strict: false });
    ajv.addSchema(model, 'model');
    return ({ headers, body }) => {
        const operation = model.operations[(headers['x-amz-target'] ?? '').split('.')[1]];
        if (!operation) return ['no such path'];
        const fits = ajv.getSchema(`model#/$defs/${operation.input}`);
        return fits(JSON.parse(body)) ? [] : fits.errors.map(({ instancePath, message }) => `${operation.input}${instancePath} ${message}`);
    };
}

const published = JSON.parse(readFileSync(file, 'utf8'));
const check = published.operations ? checkerOfModel(published) : (await import(checker)).makeChecker(file, { strict: true });
let judged = 0;
const found = new Set();
for (const line of readFileSync(requests, 'utf8').split('\n').filter(Boolean)) {
    const findings = check(JSON.parse(line));
    if (findings.some((finding) => finding.startsWith('no such path'))) continue;
    judged += 1;
    findings.forEach((finding) => found.add(finding));
}
console.log([...found, `${judged} judged`].join('\n'));
