// The requests of the connectors hubspot and slack, which SQL makes and the sandbox records, judged by what the vendors
// have published of their APIs: by a checker that is strict, and by Prism for a second opinion.
import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import { after, before, test } from 'node:test';
import { operations } from './operations.mjs';
import { freshDatabase } from './postgres.mjs';
import { startPrism } from './prism.mjs';
import { fileSource, requestPassed } from '../../test/truth/truth.mjs';
import { control, records, url } from './vendor_clients/sandbox.mjs';

const specs = process.env.API_SPECS;
const skip = existsSync(`${specs}/tools/checker.mjs`) ? false : "the vendors' published API descriptions are not here";
const judges = {};
let sql;

/// {checker, prism} of a connector, each a function from a request to what it has against it.
async function startJudges(connector) {
    const { makeChecker } = await import('./checker.mjs');
    const description = `${specs}/${connector}.json`;
    const { judge, stop } = await startPrism(description);
    judges[connector] = { checker: makeChecker(description, { strict: true }), prism: judge, stop };
}

before(async () => {
    await control('POST', 'reset');
    sql = freshDatabase('contract_requests');
    sql(readFileSync(new URL('setup.sql', import.meta.url), 'utf8'), { sandbox_url: url });
    if (!skip) await Promise.all(['hubspot', 'slack'].map(startJudges));
}, { timeout: 90_000 });
after(() => Promise.all(Object.values(judges).map(({ stop }) => stop())));

/// What the sandbox records while SQL runs. :'id' and :'ts' are of a record that is there.
async function requestsOf({ connector, object, sql: statement }) {
    const [first] = await records(connector, object);
    await control('POST', 'reset?keep=data');
    sql(statement, { id: first?.id, ts: first?.ts });
    const response = await fetch(`${url}/_sandbox/requests.jsonl`);
    // The answers are the sandbox's, and judged by the vendors' own clients.
    return (await response.text()).split('\n').filter(Boolean).map((line) => {
        const { response: answer, status, ...request } = JSON.parse(line);
        assert.ok(status < 300 && answer?.ok !== false, `was refused: ${status} ${JSON.stringify(answer)}`);
        return request;
    });
}

for (const operation of operations) {
    const { connector, name, sends, bad, outdated } = operation;
    const title = `${connector}, ${name}`;
    const judged = (what, judge) => test(`${title}: ${what}`, { skip }, () => judge(judges[connector]));
    let requests = [];

    test(`${title}: sends what it should`, async () => {
        requests = await requestsOf(operation);
        assert.deepEqual(requests.map(({ method, path }) => `${method} ${path.split('?')[0]}`), sends);
    });
    judged(`the checker accepts it${outdated ? `, but for what is outdated: ${outdated.why}` : ''}`, ({ checker }) => {
        assert.ok(requests.length > 0);
        assert.deepEqual(requests.flatMap((request) => checker(request)), outdated?.findings ?? []);
        if (!outdated)
            for (const request of requests) requestPassed(connector, request, 'file', fileSource(`${connector}.json`));
    });
    judged('Prism accepts it', async ({ prism }) => {
        assert.ok(requests.length > 0);
        for (const request of requests) assert.deepEqual(await prism(request), []);
    });
    for (const [wrong, spoil, unseen] of bad) {
        judged(`the checker refuses ${wrong}`, ({ checker }) =>
            assert.notDeepEqual(checker(spoil(requests.at(-1))), []));
        // Where Prism is blind it must stay so: when it learns to see, the reason in operations.mjs is no longer true.
        if (unseen)
            judged(`Prism lets pass ${wrong}: ${unseen}`, async ({ prism }) =>
                assert.deepEqual(await prism(spoil(requests.at(-1))), []));
        else
            judged(`Prism refuses ${wrong}`, async ({ prism }) =>
                assert.notDeepEqual(await prism(spoil(requests.at(-1))), []));
    }
}
