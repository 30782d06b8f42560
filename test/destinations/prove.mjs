// The vendor's own client against a stand-in, so that it is proven before it judges us:
//
//   node prove.mjs NAME URL CREDENTIALS PACKAGE     CREDENTIALS as JSON, PACKAGE the client's
//
// Prints {"error": what is wrong, or null, "client": the package and its version}. What the client asked for is in the stand-in's records.
import { readFileSync } from 'node:fs';

const [name, url, credentials, client] = process.argv.slice(2);
let error = null;
try {
    const { default: prove } = await import(`./clients/${name}.mjs`);
    await prove({ url, credentials: JSON.parse(credentials) });
} catch (fault) {
    error = String(fault?.stack ?? JSON.stringify(fault)).slice(0, 2000);
}
const { version } = JSON.parse(readFileSync(new URL(`node_modules/${client}/package.json`, import.meta.url)));
console.log(JSON.stringify({ error, client: `${client} ${version}` }));
process.exit();
