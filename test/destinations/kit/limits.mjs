// How much a destination takes: so many requests at once, so many in a window. Of a window only what a test switches on.

export class Limits {
    constructor({ concurrent = Infinity, requests = Infinity, seconds = 1 } = {}) {
        Object.assign(this, { concurrent, requests, seconds, enforced: false });
        this.clear();
    }

    clear() {
        this.open = 0;
        this.most = 0;
        this.times = [];
    }

    /// Whether one more may come now. Who was let in says `leave` when it is answered.
    enter() {
        const now = performance.now();
        this.times = this.times.filter((time) => time > now - this.seconds * 1000);
        if (this.open >= this.concurrent || (this.enforced && this.times.length >= this.requests)) return false;
        this.times.push(now);
        this.most = Math.max(this.most, ++this.open);
        return true;
    }

    leave() { --this.open; }
}
