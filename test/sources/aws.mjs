// What Amazon's JSON protocol has in common: POST /, an operation in X-Amz-Target, and a signature.
import { sigv4 } from './auth.mjs';
import { Refusal, members } from './server.mjs';

export const keys = { access_key_id: 'AKIDEXAMPLE', secret_access_key: 'wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY' };
export const refuse = (type, message, status = 400) => { throw new Refusal(status, { __type: type, Message: message, message }, { 'content-type': 'application/x-amz-json-1.1', 'x-amzn-errortype': type }); };

/// `answer` of a service that has these operations: {NAME: [members of the request, (body) => answer]}.
export function service({ target, name, operations, invalid }) {
    const signature = sigv4({ id: keys.access_key_id, secret: keys.secret_access_key, service: name, region: 'eu-central-1' });
    return async function answer({ method, path, headers, bytes }) {
        if (method !== 'POST' || path !== '/') refuse('UnknownOperationException', '', 404);
        if (!headers.authorization) refuse('MissingAuthenticationTokenException', 'Missing Authentication Token');
        if (!signature.lets({ method, url: path, headers, bytes })) refuse('InvalidSignatureException', 'The request signature we calculated does not match the signature you provided.');
        if (headers['content-type'] !== 'application/x-amz-json-1.1') refuse('SerializationException', 'the media type is not right');
        const [, called] = new RegExp(`^${target}\\.(\\w+)$`).exec(headers['x-amz-target'] ?? '') ?? refuse('UnknownOperationException', '');
        const [known, run] = operations[called] ?? refuse('UnknownOperationException', called);
        const body = JSON.parse(bytes);
        members(body, known, (message) => refuse(invalid, message));
        return [200, await run.call(this, body), false, { 'content-type': 'application/x-amz-json-1.1' }];
    };
}
/// A text of so many characters.
export const text = (least, most, pattern = /^/) => (value) => typeof value === 'string' && value.length >= least && value.length <= most && pattern.test(value);
