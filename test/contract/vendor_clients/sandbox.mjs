// The sandbox's control calls, for the tests of this folder.
export const url = process.env.SANDBOX_URL;
export const skip = url ? false : 'SANDBOX_URL is not set';

export async function control(method, path, body) {
    const response = await fetch(`${url}/_sandbox/${path}`, { method, body: body && JSON.stringify(body) });
    return response.json();
}

export const records = (connector, object) => control('GET', `records/${connector}/${object}`);
