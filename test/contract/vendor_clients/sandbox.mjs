// The sandbox's control calls, for the tests of this folder.
import { clientVersion, requestPassed } from '../../../test/truth/truth.mjs';

export const url = process.env.SANDBOX_URL;
export const skip = url ? false : 'SANDBOX_URL is not set';

export async function control(method, path, body) {
    const response = await fetch(`${url}/_sandbox/${path}`, { method, body: body && JSON.stringify(body) });
    return response.json();
}

export const records = (connector, object) => control('GET', `records/${connector}/${object}`);

/// Tells of the operations whose requests a vendor's client has made, and which the sandbox took.
export async function tellOfClient(connector, name, from) {
    const response = await fetch(`${url}/_sandbox/requests.jsonl`);
    for (const line of (await response.text()).split('\n').filter(Boolean)) {
        const request = JSON.parse(line);
        if (request.status < 300 && request.response?.ok !== false)
            requestPassed(connector, request, 'client', clientVersion(name, from));
    }
}
