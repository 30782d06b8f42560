// A server that speaks as CouchDB does: the npm registry's express-pouchdb, which keeps its documents in memory:
// couch.mjs PORT. A change is taken only with the revision that it changes.
//
//   POST /_test/hold       {"PUT 409": 3}: the third answer from now that a PUT gets with 409 is kept back, though what
//                          was asked for is done
//   POST /_test/release    it goes on its way
//   POST /_test/forget     no request was made, and none is kept back any more
//   GET  /_test/state      {"answers": {"PUT 409": 7, ...}, "held": whether an answer is kept back}
import { createRequire } from 'node:module';
import { createServer } from 'node:http';

const require = createRequire(import.meta.url);
const PouchDB = require('pouchdb-core').plugin(require('pouchdb-adapter-memory')).defaults({ adapter: 'memory' });
const couch = require('express-pouchdb')(PouchDB, { mode: 'minimumForPouchDB' });

const state = { answers: {}, held: false };
let hold = {};
let release = () => {};

const controls = {
    hold: (wanted) => { hold = wanted; },
    release: () => release(),
    forget: () => { hold = {}; state.answers = {}; release(); },
    state: () => {},
};

async function control(request, response) {
    let body = '';
    for await (const part of request) body += part;
    controls[request.url.slice('/_test/'.length)](body ? JSON.parse(body) : {});
    response.setHeader('content-type', 'application/json');
    response.end(JSON.stringify(state));
}

/// Counts the answer, and keeps it back if it is the one.
function observe(request, response) {
    const end = response.end.bind(response);
    response.end = (...content) => {
        const kind = `${request.method} ${response.statusCode}`;
        state.answers[kind] = (state.answers[kind] ?? 0) + 1;
        if (!(kind in hold) || --hold[kind] > 0) return end(...content);
        hold = {};
        state.held = true;
        release = () => { state.held = false; release = () => {}; end(...content); };
        return response;
    };
}

createServer((request, response) => {
    if (request.url.startsWith('/_test/')) return control(request, response);
    observe(request, response);
    return couch(request, response);
}).listen(process.argv[2], '127.0.0.1');
