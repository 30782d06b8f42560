// Files as others write them, and an S3 server that others have written with these files in it:
//
//   node --openssl-legacy-provider serve.mjs FOLDER REPORT          (s3rver's tokens are made by DES)
//
// DuckDB writes the files into FOLDER/files, the vendor's client puts them into the bucket "lake", and REPORT then says where
// the server is: {"url": ..., "files": [...]}. It ends with SIGTERM.
import http, { createServer } from 'node:http';
import { readFile, readdir, rename, writeFile, mkdir } from 'node:fs/promises';
import { execFileSync } from 'node:child_process';
import { join, relative } from 'node:path';
import { createHash, createHmac } from 'node:crypto';
import { DuckDBInstance } from '@duckdb/node-api';
import { S3Client, PutObjectCommand } from '@aws-sdk/client-s3';
import { SignatureV4 } from '@smithy/signature-v4';
import S3rver from 's3rver';

const [folder, report] = process.argv.slice(2);
const files = join(folder, 'files');
await mkdir(files, { recursive: true });

const connection = await (await DuckDBInstance.create()).connect();
const run = (sql) => connection.run(sql);
const to = (name) => `'${join(files, name)}'`;

// Values that are hard to write: quotes, line breaks, blanks, emoji, what looks like NULL.
await run(`CREATE TABLE people AS SELECT i AS id,
    CASE i % 10 WHEN 0 THEN 'a "quoted" one' WHEN 1 THEN E'two\\nlines' WHEN 2 THEN E'CR\\r\\nLF' WHEN 3 THEN '' WHEN 4 THEN NULL
        WHEN 5 THEN 'comma, comma' WHEN 6 THEN '😀 ünï' WHEN 7 THEN '  blanks ' WHEN 8 THEN 'NULL' ELSE 'p' || i END AS name,
    (i * 1.25)::DECIMAL(12,2) AS price, i % 3 = 0 AS active, DATE '2026-11-01' + (i % 5)::INTEGER AS day,
    TIMESTAMP '2026-11-01 00:00:00' + INTERVAL 1 SECOND * i AS seen FROM range(10000) AS r(i)`);
await run(`COPY people TO ${to('people.csv')} (FORMAT csv, HEADER)`);
await run(`COPY people TO ${to('people.csv.gz')} (FORMAT csv, HEADER, COMPRESSION gzip)`);
await run(`COPY people TO ${to('people.tsv')} (FORMAT csv, HEADER, DELIMITER '\\t')`);
await run(`COPY people TO ${to('bare.csv')} (FORMAT csv, HEADER false, DELIMITER ';', NULLSTR '\\N')`);
await run(`COPY (SELECT *, {'tags': [id, id + 1], 'deep': {'er': name}} AS extra FROM people) TO ${to('people.ndjson')} (FORMAT json)`);
await run(`COPY (SELECT *, {'tags': [id, id + 1], 'deep': {'er': name}} AS extra FROM people) TO ${to('people.ndjson.gz')} (FORMAT json, COMPRESSION gzip)`);
await run(`COPY people TO '${join(files, 'by_day')}' (FORMAT csv, PARTITION_BY (day))`);
await run(`COPY (SELECT id, name, CASE id % 4 WHEN 0 THEN NULL WHEN 1 THEN 'a/b c' WHEN 2 THEN 'x=y%' ELSE 'plain' END AS part, id % 2 AS half FROM people)
    TO '${join(files, 'by_part')}' (FORMAT csv, PARTITION_BY (half, part))`);
// As Spark does; and without it s3rver does not tell of a folder that has only folders in it.
for (const half of [0, 1]) await writeFile(join(files, `by_part/half=${half}/_SUCCESS`), 'done\n');
// 60 MB of rows, whose digest the test compares.
await run(`COPY (SELECT i AS id, 'person' || i || '@example.com' AS email, md5(i::VARCHAR) AS digest FROM range(1000000) AS r(i)) TO ${to('large.csv')} (FORMAT csv)`);
execFileSync('gzip', ['-k', '-1', join(files, 'large.csv')]);
// gzip itself, of two files that were put together; and one that is cut short.
await mkdir(join(files, 'gzip'));
const packed = await readFile(join(files, 'people.csv.gz'));
const bare = execFileSync('gzip', ['-c'], { input: 'id,name\n10000,last\n' });
await writeFile(join(files, 'gzip/joined.csv.gz'), Buffer.concat([execFileSync('gzip', ['-c'], { input: 'id,name\n1,first\n' }), execFileSync('gzip', ['-c'], { input: '2,second\n' })]));
await writeFile(join(files, 'gzip/cut.csv.gz'), packed.subarray(0, packed.length >> 1));
await writeFile(join(files, 'gzip/broken.csv.gz'), Buffer.concat([bare.subarray(0, 12), Buffer.from([0xff, 0xff, 0xff]), bare.subarray(15)]));
await mkdir(join(files, 'wrong'));
await writeFile(join(files, 'wrong/cells.csv'), 'id,name\n1,a\n2,b,c\n');
await writeFile(join(files, 'wrong/quote.csv'), 'id,name\n1,"a\nb\n');
await writeFile(join(files, 'wrong/number.csv'), 'id,name\n1,a\n\n"two",b\n');
await writeFile(join(files, 'wrong/latin.csv'), Buffer.from('id,name\n1,\xe9\n', 'latin1'));
await writeFile(join(files, 'wrong/broken.ndjson'), '{"id": 1}\n{"id": 2,}\n');
await writeFile(join(files, 'wrong/array.ndjson'), '[1]\n');
await writeFile(join(files, 'wrong/long.csv'), `id,name\n1,${'x'.repeat(3 << 20)}\n`);
await mkdir(join(files, 'odd names & signs'));
await writeFile(join(files, "odd names & signs/a+b=c %20 é '(1).csv"), 'id\n7\n');
await mkdir(join(files, 'many'));
for (let i = 0; i < 1203; i++) await writeFile(join(files, `many/${String(i).padStart(4, '0')}.csv`), `id\n${i}\n`);

const walk = async (below) => (await Promise.all((await readdir(below, { withFileTypes: true })).map((one) => (one.isDirectory() ? walk(join(below, one.name)) : [join(below, one.name)])))).flat();
const names = (await walk(files)).map((path) => relative(files, path)).sort();

const s3 = new S3rver({ port: 0, address: '127.0.0.1', silent: true, directory: join(folder, 's3'), configureBuckets: [{ name: 'lake' }] });
await s3.configureBuckets();
const address = `http://127.0.0.1:${(await s3.run()).port}`;
const client = new S3Client({ endpoint: address, region: 'us-east-1', forcePathStyle: true, requestChecksumCalculation: 'WHEN_REQUIRED', credentials: { accessKeyId: 'S3RVER', secretAccessKey: 'S3RVER' } });
const left = [...names];
const upload = async () => {
    for (let name = left.pop(); name !== undefined; name = left.pop())
        await client.send(new PutObjectCommand({ Bucket: 'lake', Key: name, Body: await readFile(join(files, name)), ContentEncoding: name.endsWith('.gz') ? 'gzip' : undefined }));
};
await Promise.all(Array.from({ length: 16 }, upload));

// s3rver believes what is signed by version 4; the vendor's own code looks at it.
class Sha256 {
    constructor(key) { this.hash = key === undefined ? createHash('sha256') : createHmac('sha256', key); }
    update(bytes) { this.hash.update(bytes); }
    async digest() { return new Uint8Array(this.hash.digest()); }
}
const signer = new SignatureV4({ credentials: { accessKeyId: 'S3RVER', secretAccessKey: 'S3RVER' }, region: 'us-east-1', service: 's3', sha256: Sha256, uriEscapePath: false });
async function isSigned({ method, url, headers }) {
    const { pathname, searchParams } = new URL(url, 'http://lake');
    const names = /SignedHeaders=([^,]+)/.exec(headers.authorization ?? '')?.[1].split(';') ?? [];
    const [, year, month, day, hour, minute, second] = /^(....)(..)(..)T(..)(..)(..)Z$/.exec(headers['x-amz-date'] ?? '') ?? [];
    if (!year || !names.includes('host')) return false;
    const signed = await signer.sign(
        { method, protocol: 'http:', hostname: 'lake', path: pathname, query: Object.fromEntries(searchParams), headers: Object.fromEntries(names.map((name) => [name, headers[name]])) },
        { signingDate: new Date(`${year}-${month}-${day}T${hour}:${minute}:${second}Z`), signableHeaders: new Set(names) });
    return signed.headers.authorization === headers.authorization;
}

// What stands between the extension and the server counts requests, and lets some fail.
let requests = [], faults = [];
const front = createServer(async (request, response) => {
    if (request.url.startsWith('/_control/')) {
        let body = '';
        for await (const chunk of request) body += chunk;
        if (request.url === '/_control/faults') faults = JSON.parse(body);
        if (request.url === '/_control/put') await client.send(new PutObjectCommand({ Bucket: 'lake', ...JSON.parse(body) }));
        response.end(JSON.stringify(requests));
        requests = [];
        return;
    }
    requests.push(`${request.method} ${request.url} ${request.headers.range ?? ''}`.trim());
    const fault = faults.find((one) => one.times > 0 && requests.at(-1).includes(one.match));
    if (fault) fault.times--;
    if (fault?.status) return response.writeHead(fault.status).end(fault.body ?? '');
    if (!(await isSigned(request))) return response.writeHead(403).end('<Error><Code>SignatureDoesNotMatch</Code><Message>The request signature we calculated does not match the signature you provided.</Message></Error>');
    if (fault?.delay) await new Promise((done) => setTimeout(done, fault.delay));
    if (fault?.put) await client.send(new PutObjectCommand({ Bucket: 'lake', ...fault.put }));
    // The signature names the host that was asked.
    const answer = await passed(request);
    delete answer.headers['transfer-encoding'];
    response.writeHead(answer.status, answer.headers).end(answer.body);
});

function passed(request) {
    return new Promise((resolve, reject) => {
        const { port } = new URL(address);
        const onward = http.request({ host: '127.0.0.1', port, method: request.method, path: request.url, headers: request.headers }, (answer) => {
            const parts = [];
            answer.on('data', (part) => parts.push(part));
            answer.on('end', () => resolve({ status: answer.statusCode, headers: answer.headers, body: Buffer.concat(parts) }));
        });
        onward.on('error', reject);
        onward.end();
    });
}
front.listen(0, '127.0.0.1', async () => {
    await writeFile(`${report}.new`, JSON.stringify({ url: `http://127.0.0.1:${front.address().port}`, files: names }));
    await rename(`${report}.new`, report);
});
process.on('SIGTERM', () => process.exit(0));
