#pragma once

#include "engine/files/path_pattern.h"
#include "engine/manifest/connector.h"
#include "engine/requests/compiled_operation.h"
#include "engine/requests/dispatcher.h"
#include "engine/requests/row_writer.h"
#include "postgres/border/postgres.h"

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

extern "C" {
#include "access/attnum.h"
#include "utils/relcache.h"
}

namespace reverse_etl {

/// When rows leave: at once, after the transaction's commit, or whichever of the two can no longer be rolled back.
enum class DeliveryMode { automatic, immediate, queued };

struct DestinationColumn {
    AttrNumber attnum = 0;
    std::string name;
    std::string field;
    Oid type = InvalidOid;
    int32 typmod = -1;
    Oid collation = InvalidOid;
    ValueEncoding encoding;
    KeyForm compare;
    std::string read; ///< JSON pointer to the value in a record
    bool writable = true;
    std::vector<OperationKind> written_by; ///< the operations that the column's option names; empty: any
    const ColumnSpec *spec = nullptr;      ///< nullptr: the manifest does not list the field

    bool is_written_by(OperationKind operation) const;
};

/// A foreign table, its server and its connector put together: what a statement needs to know of where its rows go.
/// It does not change and does not move, so operations compiled for it may point into it.
class Destination {
  public:
    /// Throws SettingError and Error for options that do not fit the connector.
    explicit Destination(Oid relation);
    Destination(const Destination &) = delete;
    Destination &operator=(const Destination &) = delete;

    std::string name;     ///< schema-qualified, for people
    std::string sql_name; ///< the same as SQL writes it
    Oid relation = InvalidOid;
    Oid server = InvalidOid;
    Object object;
    std::vector<DestinationColumn> columns;
    Policy policy;
    NullAs null_as = NullAs::omit;
    bool stop_at_reject = false;
    DeliveryMode delivery = DeliveryMode::automatic;
    /// What holds for queued rows.
    struct {
        long max_rows = 0, max_bytes = 0, ttl_ms = 0;
        int max_attempts = 0;
    } outbox;
    /// Where rows are read by SQL.
    struct {
        std::shared_ptr<const ConnectorStatement> statement; ///< nullptr: the connector runs no SQL
        std::string query, schema;
        bool is_named = false;                   ///< the table says which schema it is in, as imported ones do
        std::chrono::seconds longest{0};         ///< of a statement
        bool pushes_down = true;                 ///< more than the columns goes along
        std::map<AttrNumber, std::string> types; ///< Postgres types that columns are there, where that is known
    } source;

    /// Where rows are read from files.
    struct {
        std::shared_ptr<const ConnectorFiles> how; ///< nullptr: they are not
        std::string folder;                        ///< of the server, where they lie in one
        std::optional<PathPattern> pattern;
        FilesFormat format;
    } files;

    bool is_read_from_files() const { return files.how != nullptr; }
    /// Whether SELECT runs SQL at the source: the table is a query, was imported from there, or the API does not list
    /// it.
    bool is_read_by_statement() const;

    const DestinationColumn *column(AttrNumber attnum) const;
    /// nullptr if the table has none of that name.
    const DestinationColumn *column_named(std::string_view name) const;
    const DestinationColumn *column_of_field(const std::string &field) const;
    /// The column that holds the destination's id; nullptr if the table has none.
    const DestinationColumn *id_column() const { return column_of_field(object.id); }
    /// The columns of the object's key; empty if the object has no key or the table lacks one of them.
    std::vector<const DestinationColumn *> key_columns() const;

    /// The look-up that takes these columns; an Error if there is none.
    const OperationSpec &lookup_by(const std::vector<AttrNumber> &address) const;

    /// Whether the destination's id of a row can be looked up by the key.
    bool finds_id_by_key() const;

    /// The operation, with the table's batch_size; an Error names what the object can do if it cannot do this.
    const OperationSpec &operation(OperationKind kind) const;

    /// Signs as this role's user mapping (or PUBLIC's) says. Throws when there is none.
    std::shared_ptr<Authenticator> authenticator(Oid user) const;

    /// Whose rate limits count for this role: the server's account that its credentials belong to. Roles with the same
    /// credentials share one. No credential can be told from it.
    std::string account(Oid user) const;

  private:
    void read_object(const std::shared_ptr<const Connector> &connector, const Settings &settings);
    void read_writing(const Settings &settings);
    void read_waiting(const Settings &settings);
    void read_source(const Connector &connector, const Settings &settings);
    void read_files(const Connector &connector, const Settings &settings);
    void check_is_written() const;
    void read_columns(Relation relation);
};

/// How the rows of files are written, as options of a table say.
FilesFormat files_format_of(const Settings &settings);
/// The server's option "folder", where its connector reads files from a folder; else "".
std::string folder_of(const ConnectorFiles &files, const Settings &settings);

/// The server's own options. An Error if it is none of this wrapper.
Settings options_of_server(Oid server);
/// How requests are sent, as options say.
Policy policy_of(const Settings &settings);
/// What the role's user mapping (or PUBLIC's) holds.
Settings credentials_of(Oid user, Oid server);
/// As Destination::account() and Destination::authenticator() have it. `object`: whose kinds of authentication count.
std::string account_of(Oid user, Oid server);
std::shared_ptr<Authenticator> authenticator_of(Oid user, Oid server, const Object &object);

/// Whether the relation is a foreign table of this wrapper. Call inside pg_call.
bool is_destination(Oid relation);
/// Throws an Error unless it is, and keeps it from being dropped until the transaction ends.
void check_is_destination(Oid relation);

/// The Destination that goes with a relation, for one statement's planning or execution: made in the memory context.
Destination *open_destination(Oid relation, MemoryContext context);

} // namespace reverse_etl
