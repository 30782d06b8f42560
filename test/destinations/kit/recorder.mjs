// What was asked, and what was answered.
import { unpacked } from './bodies.mjs';

function readable(bytes, encoding) {
    try {
        return unpacked(bytes, encoding).toString('utf8');
    } catch {
        return bytes.toString('utf8');
    }
}

export class Recorder {
    constructor() { this.forget(); }

    /// From here on it counts anew. What was asked before is still judged.
    clear() {
        this.earlier.push(...this.requests);
        this.requests = [];
        this.label = '';
    }

    forget() {
        this.earlier = [];
        this.requests = [];
        this.clear();
    }

    /// A request's entry; its `status` and `response` are filled in when it is answered.
    begin({ method, url, headers, bytes }) {
        const entry = { label: this.label, method, path: url, headers, body: readable(bytes, headers['content-encoding']), status: null };
        this.requests.push(entry);
        return entry;
    }

    /// One line a request, as the strict checker reads them.
    get lines() { return [...this.earlier, ...this.requests].map((entry) => `${JSON.stringify(entry)}\n`).join(''); }

    /// ["POST /contacts 200", ...], in the order in which they came, without those for tokens.
    get short() { return this.requests.filter(({ forToken }) => !forToken).map(({ method, path, status }) => `${method} ${path} ${status}`); }
}
