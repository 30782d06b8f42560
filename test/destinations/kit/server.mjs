// A destination on a port of its own, and beside it, under /_control, what a test wants of it:
//
//   POST /_control/reset[?keep=data]     forgets requests, faults and, without keep, records
//   POST /_control/faults                {kind, request, times}: see faults.mjs
//   POST /_control/expire                tokens that were given are no longer good
//   POST /_control/label?of=...          what the requests from now on are about
//   POST /_control/limits?enforced=true  windows count from now on
//   GET  /_control/records/OBJECT        what is kept, as JSON
//   POST /_control/values/OBJECT         [POINTER, ...]: what stands there in each record, one line of JSON for each
//   POST /_control/save?file=...         writes all requests, one line of JSON each, those before a reset, too
//   POST /_control/forget                also those
//   GET  /_control/counts                {requests: ["POST /contacts 200", ...], met, most, broken}: met faults, most at once,
//                                        and what is wrong with the stand-in itself
import { writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { Destination } from './destination.mjs';

function send(response, [status, body, headers = {}]) {
    const json = typeof body === 'object' && body !== null && !Buffer.isBuffer(body);
    const content = body === undefined || body === null ? '' : json ? JSON.stringify(body) : body;
    const type = json ? { 'content-type': 'application/json; charset=utf-8' } : {};
    response.writeHead(status, { ...(status === 204 ? {} : { ...type, 'content-length': Buffer.byteLength(content) }), ...headers });
    response.end(content);
}

/// What stands at a JSON pointer, or null.
const at = (record, pointer) => pointer.split('/').slice(1).reduce((node, step) => node?.[step.replaceAll('~1', '/').replaceAll('~0', '~')], record) ?? null;

function control(destination, method, url, bytes) {
    const { pathname, searchParams: of } = new URL(url, 'http://x');
    const { recorder, faults, limits, objects } = destination;
    const [, , what, name] = pathname.split('/');
    const calls = {
        'POST reset': () => destination.reset(of.get('keep')),
        'POST faults': () => faults.add(JSON.parse(bytes)),
        'POST expire': () => destination.definition.auth.expire?.(),
        'POST label': () => void (recorder.label = of.get('of')),
        'POST limits': () => void (limits.enforced = of.get('enforced') === 'true'),
        'GET records': () => objects[name].all(),
        'POST values': () => {
            const pointers = JSON.parse(bytes);
            return objects[name].all().map((record) => `${JSON.stringify(pointers.map((pointer) => at(record, pointer)))}\n`).join('');
        },
        'POST save': () => writeFileSync(of.get('file'), recorder.lines),
        'POST forget': () => recorder.forget(),
        'GET counts': () => ({ requests: recorder.short, met: faults.met, most: limits.most, broken: destination.broken }),
    };
    const call = calls[`${method} ${what}`];
    return call ? [200, call() ?? {}] : [404, { message: `there is no control ${what}` }];
}

/// Listens on a free port of the loopback interface. Returns the address.
export async function serve(definition) {
    const destination = new Destination(definition);
    const server = createServer(async (message, response) => {
        const chunks = [];
        for await (const chunk of message) chunks.push(chunk);
        const request = { method: message.method, url: message.url, headers: message.headers, bytes: Buffer.concat(chunks) };
        try {
            if (request.url.startsWith('/_control/')) return send(response, control(destination, request.method, request.url, request.bytes));
            const [answer, fault] = destination.answer(request);
            if (fault === 'drop') response.destroy();
            else if (fault !== 'hang') send(response, answer);
        } catch (error) {
            console.error(request.method, request.url, error);
            destination.broken ??= `${request.method} ${request.url}: ${error.stack}`;
            send(response, [500, { message: String(error) }]);
        }
    });
    server.keepAliveTimeout = 60_000;
    await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
    const { port } = server.address();
    destination.url = `http://127.0.0.1:${port}`;
    return { url: destination.url, stop: () => { server.close(); server.closeAllConnections(); } };
}
