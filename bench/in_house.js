// A push as teams write it in-house: a cursor on the table, batches of 100, 8 requests at a time. Prints the seconds
// that it took.
//
//   node in_house.js http|hubspot BASE_URL TABLE

import pg from 'pg';
import Cursor from 'pg-cursor';
import { Pool } from 'undici';

const [, , destination, baseUrl, table] = process.argv;
const batchSize = 100;
const inFlight = 8;

// Every value is a string there, and a result belongs to the row of its e-mail.
const hubspot = {
  path: '/crm/v3/objects/contacts/batch/upsert',
  body(rows) {
    return {
      inputs: rows.map((row) => ({
        id: row.email,
        idProperty: 'email',
        properties: { ...row, score: String(row.score), subscribed: String(row.subscribed) },
      })),
    };
  },
  accepted(rows, answer) {
    const done = new Set(answer.results.map((result) => result.properties.email));
    return rows.filter((row) => done.has(row.email)).length;
  },
};

const http = {
  path: '/http/contacts',
  body: (rows) => rows,
  accepted: (rows) => rows.length,
};

async function push({ path, body, accepted }) {
  const client = new pg.Client({ user: process.env.PGUSER });
  await client.connect();
  const pool = new Pool(baseUrl, { connections: inFlight });
  const cursor = client.query(new Cursor(`SELECT * FROM ${table}`));
  const headers = { 'content-type': 'application/json', authorization: 'Bearer pat-bench' };

  async function send(rows) {
    const response = await pool.request({ method: 'POST', path, headers, body: JSON.stringify(body(rows)) });
    const text = await response.body.text();
    if (response.statusCode !== 200) throw new Error(`HTTP status ${response.statusCode}: ${text}`);
    return accepted(rows, JSON.parse(text));
  }

  let count = 0;
  const sending = new Set();
  for (;;) {
    const rows = await cursor.read(batchSize);
    if (rows.length === 0) break;
    if (sending.size >= inFlight) await Promise.race(sending);
    const one = send(rows).then((accepted) => {
      count += accepted;
      sending.delete(one);
    });
    sending.add(one);
  }
  await Promise.all(sending);
  await client.end();
  await pool.close();
  return count;
}

const begin = performance.now();
await push({ http, hubspot }[destination]);
console.log(((performance.now() - begin) / 1000).toFixed(4));
