// Prism, a mock server that checks requests against an API description, on loopback.
import { spawn } from 'node:child_process';
import { createRequire } from 'node:module';
import { createServer } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';

const cli = createRequire(import.meta.url).resolve('@stoplight/prism-cli/dist/index.js');

function freePort() {
    return new Promise((resolve, reject) => {
        const server = createServer();
        server.on('error', reject);
        server.listen(0, '127.0.0.1', () => {
            const { port } = server.address();
            server.close(() => resolve(port));
        });
    });
}

/// Starts Prism. `judge` answers with what it has against a request: a list, empty if nothing.
export async function startPrism(description) {
    const port = await freePort();
    const url = `http://127.0.0.1:${port}`;
    // It ends with us, also where we are killed.
    const prism = spawn('setpriv', ['--pdeathsig', 'KILL', process.execPath, cli, 'mock', '--host', '127.0.0.1',
        '--port', port, description], { stdio: 'ignore' });
    const ended = new Promise((resolve) => prism.on('exit', resolve));
    const stop = async () => {
        prism.kill();
        await ended;
    };
    for (let tries = 0; !(await fetch(url).catch(() => null)); ++tries) {
        if (tries === 600 || prism.exitCode !== null) {
            await stop();
            throw new Error(`Prism did not start with ${description}`);
        }
        await sleep(100);
    }
    return { judge: (request) => judge(url, request), stop };
}

async function judge(url, { method, path, headers, body }) {
    const kept = ['authorization', 'content-type', 'accept'].filter((name) => headers[name] !== undefined);
    const answer = await fetch(url + path, {
        method,
        headers: Object.fromEntries(kept.map((name) => [name, headers[name]])),
        ...(body && { body }),
        signal: AbortSignal.timeout(20_000),
    });
    // The header also names what it finds wrong with the answers that it made up itself, so only the status counts.
    const text = await answer.text();
    return answer.status < 400 ? [] : [`HTTP ${answer.status}: ${answer.headers.get('sl-violations') ?? text}`];
}
