// prove.mjs NAME: runs the vendor's client, clients/NAME.mjs, against the stand-in.
import { serve } from './server.mjs';

const [name] = process.argv.slice(2);
const { source } = await import(`./${name}.mjs`);
const { default: prove } = await import(`./clients/${name}.mjs`);
await source.begin();
await prove({ url: await serve(source), credentials: source.credentials });
console.log(`${name}: its client finds nothing wrong`);
process.exit(0);
