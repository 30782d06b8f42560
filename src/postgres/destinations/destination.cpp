#include "postgres/destinations/destination.h"

#include "engine/manifest/job_spec.h"
#include "engine/requests/lookup_operations.h"
#include "engine/sources/sql_text.h"
#include "postgres/border/border.h"
#include "postgres/border/names.h"
#include "postgres/border/schema_version.h"
#include "postgres/destinations/connectors.h"
#include "postgres/destinations/filled_object.h"
#include "postgres/destinations/options.h"
#include "postgres/destinations/session.h"
#include "postgres/destinations/shared_token.h"

#include <algorithm>

extern "C" {
#include "access/reloptions.h"
#include "access/table.h"
#include "catalog/pg_user_mapping.h"
#include "commands/defrem.h"
#include "foreign/foreign.h"
#include "nodes/pg_list.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"
#include "utils/rel.h"
#include "utils/syscache.h"
}

namespace reverse_etl {

namespace {

/// Adds the options of a catalog's list. Postgres keeps their values as strings.
void add_options(Settings &settings, List *options) {
    ListCell *cell;
    foreach (cell, options) {
        DefElem *option = static_cast<DefElem *>(lfirst(cell));
        settings[ServerText(option->defname).utf8()] = option_text(option).utf8();
    }
}

std::string setting(const Settings &settings, const char *name, const char *fallback) {
    auto found = settings.find(name);
    return found == settings.end() ? fallback : found->second;
}

/// The options of the role's user mapping, or of PUBLIC's. Nothing if there is neither; GetUserMapping would raise, but
/// a destination may need no credentials.
List *user_mapping_options(Oid user, Oid server) {
    HeapTuple tuple = SearchSysCache2(USERMAPPINGUSERSERVER, ObjectIdGetDatum(user), ObjectIdGetDatum(server));
    if (!HeapTupleIsValid(tuple))
        tuple = SearchSysCache2(USERMAPPINGUSERSERVER, ObjectIdGetDatum(InvalidOid), ObjectIdGetDatum(server));
    if (!HeapTupleIsValid(tuple))
        return NIL;
    bool is_null = false;
    Datum options = SysCacheGetAttr(USERMAPPINGUSERSERVER, tuple, Anum_pg_user_mapping_umoptions, &is_null);
    List *list = is_null ? NIL : untransformRelOptions(options);
    ReleaseSysCache(tuple);
    return list;
}

bool is_built_in(const std::string &name, OptionPlace place) {
    return std::any_of(built_in_options().begin(), built_in_options().end(), [&](const OptionDescription &option) {
        return name == option.name && (option.places & static_cast<unsigned>(place)) != 0;
    });
}

/// A table's option may belong to another connector: the validator, which does not know the server, let it pass.
void check_options_fit(const Settings &options, const Connector &connector, const std::string &table) {
    auto fits = [&](const std::string &name) {
        return is_built_in(name, OptionPlace::table) ||
               std::any_of(connector.options().begin(), connector.options().end(),
                           [&](const OptionSpec &option) { return option.name == name && !option.on_server; });
    };
    auto misfit = std::find_if(options.begin(), options.end(), [&](const auto &option) { return !fits(option.first); });
    if (misfit != options.end())
        throw Error(ERRCODE_FDW_INVALID_OPTION_NAME,
                    "option \"" + misfit->first + "\" of foreign table \"" + table +
                        "\" means nothing to connector \"" + connector.name() + "\"",
                    "", "Use ALTER FOREIGN TABLE ... OPTIONS (DROP " + misfit->first + ").");
}

} // namespace

Destination::Destination(Oid relation) : relation(relation) {
    check_version();
    struct Catalog {
        ForeignTable *table;
        ForeignServer *server;
        Relation relation;
    };
    // The statement holds its lock on the table already.
    Catalog catalog = pg_call([&] {
        Catalog found;
        found.table = GetForeignTable(relation);
        found.server = GetForeignServer(found.table->serverid);
        found.relation = table_open(relation, NoLock);
        return found;
    });
    struct Close {
        Relation relation;
        ~Close() { table_close(relation, NoLock); }
    } close{catalog.relation};

    name = plain_qualified_name(relation);
    sql_name = qualified_name(relation);
    server = catalog.server->serverid;
    Settings of_table, settings;
    add_options(settings, catalog.server->options);
    add_options(of_table, catalog.table->options);
    std::shared_ptr<const Connector> connector = find_connector(setting(settings, "connector", ""));
    check_options_fit(of_table, *connector, name);
    for (const auto &[option, value] : of_table)
        settings[option] = value;

    read_source(*connector, settings);
    read_files(*connector, settings);
    read_object(connector, settings);
    read_writing(settings);
    read_waiting(settings);
    policy = policy_of(settings);
    read_columns(catalog.relation);
}

void Destination::read_object(const std::shared_ptr<const Connector> &connector, const Settings &settings) {
    if (is_read_from_files()) {
        object = files.how->object; // it can do nothing else
        object.name = "files";
        return;
    }
    std::vector<std::string> objects = connector->object_names();
    std::string otherwise = objects.size() == 1 && !connector->has_others() ? objects[0] : relation_name(relation);
    if (source.statement != nullptr)
        otherwise = folded(source.statement->spec.dialect, otherwise);
    try {
        object = *filled_object(connector, setting(settings, "object", otherwise.c_str()), settings);
    } catch (const ManifestError &error) {
        // The manifest itself is right: it was checked when it was made.
        throw Error(ERRCODE_FDW_INVALID_ATTRIBUTE_VALUE,
                    "the options of \"" + name + "\" do not fit connector \"" + connector->name() + "\"",
                    "With them \"" + error.pointer + "\" of its manifest " + error.what() + ".");
    }
    if (auto batch_size = settings.find("batch_size"); batch_size != settings.end()) {
        int rows = static_cast<int>(integer_option("batch_size", batch_size->second));
        const auto limit = [&](OperationSpec &operation) {
            if (rows < operation.rows || operation.rows_by_table)
                operation.rows = rows;
        };
        for (auto &[kind, operation] : object.operations)
            limit(operation);
        for (OperationSpec &lookup : object.more_lookups)
            limit(lookup);
    }
    if (auto bulk_from = settings.find("bulk_from"); bulk_from != settings.end())
        for (auto &[kind, operation] : object.operations)
            if (operation.job != nullptr && !operation.has_only_job()) {
                // What others share is left as it is.
                operation.job = std::make_shared<JobSpec>(*operation.job);
                operation.job->from = static_cast<int>(integer_option("bulk_from", bulk_from->second));
            }
    if (setting(settings, "insert_as", "") == "create")
        object.insert = OperationKind::create;
    else if (setting(settings, "insert_as", "") == "upsert")
        object.insert = OperationKind::upsert;
}

/// How rows are read by SQL, if they are.
void Destination::read_source(const Connector &connector, const Settings &settings) {
    std::optional<ConnectorStatement> statement = connector.statement(settings);
    if (!statement)
        return;
    source.query = setting(settings, "query", "");
    source.schema = setting(settings, "schema_name", statement->spec.dialect.schema.c_str());
    source.is_named = settings.contains("schema_name");
    const long milliseconds = duration_ms("statement_timeout", setting(settings, "statement_timeout", "1h"));
    source.pushes_down = std::string(setting(settings, "pushdown", "on")) == "on";
    source.longest = std::chrono::ceil<std::chrono::seconds>(Milliseconds(milliseconds));
    source.statement = std::make_shared<const ConnectorStatement>(std::move(*statement));
}

/// What files rows are read from, if they are.
void Destination::read_files(const Connector &connector, const Settings &settings) {
    const auto pattern = settings.find("files");
    if (!connector.has_files() || pattern == settings.end())
        return;
    files.how = std::make_shared<const ConnectorFiles>(std::move(*connector.files(settings)));
    files.pattern.emplace(pattern->second);
    files.format = files_format_of(settings);
    files.folder = folder_of(*files.how, settings);
}

FilesFormat files_format_of(const Settings &settings) {
    FilesFormat format;
    const std::string kind = setting(settings, "format", ""), delimiter = setting(settings, "delimiter", "");
    if (!kind.empty())
        format.kind = kind == "csv" ? FilesFormat::Kind::csv : FilesFormat::Kind::ndjson;
    if (!delimiter.empty() && (delimiter.size() > 1 || delimiter == "\"" || delimiter == "\n" || delimiter == "\r"))
        throw SettingError("invalid value for option \"delimiter\"", "It is one sign of ASCII, and no quote.");
    format.delimiter = delimiter.empty() ? '\0' : delimiter[0];
    format.has_header = setting(settings, "header", "true") == "true";
    format.null_text = setting(settings, "null_text", "");
    return format;
}

std::string folder_of(const ConnectorFiles &files, const Settings &settings) {
    const std::string folder = setting(settings, "folder", "");
    if (!files.spec.is_folder)
        return "";
    if (!folder.starts_with('/'))
        throw SettingError("the server needs the option \"folder\", an absolute path",
                           "A superuser may set it: ALTER SERVER ... OPTIONS (ADD folder '/srv/lake').");
    return folder;
}

bool Destination::is_read_by_statement() const {
    const bool lists = object.operation(OperationKind::list) != nullptr || !object.lookups().empty();
    return source.statement != nullptr && (!source.query.empty() || source.is_named || !lists);
}

/// How rows are written, and what is done with those that are not taken.
void Destination::read_writing(const Settings &settings) {
    std::string null_option = setting(settings, "null_as", "omit");
    null_as = null_option == "null" ? NullAs::null : null_option == "clear" ? NullAs::clear : NullAs::omit;
    std::string delivery_option = setting(settings, "delivery", "auto");
    delivery = delivery_option == "queued"      ? DeliveryMode::queued
               : delivery_option == "immediate" ? DeliveryMode::immediate
                                                : DeliveryMode::automatic;
    stop_at_reject = setting(settings, "on_reject", "store") == "error";
}

/// How rows wait in the outbox.
void Destination::read_waiting(const Settings &settings) {
    outbox.max_rows = integer_option("outbox_max_rows", setting(settings, "outbox_max_rows", "50000000"));
    outbox.max_bytes = byte_size("outbox_max_bytes", setting(settings, "outbox_max_bytes", "20GB"));
    outbox.ttl_ms = duration_ms("outbox_ttl", setting(settings, "outbox_ttl", "7d"));
    outbox.max_attempts =
        static_cast<int>(integer_option("outbox_max_attempts", setting(settings, "outbox_max_attempts", "20")));
}

Policy policy_of(const Settings &settings) {
    Policy policy;
    policy.max_in_flight = integer_option("max_in_flight", setting(settings, "max_in_flight", "8"));
    policy.max_attempts = static_cast<int>(integer_option("max_attempts", setting(settings, "max_attempts", "8")));
    policy.connect_timeout = Milliseconds(duration_ms("connect_timeout", setting(settings, "connect_timeout", "10s")));
    policy.timeout = Milliseconds(duration_ms("request_timeout", setting(settings, "request_timeout", "60s")));
    policy.ca_file = setting(settings, "ca_file", "");
    policy.proxy = setting(settings, "proxy", "");
    policy.keep_rate_limits = setting(settings, "rate_limit", "published") == "published";
    return policy;
}

void Destination::read_columns(Relation relation) {
    TupleDesc attributes = RelationGetDescr(relation);
    for (int i = 0; i < attributes->natts; i++) {
        Form_pg_attribute attribute = TupleDescAttr(attributes, i);
        if (attribute->attisdropped)
            continue;
        Settings options;
        add_options(options, pg_call([&] { return GetForeignColumnOptions(this->relation, attribute->attnum); }));
        DestinationColumn column;
        column.attnum = attribute->attnum;
        column.name = column_name(attribute);
        column.type = attribute->atttypid;
        column.typmod = attribute->atttypmod;
        column.collation = attribute->attcollation;
        column.field = setting(options, "field", "");
        if (column.field.empty()) {
            // A column that the manifest names stands for its field; any other is a field of its own name.
            column.field =
                source.statement == nullptr ? column.name : folded(source.statement->spec.dialect, column.name);
            for (const ColumnSpec &spec : object.columns)
                if (spec.column == column.name)
                    column.field = spec.field;
        }
        column.encoding = object.encoding;
        column.read = object.pointer_to(column.field);
        if (const ColumnSpec *spec = object.column_of_field(column.field)) {
            column.encoding = spec->encoding;
            column.writable = spec->writable;
            column.spec = spec;
        }
        column.compare = object.form_of(column.field);
        if (auto compare = options.find("compare"); compare != options.end())
            column.compare = *key_form(compare->second);
        if (auto type = options.find("source_type"); type != options.end())
            source.types[column.attnum] = type->second;
        if (auto encode = options.find("encode"); encode != options.end())
            column.encoding = encoding_option("encode", encode->second);
        if (auto write = options.find("write"); write != options.end()) {
            column.written_by = operations_option("write", write->second);
            column.writable &= !column.written_by.empty();
        }
        columns.push_back(std::move(column));
    }
}

bool DestinationColumn::is_written_by(OperationKind operation) const {
    const bool is_named = std::find(written_by.begin(), written_by.end(), operation) != written_by.end();
    return writable && (written_by.empty() || is_named) && (spec == nullptr || spec->is_written_by(operation));
}

const DestinationColumn *Destination::column(AttrNumber attnum) const {
    for (const DestinationColumn &column : columns)
        if (column.attnum == attnum)
            return &column;
    return nullptr;
}

const DestinationColumn *Destination::column_named(std::string_view name) const {
    for (const DestinationColumn &column : columns)
        if (column.name == name)
            return &column;
    return nullptr;
}

const DestinationColumn *Destination::column_of_field(const std::string &field) const {
    for (const DestinationColumn &column : columns)
        if (!field.empty() && column.field == field)
            return &column;
    return nullptr;
}

std::vector<const DestinationColumn *> Destination::key_columns() const {
    std::vector<const DestinationColumn *> found;
    for (const std::string &field : object.key)
        if (const DestinationColumn *column = column_of_field(field))
            found.push_back(column);
    if (found.size() < object.key.size())
        found.clear();
    return found;
}

const OperationSpec &Destination::lookup_by(const std::vector<AttrNumber> &address) const {
    std::vector<std::string> fields;
    for (AttrNumber attnum : address)
        fields.push_back(column(attnum)->field);
    if (const OperationSpec *lookup = reverse_etl::lookup_by(object, fields))
        return *lookup;
    return operation(OperationKind::lookup);
}

bool Destination::finds_id_by_key() const {
    return !object.id.empty() && !key_columns().empty() && reverse_etl::lookup_by(object, object.key) != nullptr;
}

/// Where rows are read need not be where they are written.
void Destination::check_is_written() const {
    if (is_read_from_files())
        throw Error(ERRCODE_FEATURE_NOT_SUPPORTED,
                    "foreign table \"" + name + "\" is read from files, and cannot be written");
    if (!source.query.empty())
        throw Error(ERRCODE_FEATURE_NOT_SUPPORTED, "foreign table \"" + name + "\" is a query, and cannot be written");
    if (source.statement != nullptr && source.schema != source.statement->spec.dialect.schema)
        throw Error(ERRCODE_FEATURE_NOT_SUPPORTED,
                    "foreign table \"" + name + "\" cannot be written, since it is in schema \"" + source.schema + "\"",
                    "Rows are written to \"" + source.statement->spec.dialect.schema + "\", as its server says.",
                    "Make a server for the other schema.");
}

const OperationSpec &Destination::operation(OperationKind kind) const {
    if (!is_read_only(kind))
        check_is_written();
    if (const OperationSpec *spec = object.operation(kind))
        return *spec;
    std::string known;
    for (const auto &[other, spec] : object.operations)
        known += (known.empty() ? "" : ", ") + std::string(operation_name(other));
    throw Error(ERRCODE_FEATURE_NOT_SUPPORTED,
                "destination \"" + name + "\" has no operation \"" + operation_name(kind) + "\"",
                "Object \"" + object.name + "\" of connector \"" + object.connector +
                    "\" has: " + (known.empty() ? "none" : known) + ".");
}

Settings options_of_server(Oid server) {
    struct Found {
        List *options;
        bool is_ours;
    };
    const Found found = pg_call([&] {
        const ForeignServer *foreign_server = GetForeignServer(server);
        const char *wrapper = GetForeignDataWrapper(foreign_server->fdwid)->fdwname;
        return Found{foreign_server->options, strcmp(wrapper, "reverse_etl") == 0};
    });
    if (!found.is_ours)
        throw Error(ERRCODE_WRONG_OBJECT_TYPE,
                    "server \"" + server_name(server) + "\" is none of the foreign data wrapper \"reverse_etl\"");
    Settings settings;
    add_options(settings, found.options);
    return settings;
}

Settings credentials_of(Oid user, Oid server) {
    Settings credentials;
    add_options(credentials, pg_call([&] { return user_mapping_options(user, server); }));
    return credentials;
}

std::string Destination::account(Oid user) const {
    return account_of(user, server);
}

std::shared_ptr<Authenticator> Destination::authenticator(Oid user) const {
    std::shared_ptr<Authenticator> found = authenticator_of(user, server, object);
    share_token(*found, {server, relation, user});
    return found;
}

std::string account_of(Oid user, Oid server) {
    // Each with its length: no two sets of credentials read alike.
    std::string identity;
    for (const auto &[name, value] : credentials_of(user, server))
        for (const std::string &text : {name, value})
            identity += std::to_string(text.size()) + ":" + text;
    BucketKey digest = bucket_key(identity);
    return std::to_string(MyDatabaseId) + "/" + std::to_string(server) + "/" + std::to_string(digest[0]) + "-" +
           std::to_string(digest[1]);
}

std::shared_ptr<Authenticator> authenticator_of(Oid user, Oid server, const Object &object) {
    Settings credentials = credentials_of(user, server);
    // One that belongs to another connector: the validator may not have known the server's.
    for (const auto &[name, value] : credentials)
        if (!is_built_in(name, OptionPlace::user_mapping) &&
            std::find(object.credentials.begin(), object.credentials.end(), name) == object.credentials.end())
            throw Error(ERRCODE_FDW_INVALID_OPTION_NAME,
                        "option \"" + name + "\" of the user mapping of user \"" + role_name(user) +
                            "\" for server \"" + server_name(server) + "\" means nothing to connector \"" +
                            object.connector + "\"",
                        "", "Use ALTER USER MAPPING ... OPTIONS (DROP " + name + ").");
    try {
        return session::authenticator(server, object.auth, credentials);
    } catch (const MissingCredentials &error) {
        std::string role = role_name(user), of_server = server_name(server);
        throw Error(ERRCODE_FDW_OPTION_NAME_NOT_FOUND,
                    credentials.empty()
                        ? "user mapping not found for user \"" + role + "\", server \"" + of_server + "\""
                        : "user mapping of user \"" + role + "\" for server \"" + of_server +
                              "\" lacks the credentials that the destination needs",
                    "", error.hint);
    }
}

} // namespace reverse_etl
