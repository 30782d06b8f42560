#pragma once

#include "engine/manifest/key_form.h"
#include "engine/manifest/value_encoding.h"
#include "engine/text/errors.h"
#include "engine/text/json_fwd.h"

#include <chrono>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

namespace reverse_etl {

class ManifestFilling;

enum class OperationKind { create, update, upsert, remove, lookup, list };

/// The name of an operation in a manifest ("delete" for remove) and in messages.
const char *operation_name(OperationKind kind);

/// Whether the operation leaves everything at the destination as it is.
bool is_read_only(OperationKind kind);

/// What an error rule says to do with an answer.
enum class Action {
    proceed,      ///< no fault: read the outcomes
    wait,         ///< declined without being looked at; ask again later
    retry,        ///< a transient fault; what was asked may have been done
    reject,       ///< the rows are at fault
    absent,       ///< there is no such row
    accept,       ///< as good as done
    unauthorized, ///< the credentials are at fault
    stop,         ///< nothing more can be sent for now
};

/// JSON pointers; the first that is there counts.
using Pointers = std::vector<std::string>;

/// A JSON value that is neither an object nor an array.
using Scalar = std::variant<std::nullptr_t, bool, double, std::string>;

/// For every pointer one of the values must stand there.
using Condition = std::vector<std::pair<std::string, std::vector<Scalar>>>;

/// A header that tells a number.
struct NumberHeader {
    std::string name;  ///< in lower case; "" for none
    std::string after; ///< the text that the number stands behind; "": it begins the header
};

/// A header that tells a time to wait.
struct TimeHeader {
    enum class Unit { seconds, milliseconds, epoch_seconds };
    std::string name; ///< in lower case; "" for none
    Unit unit = Unit::seconds;
};

struct ErrorRule {
    std::vector<long> statuses; ///< empty: any
    /// For every header, its name in lower case, one of the values must stand there, in any case.
    std::vector<std::pair<std::string, std::vector<std::string>>> headers;
    Condition body;
    Action then = Action::reject;
    TimeHeader wait; ///< where the answer says how long to wait, if not in Retry-After
    Pointers reason; ///< empty: the connector's
};

/// How an entry of an answer finds its row.
struct Pairing {
    enum class By { number, key } by = By::number;
    std::string pointer;
};

/// How one part of an answer tells what became of rows.
struct ResultSpec {
    std::optional<std::string> each; ///< pointer to the array of entries; none: the answer is the one entry
    bool by_position = false;
    std::vector<Pairing> pairings;
    bool rejected = false; ///< entries are failures, unless accepted_when says otherwise
    Condition accepted_when, wait_when, absent_when;
    std::optional<std::string> id; ///< pointer to the destination's id of the row
    Pointers reason;
};

/// What an answer means for the rows that it does not mention.
enum class Others { unknown, accepted, rejected };

struct RateLimitSpec {
    std::string name;
    int requests = 0; ///< in `seconds`
    int seconds = 0;
    int concurrent = 0;   ///< requests under way at once, where the limit is one of those; else 0
    std::string for_each; ///< a template over the row; "" for one bucket in all
    NumberHeader limit_header, used_header, remaining_header; ///< what answers tell of it
    TimeHeader reset_header;
};

struct QueryParameter {
    std::string name;
    std::string value;
    bool repeated = false; ///< ["{fields}"]: the parameter once for each field, where "{fields}" is one list
};

/// One operation on one object, as the manifest describes it once options are filled in.
struct OperationSpec {
    OperationKind kind = OperationKind::create;
    std::string method;
    std::string path;
    std::vector<QueryParameter> query;
    std::vector<std::pair<std::string, std::string>> headers;
    bool form = false;                ///< body as application/x-www-form-urlencoded, else JSON
    std::shared_ptr<const Json> body; ///< a template; nullptr: no body
    int rows = 1;                     ///< most rows a request
    bool rows_by_table = false;       ///< the API names no such limit: a table may ask for more than `rows`
    std::size_t bytes = 4 << 20;      ///< most bytes of a request's body
    bool by_key = true;               ///< may name its row by the object's key
    bool by_id = true;                ///< may name its row by the destination's id
    bool idempotent = true;
    std::string idempotency_header;
    bool archives = false;                  ///< a delete that keeps the row, hidden
    std::vector<RateLimitSpec> rate_limits; ///< of the operation, then of the connector
    std::vector<ResultSpec> results;        ///< empty: the status speaks for every row
    Others others = Others::unknown;        ///< rows of which no result speaks
    std::vector<ErrorRule> errors;          ///< of the operation, then of the connector
    std::string lacks_option;               ///< one that it cannot do without, and that has no value; "" for none
    Pointers reason;
    Pointers records; ///< lookup and list: where the records stand, or the only one
    std::string next_cursor, next_url;
    std::optional<int> next_offset; ///< pages are named by their first record; this is the first one's number
    std::optional<int> next_page;   ///< pages are numbered, from this number on

    /// The shortest time in which the published limits let that many requests go: the first window's go at once. What
    /// is limited for each of something is left out, since nobody knows for how many.
    double shortest_seconds(std::int64_t requests) const;
    /// Whether an answer without content, whatever its status, does not say what became of the rows.
    bool needs_content() const;
};

struct ColumnSpec {
    std::string field;  ///< the API's name
    std::string column; ///< the foreign table's name for it
    std::string type;   ///< a Postgres type
    ValueEncoding encoding = ValueEncoding::native;
    std::optional<KeyForm> compare; ///< where the field names rows; none: as the object says
    std::string read;               ///< JSON pointer to the value within a record
    bool writable = true;
    std::vector<OperationKind> written_by; ///< the operations that write it; empty: all
    std::string description;

    bool is_written_by(OperationKind operation) const;
};

struct AuthSpec {
    enum class Kind { none, bearer, basic, header, oauth2 } kind = Kind::none;
    /// Parameters as the manifest gives them ("token": "{access_token}"), in order.
    std::vector<std::pair<std::string, std::string>> parameters;
    /// The credentials that the parameters name: what a user mapping must hold for this kind to be used.
    std::vector<std::string> credentials;

    /// The parameter's text; "" if the manifest has none of that name.
    std::string parameter(std::string_view name) const;
};

/// An option that a connector adds to those every server and table has.
struct OptionSpec {
    enum class Type {
        text,    ///< stands for itself, whatever it holds
        integer, ///< a number where it is all there is of a string
        boolean, ///< likewise true or false
        json,    ///< a part of the manifest
        path,    ///< a part of a request's path and query, with placeholders
        host,    ///< a host, perhaps with a port
        label,   ///< one label of a host's name
        url,     ///< a URL to which paths are appended
    } type = Type::text;
    std::string name;
    bool on_server = false; ///< else on the table
    bool required = false;
    std::vector<std::string> one_of; ///< empty: not only these
    std::string pattern;             ///< "" for any
    std::optional<std::string> fallback;
    std::string example; ///< a value that the manifest is checked with; "" for none
    std::string description;
};

/// An option of the user mapping: what a role signs requests with.
struct CredentialSpec {
    std::string name;
    std::string description;
    std::string example;       ///< "" for none
    std::string documentation; ///< the vendor's page about it; "" for none
};

/// Options of server and table, by name.
using Settings = std::map<std::string, std::string>;

/// One object of a connector with its options filled in: all that is needed to speak with the destination.
struct Object {
    std::string connector;
    std::string name;
    std::string base_url; ///< without a slash at its end
    std::string id;       ///< field with the destination's id; "" for none
    std::vector<std::string> key;
    OperationKind insert = OperationKind::create;
    Scalar clear;     ///< the value that clears a field
    std::string read; ///< pointer to a field that the manifest does not list, with {field}
    ValueEncoding encoding = ValueEncoding::native; ///< of such a field
    KeyForm compare;                                ///< of a field for which no column says more
    std::vector<std::pair<std::string, std::string>> headers;
    std::vector<ColumnSpec> columns;
    std::map<OperationKind, OperationSpec> operations;
    std::vector<AuthSpec> auth;
    std::vector<std::string> credentials; ///< all that a user mapping may hold

    const OperationSpec *operation(OperationKind kind) const;
    const ColumnSpec *column_of_field(std::string_view field) const;
    /// How the destination compares the field's values, where they name rows.
    KeyForm form_of(std::string_view field) const;
    /// Where in a record the field's value stands.
    std::string pointer_to(const std::string &field) const;
};

/// A manifest that was checked: what the DBA names in CREATE SERVER ... OPTIONS (connector '...').
class Connector {
  public:
    /// Throws ManifestError, and what `pause` throws, which is called now and then.
    static Connector parse(std::string_view text, void (*pause)() = nullptr);

    const std::string &name() const { return name_; }
    const std::string &title() const { return title_; }
    const std::string &schema() const { return schema_; }
    const std::vector<OptionSpec> &options() const { return options_; }
    const std::vector<AuthSpec> &auth() const { return auth_; }
    /// What a user mapping may hold.
    const std::vector<CredentialSpec> &credentials() const { return credentials_; }
    std::vector<std::string> object_names() const;

    /// The object with the options of server and table filled in. Throws SettingError for a missing or wrong option or
    /// an object that does not exist, ManifestError if an option's text makes the manifest wrong.
    Object object(const std::string &name, const Settings &settings) const;

  private:
    void check_is_object(const std::string &name) const;
    std::string base_url(ManifestFilling &filling, const Settings &settings) const;

    std::shared_ptr<const Json> manifest_;
    std::string name_, title_, schema_;
    std::vector<OptionSpec> options_;
    std::vector<CredentialSpec> credentials_;
    std::vector<AuthSpec> auth_;
};

} // namespace reverse_etl
