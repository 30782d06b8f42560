// One stand-in: a definition as kit.mjs has it, what it keeps, and what became of each request.
import { open } from './auth.mjs';
import { Unreadable, mediaTypeOf, readBody, unpacked } from './bodies.mjs';
import { Faults } from './faults.mjs';
import { Jobs } from './jobs.mjs';
import { Limits } from './limits.mjs';
import { Recorder } from './recorder.mjs';
import { Store, Taken } from './store.mjs';

/// A request that the destination does not do, and its answer.
class Refusal extends Error {
    constructor(answer) {
        super('refused');
        this.answer = answer;
    }
}

/// 'GET /contacts/{id}' as the method, a pattern of paths and the names of what stands in them.
function compiled(name, route) {
    const [method, template] = name.split(' ');
    const names = [...template.matchAll(/\{(\w+)\}/g)].map((found) => found[1]);
    const literal = template.split(/\{\w+\}/).map((part) => part.replace(/[.*+?^$()|[\]\\]/g, '\\$&')).join('([^/]+)');
    return { ...route, method, names, pattern: new RegExp(`^${literal}$`) };
}

export class Destination {
    constructor(definition) {
        this.definition = { auth: open, objects: {}, headers: {}, refusal: (status, message) => ({ message }), ...definition };
        this.routes = Object.entries({ ...this.definition.routes, ...this.definition.auth.routes })
            .map(([name, route]) => compiled(name, route))
            .sort((a, b) => a.names.length - b.names.length);
        this.recorder = new Recorder();
        this.faults = new Faults();
        this.limits = new Limits(definition.limits);
        this.broken = null;
        this.reset();
    }

    /// As it was in the beginning; with keep === 'data', the records stay.
    reset(keep) {
        this.recorder.clear();
        this.faults.clear();
        this.limits.clear();
        if (keep === 'data') return;
        this.jobs = new Jobs();
        this.objects = Object.fromEntries(Object.entries(this.definition.objects).map(([name, of]) => [name, new Store(of)]));
        this.definition.begin?.(this.objects);
    }

    /// [status, body, headers] of a request; 'drop' or 'hang' beside it where no answer is to arrive.
    answer(request) {
        const entry = this.recorder.begin(request);
        if (this.routes.some(({ token, method, pattern }) => token && method === request.method && pattern.test(request.url.split('?')[0]))) entry.forToken = true;
        let fault = this.faults.meet(request.method, request.url);
        const answer = this.#limited(request, fault);
        if (['drop', 'hang'].includes(fault) && answer[0] === 401) {
            this.faults.takeBack();
            fault = undefined;
        }
        entry.status = answer[0];
        entry.response = answer[1];
        return [answer, fault];
    }

    #limited(request, fault) {
        const { definition } = this;
        if (fault === 'unavailable') return [503, 'no server is there', { 'content-type': 'text/plain' }];
        if (fault === 'limited' || !this.limits.enter()) return definition.limited?.() ?? [429, definition.refusal(429, 'too many requests'), { 'retry-after': '1' }];
        try {
            return this.#routed(request, fault);
        } catch (error) {
            if (error instanceof Refusal) return error.answer;
            if (error instanceof Unreadable) return this.#refused(400, error.message);
            if (error instanceof Taken) return this.#refused(409, error.message);
            throw error;
        } finally {
            this.limits.leave();
        }
    }

    #refused(status, message, code) { return [status, this.definition.refusal(status, message, code)]; }

    #routed(request, fault) {
        const refuse = (...of) => { throw new Refusal(this.#refused(...of)); };
        const [path] = request.url.split('?');
        const there = this.routes.filter(({ pattern }) => pattern.test(path));
        const route = there.find(({ method }) => method === request.method);
        const of = { ...request, query: Object.fromEntries(new URL(request.url, 'http://x').searchParams) };
        const letsIn = route?.open || this.definition.auth.lets(of);
        if (fault === 'refused' || !letsIn) return this.definition.unauthorized?.() ?? this.#refused(401, 'the credentials are not known');
        if (!route) refuse(there.length ? 405 : 404, `there is no ${request.method} ${path}`);
        const values = route.pattern.exec(path).slice(1).map(decodeURIComponent);
        of.path = Object.fromEntries(route.names.map((name, index) => [name, values[index]]));
        this.#check(route, of, refuse);
        return route.run({ ...of, base: this.url, objects: this.objects, jobs: this.jobs, refuse });
    }

    /// Headers, parameters and body, which it reads.
    #check(route, of, refuse) {
        const { bytes, headers, query } = of;
        if (!route.open)
            for (const [name, value] of Object.entries({ ...this.definition.headers, ...route.headers }))
                if (headers[name] !== value) refuse(400, `the header ${name} is not ${value}`);
        for (const name of Object.keys(query))
            if (!route.query?.some((known) => (known.test ? known.test(name) : known === name))) refuse(400, `the parameter ${name} is not known`);
        if (!route.body && !route.format) {
            if (bytes.length && bytes.toString() !== this.definition.nothing) refuse(400, 'a body where none should be');
            return;
        }
        const format = route.format ?? 'json';
        const media = (headers['content-type'] ?? '').split(';')[0].trim().toLowerCase();
        const wanted = [route.media ?? this.definition.media?.[format] ?? mediaTypeOf(format)].flat();
        if (!wanted.includes(media)) refuse(415, `the media type ${media || '(none)'} is not ${wanted.join(' or ')}`);
        of.body = readBody(format, unpacked(bytes, headers['content-encoding']), headers['content-type']);
        const fault = route.body?.(of.body, '');
        if (fault) refuse(route.status ?? 400, fault);
    }
}
