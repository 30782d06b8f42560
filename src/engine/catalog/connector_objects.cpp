#include "engine/catalog/connector_page.h"
#include "engine/manifest/job_spec.h"
#include "engine/manifest/limit_text.h"

#include <algorithm>
#include <utility>

namespace reverse_etl {

namespace {

/// The name of the column that stands for a field.
std::string column_code(const Object &object, const std::string &field) {
    const ColumnSpec *column = object.column_of_field(field);
    return code(column != nullptr ? column->column : field);
}

std::string columns_code(const Object &object, const std::vector<std::string> &fields) {
    std::vector<std::string> names;
    for (const std::string &field : fields)
        names.push_back(column_code(object, field));
    return enumerated(names);
}

/// "`id` or `email`": by what a statement may name rows.
std::string naming(const Object &object, const OperationSpec &spec) {
    if (!spec.by_fields.empty())
        return columns_code(object, spec.by_fields);
    std::vector<std::string> ways;
    if (spec.by_id && !object.id.empty())
        ways.push_back(column_code(object, object.id));
    const std::string key = object.key.empty() ? "the table's " + code("key") : columns_code(object, object.key);
    if (spec.by_key && std::find(ways.begin(), ways.end(), key) == ways.end())
        ways.push_back(key);
    return enumerated(ways, " or ");
}

std::string sizes(const OperationSpec &spec) {
    std::vector<std::string> parts;
    if (!spec.has_only_job() && !spec.by_lookup)
        parts.push_back((spec.rows == 1 ? "one row" : std::to_string(spec.rows) + " rows") + " a request");
    if (spec.job != nullptr)
        parts.push_back((spec.job->from > 0 ? "from " + std::to_string(spec.job->from) + " rows on " : std::string()) +
                        "in jobs of up to " + std::to_string(spec.job->rows) + " rows");
    return parts.empty() ? "" : ", " + enumerated(parts, ", ");
}

std::string insert(const Object &object) {
    const OperationSpec *create = object.operation(OperationKind::create);
    const OperationSpec *upsert = object.operation(OperationKind::upsert);
    std::vector<std::string> ways;
    if (create != nullptr)
        ways.push_back("create" + sizes(*create));
    if (upsert != nullptr)
        ways.push_back("upsert by " +
                       (object.key.empty() ? "the table's " + code("key") : columns_code(object, object.key)) +
                       sizes(*upsert));
    if (object.insert == OperationKind::upsert)
        std::reverse(ways.begin(), ways.end());
    return enumerated(ways, "; or ");
}

/// UPDATE and DELETE.
std::string change(const Object &object, OperationKind kind) {
    const OperationSpec *spec = object.operation(kind);
    if (spec == nullptr)
        return "";
    std::string text = "by " + naming(object, *spec) + sizes(*spec);
    const auto lookups = object.lookups();
    if (!spec->by_key && !object.key.empty() &&
        std::any_of(lookups.begin(), lookups.end(), [](const OperationSpec *one) { return one->by_key; }))
        text += "; by " + columns_code(object, object.key) + " after a look-up";
    return text + (spec->archives ? "; the destination keeps it, hidden" : "");
}

std::string select(const Object &object) {
    std::vector<std::string> ways;
    for (const OperationSpec *lookup : object.lookups())
        ways.push_back("by " + naming(object, *lookup) + sizes(*lookup));
    if (object.operation(OperationKind::list) != nullptr)
        ways.emplace_back("list");
    return enumerated(ways, "; ");
}

std::string columns(const Object &object) {
    std::vector<std::string> written, read;
    for (const ColumnSpec &column : object.columns) {
        std::string text = code(column.column) + (column.type == "text" ? "" : " " + column.type);
        if (!column.description.empty())
            text += " (" + prose(column.description) + ")";
        (column.writable ? written : read).push_back(text);
    }
    if (read.empty())
        return enumerated(written, ", ");
    return enumerated(written, ", ") + (written.empty() ? "" : "; ") + "read only: " + enumerated(read, ", ");
}

} // namespace

void add_options(Page &page, const Connector &connector) {
    if (connector.options().empty())
        return;
    std::vector<std::vector<std::string>> rows;
    for (const OptionSpec &option : connector.options()) {
        std::vector<std::string> words;
        for (const std::string &word : option.one_of)
            words.push_back(code(word));
        const std::string otherwise = option.required                        ? "required"
                                      : option.fallback.value_or("").empty() ? ""
                                                                             : code(*option.fallback);
        rows.push_back({code(option.name), option.on_server ? "server" : "table", otherwise,
                        option.example.empty() ? "" : code(option.example), enumerated(words, ", "),
                        prose(option.description)});
    }
    page.heading("Options of servers and tables");
    page.entries({"option", "stands on", "default", "example", "one of", "what it is"}, rows);
}

void add_objects(Page &page, const ConnectorFacts &facts) {
    page.heading("Objects");
    std::vector<std::vector<std::string>> rows;
    bool lists_others = false;
    for (const Object &object : facts.objects) {
        rows.push_back({code(object.name), prose(object.description), columns_code(object, object.key), insert(object),
                        change(object, OperationKind::update), change(object, OperationKind::remove), select(object),
                        columns(object)});
        lists_others |= object.name == "*";
    }
    page.entries({"object", "what it is", "key", "INSERT", "UPDATE", "DELETE", "SELECT", "columns"}, rows);
    if (lists_others)
        page.paragraph(code("*") +
                       " stands for objects that the connector does not list; tables name them by the "
                       "option " +
                       code("object") + ".");
}

void add_limits(Page &page, const ConnectorFacts &facts) {
    std::vector<std::pair<std::string, std::vector<std::string>>> limits;
    for (const Object &object : facts.objects)
        for (const auto &[name, kind] : operation_names)
            if (const OperationSpec *spec = object.operation(kind))
                for (const RateLimitSpec &limit : spec->rate_limits) {
                    const std::string text = described(limit);
                    auto same =
                        std::find_if(limits.begin(), limits.end(), [&](const auto &one) { return one.first == text; });
                    if (same == limits.end())
                        same = limits.insert(limits.end(), {text, {}});
                    const std::string holder = code(object.name) + " " + name;
                    if (same->second.empty() || same->second.back() != holder)
                        same->second.push_back(holder);
                }
    page.heading("Limits");
    if (limits.empty())
        return page.paragraph("None are known, so none are kept. A 429 is waited out, as long as Retry-After says.");
    std::vector<std::vector<std::string>> rows;
    for (const auto &[text, holders] : limits)
        rows.push_back(
            {prose(text), holders.size() == facts.operations.size() ? "all requests" : enumerated(holders, ", ")});
    page.entries({"kept are", "for"}, rows);
}

} // namespace reverse_etl
