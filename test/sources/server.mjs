// A stand-in on a port of its own, and beside it, under /_control, what a test wants of it:
//
//   POST /_control/set      {"delay": ms, "rows": n, ...}: what the stand-in's `settings` have: how long statements take, rows a page,
//                           "edits": {"2": sql}: what others do to the tables right before the second statement since the last reset
//   POST /_control/faults   [{"match": "GET /api", "status": 503, "times": 2}, ...]; "drop": true closes the connection in its place, "skip": 2
//                           leaves two requests in peace before
//   POST /_control/run      {"sql": ...}: runs it on the engine, in the engine's own words
//   GET  /_control/state    {"submitted", "running", "cancelled", "together": most requests under way at once, "requests": ["POST /api/v2/statements 202", ...], "statements": [sql, ...],
//                           "tags": [what they were said to be for, ...]}
//   POST /_control/save     {"file": ...}: writes all requests that were answered with 2xx, a line of JSON each
//   POST /_control/reset    forgets requests, counts and faults
import { writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { gzipSync } from 'node:zlib';

/// A request that is refused, with its answer.
export class Refusal extends Error {
    constructor(status, body, headers = {}) {
        super('refused');
        Object.assign(this, { status, body, headers });
    }
}

/// Fails with `refuse(message)` unless the value is an object with these members only: name: check, or "name?": check.
export function members(value, of, refuse, at = '') {
    if (typeof value !== 'object' || value === null || Array.isArray(value)) refuse(`${at || 'the body'} is no object`);
    const known = Object.entries(of).map(([name, check]) => [name.replace(/\?$/, ''), name.endsWith('?'), check]);
    for (const name of Object.keys(value)) if (!known.some(([other]) => other === name)) refuse(`${at}/${name} is not known`);
    for (const [name, optional, check] of known) {
        if (value[name] === undefined) { if (!optional) refuse(`${at}/${name} is missing`); continue; }
        if (typeof check === 'string' ? typeof value[name] !== check : !check(value[name])) refuse(`${at}/${name} is not what it has to be`);
    }
}

export async function serve(source, port = 0) {
    const { settings } = source;
    const state = { submitted: 0, running: 0, cancelled: 0, together: 0, requests: [], statements: [], tags: [] };
    let faults = [], accepted = '', underWay = 0;
    source.state = state;
    const control = {
        run: ({ sql }) => source.engine.run(sql).then(() => ({})), save: ({ file }) => writeFileSync(file, accepted),
        set: (body) => Object.assign(settings, body), faults: (body) => { faults = body; }, state: () => state,
        reset: () => { Object.assign(state, { submitted: 0, cancelled: 0, together: 0, requests: [], statements: [], tags: [] }); faults = []; },
    };
    const server = createServer(async (message, response) => {
        const chunks = [];
        for await (const chunk of message) chunks.push(chunk);
        const bytes = Buffer.concat(chunks);
        const url = new URL(message.url, 'http://x');
        // A text goes as it is: it has its media type among the headers.
        const send = (status, body, packed = false, headers = {}) => {
            const text = typeof body === 'string' ? body : JSON.stringify(body);
            const content = packed ? gzipSync(text) : Buffer.from(text);
            response.writeHead(status, { 'content-type': 'application/json', 'content-length': content.length, ...(packed ? { 'content-encoding': 'gzip' } : {}), ...headers });
            response.end(content);
        };
        if (url.pathname.startsWith('/_control/')) return send(200, await control[url.pathname.slice(10)](bytes.length ? JSON.parse(bytes) : {}) ?? {});
        const line = `${message.method} ${url.pathname}`;
        const fault = faults.find((one) => one.times > 0 && line.startsWith(one.match) && !(one.skip > 0 && one.skip--));
        state.together = Math.max(state.together, ++underWay);
        response.on('close', () => { underWay--; });
        let answer;
        try {
            if (fault && fault.times-- && !fault.after) answer = [fault.status ?? 0, { message: 'a fault that a test planted', error: { message: 'a fault that a test planted', errors: [{ reason: 'backendError' }] } }];
            else answer = await source.answer({ method: message.method, path: url.pathname, query: url.searchParams, headers: message.headers, bytes, home: `http://${message.headers.host}`, gone: response });
        } catch (error) {
            if (error instanceof Refusal) answer = [error.status, error.body, false, error.headers];
            else { console.error(line, error); answer = [500, { message: String(error) }]; }
        }
        state.requests.push(`${line} ${answer[0]}`);
        if (answer[0] >= 200 && answer[0] < 300) accepted += `${JSON.stringify({ method: message.method, path: message.url, headers: message.headers, body: bytes.toString(), status: answer[0] })}\n`;
        if (fault?.drop) return response.destroy();
        if (settings.latency) await new Promise((done) => setTimeout(done, settings.latency));
        return send(...answer);
    });
    server.keepAliveTimeout = 60_000;
    await new Promise((resolve) => server.listen(port, '127.0.0.1', resolve));
    return `http://127.0.0.1:${server.address().port}`;
}
