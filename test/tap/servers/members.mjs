// json-server, which keeps what it has acknowledged: members.mjs PORT FILE
//
// Started by its command line it answers first and writes its file afterwards (lib/server/router/write.js waits for nothing),
// so a server that is killed loses what it has acknowledged, and a test cannot tell that from rows that we lost.
import jsonServer from 'json-server';
import low from 'lowdb'; // which json-server is made of
import FileAsync from 'lowdb/adapters/FileAsync.js';

const [port, file] = process.argv.slice(2);
const db = await low(new FileAsync(file)); // it writes another file and renames it
const router = jsonServer.router(db);
router.render = (request, response) => {
    const written = request.method === 'GET' ? Promise.resolve() : db.write();
    written.then(() => response.jsonp(response.locals.data)).catch((error) => response.status(500).send(error.stack));
};
jsonServer.create().use(jsonServer.defaults({ logger: false })).use(router).listen(Number(port), '127.0.0.1');
