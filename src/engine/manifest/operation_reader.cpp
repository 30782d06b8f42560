#include "engine/manifest/operation_reader.h"

#include "engine/manifest/body_reader.h"
#include "engine/manifest/by_reader.h"
#include "engine/manifest/error_rule_reader.h"
#include "engine/manifest/filter_reader.h"
#include "engine/manifest/format_reader.h"
#include "engine/manifest/header_reader.h"
#include "engine/manifest/idempotency_reader.h"
#include "engine/manifest/job_reader.h"
#include "engine/manifest/page_body_reader.h"
#include "engine/manifest/page_reader.h"
#include "engine/manifest/rate_limit_reader.h"
#include "engine/manifest/result_reader.h"
#include "engine/text/json.h"
#include "engine/text/placeholders.h"

#include <algorithm>

namespace reverse_etl {

namespace {

/// Where a placeholder stands decides what the engine can fill in for it when it builds a request.
constexpr PlaceholderNames of_url = {"{key}",    "{keys}",      "{key_field}",  "{fields}",
                                     "{cursor}", "{row.FIELD}", "{request.id}", "{entry.id}"};

/// RFC 3986 has no such sign.
bool ends_a_url(unsigned char sign) {
    return sign <= ' ' || sign == 127;
}

void read_request_line(const ManifestNode &node, OperationSpec &spec) {
    std::string line = node.template_text(of_url);
    std::size_t blank = line.find(' ');
    if (blank == std::string::npos || blank == 0)
        node.fail("must be a method and a path, as in \"POST /v1/contacts\"");
    spec.method = line.substr(0, blank);
    spec.path = line.substr(blank + 1);
    bool method_known = false;
    for (const char *method : {"GET", "POST", "PUT", "PATCH", "DELETE"})
        method_known |= spec.method == method;
    if (!method_known)
        node.fail("its method must be one of GET, POST, PUT, PATCH and DELETE");
    if (spec.path.find('#') != std::string::npos)
        node.fail("its path must not hold \"#\": what follows would not be sent");
    for (const TextPart &part : split_placeholders(spec.path))
        if (!part.is_placeholder && std::any_of(part.text.begin(), part.text.end(), ends_a_url))
            node.fail("its path must not hold blanks and control characters: a blank is written %20");
}

/// An option that is a path may begin one; were it a row's value, the row could choose another host.
void check_path_begins(const ManifestNode &node, const std::string &path) {
    if (path.empty() || path[0] == '/')
        return;
    const TextPart first = split_placeholders(path).front();
    if (!first.is_placeholder || !node.may_be_set_later(first.text, {OptionSpec::Type::path}))
        node.fail("its path must begin with \"/\", or with an option of type \"path\"");
}

/// Each has a mark of one character beside the rows of a body.
constexpr std::size_t most_groups = 8;

void read_group_by(const ManifestNode &operation, OperationSpec &spec) {
    const ManifestNode node = operation.at("group_by");
    if (operation.has("job"))
        node.fail("means nothing beside \"job\", which takes rows as they come");
    for (const ManifestNode &field : node.one_or_many()) {
        const std::string name = field.literal();
        if (name.empty())
            field.fail("must name a field");
        if (std::find(spec.group_by.begin(), spec.group_by.end(), name) != spec.group_by.end())
            field.fail("names a field twice");
        spec.group_by.push_back(name);
    }
    if (spec.group_by.empty() || spec.group_by.size() > most_groups)
        node.fail("must name 1 to " + std::to_string(most_groups) + " fields");
    if (spec.format.kind == BodyKind::form)
        node.fail("means nothing where the format is \"form\", in which a request holds one row");
}

} // namespace

OperationSpec read_operation(const ManifestNode &node, OperationKind kind) {
    node.only({"request",         "query",     "headers",     "format",
               "compress",        "omit_null", "body",        "rows",
               "rows_by_table",   "bytes",     "by",          "idempotent",
               "idempotency_key", "archives",  "rate_limits", "outcome",
               "errors",          "records",   "none_when",   "next",
               "filter",          "job",       "group_by"});
    OperationSpec spec;
    spec.kind = kind;
    if (is_by_lookup(node, kind)) {
        read_by(node.at("by"), spec);
        return spec;
    }
    if (node.has("request")) {
        read_request_line(node.at("request"), spec);
        check_path_begins(node.at("request"), spec.path);
    }
    if (node.has("query")) {
        for (const auto &[name, value] : node.at("query").members()) {
            bool repeated = value.value().is_array() && value.value().size() == 1;
            ManifestNode text = repeated ? value.elements().front() : value;
            spec.query.push_back({value.literal_name(name), text.template_text(of_url), repeated});
        }
    }
    if (node.has("headers"))
        spec.headers = read_headers(node.at("headers"), spec.id_headers);
    if (node.has("format"))
        read_format(node.at("format"), spec.format);
    if (node.has("compress"))
        spec.format.gzip = node.at("compress").one_of({"none", "gzip"}) == 1;
    spec.format.omit_null = node.flag("omit_null", false);
    if (node.has("group_by"))
        read_group_by(node, spec);
    if (node.has("body")) {
        const ManifestNode body = node.at("body");
        const bool may_name_keys = kind == OperationKind::lookup && spec.format.kind == BodyKind::json;
        spec.body = std::make_shared<const Json>(may_name_keys ? with_keys_as_rows(body.value()) : body.value());
        check_body(ManifestNode(*spec.body, body.pointer(), body.unset()), kind, spec.format, spec.group_by);
    }
    if (node.has("rows")) {
        spec.rows = node.at("rows").positive_integer();
        if (spec.rows > 10000)
            node.at("rows").fail("must be at most 10000");
    }
    spec.rows_by_table = node.flag("rows_by_table", false);
    if (node.has("bytes"))
        spec.bytes = node.at("bytes").positive_integer();
    if (node.has("by"))
        read_by(node.at("by"), spec);
    if (node.has("idempotency_key"))
        read_idempotency_key(node.at("idempotency_key"), spec);
    spec.idempotent = node.flag("idempotent", kind != OperationKind::create);
    spec.archives = node.flag("archives", false);
    if (node.has("rate_limits"))
        spec.rate_limits = read_rate_limits(node.at("rate_limits"));
    if (node.has("outcome"))
        read_outcome(node.at("outcome"), spec);
    if (node.has("errors"))
        spec.errors = read_error_rules(node.at("errors"), !is_read_only(kind));
    spec.records = read_records_spec(node);
    if (node.has("filter"))
        spec.filters = read_filters(node.at("filter"));
    if (node.has("next"))
        spec.next = read_next(node.at("next"));
    if (spec.next.has_cursor() && !names_cursor(node))
        node.at("next").fail("needs {cursor} in the request, or every page would be the first");
    if (node.has("job"))
        spec.job = read_job(node, spec);
    return spec;
}

} // namespace reverse_etl
