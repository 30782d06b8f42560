// judge.mjs CHECKER FILE REQUESTS: what the strict checker finds in requests, by the vendor's published file. A line for each
// finding, and at the end how many were judged. Paths that the file does not have are not judged.
import { readFileSync } from 'node:fs';

const [checker, file, requests] = process.argv.slice(2);
const { makeChecker } = await import(checker);
const check = makeChecker(file, { strict: true });
let judged = 0;
const found = new Set();
for (const line of readFileSync(requests, 'utf8').split('\n').filter(Boolean)) {
    const findings = check(JSON.parse(line));
    if (findings.some((finding) => finding.startsWith('no such path'))) continue;
    judged += 1;
    findings.forEach((finding) => found.add(finding));
}
console.log([...found, `${judged} judged`].join('\n'));
