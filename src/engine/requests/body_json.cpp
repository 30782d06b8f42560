#include "engine/requests/body_compiler.h"
#include "engine/requests/body_words.h"

#include "engine/text/json.h"
#include "engine/text/placeholders.h"

#include <algorithm>

namespace reverse_etl {

namespace {

using Kind = RowSegment::Kind;

/// What separates members or elements: those that may be left out leave it to the row whether any stands before.
class Separator {
  public:
    void write(RowSegments &out) const {
        if (any_ == Any::certainly)
            append_literal(out, ",");
        else if (any_ == Any::perhaps)
            out.push_back({Kind::comma});
    }
    void certainly() { any_ = Any::certainly; }
    void perhaps() { any_ = any_ == Any::certainly ? any_ : Any::perhaps; }

  private:
    enum class Any { none, perhaps, certainly } any_ = Any::none;
};

} // namespace

void BodyCompiler::json_body(const Json &body) {
    body_.media_type = "application/json";
    // The text around the rows ends where compiling meets them, and another begins after them.
    RowSegments frame = {{Kind::literal}};
    beside_rows_ = !references_.grouping().empty();
    json(body, frame);
    if (!holds_rows_) {
        body_.one_row = true;
        body_.row = std::move(frame);
    } else if (column_wise_) {
        for (RowSegment &text : frame)
            body_.frame.columns.push_back(std::move(text.text));
        body_.frame.count_columns();
    } else {
        body_.frame.prefix = std::move(frame.front().text);
        body_.frame.suffix = std::move(frame.back().text);
    }
}

void BodyCompiler::json(const Json &value, RowSegments &out) {
    if (rows(value, out) || shaped_columns(value, out))
        return;
    if (value.is_array()) {
        json_array(value, out);
    } else if (value.is_string()) {
        json_string(value.get<std::string>(), out);
    } else if (!value.is_object()) {
        append_literal(out, value.dump());
    } else if (value.contains("$number")) {
        out.push_back({Kind::row_number});
    } else if (value.contains("$json")) {
        RowSegment text{Kind::json_text};
        json(value["$json"], text.inner);
        out.push_back(std::move(text));
    } else if (value.contains("$base64")) {
        append_literal(out, "\"");
        text_of(value, out);
        append_literal(out, "\"");
    } else {
        json_object(value, out);
    }
}

void BodyCompiler::json_object(const Json &object, RowSegments &out) {
    append_literal(out, "{");
    Separator separator;
    for (const auto &[name, value] : object.items()) {
        if (name == "$columns" || names_own_id(value))
            continue;
        std::optional<RowSegment> condition = condition_of(value);
        RowSegments &to = condition ? condition->inner : out;
        separator.write(to);
        append_literal(to, json_quoted(member_name(name)) + ":");
        json(value, to);
        if (!condition) {
            separator.certainly();
            continue;
        }
        separator.perhaps();
        out.push_back(std::move(*condition));
    }
    // The encoder puts the commas, since columns may be left out: they come last, wherever the directive stands.
    if (object.contains("$columns"))
        for (const int column : columns_of(object["$columns"]))
            member(column, out);
    append_literal(out, "}");
}

void BodyCompiler::json_array(const Json &array, RowSegments &out) {
    append_literal(out, "[");
    Separator separator;
    for (const Json &element : array) {
        std::optional<RowSegment> condition = condition_of(element);
        RowSegments &to = condition ? condition->inner : out;
        separator.write(to);
        json(element, to);
        if (!condition) {
            separator.certainly();
            continue;
        }
        separator.perhaps();
        out.push_back(std::move(*condition));
    }
    append_literal(out, "]");
}

/// When a member is left out: one that places the columns of a part, if there are none; one that names a NULL, if the
/// operation says so.
std::optional<RowSegment> BodyCompiler::condition_of(const Json &value) const {
    if (value.is_string())
        return condition_of_text(value.get<std::string>());
    if (!value.is_object())
        return std::nullopt;
    for (const char *text : {"$json", "$base64"})
        if (value.contains(text) && !value[text].is_object() && !value[text].is_array())
            return condition_of(value[text]);
    if (!value.contains("$columns") || !value["$columns"].is_object())
        return std::nullopt;
    const Json &which = value["$columns"];
    const bool is_list = which.contains("as") && which["as"].is_string();
    if (is_list || (!which.contains("part") && !which.contains("as")))
        return std::nullopt;
    RowSegment condition{Kind::unless_empty};
    condition.columns = columns_of(which);
    return condition;
}

std::optional<RowSegment> BodyCompiler::condition_of_text(const std::string &text) const {
    // What rows have in common is never NULL.
    if (!spec_.format.omit_null || beside_rows_)
        return std::nullopt;
    RowSegment condition{Kind::unless_null};
    for (const TextPart &part : split_placeholders(text))
        if (part.is_placeholder && part.text.starts_with("row."))
            condition.columns.push_back(references_.use(object_, spec_, part.text));
    return condition.columns.empty() ? std::nullopt : std::optional(std::move(condition));
}

/// A member that would say that the row is named by the destination's own id, where that goes without saying.
bool BodyCompiler::names_own_id(const Json &member) const {
    return member == "{unique_field}" && key_field_ == object_.id;
}

void BodyCompiler::json_string(const std::string &string, RowSegments &out) {
    if (auto sole = sole_placeholder(string)) {
        if (*sole == "fields") {
            append_literal(out, Json(fields_).dump());
            return;
        }
        if (*sole == "column.values") {
            append_literal(out, "[");
            out.push_back({Kind::literal, "]"});
            return;
        }
        if (*sole == "column.value") {
            RowSegment value{Kind::or_clear, "", column_};
            value_of(column_, value.inner);
            out.push_back(std::move(value));
            return;
        }
        if (*sole == "key" || (sole->starts_with("row.") && !beside_rows_)) {
            out.push_back({Kind::value, "", use(*sole)});
            return;
        }
    }
    append_literal(out, "\"");
    text(string, Place::json_string, out);
    append_literal(out, "\"");
}

} // namespace reverse_etl
