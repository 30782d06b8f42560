// Microsoft Dataverse's Web API, version 9.2, by its pages (learn.microsoft.com/power-apps/developer/data-platform, read 2026-11-27) and
// the client npm dynamics-web-api 2.5.0. What is sent in bulk is done for all rows or none.
import { afterLast, auth, boolean, integer, list, matching, members, nullable, number, text, Taken } from './kit/kit.mjs';

const uuid = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/;
const shapes = {
    String: text, Memo: text, Boolean: boolean, Integer: integer, Picklist: integer, State: integer, Status: integer, Money: number, Decimal: number, Uniqueidentifier: matching(uuid),
    DateTime: matching(/^\d{4}-\d{2}-\d{2}(T\d{2}:\d{2}:\d{2}(\.\d+)?Z)?$/),
};
const strings = (...names) => Object.fromEntries(names.map((name) => [name, 'String']));
const address = strings('address1_line1', 'address1_city', 'address1_stateorprovince', 'address1_postalcode', 'address1_country');
const shared = { description: 'Memo', statecode: 'State', statuscode: 'Status' };
const person = strings('emailaddress1', 'firstname', 'lastname', 'jobtitle', 'telephone1', 'mobilephone');
/// Each table by its entity set: its names, its alternate key, its attributes, and its relationships, each with its look-up and the set that it leads to.
const tables = {
    contacts: { name: 'contact', id: 'contactid', key: 'emailaddress1', attributes: { ...person, ...address, ...shared, department: 'String', birthdate: 'DateTime', donotemail: 'Boolean', new_score: 'Decimal', new_renewed: 'DateTime' },
        relations: { parentcustomerid_account: ['parentcustomerid', 'accounts'] } },
    accounts: { name: 'account', id: 'accountid', key: 'accountnumber', attributes: { ...strings('accountnumber', 'name', 'emailaddress1', 'telephone1', 'websiteurl'), ...address, ...shared, revenue: 'Money', numberofemployees: 'Integer', industrycode: 'Picklist' },
        relations: { primarycontactid: ['primarycontactid', 'contacts'], parentaccountid: ['parentaccountid', 'accounts'] } },
    leads: { name: 'lead', id: 'leadid', key: 'emailaddress1', attributes: { ...person, ...address, ...shared, ...strings('subject', 'companyname', 'websiteurl'), leadsourcecode: 'Picklist', leadqualitycode: 'Picklist' }, relations: {} },
    opportunities: { name: 'opportunity', id: 'opportunityid', key: 'name', attributes: { ...strings('name', 'stepname'), ...shared, estimatedvalue: 'Money', estimatedclosedate: 'DateTime', closeprobability: 'Integer' },
        relations: { parentaccountid: ['parentaccountid', 'accounts'], parentcontactid: ['parentcontactid', 'contacts'] } },
    new_shipments: { name: 'new_shipment', id: 'new_shipmentid', key: 'new_number', attributes: { ...strings('new_number', 'new_carrier'), new_parcels: 'Integer', new_weight: 'Decimal', new_insured: 'Boolean' }, relations: {} },
};

const owner = { ownerid: ['ownerid', 'systemusers'] };
const shapeOf = ({ attributes, relations }, more = {}) => members({
    ...more, ...Object.fromEntries(Object.entries(attributes).map(([name, type]) => [`${name}?`, nullable(shapes[type])])),
    ...Object.fromEntries(Object.entries({ ...relations, ...owner }).map(([name, [, set]]) => [`${name}@odata.bind?`, matching(new RegExp(`^/?${set}\\([0-9a-f-]{36}\\)$`))])),
});
/// 'x''y' between quotes is x'y.
const unquoted = (literal) => /^'((?:[^']|'')*)'$/.exec(literal)?.[1].replaceAll("''", "'");
const missing = (of, id) => [404, `Entity '${of.name}' With Id = ${id} Does Not Exist`, '0x80040217'];
const noKey = (of) => [400, `The key in the request URI is not valid for resource 'Microsoft.Dynamics.CRM.${of.name}'. Ensure that the names and number of key properties match the declared or alternate key properties for the resource 'Microsoft.Dynamics.CRM.${of.name}'.`, '0x80060888'];

/// The values as they are kept; refuses a text that is too long.
function kept(of, values, refuse) {
    for (const [name, value] of Object.entries(values))
        if (of.attributes[name] === 'String' && value?.length > 100)
            refuse(400, `A validation error occurred. The length of the '${name}' attribute of the '${of.name}' entity exceeded the maximum allowed length of '100'.`, '0x80044331');
    return Object.fromEntries(Object.entries(values).filter(([name]) => !name.startsWith('@')).map(([name, value]) => {
        const relation = /^(\w+)@odata\.bind$/.exec(name)?.[1];
        return relation ? [`_${(of.relations[relation] ?? owner[relation])[0]}_value`, /\((.*)\)/.exec(value)[1]] : [name, value];
    }));
}

/// A row by what stands between the parentheses: {found, id, key}.
function named(of, set, store, inside, refuse) {
    if (uuid.test(inside)) return { found: store.find(inside), id: inside };
    const [, field, literal] = /^(\w+)=(.+)$/.exec(inside) ?? [];
    const key = field === of.key ? unquoted(literal) : undefined;
    if (key === undefined) refuse(...noKey(of));
    if (/[/#<>*%&:\\?+]/.test(key)) refuse(400, 'Bad Request - Error in query syntax.', '0x80060888');
    return { found: store.by(of.key, key), key };
}

/// All of them or none: what was done is taken back where one is refused.
function together(targets, store, of, refuse, change) {
    const before = new Map();
    const made = [];
    try {
        return targets.map((target) => change(target, (row) => before.has(row) || before.set(row, { ...row }), (values) => { const row = store.insert(values); made.push(row); return row; }));
    } catch (error) {
        made.forEach((row) => store.remove(row));
        for (const [row, values] of before) store.update(row, values);
        if (error instanceof Taken) refuse(412, `A record that has the attribute values ${error.field} already exists. The entity key requires that this set of attributes contains unique values. Select unique values and try again.`, '0x80060892');
        throw error;
    }
}

function routesOf(set) {
    const of = tables[set];
    const at = `/api/data/v9.2/${set}`;
    const typed = { '@odata.type': matching(new RegExp(`^Microsoft\\.Dynamics\\.CRM\\.${of.name}$`)) };
    const bulk = (more) => members({ Targets: list(shapeOf(of, { ...typed, ...more }), { least: 1, most: 1000 }) });
    const shown = ({ ...row }) => ({ '@odata.etag': 'W/"1"', ...row });
    const one = (request, change) => {
        const { objects, path, refuse } = request;
        const target = named(of, set, objects[set], path.key, refuse);
        return change({ ...target, gone: () => refuse(...missing(of, target.id ?? target.key)) }, objects[set]);
    };
    const location = (base, row) => ({ 'odata-entityid': `${base}${at}(${row[of.id]})` });
    const json = { 'odata-version': '4.0' };
    return {
        [`POST ${at}/Microsoft.Dynamics.CRM.CreateMultiple`]: { body: bulk({ [`${of.id}?`]: matching(uuid) }), run: ({ body, objects, refuse }) =>
            [200, { '@odata.context': 'x', Ids: together(body.Targets, objects[set], of, refuse, (target, touch, insert) => insert(kept(of, target, refuse))[of.id]) }, json] },
        [`POST ${at}/Microsoft.Dynamics.CRM.UpdateMultiple`]: { body: bulk({ [of.id]: matching(uuid) }), run({ body, objects, refuse }) {
            together(body.Targets, objects[set], of, refuse, (target, touch) => {
                const found = objects[set].find(target[of.id]) ?? refuse(...missing(of, target[of.id]));
                touch(found);
                objects[set].update(found, kept(of, target, refuse));
            });
            return [204];
        } },
        [`POST ${at}`]: { body: shapeOf(of), run: ({ body, objects, base, refuse }) => [204, null, location(base, together([body], objects[set], of, refuse, (row, touch, insert) => insert(kept(of, row, refuse)))[0])] },
        [`GET ${at}`]: { query: ['$filter', '$select', '$skiptoken'], run({ query, headers, objects, base, refuse }) {
            const [, field, literal] = query.$filter ? (/^(\w+) eq (.*)$/s.exec(query.$filter) ?? refuse(400, 'Syntax error in $filter', '0x80060888')) : [];
            if (field && !(field in of.attributes)) refuse(400, `Could not find a property named '${field}' on type 'Microsoft.Dynamics.CRM.${of.name}'.`, '0x80060888');
            const like = (value) => String(value).toLowerCase();
            const value = field && (unquoted(literal) ?? refuse(400, 'A literal is not in quotes', '0x80060888'));
            const found = field ? (field === of.key ? [objects[set].by(field, value)].filter(Boolean) : objects[set].all().filter((row) => like(row[field]) === like(value))) : objects[set].all();
            const size = Number(/odata\.maxpagesize=(\d+)/.exec(headers.prefer ?? '')?.[1] ?? 5000);
            const page = afterLast(found, of.id, query.$skiptoken, size) ?? refuse(400, 'The paging cookie is malformed', '0x80040203');
            return [200, { '@odata.context': 'x', value: page.items.map(shown), ...(page.more ? { '@odata.nextLink': `${base}${at}?$skiptoken=${page.items.at(-1)[of.id]}` } : {}) }, json];
        } },
        [`GET ${at}({key})`]: { query: ['$select'], run: (request) => one(request, ({ found, gone }) => [200, { '@odata.context': 'x', ...shown(found ?? gone()) }, json]) },
        [`DELETE ${at}({key})`]: { run: (request) => one(request, ({ found, gone }, store) => { store.remove(found ?? gone()); return [204]; }) },
        [`PATCH ${at}({key})`]: { body: shapeOf(of), run: (request) => one(request, ({ found, key, gone }, store) => {
            const { body, headers, base, refuse } = request;
            if (!found && (headers['if-match'] === '*' || key === undefined)) gone();
            const done = together([body], store, of, refuse, (row, touch, insert) => (found ? store.update(found, kept(of, row, refuse)) : insert({ [of.key]: key, ...kept(of, row, refuse) })));
            return [204, null, location(base, done[0])];
        }) },
    };
}

/// What the account tells of its tables and of their attributes.
const attribute = (name, type, more = {}) => ({ LogicalName: name, AttributeType: type, AttributeOf: null, IsValidForRead: true, IsValidForCreate: true, IsValidForUpdate: true,
    DisplayName: { UserLocalizedLabel: { Label: `The ${name}` } }, ...more });
const attributesOf = (of) => [
    attribute(of.id, 'Uniqueidentifier', { IsValidForUpdate: false }), ...Object.entries(of.attributes).map(([name, type]) => attribute(name, type)),
    attribute('createdon', 'DateTime', { IsValidForCreate: false, IsValidForUpdate: false }), attribute('statuscodename', 'Virtual', { AttributeOf: 'statuscode' }), attribute('ownerid', 'Owner'),
];

export default {
    auth: auth.oauth({ path: '/7c9e6679-7425-40de-944b-e07fc1f90ae7/oauth2/v2.0/token',
        expects: { grant_type: 'client_credentials', client_id: 'application-1', client_secret: 'secret-1', scope: 'https://acme.crm4.dynamics.com/.default' } }),
    headers: { 'odata-version': '4.0', 'odata-maxversion': '4.0' },
    refusal: (status, message, code) => ({ error: { code: code ?? '0x80048d19', message } }),
    unauthorized: () => [401, null, { 'www-authenticate': 'Bearer authorization_uri=https://login.microsoftonline.com/7c9e6679-7425-40de-944b-e07fc1f90ae7/oauth2/authorize, resource_id=https://acme.crm4.dynamics.com/' }],
    limited: () => [429, { error: { code: '0x80072322', message: 'Number of requests exceeded the limit of 6000 over time window of 300 seconds.' } }, { 'retry-after': '1' }],
    limits: { concurrent: 52 },
    objects: Object.fromEntries(Object.entries(tables).map(([set, of], index) => [set, { id: of.id, unique: [of.key], like: (value) => String(value).toLowerCase(), give: (number) => `0000000${index}-0000-4000-8000-${String(number).padStart(12, '0')}` }])),
    routes: {
        ...Object.fromEntries(['WhoAmI', 'WhoAmI()'].map((name) => [`GET /api/data/v9.2/${name}`, { run: () => [200, { BusinessUnitId: '38e0dbe4-131b-e111-ba7e-78e7d1620f5e', UserId: '4026be43-6b69-e111-8f65-78e7d1620f5e', OrganizationId: '883278f5-07af-45eb-a0bc-3fea67caa544' }] }])),
        'GET /api/data/v9.2/EntityDefinitions': { query: ['$select', '$filter', '$expand'], run({ query }) {
            const wanted = /^EntitySetName eq '(\w+)'$/.exec(query.$filter ?? '')?.[1];
            const found = Object.entries(tables).filter(([set]) => !query.$filter || set === wanted);
            return [200, { value: found.map(([set, of]) => ({ MetadataId: '70816501-edb9-4740-a16c-6a5efbc05d84', LogicalName: of.name, EntitySetName: set, IsIntersect: false, IsPrivate: false, IsValidForAdvancedFind: true,
                ...(query.$expand?.startsWith('Attributes(') ? { Attributes: attributesOf(of) } : {}) })) }];
        } },
        ...Object.assign({}, ...Object.keys(tables).map(routesOf)),
    },
};
