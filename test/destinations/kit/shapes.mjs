// What a body may look like. A shape is a function of a value and its place, and gives what is wrong there, or null.
//
//   members({ email: text, 'name?': nullable(text), role: oneOf('user', 'lead') })
//
// No other members than those that are named are right; one with a question mark may be missing.

const is = (what, holds) => (value, at) => (holds(value) ? null : `${at || 'the body'} is not ${what}`);

export const text = is('a string', (value) => typeof value === 'string');
export const number = is('a number', (value) => typeof value === 'number');
export const integer = is('an integer', Number.isInteger);
export const boolean = is('a boolean', (value) => typeof value === 'boolean');
export const anything = () => null;
export const nothing = is('empty', (value) => value === undefined);
export const oneOf = (...values) => is(`one of ${values.join(', ')}`, (value) => values.includes(value));
export const matching = (pattern) => is(`like ${pattern}`, (value) => typeof value === 'string' && pattern.test(value));

export const nullable = (shape) => (value, at) => (value === null ? null : shape(value, at));
export const firstOf = (...shapes) => (value, at) =>
    shapes.some((shape) => shape(value, at) === null) ? null : shapes[0](value, at);

const isObject = (value) => typeof value === 'object' && value !== null && !Array.isArray(value);
const first = (faults) => faults.find((fault) => fault) ?? null;

export const list = (shape, { least = 0, most = Infinity } = {}) => (value, at) => {
    if (!Array.isArray(value)) return `${at || 'the body'} is not an array`;
    if (value.length < least) return `${at || 'the body'} has fewer than ${least} elements`;
    if (value.length > most) return `${at || 'the body'} has more than ${most} elements`;
    return first(value.map((element, index) => shape(element, `${at}/${index}`)));
};

export const dictionary = (shape) => (value, at) =>
    isObject(value) ? first(Object.entries(value).map(([name, member]) => shape(member, `${at}/${name}`)))
        : `${at || 'the body'} is not an object`;

export const members = (named) => {
    const shapes = new Map(Object.entries(named).map(([name, shape]) => [name.replace(/\?$/, ''), shape]));
    const required = Object.keys(named).filter((name) => !name.endsWith('?'));
    return (value, at) => {
        if (!isObject(value)) return `${at || 'the body'} is not an object`;
        return first([
            ...required.map((name) => (name in value ? null : `${at}/${name} is missing`)),
            ...Object.entries(value).map(([name, member]) =>
                shapes.has(name) ? shapes.get(name)(member, `${at}/${name}`) : `${at}/${name} is not known`),
        ]);
    };
};
