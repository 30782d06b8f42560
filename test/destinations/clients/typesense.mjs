// typesense against the stand-in.
import assert from 'node:assert/strict';
import { createRequire } from 'node:module';

const { Client } = createRequire(import.meta.url)('typesense');

export default async function prove({ url, credentials }) {
    const of = (apiKey) => new Client({ nodes: [{ url }], apiKey, connectionTimeoutSeconds: 5, numRetries: 0, logLevel: 'silent' });
    const client = of(credentials.api_key);
    const companies = client.collections('companies');
    const documents = companies.documents();
    const refused = (call, status, message) => assert.rejects(call, (error) => error.httpStatus === status && message.test(error.message));
    const made = await documents.create({ name: 'Acme', num_employees: 7 }, { dirty_values: 'reject' });
    await documents.emplace({ id: 'b', name: 'Babel' });
    assert.deepEqual(await documents.emplace({ id: 'b', country: 'DE' }), { id: 'b', name: 'Babel', country: 'DE' });
    await refused(documents.create({ id: 'b', name: 'B' }), 409, /already exists/);
    await refused(documents.emplace({ id: 'c', name: 7 }), 400, /must be a string/);
    assert.equal((await companies.documents('b').update({ num_employees: 8 })).num_employees, 8);
    const found = await documents.search({ q: '*', filter_by: 'id:=`b`', per_page: 2 });
    assert.deepEqual([found.found, found.hits[0].document.num_employees], [1, 8]);
    const pages = [await documents.search({ q: '*', limit: 1 }), await documents.search({ q: '*', limit: 1, offset: 1 })];
    assert.deepEqual(pages.map(({ hits }) => hits[0].document.id), [made.id, 'b']);
    await refused(documents.search({ q: '*', limit: 251 }), 422, /250/);
    assert.equal((await companies.documents('b').delete()).id, 'b');
    await refused(companies.documents('b').delete(), 404, /Could not find a document with id: b/);
    await refused(companies.documents('b').update({ name: 'B' }), 404, /Could not find a document with id: b/);
    assert.equal((await client.collections().retrieve())[0].name, 'companies');
    assert.equal((await companies.retrieve()).fields[0].name, 'name');
    await refused(client.collections('none').documents().create({ name: 'x' }), 404, /Collection not found/);
    await refused(of('another').collections().retrieve(), 401, /valid/);
}
