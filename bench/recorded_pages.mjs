// Serves recorded pages of a result, as fast as a socket takes them, in the form of Snowflake's SQL API: recorded_pages.mjs ROWS ROWS_A_PAGE
// FOLDER. Every statement gives the same ROWS rows of 9 columns. FOLDER gets "url", when it listens, "pages", the addresses of all pages for
// curl, and "rows", the rows as COPY takes them. GET /latency?ms=N: how long an answer takes from now on.
import { createWriteStream, renameSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { gzipSync } from 'node:zlib';

const [rows, aPage, folder] = [Number(process.argv[2]), Number(process.argv[3]), process.argv[4]];
const columns = [['ID', 'FIXED', 38, 0], ['EMAIL', 'TEXT'], ['FIRST_NAME', 'TEXT'], ['COUNTRY', 'TEXT'], ['SEATS', 'FIXED', 9, 0], ['PRICE', 'FIXED', 12, 2], ['ACTIVE', 'BOOLEAN'], ['BORN', 'DATE'], ['CREATED', 'TIMESTAMP_TZ']];
const row = (n) => [String(n), `customer.${n}@example.com`, `Name ${n % 5000}`, ['DE', 'FR', 'US'][n % 3], n % 97 ? String(n % 100) : null, (n / 8).toFixed(2), String(n % 2 === 0), String(7000 + (n % 12000)), `${1700000000 + n}.${String((n * 37) % 1000000).padStart(6, '0')}000 1440`];
const day = (days) => new Date(days * 86400000).toISOString().slice(0, 10);
const moment = (seconds) => `${new Date(Math.floor(seconds.split('.')[0]) * 1000).toISOString().slice(0, 19)}.${seconds.split('.')[1].slice(0, 6)}+00`;

const pages = [], text = createWriteStream(`${folder}/rows`);
const partitionInfo = [];
for (let begin = 0; begin < rows; begin += aPage) {
    const data = Array.from({ length: Math.min(aPage, rows - begin) }, (_, i) => row(begin + i));
    text.write(data.map((cells) => cells.map((cell, i) => (cell === null ? '\\N' : i === 7 ? day(Number(cell)) : i === 8 ? moment(cell.split(' ')[0]) : cell)).join('\t')).join('\n') + '\n');
    partitionInfo.push({ rowCount: data.length, uncompressedSize: 1 });
    pages.push(data);
}
const statementHandle = '01b2c3d4-0000-1111-0000-0000abcd0001';
const rowType = columns.map(([name, type, precision = null, scale = null]) => ({ name, type, precision, scale, nullable: true }));
const bodies = pages.map((data, i) => {
    const plain = Buffer.from(JSON.stringify(i ? { data } : { resultSetMetaData: { numRows: rows, format: 'jsonv2', partitionInfo, rowType }, data, statementHandle, code: '090001' }));
    pages[i] = null;
    return process.env.PACKED ? gzipSync(plain, { level: 1 }) : plain;
});

let latency = 0;
const server = createServer((message, response) => {
    message.resume();
    const url = new URL(message.url, 'http://x');
    if (url.pathname === '/latency') { latency = Number(url.searchParams.get('ms')); return response.end(); }
    const body = bodies[Number(url.searchParams.get('partition') ?? 0)];
    const send = () => { response.writeHead(200, { 'content-type': 'application/json', 'content-length': body.length, ...(process.env.PACKED ? { 'content-encoding': 'gzip' } : {}) }); response.end(body); };
    return latency ? setTimeout(send, latency) : send();
});
server.keepAliveTimeout = 600_000;
text.end(() => server.listen(0, '127.0.0.1', () => {
    const base = `http://127.0.0.1:${server.address().port}`;
    writeFileSync(`${folder}/pages`, bodies.map((_, i) => `url = ${base}/api/v2/statements/${statementHandle}?partition=${i}\noutput = /dev/null\n`).join(''));
    writeFileSync(`${folder}/url.new`, base);
    renameSync(`${folder}/url.new`, `${folder}/url`);
}));
