// The records of an object, with an id that the destination gives and fields of which no two records have the same value.

export class Taken extends Error {
    constructor(field, record) {
        super(`${field} is taken`);
        Object.assign(this, { field, record });
    }
}

export class Store {
    /// id: the field of the id; give: number => id; unique: fields; like: value => what of it counts for comparison.
    constructor({ id = 'id', give = String, unique = [], like = (value) => value } = {}) {
        Object.assign(this, { id, give, like, last: 0 });
        this.records = new Map();
        this.unique = new Map(unique.map((field) => [field, new Map()]));
    }

    /// A record of the values, which gets an id unless it has one. Throws Taken, and changes nothing then.
    insert(values) {
        const record = { ...values };
        record[this.id] ??= this.give(++this.last);
        if (this.records.has(String(record[this.id]))) throw new Taken(this.id, this.find(record[this.id]));
        this.#index(record);
        this.records.set(String(record[this.id]), record);
        return record;
    }

    /// The values laid over a record, member by member. Throws Taken, and changes nothing then.
    update(record, values) {
        const changed = { ...record, ...values };
        this.#index(changed, record);
        return Object.assign(record, values);
    }

    remove(record) {
        this.records.delete(String(record[this.id]));
        for (const [field, index] of this.unique) index.delete(this.like(record[field]));
    }

    find(id) { return this.records.get(String(id)); }

    by(field, value) {
        if (value === undefined || value === null) return undefined;
        return this.unique.has(field) ? this.unique.get(field).get(this.like(value)) : this.all().find((one) => one[field] === value);
    }

    all() { return [...this.records.values()]; }

    get size() { return this.records.size; }

    #index(record, before) {
        const named = [...this.unique].filter(([field]) => record[field] !== undefined && record[field] !== null);
        for (const [field, index] of named) {
            const other = index.get(this.like(record[field]));
            if (other && other !== before) throw new Taken(field, other);
        }
        if (before) for (const [field, index] of this.unique) index.delete(this.like(before[field]));
        for (const [field, index] of named) index.set(this.like(record[field]), before ?? record);
    }
}
