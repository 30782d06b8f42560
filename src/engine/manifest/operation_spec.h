#pragma once

#include "engine/manifest/body_format.h"
#include "engine/manifest/error_rule.h"
#include "engine/manifest/filter_spec.h"
#include "engine/manifest/page_spec.h"
#include "engine/manifest/rate_limit_spec.h"
#include "engine/manifest/result_spec.h"
#include "engine/text/json_fwd.h"

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace reverse_etl {

enum class OperationKind { create, update, upsert, remove, lookup, list };

inline constexpr std::pair<const char *, OperationKind> operation_names[] = {
    {"create", OperationKind::create}, {"update", OperationKind::update}, {"upsert", OperationKind::upsert},
    {"delete", OperationKind::remove}, {"lookup", OperationKind::lookup}, {"list", OperationKind::list}};

/// The name of an operation in a manifest ("delete" for remove) and in messages.
const char *operation_name(OperationKind kind);

/// Whether the operation leaves everything at the destination as it is.
bool is_read_only(OperationKind kind);

struct JobSpec;

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
    std::vector<std::pair<std::string, std::string>> id_headers; ///< templates with {request.id} or {entry.id}
    BodyFormat format;
    std::shared_ptr<const Json> body;   ///< a template; nullptr: no body
    int rows = 1;                       ///< most rows a request
    bool rows_by_table = false;         ///< the API names no such limit: a table may ask for more than `rows`
    std::size_t bytes = 4 << 20;        ///< most bytes of a request's body
    std::vector<std::string> group_by;  ///< fields: rows share a request only where they have the same values of them
    bool by_key = true;                 ///< may name its row by the object's key
    bool by_id = true;                  ///< may name its row by the destination's id
    std::vector<std::string> by_fields; ///< of a lookup that names its row by these, and by nothing else
    bool by_lookup = false; ///< an upsert that has no request of its own: a lookup, then an update or a create
    bool idempotent = true;
    std::string idempotency_header;
    bool idempotency_in_body = false;
    bool archives = false;                  ///< a delete that keeps the row, hidden
    bool takes_any_content = false;         ///< an answer that is a success is what was asked for, whatever it holds
    std::vector<RateLimitSpec> rate_limits; ///< of the operation, then of the connector
    std::vector<ResultSpec> results;        ///< empty: the status speaks for every row
    Others others = Others::unknown;        ///< rows of which no result speaks
    std::vector<ErrorRule> errors;          ///< of the operation, then of the connector
    std::string lacks_option;               ///< one that it cannot do without, and that has no value; "" for none
    Pointers reason;
    RecordsSpec records;          ///< of lookup and list
    PageSpec next;                ///< of list
    FilterSpecs filters;          ///< of list: what of WHERE its request can say
    std::shared_ptr<JobSpec> job; ///< nullptr: rows leave in requests only

    /// Whether rows leave in jobs only.
    bool has_only_job() const { return job != nullptr && method.empty(); }

    /// Whether requests carry a key by which the destination knows a repeated one.
    bool has_idempotency_key() const { return !idempotency_header.empty() || idempotency_in_body; }
    /// The shortest time in which the published limits let that many requests go: the first window's go at once. What
    /// is limited for each of something is left out, since nobody knows for how many, and so are rows and points.
    double shortest_seconds(std::int64_t requests) const;
    /// Whether an answer without content, whatever its status, does not say what became of the rows.
    bool needs_content() const;
    /// Whether an answer that is a success has to be JSON: something is to be read from it.
    bool needs_json() const;
};

} // namespace reverse_etl
