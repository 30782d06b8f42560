// pipedrive, version 2 of its API, against the stand-in.
import assert from 'node:assert/strict';
import { createRequire } from 'node:module';

const { v2, v1 } = createRequire(import.meta.url)('pipedrive');

const refused = (call, code) => assert.rejects(call, (error) => (error.code ?? error.errorCode) === code);

async function cycle(api, noun, first, change, isChanged, nouns = `${noun}s`, Update = 'Update') {
    const made = (await api[`add${noun}`]({ [`Add${noun}Request`]: first })).data;
    assert.equal((await api[`get${noun}`]({ id: made.id })).data.id, made.id);
    assert.ok(isChanged((await api[`update${noun}`]({ id: made.id, [`${Update}${noun}Request`]: change })).data));
    const second = (await api[`add${noun}`]({ [`Add${noun}Request`]: first })).data;
    assert.deepEqual((await api[`get${nouns}`]({ ids: `${made.id},999` })).data.map(({ id }) => id), [made.id]);
    const page = await api[`get${nouns}`]({ limit: 1 });
    const next = await api[`get${nouns}`]({ limit: 1, cursor: page.additional_data.next_cursor });
    assert.deepEqual([page.data[0].id, next.data[0].id, next.additional_data.next_cursor], [made.id, second.id, null]);
    assert.equal((await api[`delete${noun}`]({ id: made.id })).data.id, made.id);
    await refused(api[`get${noun}`]({ id: made.id }), 'ERR_NOT_FOUND');
}

export default async function prove({ url, credentials }) {
    const configuration = new v2.Configuration({ apiKey: credentials.api_token, basePath: `${url}/api/v2` });
    const persons = new v2.PersonsApi(configuration);
    const person = { name: 'Ada', emails: [{ value: 'ada@example.com', primary: true, label: 'work' }], birthday: '2000-01-02' };
    await cycle(persons, 'Person', person, { emails: [{ value: 'a@example.com', primary: true }] }, ({ emails }) => emails[0].value === 'a@example.com');
    await cycle(new v2.OrganizationsApi(configuration), 'Organization', { name: 'Acme', address: { value: '1 Main Street' } }, { employee_count: 7 }, (one) => one.employee_count === 7);
    await cycle(new v2.DealsApi(configuration), 'Deal', { title: 'Big', value: 10.5, currency: 'EUR', status: 'open' }, { status: 'won' }, (one) => one.status === 'won');
    await cycle(new v2.ProductsApi(configuration), 'Product', { name: 'Seat', code: 's1', prices: [{ currency: 'EUR', price: 10.5 }] }, { code: 's2' }, ({ code }) => code === 's2');
    await cycle(new v2.ActivitiesApi(configuration), 'Activity', { subject: 'Call', type: 'call', due_date: '2026-01-02', participants: [{ person_id: 7, primary: true }] }, { done: true }, ({ done }) => done, 'Activities', 'Add');
    await refused(persons.addPerson({ AddPersonRequest: { name: '' } }), 'ERR_SCHEMA_VALIDATION_FAILED');
    const fields = await new v2.PersonFieldsApi(configuration).getPersonFields({});
    assert.ok(fields.data.some((field) => field.is_custom_field && field.field_name === 'Tier'));
    const others = new v2.PersonsApi(new v2.Configuration({ apiKey: 'another', basePath: `${url}/api/v2` }));
    await refused(others.getPerson({ id: 1 }), 401);
    const me = new v1.UsersApi(new v1.Configuration({ apiKey: credentials.api_token, basePath: `${url}/api/v1` }));
    assert.equal((await me.getCurrentUser()).data.email, 'ada@example.com');
}
