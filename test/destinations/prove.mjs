// The vendor's own client against a stand-in, so that it is proven before it judges us:
//
//   node prove.mjs NAME URL CREDENTIALS     CREDENTIALS as JSON
//
// Prints {"error": what is wrong, or null}. What the client asked for is in the stand-in's records.
const [name, url, credentials] = process.argv.slice(2);
let error = null;
try {
    const { default: prove } = await import(`./clients/${name}.mjs`);
    await prove({ url, credentials: JSON.parse(credentials) });
} catch (fault) {
    error = String(fault?.stack ?? JSON.stringify(fault)).slice(0, 2000);
}
console.log(JSON.stringify({ error }));
process.exit();
