// SQL through psql, in a database of the test's own that has the extension.
import { execFileSync } from 'node:child_process';

const psql = (args, input) =>
    execFileSync('psql', ['-X', '-q', '-A', '-t', '-v', 'ON_ERROR_STOP=1', ...args],
        { input, encoding: 'utf8', timeout: 30_000, stdio: ['pipe', 'pipe', 'pipe'] });

/// Makes the database anew. What it returns runs SQL there, and takes psql's variables (:'name') as an object.
export function freshDatabase(name) {
    psql(['-d', 'postgres'], `DROP DATABASE IF EXISTS ${name}; CREATE DATABASE ${name};`);
    const run = (sql, variables = {}) =>
        psql(['-d', name, ...Object.entries(variables).flatMap(([key, value]) => ['-v', `${key}=${value}`])], sql);
    run('CREATE EXTENSION reverse_etl');
    return run;
}
