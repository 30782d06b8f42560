// Lists in pages. Each gives the page's `items` and what leads to the next one, or nothing where this is the last.

/// By a cursor that means nothing to the client; one that was not given by us is refused.
export function byCursor(records, cursor, size) {
    const start = cursor ? Number(Buffer.from(cursor, 'base64url').toString().replace(/^at /, '')) : 0;
    if (!Number.isInteger(start) || (cursor && start === 0)) return null;
    const end = start + size;
    return { items: records.slice(start, end), next: end < records.length ? Buffer.from(`at ${end}`).toString('base64url') : undefined };
}

/// By the number of the first record.
export const byOffset = (records, offset, size) =>
    ({ items: records.slice(offset, offset + size), next: offset + size < records.length ? offset + size : undefined, total: records.length });

/// By the id of the last record that was seen.
export function afterLast(records, id, last, size) {
    const start = last === undefined ? 0 : records.findIndex((record) => String(record[id]) === last) + 1;
    if (last !== undefined && start === 0) return null;
    return { items: records.slice(start, start + size), more: start + size < records.length };
}
