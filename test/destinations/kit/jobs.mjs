// Work that is done later: a job is done when it was asked for a number of times.

export class Jobs {
    constructor() { this.jobs = new Map(); }

    /// done: called once, when it ends.
    open(values, { asks = 2, done = () => {} } = {}) {
        const job = { id: `job-${this.jobs.size + 1}`, asks, done, ended: false, ...values };
        this.jobs.set(job.id, job);
        return job;
    }

    find(id) { return this.jobs.get(id); }

    /// A job, and one step further, unless it waits for more rows.
    ask(id) {
        const job = this.jobs.get(id);
        if (job && !job.ended && --job.asks <= 0) {
            job.ended = true;
            job.done(job);
        }
        return job;
    }
}
