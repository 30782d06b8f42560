// All stand-ins in one process, each on a free port of the loopback interface:
//
//   node serve.mjs FILE [NAME...]     FILE gets {"NAME": "http://127.0.0.1:PORT", ...} once all listen
//
// It ends with whoever started it.
import { readdirSync, renameSync, writeFileSync } from 'node:fs';
import { serve } from './kit/server.mjs';

const [file, ...names] = process.argv.slice(2);
// A stand-in has a description beside it.
const files = new Set(readdirSync(new URL('.', import.meta.url)));
const there = [...files].filter((name) => name.endsWith('.mjs')).map((name) => name.replace(/\.mjs$/, ''))
    .filter((name) => files.has(`${name}.json`));
const urls = {};
for (const name of names.length ? names : there)
    ({ url: urls[name] } = await serve((await import(`./${name}.mjs`)).default));
writeFileSync(`${file}.new`, JSON.stringify(urls));
renameSync(`${file}.new`, file);

const parent = process.ppid;
setInterval(() => process.ppid === parent || process.exit(), 500);
