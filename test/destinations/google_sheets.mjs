// Values of Google Sheets v4, by Google's discovery document and its client (npm @googleapis/sheets 14.0.0).
import { auth, boolean, firstOf, list, matching, members, nullable, number, oneOf, text } from './kit/kit.mjs';

const cell = nullable(firstOf(text, number, boolean));
const values = list(list(cell));
const input = oneOf('RAW', 'USER_ENTERED');
const range = matching(/^Sheet1(!A\d+)?$/);
const at = '/v4/spreadsheets/s1/values';
const words = { 400: 'INVALID_ARGUMENT', 401: 'UNAUTHENTICATED', 404: 'NOT_FOUND', 429: 'RESOURCE_EXHAUSTED' };
const said = (code, message) => ({ error: { code, message, status: words[code] } });

function check(rows, refuse) {
    if (rows.flat().some((one) => typeof one === 'string' && one.length > 50000))
        refuse(400, 'Your input contains more than the maximum of 50000 characters in a single cell.');
}

/// Cells that are null stay as they are.
function write(rows, place, cells) {
    const found = rows.find(place) ?? rows.insert({ row: Number(place), cells: [] });
    const old = found.cells;
    rows.update(found, { cells: Array.from({ length: Math.max(old.length, cells.length) }, (_, index) => cells[index] ?? old[index] ?? '') });
}

export default {
    auth: auth.bearer('ya29.0123456789'),
    refusal: said,
    unauthorized: () => [401, said(401, 'Request had invalid authentication credentials.')],
    limited: () => [429, said(429, "Quota exceeded for quota metric 'Write requests' and limit 'Write requests per minute per user'")],
    objects: { appended_rows: {}, rows: { id: 'row' } },
    routes: {
        [`POST ${at}/{range}:append`]: {
            query: ['valueInputOption', 'insertDataOption', 'includeValuesInResponse', 'responseValueRenderOption'],
            body: members({ 'range?': text, 'majorDimension?': oneOf('ROWS'), values }),
            run({ path, query, body, objects: { appended_rows: rows }, refuse }) {
                const fault = range(path.range, 'range') ?? input(query.valueInputOption, 'valueInputOption');
                if (fault) refuse(400, fault);
                check(body.values, refuse);
                const first = rows.size + 1;
                for (const cells of body.values) rows.insert({ cells });
                return [200, { spreadsheetId: 's1', updates: { spreadsheetId: 's1', updatedRange: `Sheet1!A${first}:Z${rows.size}`, updatedRows: body.values.length } }];
            },
        },
        [`GET ${at}/{range}`]: { query: ['valueRenderOption', 'majorDimension', 'dateTimeRenderOption'], run({ path, objects, refuse }) {
            if (range(path.range, '')) refuse(400, `Unable to parse range: ${path.range}`);
            const all = objects.appended_rows.all().map(({ cells }) => cells);
            return [200, { range: 'Sheet1!A1:Z1000', majorDimension: 'ROWS', ...(all.length ? { values: all } : {}) }];
        } },
        [`POST ${at}:batchUpdate`]: {
            body: members({ valueInputOption: input, data: list(members({ range: matching(/^Sheet1!A\d+$/), 'majorDimension?': oneOf('ROWS'), values })), 'includeValuesInResponse?': boolean }),
            run({ body: { data }, objects: { rows }, refuse }) {
                check(data.flatMap((one) => one.values), refuse);
                for (const { range: place, values: [cells] } of data) write(rows, /\d+$/.exec(place)[0], cells);
                return [200, { spreadsheetId: 's1', totalUpdatedRows: data.length, responses: data.map(({ range: updatedRange }) => ({ spreadsheetId: 's1', updatedRange, updatedRows: 1 })) }];
            },
        },
        [`POST ${at}:batchClear`]: { body: members({ ranges: list(matching(/^Sheet1!(\d+):\1$/)) }), run({ body: { ranges }, objects: { rows } }) {
            for (const place of ranges) {
                const found = rows.find(/\d+$/.exec(place)[0]);
                if (found) rows.remove(found);
            }
            return [200, { spreadsheetId: 's1', clearedRanges: ranges }];
        } },
    },
};
