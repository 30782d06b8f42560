// GraphQL, as much of it as requests of connectors have: one operation with one field at its root, variables, aliases and inline
// fragments. What is selected has to be there: a member of an object is a field of its type, and a function one with arguments.
//
//   const answer = asked(query, variables);                 // throws Wrong: the message, as GraphQL servers say it
//   answer.field, answer.args                               // of the root field, variables filled in
//   answer.with(value)                                      // {ALIAS: what is selected of the value}

export class Wrong extends Error {}

const tokens = /\s*(?:,\s*)*(\.\.\.|[A-Za-z_]\w*|[{}()[\]:!$=]|-?\d+(?:\.\d+)?|"(?:[^"\\]|\\.)*"|$)/y;

class Reader {
    constructor(text) {
        this.tokens = [];
        for (tokens.lastIndex = 0; ;) {
            const [, token] = tokens.exec(text) ?? wrong('Parse error');
            if (token === '') break;
            this.tokens.push(token);
        }
        this.at = 0;
    }
    get next() { return this.tokens[this.at]; }
    take() { return this.tokens[this.at++] ?? wrong('Parse error, unexpected end'); }
    takes(token) { return this.next === token && ++this.at > 0; }
    expect(token) { return this.takes(token) || wrong(`Parse error on "${this.next}"`); }

    /// Between brackets, until the closing one.
    all(open, close, read) {
        const found = [];
        for (this.expect(open); !this.takes(close);) found.push(read());
        return found;
    }

    type() {
        let type = this.takes('[') ? `[${this.type()}${this.expect(']') && ']'}` : this.take();
        if (this.takes('!')) type += '!';
        return type;
    }

    variables() {
        return this.next === '(' ? Object.fromEntries(this.all('(', ')', () => [this.expect('$') && this.take(), this.expect(':') && this.type()])) : {};
    }

    value(variables) {
        if (this.takes('$')) {
            const name = this.take();
            return Object.hasOwn(variables, name) ? variables[name] : wrong(`Variable $${name} is used by anonymous query but not declared`);
        }
        if (this.next === '{') return this.members('{', '}', variables);
        if (this.next === '[') return this.all('[', ']', () => this.value(variables));
        const token = this.take();
        return /^["\d-]/.test(token) || ['true', 'false', 'null'].includes(token) ? JSON.parse(token) : token;
    }

    /// Arguments, or the members of an object. A variable that was not given is not there.
    members(open, close, variables) {
        return Object.fromEntries(this.all(open, close, () => [this.take(), this.expect(':') && this.value(variables)]).filter(([, value]) => value !== undefined));
    }

    selection(variables) {
        return this.all('{', '}', () => {
            if (this.takes('...')) return { on: this.expect('on') && this.take(), selection: this.selection(variables) };
            let name = this.take();
            const alias = name;
            if (this.takes(':')) name = this.take();
            const args = this.next === '(' ? this.members('(', ')', variables) : {};
            return { alias, name, args, selection: this.next === '{' ? this.selection(variables) : null };
        });
    }
}

function wrong(message) { throw new Wrong(message); }

/// What is selected of a value. Its type is `__typename`, a name or several of them.
function chosen(value, selection) {
    if (value === null || value === undefined) return null;
    if (Array.isArray(value)) return value.map((one) => chosen(one, selection));
    if (typeof value !== 'object') return selection ? wrong(`Selections can't be made on scalars`) : value;
    if (!selection) return value.__typename ? wrong(`Field must have selections (type '${[value.__typename][0]}')`) : value;
    return Object.assign({}, ...selection.map(({ on, alias, name, args, selection: within }) => {
        if (on) return [value.__typename].flat().includes(on) ? chosen(value, within) : {};
        if (!Object.hasOwn(value, name)) wrong(`Field '${name}' doesn't exist on type '${[value.__typename].flat()[0] ?? 'Payload'}'`);
        const found = value[name];
        return { [alias]: chosen(typeof found === 'function' ? found(args) : found, within) };
    }));
}

export function asked(query, given = {}) {
    const reader = new Reader(query);
    const is = reader.takes('mutation') ? 'mutation' : reader.takes('query') || reader.next === '{' ? 'query' : wrong(`Parse error on "${reader.next}"`);
    if (!'({'.includes(reader.next)) reader.take();
    const declared = reader.variables();
    for (const [name, type] of Object.entries(declared))
        if (type.endsWith('!') && (given[name] ?? null) === null) wrong(`Variable $${name} of type ${type} was provided invalid value`);
    for (const name of Object.keys(given)) if (!Object.hasOwn(declared, name)) wrong(`Variable $${name} is not declared`);
    const variables = { ...Object.fromEntries(Object.keys(declared).map((name) => [name, undefined])), ...given };
    const [root, ...more] = reader.selection(variables);
    if (more.length || reader.next !== undefined || root.on) wrong('one field at the root, please');
    return { is, field: root.name, args: root.args, with: (value) => ({ [root.alias]: chosen(value, root.selection) }) };
}
