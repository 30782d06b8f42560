// A destination that reads bodies with the npm registry's parsers: bodies.mjs PORT
//
//   POST /PATH            reads the body as its Content-Type and Content-Encoding say; 400 with the parser's words if it cannot
//   GET  /read            what was read since, and forgets it: [{"path", "type", "value"}]
import bodyParser from 'body-parser';
import busboy from 'busboy';
import { parse } from 'csv-parse/sync';
import { createServer } from 'node:http';

const port = process.argv[2];
let read = [];

const json = JSON.parse;
const lines = (text) => {
    if (!text.endsWith('\n')) throw new Error('the last line has no end');
    return text.slice(0, -1).split('\n').map(json);
};
const csv = (text) => parse(text, { columns: true, relax_column_count: false, skip_empty_lines: false });
const file_parsers = { 'application/json': json, 'application/x-ndjson': lines, 'text/csv': csv };

const parsed_text = (type, parser) => async (request, response) => {
    await middle(bodyParser.text({ type, limit: '10mb' }), request, response);
    return parser(request.body);
};
const form = async (request, response) => {
    await middle(bodyParser.urlencoded({ extended: true, strict: true }), request, response);
    return request.body;
};
const multipart = (request) => new Promise((resolve, reject) => {
    const parts = {};
    const reader = busboy({ headers: request.headers });
    reader.on('field', (name, value) => { parts[name] = value; });
    reader.on('file', (name, stream, { filename, mimeType }) => {
        let text = '';
        stream.setEncoding('utf8');
        stream.on('data', (chunk) => { text += chunk; });
        stream.on('end', () => {
            try { parts[name] = { filename, type: mimeType, value: file_parsers[mimeType](text) }; } catch (error) { reject(error); }
        });
    });
    reader.on('error', reject);
    reader.on('close', () => resolve(parts));
    request.pipe(reader);
});
const readers = {
    'application/json': parsed_text('application/json', json),
    'application/x-ndjson': parsed_text('application/x-ndjson', lines),
    'text/csv': parsed_text('text/csv', csv),
    'text/plain': parsed_text('text/plain', (text) => text),
    'application/x-www-form-urlencoded': form,
    'multipart/form-data': multipart,
};

const middle = (handler, request, response) =>
    new Promise((resolve, reject) => handler(request, response, (error) => (error ? reject(error) : resolve())));

createServer(async (request, response) => {
    const answer = (status, value) => {
        response.writeHead(status, { 'content-type': 'application/json' });
        response.end(JSON.stringify(value));
    };
    if (request.method === 'GET') {
        answer(200, read);
        read = [];
        return;
    }
    const type = (request.headers['content-type'] ?? '').split(';')[0];
    try {
        read.push({ path: request.url, type, value: await readers[type](request, response) });
        answer(200, {});
    } catch (error) {
        answer(400, { message: `${type}: ${error.message}` });
    }
}).listen(port, '127.0.0.1');
