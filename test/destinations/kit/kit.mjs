// All that a stand-in needs:
//
//   export default {
//       auth: bearer('the token'),
//       objects: { contacts: { unique: ['email'] } },                 // its stores, see store.mjs
//       refusal: (status, message, code) => ({ errors: [{ code, message }] }),
//       headers: { 'intercom-version': '2.14' },                      // which every request has to have
//       nothing: '{}',                                                // a body that is none: some clients send one with a GET
//       limited: () => [429, {...}, { 'retry-after': '1' }],          // and unauthorized: () => [401, {...}], limits: {...}
//       routes: {
//           'POST /contacts': {
//               body: members({ email: text, 'name?': text }),        // shapes.mjs; without it there must be no body
//               query: ['dry_run'],                                   // parameters that are known; else there are none
//               run({ body, objects, refuse }) {
//                   if (!body.email.includes('@')) refuse(422, 'email is not an address');
//                   return [200, objects.contacts.insert(body)];
//               },
//           },
//       },
//   };
//
// A route may say besides: `format` (json, ndjson, form, csv, multipart, text, bytes), `media` (its media type, where that is
// another one), `headers`, `status` (of a body that is not as it should be; 400) and `open` (no credentials are needed).
// `run` gets {path, query, headers, body, bytes, objects, jobs, base (the address of this server), refuse, method, url} and gives [status, body, headers]. A
// body that is an object is answered as JSON, another one as it is.
export * from './shapes.mjs';
export * from './pages.mjs';
export * as auth from './auth.mjs';
export { Taken } from './store.mjs';
