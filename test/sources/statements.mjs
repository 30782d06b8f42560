// Statements that a stand-in runs: each is known by a name, and takes as long as the test says.
const sleep = (ms, signal) => new Promise((done) => {
    const timer = setTimeout(done, ms);
    signal.addEventListener('abort', () => { clearTimeout(timer); done(); });
});

export class Statements {
    constructor(engine, settings, state) { Object.assign(this, { engine, settings, state, all: new Map() }); }

    /// Starts one unless there is one of that name. `translate` makes the engine's SQL of it.
    start(name, sql, translated, parameters, longest) {
        if (this.all.has(name)) return this.all.get(name);
        const aborted = new AbortController();
        const statement = { name, sql, status: 'running', aborted, result: null, error: null };
        this.all.set(name, statement);
        const number = ++this.state().submitted;
        this.state().running++;
        this.state().statements.push(sql);
        const end = (status, what = {}) => {
            if (statement.status !== 'running') return;
            Object.assign(statement, { status, ...what });
            this.state().running--;
        };
        statement.cancel = () => { if (statement.status === 'running') this.state().cancelled++; end('cancelled'); aborted.abort(); };
        const timer = longest > 0 ? setTimeout(() => { end('timeout'); aborted.abort(); }, longest) : undefined;
        statement.ended = (async () => {
            if (this.settings.delay) await sleep(this.settings.delay, aborted.signal);
            if (statement.status === 'running') {
                try {
                    if (this.settings.edits?.[number]) await this.engine.run(this.settings.edits[number]);
                    end('done', { result: await this.engine.run(translated, parameters, (stop) => aborted.signal.addEventListener('abort', stop)) });
                } catch (error) { end('failed', { error: error.message }); }
            }
            clearTimeout(timer);
        })();
        return statement;
    }
}
