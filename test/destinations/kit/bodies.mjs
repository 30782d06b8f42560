// Bodies of requests, read strictly: by their media type, in UTF-8, and never guessed.
import { gunzipSync } from 'node:zlib';

/// A body that cannot be read.
export class Unreadable extends Error {}

const decoder = new TextDecoder('utf-8', { fatal: true });

function read(what, parse) {
    try {
        return parse();
    } catch (error) {
        throw new Unreadable(`the body is no ${what}: ${error.message}`);
    }
}

const json = (bytes) => read('JSON', () => JSON.parse(decoder.decode(bytes)));
const ndjson = (bytes) => read('lines of JSON', () =>
    decoder.decode(bytes).replace(/\n$/, '').split('\n').map((line) => JSON.parse(line)));
const plain = (bytes) => read('text in UTF-8', () => decoder.decode(bytes));

/// a[b][0]=c as {a: {b: ['c']}}. Every value is a string.
function form(bytes) {
    const root = {};
    for (const [name, value] of new URLSearchParams(plain(bytes))) {
        const path = [name.split('[')[0], ...[...name.matchAll(/\[([^\]]*)\]/g)].map((found) => found[1])];
        let node = root;
        path.slice(0, -1).forEach((step, index) => {
            node[step] ??= /^\d*$/.test(path[index + 1]) ? [] : {};
            node = node[step];
        });
        const last = path.at(-1);
        if (last === '' && Array.isArray(node)) node.push(value);
        else if (last in node) throw new Unreadable(`${name} stands twice`);
        else node[last] = value;
    }
    return root;
}

/// RFC 4180, the first line being the names: an object for each line.
function csv(bytes) {
    const rows = [[]];
    let rest = plain(bytes).replace(/\r?\n$/, '');
    while (rest !== undefined) {
        const [whole, quoted, bare, end] = /^(?:"((?:[^"]|"")*)"|([^",\r\n]*))(,|\r?\n|$)/.exec(rest) ?? read('CSV', () => { throw new Error('a quote is amiss'); });
        rows.at(-1).push(quoted === undefined ? bare : quoted.replaceAll('""', '"'));
        if (end !== '' && end !== ',') rows.push([]);
        rest = end === '' ? undefined : rest.slice(whole.length);
    }
    const [names, ...lines] = rows;
    return lines.map((values) => {
        if (values.length !== names.length) throw new Unreadable(`a line has ${values.length} values, and not ${names.length}`);
        return Object.fromEntries(names.map((name, index) => [name, values[index]]));
    });
}

/// multipart/form-data: {name: text, or {filename, type, bytes} of a file}.
function multipart(bytes, type) {
    const boundary = /boundary="?([^";]+)"?/.exec(type)?.[1];
    if (!boundary) throw new Unreadable('the media type names no boundary');
    const parts = bytes.toString('latin1').split(`--${boundary}`);
    if (parts.length < 3 || parts[0] !== '' || parts.at(-1).trim() !== '--') throw new Unreadable('the parts do not end');
    return Object.fromEntries(parts.slice(1, -1).map((part) => {
        const [head, ...rest] = part.slice(2).split('\r\n\r\n');
        const content = Buffer.from(rest.join('\r\n\r\n').replace(/\r\n$/, ''), 'latin1');
        const name = /name="([^"]*)"/.exec(head)?.[1];
        const filename = /filename="([^"]*)"/.exec(head)?.[1];
        const of = /content-type: *(\S+)/i.exec(head)?.[1];
        return [name, filename === undefined ? plain(content) : { filename, type: of, bytes: content }];
    }));
}

const readers = {
    json: [json, 'application/json'],
    ndjson: [ndjson, 'application/x-ndjson'],
    form: [form, 'application/x-www-form-urlencoded'],
    csv: [csv, 'text/csv'],
    multipart: [multipart, 'multipart/form-data'],
    text: [plain, 'text/plain'],
    bytes: [(bytes) => bytes, 'application/octet-stream'],
};

/// The media type that a format has where the route names none.
export const mediaTypeOf = (format) => readers[format][1];

export const unpacked = (bytes, encoding) => {
    if (encoding === undefined || encoding === 'identity') return bytes;
    if (encoding !== 'gzip') throw new Unreadable(`nobody reads ${encoding}`);
    return read('gzip', () => gunzipSync(bytes));
};

export const readBody = (format, bytes, type) => readers[format][0](bytes, type);
