// @googleapis/sheets against the stand-in.
import assert from 'node:assert/strict';
import { createRequire } from 'node:module';

const { auth, sheets } = createRequire(import.meta.url)('@googleapis/sheets');

export default async function prove({ url, credentials }) {
    const open = (accessToken) => {
        const of = new auth.OAuth2();
        of.setCredentials({ access_token: accessToken });
        return sheets({ version: 'v4', rootUrl: `${url}/`, auth: of, retry: false }).spreadsheets.values;
    };
    const values = open(credentials.access_token);
    const refused = (call, status) => assert.rejects(call, (error) => (error.status ?? error.code) === status);
    const of = { spreadsheetId: 's1' };
    const raw = { valueInputOption: 'RAW' };

    const made = await values.append({ ...of, range: 'Sheet1', ...raw, insertDataOption: 'INSERT_ROWS', requestBody: { majorDimension: 'ROWS', values: [['Ada', 9.5, true], ['Grace', null]] } });
    assert.equal(made.data.updates.updatedRows, 2);
    await refused(values.append({ ...of, range: 'Sheet1', ...raw, requestBody: { values: [['x'.repeat(50001)]] } }), 400);
    await refused(values.append({ ...of, range: 'Sheet1', requestBody: { values: [['x']] } }), 400);
    assert.deepEqual((await values.get({ ...of, range: 'Sheet1', valueRenderOption: 'UNFORMATTED_VALUE' })).data.values[0], ['Ada', 9.5, true]);
    const data = [{ range: 'Sheet1!A2', values: [['Ada', 1]] }, { range: 'Sheet1!A3', values: [['Grace', 2]] }];
    assert.equal((await values.batchUpdate({ ...of, requestBody: { ...raw, data } })).data.totalUpdatedRows, 2);
    await values.batchUpdate({ ...of, requestBody: { ...raw, data: [{ range: 'Sheet1!A2', values: [[null, 5]] }] } });
    const kept = async () => (await fetch(`${url}/_control/records/rows`)).json();
    assert.deepEqual((await kept())[0], { row: 2, cells: ['Ada', 5] });
    assert.deepEqual((await values.batchClear({ ...of, requestBody: { ranges: ['Sheet1!2:2'] } })).data.clearedRanges, ['Sheet1!2:2']);
    assert.equal((await kept()).length, 1);
    await refused(open('another').get({ ...of, range: 'Sheet1' }), 401);
}
