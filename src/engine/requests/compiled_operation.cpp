#include "engine/requests/compiled_operation.h"

#include "engine/requests/request_ids.h"
#include "engine/text/json.h"
#include "engine/text/json_text.h"
#include "engine/text/lower_case.h"
#include "engine/text/placeholders.h"

#include <algorithm>

namespace reverse_etl {

namespace {

using Kind = RowSegment::Kind;

void literal(std::vector<RowSegment> &out, std::string_view text) {
    if (out.empty() || out.back().kind != Kind::literal)
        out.push_back({Kind::literal, "", -1});
    out.back().text += text;
}

std::string json_string(std::string_view text) {
    std::string result;
    append_json_string(result, text);
    return result;
}

/// The text of a JSON string's inside.
std::string escaped(std::string_view text) {
    std::string result = json_string(text);
    return result.substr(1, result.size() - 2);
}

std::string encoded(std::string_view text) {
    std::string result;
    append_percent_encoded(result, text);
    return result;
}

bool is_rows(const Json &value) {
    return value.is_object() && value.size() == 1 && value.contains("$rows");
}

/// As a number: in a string of its own it is text.
bool is_row_number(const Json &value) {
    return value.is_object() && value.contains("$number");
}

/// The name of a member, in which braces are written twice.
std::string name_of(const std::string &written) {
    return substitute(written, [](const std::string &) { return std::nullopt; });
}

std::string form_of(const Json &members) {
    std::string form;
    for (const auto &[name, member] : members.items())
        form += (form.empty() ? "" : "&") + encoded(name) + "=" +
                encoded(member.is_string() ? member.get<std::string>() : member.dump());
    return form;
}

bool contains_rows(const Json &value) {
    if (is_rows(value))
        return true;
    return value.is_structured() &&
           std::any_of(value.begin(), value.end(), [](const Json &member) { return contains_rows(member); });
}

} // namespace

CompiledOperation::CompiledOperation(const Object &object, const OperationSpec &spec,
                                     std::vector<StatementColumn> columns, int key,
                                     const std::vector<std::string> &fields)
    : object_(object), spec_(spec), columns_(std::move(columns)), key_(key), fields_(fields) {
    if (!spec_.lacks_option.empty())
        throw lacks_option(spec_.lacks_option);
    if (key_ >= 0)
        key_field_ = columns_[key_].field;
    set_grouping();
    if (spec_.body != nullptr && spec_.kind == OperationKind::list)
        has_body_ = true;
    else if (spec_.body != nullptr)
        compile_body();
    set_headers();
    add_id_headers();
    path_ = compile_url(spec_.path, false);
    path_names_row_ = std::any_of(path_.begin(), path_.end(),
                                  [](const UrlSegment &segment) { return segment.kind == UrlSegment::Kind::kept; });
    for (const QueryParameter &parameter : spec_.query) {
        std::vector<std::string> values = {parameter.value};
        if (parameter.repeated && parameter.value == "{fields}")
            values = fields_;
        for (const std::string &value : values) {
            UrlParameter compiled;
            compiled.segments = compile_url(value, true);
            for (const UrlSegment &segment : compiled.segments)
                compiled.needs_cursor |= segment.kind == UrlSegment::Kind::cursor;
            one_row_ |= speaks_of_row(compiled.segments);
            compiled.segments.insert(compiled.segments.begin(),
                                     {UrlSegment::Kind::literal, encoded(parameter.name) + "=", 0});
            query_.push_back(std::move(compiled));
        }
    }
    one_row_ |= speaks_of_row(path_);
    path_names_group_ = path_names_row_ && !speaks_of_row(path_);
    const auto names_row = [](const UrlSegment &segment) {
        return segment.kind == UrlSegment::Kind::kept || segment.kind == UrlSegment::Kind::kept_of_all;
    };
    url_names_row_ = std::any_of(path_.begin(), path_.end(), names_row);
    for (const UrlParameter &parameter : query_)
        url_names_row_ |= std::any_of(parameter.segments.begin(), parameter.segments.end(), names_row);
    for (const RateLimitSpec &limit : spec_.rate_limits) {
        rate_limits_.push_back({limit, compile_url(limit.for_each, true)});
        const bool is_of_group = !grouping_.empty() && !speaks_of_row(rate_limits_.back().scope);
        one_row_ |= !limit.for_each.empty() && !is_of_group;
    }
    bool pairs_by_key = false;
    for (const ResultSpec &result : spec_.results)
        for (const Pairing &pairing : result.pairings)
            pairs_by_key |= pairing.by == Pairing::By::key;
    if (key_ >= 0 && (pairs_by_key || key_names_row_ || spec_.kind == OperationKind::lookup))
        kept_key_ = static_cast<int>(keep(key_));
    if (key_names_row_)
        naming_.push_back(kept_key_);
}

std::size_t CompiledOperation::keep(int column) {
    auto found = std::find(kept_columns_.begin(), kept_columns_.end(), column);
    if (found == kept_columns_.end())
        found = kept_columns_.insert(kept_columns_.end(), column);
    return found - kept_columns_.begin();
}

/// Remembers a placeholder by which the destination is told of which row a request speaks.
void CompiledOperation::note_naming(const std::string &placeholder) {
    key_names_row_ |= placeholder == "key" || placeholder == "keys";
    const bool is_about_a_row = spec_.kind == OperationKind::update || spec_.kind == OperationKind::remove ||
                                spec_.kind == OperationKind::lookup;
    if (!is_about_a_row || !placeholder.starts_with("row."))
        return;
    const DerivedSpec *derived = object_.derived_named(placeholder.substr(4));
    const std::string field = derived != nullptr ? derived->from : placeholder.substr(4);
    const bool is_of_key = std::find(object_.key.begin(), object_.key.end(), field) != object_.key.end();
    if (!is_of_key && field != object_.id)
        return;
    naming_.push_back(keep(column_of(placeholder)));
    if (derived != nullptr) // the digest of nothing is a name, but nobody's
        naming_.push_back(keep(statement_column(field)));
}

SettingError CompiledOperation::lacks_option(const std::string &name) const {
    return SettingError("operation \"" + std::string(operation_name(spec_.kind)) + "\" of \"" + object_.name +
                            "\" needs the option \"" + name + "\"",
                        "Set it for the table or its server.");
}

int CompiledOperation::column_of(const std::string &placeholder) {
    if (placeholder == "key" || placeholder == "keys") {
        if (key_ < 0)
            throw SettingError("operation \"" + std::string(operation_name(spec_.kind)) + "\" of \"" + object_.name +
                                   "\" needs a column that names the row",
                               "Set the table option \"key\".");
        return key_;
    }
    if (!placeholder.starts_with("row."))
        throw lacks_option(placeholder);
    const std::string field = placeholder.substr(4);
    const DerivedSpec *derived = object_.derived_named(field);
    if (derived == nullptr)
        return statement_column(field);
    auto known = std::find(derived_names_.begin(), derived_names_.end(), field);
    if (known == derived_names_.end()) {
        derived_.push_back({statement_column(derived->from), derived->steps.get()});
        known = derived_names_.insert(known, field);
    }
    return static_cast<int>(columns_.size() + (known - derived_names_.begin()));
}

const std::string &CompiledOperation::field_of(int column) const {
    const auto position = static_cast<std::size_t>(column);
    return position < columns_.size() ? columns_[position].field : derived_names_[position - columns_.size()];
}

int CompiledOperation::statement_column(const std::string &field) const {
    for (std::size_t i = 0; i < columns_.size(); i++)
        if (columns_[i].field == field)
            return static_cast<int>(i);
    throw SettingError("operation \"" + std::string(operation_name(spec_.kind)) + "\" of \"" + object_.name +
                           "\" needs a value for field \"" + field + "\"",
                       "Name its column in the statement.");
}

void CompiledOperation::set_headers() {
    set_header(headers_, "Accept", "application/json");
    set_header(headers_, "Content-Type", spec_.form ? "application/x-www-form-urlencoded" : "application/json");
    for (const Headers *own : {&object_.headers, &spec_.headers})
        for (const auto &[name, value] : *own)
            set_header(headers_, name, value);
    if (!has_body_)
        std::erase_if(headers_, [](const auto &header) { return lower_case(header.first) == "content-type"; });
}

void CompiledOperation::compile_body() {
    has_body_ = true;
    if (spec_.form) {
        one_row_ = true;
        std::vector<RowSegment> columns;
        compile_form(*spec_.body, "", columns);
        row_.insert(row_.end(), columns.begin(), columns.end());
        return;
    }
    if (!contains_rows(*spec_.body)) {
        one_row_ = true;
        compile_json(*spec_.body, row_);
        return;
    }
    std::vector<RowSegment> frame;
    frame.push_back({Kind::literal, "", -1});
    compile_json(*spec_.body, frame);
    // compile_json ended the text before the rows where it met them, and began another after them.
    frame_.prefix = frame.front().text;
    frame_.suffix = frame.size() > 1 ? frame.back().text : "";
    frame_.separator = ",";
}

/// A member that would say that the row is named by the destination's own id, where that goes without saying.
bool CompiledOperation::names_own_id(const Json &member) const {
    return member == "{unique_field}" && key_field_ == object_.id;
}

void CompiledOperation::compile_json(const Json &value, std::vector<RowSegment> &out) {
    if (is_rows(value)) {
        literal(out, "[");
        compile_json(value.at("$rows"), row_);
        out.push_back({Kind::literal, "]", -1});
    } else if (is_row_number(value)) {
        out.push_back({Kind::row_number, "", -1});
    } else if (value.is_object()) {
        literal(out, "{");
        bool first = true;
        for (const auto &[name, member] : value.items()) {
            if (name == "$columns" || names_own_id(member))
                continue;
            literal(out, (first ? "" : ",") + json_string(name_of(name)) + ":");
            compile_json(member, out);
            first = false;
        }
        // The encoder puts the commas, since columns may be left out: they come last, wherever the directive stands.
        for (std::size_t i = 0; i < columns_.size(); i++)
            if (value.contains("$columns") && columns_[i].written)
                out.push_back({Kind::member, json_string(columns_[i].field) + ":", static_cast<int>(i)});
        literal(out, "}");
    } else if (value.is_array()) {
        literal(out, "[");
        for (std::size_t i = 0; i < value.size(); i++) {
            if (i > 0)
                literal(out, ",");
            compile_json(value[i], out);
        }
        literal(out, "]");
    } else if (value.is_string()) {
        compile_json_string(value.get<std::string>(), out);
    } else {
        literal(out, value.dump());
    }
}

void CompiledOperation::compile_json_string(const std::string &text, std::vector<RowSegment> &out) {
    const bool is_beside_rows = &out != &row_;
    if (auto sole = sole_placeholder(text)) {
        if (*sole == "fields") {
            literal(out, Json(fields_).dump());
            return;
        }
        if (*sole == "key" || (sole->starts_with("row.") && !is_beside_rows)) {
            note_naming(*sole);
            out.push_back({Kind::value, "", column_of(*sole)});
            return;
        }
    }
    literal(out, "\"");
    std::string mark;
    for (const TextPart &part : split_placeholders(text)) {
        if (!part.is_placeholder)
            literal(out, escaped(part.text));
        else if (is_id(part.text, mark) || (is_beside_rows && is_group(part.text, mark)))
            literal(out, mark);
        else if (part.text == "key_field" || part.text == "unique_field")
            literal(out, escaped(key_field_));
        else if (part.text == "row_number")
            out.push_back({Kind::row_number, "", -1});
        else {
            note_naming(part.text);
            out.push_back({Kind::in_string, "", column_of(part.text)});
        }
    }
    literal(out, "\"");
}

/// Columns may be left out, and the encoder puts what separates them: they come last.
void CompiledOperation::compile_form(const Json &value, const std::string &name, std::vector<RowSegment> &columns) {
    if (is_row_number(value)) {
        compile_form(value.at("$number"), name, columns);
        return;
    }
    if (value.is_object()) {
        auto member_name = [&](const std::string &member) {
            return name.empty() ? encoded(member) : name + encoded("[" + member + "]");
        };
        for (const auto &[member, inner] : value.items()) {
            if (names_own_id(inner))
                continue;
            if (member != "$columns") {
                compile_form(inner, member_name(name_of(member)), columns);
                continue;
            }
            for (std::size_t i = 0; i < columns_.size(); i++)
                if (columns_[i].written)
                    columns.push_back({Kind::member, member_name(columns_[i].field) + "=", static_cast<int>(i)});
        }
        return;
    }
    literal(row_, (row_.empty() ? "" : "&") + name + "=");
    std::string text = value.is_string() ? value.get<std::string>() : value.dump(), mark;
    for (const TextPart &part : split_placeholders(text)) {
        if (!part.is_placeholder)
            literal(row_, encoded(part.text));
        else if (is_id(part.text, mark))
            literal(row_, mark);
        else if (part.text == "key_field" || part.text == "unique_field")
            literal(row_, encoded(key_field_));
        else if (part.text == "row_number")
            row_.push_back({Kind::row_number, "", -1});
        else {
            note_naming(part.text);
            row_.push_back({Kind::form_value, "", column_of(part.text)});
        }
    }
}

std::vector<UrlSegment> CompiledOperation::compile_url(const std::string &text, bool in_query) {
    std::vector<UrlSegment> segments;
    std::string mark;
    for (const TextPart &part : split_placeholders(text)) {
        using UrlKind = UrlSegment::Kind;
        if (!part.is_placeholder) {
            segments.push_back({UrlKind::literal, in_query ? encoded(part.text) : part.text, 0});
        } else if (is_id(part.text, mark)) {
            one_row_ |= part.text == "entry.id";
            segments.push_back({UrlKind::literal, mark, 0});
        } else if (part.text == "key_field") {
            segments.push_back({UrlKind::literal, encoded(key_field_), 0});
        } else if (part.text == "fields") {
            std::string list;
            for (const std::string &field : fields_)
                list += (list.empty() ? "" : ",") + field;
            segments.push_back({UrlKind::literal, encoded(list), 0});
        } else if (part.text == "cursor") {
            segments.push_back({UrlKind::cursor, "", 0});
        } else {
            note_naming(part.text);
            segments.push_back(
                {part.text == "keys" ? UrlKind::kept_of_all : UrlKind::kept, "", keep(column_of(part.text))});
        }
    }
    return segments;
}

std::string CompiledOperation::expand(const std::vector<UrlSegment> &segments, const Batch *batch,
                                      std::string_view cursor, bool encoded) {
    std::string result;
    auto add = [&](std::string_view text) {
        if (encoded)
            append_percent_encoded(result, text);
        else
            result += text;
    };
    for (const UrlSegment &segment : segments) {
        switch (segment.kind) {
        case UrlSegment::Kind::literal:
            result += segment.text;
            break;
        case UrlSegment::Kind::cursor:
            add(cursor);
            break;
        case UrlSegment::Kind::kept:
            add(batch->kept(0, segment.kept));
            break;
        case UrlSegment::Kind::kept_of_all:
            for (std::size_t row = 0; row < batch->rows().size(); row++) {
                if (row > 0)
                    add(",");
                add(batch->kept(row, segment.kept));
            }
            break;
        }
    }
    return result;
}

std::string CompiledOperation::url(const Batch *batch, std::string_view cursor) const {
    std::string url = object_.base_url + expand(path_, batch, cursor, true);
    char separator = url.find('?') == std::string::npos ? '?' : '&';
    for (const UrlParameter &parameter : query_) {
        if (parameter.needs_cursor && cursor.empty())
            continue;
        url += separator + expand(parameter.segments, batch, cursor, true);
        separator = '&';
    }
    return url;
}

std::string CompiledOperation::page_body(const std::string &cursor, const ListFilter &filter) const {
    if (spec_.kind != OperationKind::list || spec_.body == nullptr)
        return "";
    const Json body = page_body_of(*spec_.body, fields_, cursor, filter);
    return spec_.form ? form_of(body) : body.dump(-1, ' ', false, Json::error_handler_t::replace);
}

std::string CompiledOperation::request_line() const {
    return spec_.method + " " + substitute(spec_.path, [&](const std::string &name) -> std::optional<std::string> {
               return name == "key_field" ? std::optional(key_field_) : std::nullopt;
           });
}

} // namespace reverse_etl
