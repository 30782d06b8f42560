// What goes wrong, when a test asks for it.
//
//   limited      the vendor's answer to too many requests
//   refused      the vendor's answer to credentials that it does not know
//   unavailable  503, as a proxy says it
//   drop         done, and then the connection breaks before the answer
//   hang         done, and no answer comes
//
// What is done needs credentials: a request that is not let in has its 401, and the fault is met by the next one.
//
// A fault is of requests whose "METHOD path" looks like `request`, of all if it is left out, and of `times` of them.

const kinds = ['limited', 'refused', 'unavailable', 'drop', 'hang'];

export class Faults {
    constructor() { this.clear(); }

    clear() {
        this.faults = [];
        this.met = 0;
    }

    add({ kind, request = '', times = 1 }) {
        if (!kinds.includes(kind)) throw new Error(`no fault is called ${kind}`);
        this.faults.push({ kind, request: new RegExp(request), times });
    }

    /// The kind that this request meets, or nothing.
    meet(method, path) {
        const fault = this.faults.find(({ request, times }) => times > 0 && request.test(`${method} ${path}`));
        if (!fault) return undefined;
        --fault.times;
        ++this.met;
        this.last = fault;
        return fault.kind;
    }

    /// The last one was not met after all.
    takeBack() {
        ++this.last.times;
        --this.met;
    }
}
