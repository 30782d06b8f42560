// @google-cloud/bigquery against the stand-in: what it sends and reads is what connectors/bigquery.json does.
import assert from 'node:assert/strict';
import { createRequire } from 'node:module';

const require = createRequire(import.meta.url);
const { BigQuery } = require('@google-cloud/bigquery');
const { OAuth2Client } = require('google-auth-library');

export default async function prove({ url, credentials }) {
    const authClient = new OAuth2Client();
    authClient.setCredentials({ access_token: credentials.access_token });
    const bigquery = new BigQuery({ projectId: 'acme-1', apiEndpoint: url, authClient, autoRetry: false, maxRetries: 0 });
    // Pages, types and parameters.
    const [job] = await bigquery.createQueryJob({ query: 'SELECT * FROM `acme-1`.`crm`.`customers` WHERE `visits` >= ? ORDER BY `visits`', params: [1000000000], location: 'europe-west1' });
    const [rows] = await job.getQueryResults();
    assert.equal(rows.length, 2497);
    assert.equal(rows[0].email, 'c1@example.com');
    assert.equal(rows[0].visits, 1000000000);
    assert.equal(rows[0].active, false);
    assert.equal(rows[0].born.value, '2020-01-02');
    assert.equal(rows[0].created.value, '2026-01-01T00:00:01.000Z');
    assert.equal(rows[0].seen.value, '2026-01-01T00:00:01.000000');
    assert.equal(rows[0].photo.toString(), 'p1');
    // An id that is there already, SQL that is wrong, a job that is cancelled.
    const id = `twice-${Date.now()}`;
    await bigquery.createQueryJob({ query: 'SELECT 1', jobId: id });
    await assert.rejects(bigquery.createQueryJob({ query: 'SELECT 1', jobId: id }), (error) => error.code === 409);
    await assert.rejects(bigquery.createQueryJob('SELECT * FROM `acme-1`.`crm`.`nobody`').then(([wrong]) => wrong.getQueryResults()), /nobody/);
    const [dry] = await bigquery.createQueryJob({ query: 'SELECT 1' });
    await dry.cancel();
}
