// Runs stand-ins: serve.mjs FILE NAME...; FILE gets {NAME: {url, credentials}} when they listen.
import { renameSync, writeFileSync } from 'node:fs';
import { serve } from './server.mjs';

const [file, ...names] = process.argv.slice(2);
const all = {};
for (const name of names) {
    const { source } = await import(`./${name}.mjs`);
    await source.begin();
    all[name] = { url: await serve(source), credentials: source.credentials };
}
writeFileSync(`${file}.new`, JSON.stringify(all));
renameSync(`${file}.new`, file);
