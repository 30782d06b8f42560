#include "engine/manifest/operation_reader.h"

#include "engine/manifest/header_reader.h"
#include "engine/text/json.h"
#include "engine/text/lower_case.h"
#include "engine/text/placeholders.h"

#include <algorithm>
#include <set>

namespace reverse_etl {

namespace {

/// Where a placeholder stands decides what the engine can fill in for it when it builds a request.
constexpr PlaceholderNames of_url = {"{key}", "{keys}", "{key_field}", "{fields}", "{cursor}", "{row.FIELD}"};
constexpr PlaceholderNames of_row = {"{key}", "{key_field}", "{unique_field}", "{row_number}", "{row.FIELD}"};
constexpr PlaceholderNames around_rows = {"{key_field}", "{unique_field}"};
constexpr PlaceholderNames of_page = {"{cursor}"};
constexpr PlaceholderNames of_bucket = {"{key}", "{row.FIELD}"};
constexpr PlaceholderNames of_entry = {"{key_field}"};

/// The nodes of a body where rows stand.
std::vector<ManifestNode> rows_of(const ManifestNode &node) {
    std::vector<ManifestNode> found;
    auto add = [&](const ManifestNode &inner) {
        for (const ManifestNode &rows : rows_of(inner))
            found.push_back(rows);
    };
    if (node.value().is_array())
        for (const ManifestNode &element : node.elements())
            add(element);
    if (node.value().is_object())
        for (const auto &[name, member] : node.members()) {
            if (name == "$rows")
                found.push_back(member);
            add(member);
        }
    return found;
}

void check_template(const ManifestNode &node, bool speaks_of_row) {
    if (node.value().is_string() && sole_placeholder(node.text()) != "fields")
        node.template_text(speaks_of_row ? of_row : around_rows);
    if (node.value().is_array())
        for (const ManifestNode &element : node.elements())
            check_template(element, speaks_of_row);
    if (node.value().is_object())
        for (const auto &[name, member] : node.members()) {
            if (name == "$columns") {
                member.one_of({"all"});
                if (!speaks_of_row)
                    member.fail("must stand within \"$rows\"");
            } else if (name == "$rows") {
                if (node.value().size() != 1)
                    member.fail("must be the only member of its object");
                check_template(member, true);
            } else if (name == "$number") {
                if (node.value().size() != 1)
                    member.fail("must be the only member of its object");
                if (member.text() != "{row_number}" || !speaks_of_row)
                    member.fail("must be \"{row_number}\", and stand where a body speaks of a row");
            } else if (name.starts_with("$")) {
                member.fail("is no directive; the directives are \"$rows\", \"$columns\" and \"$number\"");
            } else {
                member.literal_name(name);
                check_template(member, speaks_of_row);
            }
        }
}

/// A list has no rows yet, but pages.
void check_page_body(const ManifestNode &node) {
    if (node.value().is_string() && node.value() != "{fields}")
        node.template_text(of_page);
    if (node.value().is_array())
        for (const ManifestNode &element : node.elements())
            check_page_body(element);
    if (node.value().is_object())
        for (const auto &[name, member] : node.members()) {
            member.literal_name(name);
            check_page_body(member);
        }
}

void check_body(const ManifestNode &node, OperationKind kind) {
    if (kind == OperationKind::list) {
        check_page_body(node);
        return;
    }
    const std::vector<ManifestNode> rows = rows_of(node);
    if (rows.size() > 1)
        rows[1].fail("must stand in a body only once");
    check_template(node, rows.empty());
}

Pairing read_pairing(const ManifestNode &node) {
    node.only({"number", "key"});
    if (node.has("number") == node.has("key"))
        node.fail("must have one member, \"number\" or \"key\"");
    const bool by_number = node.has("number");
    return {by_number ? Pairing::By::number : Pairing::By::key,
            node.at(by_number ? "number" : "key").json_pointer(of_entry)};
}

ResultSpec read_result(const ManifestNode &node) {
    node.only({"each", "is", "row", "accepted_when", "wait_when", "absent_when", "id", "reason"});
    ResultSpec result;
    if (node.has("each"))
        result.each = node.at("each").json_pointer();
    if (node.has("is"))
        result.rejected = node.at("is").one_of({"accepted", "rejected"}) == 1;
    if (node.has("row")) {
        ManifestNode row = node.at("row");
        if (row.value().is_string())
            result.by_position = row.one_of({"position"}) == 0;
        else
            for (const ManifestNode &pairing : row.one_or_many())
                result.pairings.push_back(read_pairing(pairing));
    } else if (result.each) {
        node.fail("with \"each\" there must be \"row\", which pairs an entry with its row");
    }
    if (node.has("accepted_when"))
        result.accepted_when = node.at("accepted_when").condition();
    if (node.has("wait_when"))
        result.wait_when = node.at("wait_when").condition();
    if (node.has("absent_when"))
        result.absent_when = node.at("absent_when").condition();
    if (node.has("id"))
        result.id = node.at("id").json_pointer();
    if (node.has("reason"))
        result.reason = node.at("reason").pointers();
    return result;
}

/// Whether it speaks of the rows that failed and of no other.
bool names_only_failures(const ResultSpec &result) {
    return result.each && result.rejected && result.accepted_when.empty();
}

void read_outcome(const ManifestNode &node, OperationSpec &spec) {
    if (node.value().is_string()) {
        node.one_of({"status"});
        return;
    }
    bool has_others = false;
    for (const ManifestNode &result : node.one_or_many()) {
        if (!result.has("others")) {
            spec.results.push_back(read_result(result));
            continue;
        }
        result.only({"others"});
        if (has_others)
            result.fail("must stand only once: there are no others than the others");
        has_others = true;
        const bool are_accepted = result.at("others").one_of({"accepted", "rejected"}) == 0;
        spec.others = are_accepted ? Others::accepted : Others::rejected;
    }
    if (spec.results.empty())
        node.fail("must say which rows it speaks of before it says what the others are");
    if (!has_others && std::all_of(spec.results.begin(), spec.results.end(), names_only_failures))
        node.fail("names only failures, so it must say what all other rows are: {\"others\": \"accepted\"}");
}

TimeHeader read_time_header(const ManifestNode &node) {
    static constexpr TimeHeader::Unit units[] = {TimeHeader::Unit::seconds, TimeHeader::Unit::milliseconds,
                                                 TimeHeader::Unit::epoch_seconds};
    node.only({"header", "unit"});
    TimeHeader header;
    header.name = lower_case(node.at("header").literal());
    if (node.has("unit"))
        header.unit = units[node.at("unit").one_of({"s", "ms", "epoch_s"})];
    return header;
}

NumberHeader read_number_header(const ManifestNode &limit, const char *member) {
    if (!limit.has(member))
        return {};
    limit.at(member).only({"header", "after"});
    return {lower_case(limit.at(member).at("header").literal()), limit.at(member).literal("after", "")};
}

RateLimitSpec read_rate_limit(const ManifestNode &node) {
    RateLimitSpec limit;
    limit.name = node.at("name").plain_name();
    if (node.has("for_each"))
        limit.for_each = node.at("for_each").template_text(of_bucket);
    if (node.has("concurrent")) {
        node.only({"name", "concurrent", "for_each"});
        limit.concurrent = node.at("concurrent").positive_integer();
        return limit;
    }
    node.only({"name", "requests", "seconds", "concurrent", "for_each", "limit", "used", "remaining", "reset"});
    limit.requests = node.at("requests").positive_integer();
    limit.seconds = node.at("seconds").positive_integer();
    limit.limit_header = read_number_header(node, "limit");
    limit.used_header = read_number_header(node, "used");
    limit.remaining_header = read_number_header(node, "remaining");
    if (node.has("reset"))
        limit.reset_header = read_time_header(node.at("reset"));
    return limit;
}

std::vector<std::pair<std::string, std::vector<std::string>>> read_header_condition(const ManifestNode &node) {
    std::vector<std::pair<std::string, std::vector<std::string>>> headers;
    for (const auto &[written, condition] : node.members()) {
        const std::string name = condition.literal_name(written);
        if (!is_token(name))
            condition.fail("is not named as a header may be: letters, digits and \"-\"");
        std::vector<std::string> values;
        for (const ManifestNode &value : condition.one_or_many())
            values.push_back(value.literal());
        headers.emplace_back(lower_case(name), std::move(values));
    }
    if (headers.empty())
        node.fail("must name at least one header");
    return headers;
}

ErrorRule read_error_rule(const ManifestNode &node) {
    node.only({"status", "header", "body", "then", "for", "reason"});
    ErrorRule rule;
    if (!node.has("status") && !node.has("header") && !node.has("body"))
        node.fail("must name a \"status\", a \"header\" or a \"body\" to look for");
    if (node.has("status"))
        for (const ManifestNode &status : node.at("status").one_or_many()) {
            int code = status.positive_integer();
            if (code < 100 || code > 599)
                status.fail("must be an HTTP status: 100 to 599");
            rule.statuses.push_back(code);
        }
    if (node.has("header"))
        rule.headers = read_header_condition(node.at("header"));
    if (node.has("body"))
        rule.body = node.at("body").condition();
    static constexpr Action actions[] = {Action::wait,   Action::retry,        Action::reject, Action::absent,
                                         Action::accept, Action::unauthorized, Action::stop};
    rule.then =
        actions[node.at("then").one_of({"wait", "retry", "reject", "absent", "accept", "unauthorized", "stop"})];
    if (node.has("for"))
        rule.wait = read_time_header(node.at("for"));
    if (node.has("reason"))
        rule.reason = node.at("reason").pointers();
    return rule;
}

/// Whether this is an option without a value yet, of one of these types.
bool is_unset(const ManifestNode &node, const std::string &name, std::initializer_list<OptionSpec::Type> types) {
    if (!node.may_be_set_later(name))
        return false;
    return std::find(types.begin(), types.end(), node.unset()->types.at(name)) != types.end();
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
}

/// An option that is a path may begin one; were it a row's value, the row could choose another host.
void check_path_begins(const ManifestNode &node, const std::string &path) {
    if (path.empty() || path[0] == '/')
        return;
    const TextPart first = split_placeholders(path).front();
    if (!first.is_placeholder || !is_unset(node, first.text, {OptionSpec::Type::path}))
        node.fail("its path must begin with \"/\", or with an option of type \"path\"");
}

void read_next(const ManifestNode &node, OperationSpec &spec) {
    node.only({"cursor", "url", "offset", "page"});
    if (node.has("cursor") + node.has("url") + node.has("offset") + node.has("page") > 1)
        node.fail("must have one member: \"cursor\", \"url\", \"offset\" or \"page\"");
    if (node.has("cursor"))
        spec.next_cursor = node.at("cursor").json_pointer();
    if (node.has("url"))
        spec.next_url = node.at("url").json_pointer();
    if (node.has("offset"))
        spec.next_offset = node.at("offset").integer_from(0);
    if (node.has("page"))
        spec.next_page = node.at("page").integer_from(0);
}

/// A name that is nothing, or that an option is still to give, is no header yet.
std::string header_name(const ManifestNode &node) {
    const std::string name = node.literal();
    if (!name.empty() && !sole_placeholder(node.text()))
        check_header_name(node, name);
    return name;
}

/// The placeholders of a text. An option without a value yet that may bring placeholders of its own counts as "key".
void find_names(const ManifestNode &node, std::string_view text, std::set<std::string> &names) {
    for (const TextPart &part : split_placeholders(text)) {
        if (!part.is_placeholder)
            continue;
        const bool may_be_any = is_unset(node, part.text, {OptionSpec::Type::path, OptionSpec::Type::json});
        names.insert(may_be_any ? "key" : part.text);
    }
}

void find_names_in_body(const ManifestNode &node, const Json &body, std::set<std::string> &names) {
    if (body.is_string())
        find_names(node, body.get_ref<const std::string &>(), names);
    else if (body.is_structured())
        for (const Json &member : body)
            find_names_in_body(node, member, names);
}

} // namespace

void check_names_row(const ManifestNode &node, const OperationSpec &spec, const std::vector<std::string> &key,
                     const std::string &id) {
    if (spec.kind != OperationKind::update && spec.kind != OperationKind::remove && spec.kind != OperationKind::lookup)
        return;
    std::set<std::string> names;
    find_names(node, spec.path, names);
    for (const QueryParameter &parameter : spec.query)
        find_names(node, parameter.value, names);
    if (spec.body != nullptr)
        find_names_in_body(node, *spec.body, names);
    const auto has_field = [&](const std::string &field) { return names.contains("row." + field); };
    const bool has_any_field = names.lower_bound("row.") != names.lower_bound("row/");
    bool names_row = names.contains("key") || names.contains("keys");
    if (key.empty() && id.empty())
        names_row |= has_any_field;
    names_row |= !key.empty() && std::all_of(key.begin(), key.end(), has_field);
    names_row |= !id.empty() && has_field(id);
    if (names_row)
        return;
    if (has_any_field)
        node.fail(
            "names no single row: \"{key}\", \"{keys}\" or \"{row.FIELD}\" of the object's id, or of all fields of "
            "its key, must stand in its path, its query or its body, or it would be about several rows");
    node.fail("names no row: \"{key}\", \"{keys}\" or \"{row.FIELD}\" must stand in its path, its query or its "
              "body, or it would be about all rows at once");
}

std::vector<ErrorRule> read_error_rules(const ManifestNode &node) {
    std::vector<ErrorRule> rules;
    for (const ManifestNode &rule : node.elements())
        rules.push_back(read_error_rule(rule));
    return rules;
}

std::vector<RateLimitSpec> read_rate_limits(const ManifestNode &node) {
    std::vector<RateLimitSpec> limits;
    for (const ManifestNode &limit : node.elements())
        limits.push_back(read_rate_limit(limit));
    return limits;
}

OperationSpec read_operation(const ManifestNode &node, OperationKind kind) {
    node.only({"request", "query", "headers", "format", "body", "rows", "rows_by_table", "bytes", "by", "idempotent",
               "idempotency_key", "archives", "rate_limits", "outcome", "errors", "records", "next"});
    OperationSpec spec;
    spec.kind = kind;
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
        spec.headers = read_headers(node.at("headers"));
    if (node.has("format"))
        spec.form = node.at("format").one_of({"json", "form"}) == 1;
    if (node.has("body")) {
        spec.body = std::make_shared<const Json>(node.at("body").value());
        check_body(node.at("body"), kind);
    }
    if (node.has("rows")) {
        spec.rows = node.at("rows").positive_integer();
        if (spec.rows > 10000)
            node.at("rows").fail("must be at most 10000");
    }
    spec.rows_by_table = node.flag("rows_by_table", false);
    if (node.has("bytes"))
        spec.bytes = node.at("bytes").positive_integer();
    if (node.has("by")) {
        std::size_t by = node.at("by").one_of({"key", "id", "any"});
        spec.by_key = by != 1;
        spec.by_id = by != 0;
    }
    if (node.has("idempotency_key"))
        spec.idempotency_header = header_name(node.at("idempotency_key"));
    spec.idempotent = node.flag("idempotent", kind != OperationKind::create);
    spec.archives = node.flag("archives", false);
    if (node.has("rate_limits"))
        spec.rate_limits = read_rate_limits(node.at("rate_limits"));
    if (node.has("outcome"))
        read_outcome(node.at("outcome"), spec);
    if (node.has("errors"))
        spec.errors = read_error_rules(node.at("errors"));
    if (node.has("records"))
        spec.records = node.at("records").pointers();
    else
        spec.records = {""};
    if (node.has("next"))
        read_next(node.at("next"), spec);
    return spec;
}

} // namespace reverse_etl
