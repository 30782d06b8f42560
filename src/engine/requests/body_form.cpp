/// Bodies as application/x-www-form-urlencoded.

#include "engine/requests/body_compiler.h"
#include "engine/requests/body_words.h"

#include "engine/text/json.h"

namespace reverse_etl {

namespace {

using Kind = RowSegment::Kind;

std::string name_within(const std::string &name, const std::string &member) {
    return name.empty() ? percent_encoded(member) : name + percent_encoded("[" + member + "]");
}

} // namespace

/// Columns may be left out, and the encoder puts what separates them: they come last.
void BodyCompiler::form_body(const Json &body) {
    body_.media_type = "application/x-www-form-urlencoded";
    body_.one_row = true;
    RowSegments columns;
    form(body, "", columns);
    body_.row.insert(body_.row.end(), columns.begin(), columns.end());
}

void BodyCompiler::form(const Json &value, const std::string &name, RowSegments &columns) {
    if (value.is_array()) {
        form_array(value, name, columns);
        return;
    }
    if (value.is_object() && value.contains("$number")) {
        form(value["$number"], name, columns);
        return;
    }
    const bool is_text = value.is_object() && (value.contains("$json") || value.contains("$base64"));
    if (value.is_object() && !is_text) {
        for (const auto &[member, inner] : value.items())
            if (member == "$columns")
                form_columns(inner, name, columns);
            else if (!names_own_id(inner))
                form(inner, name_within(name, member_name(member)), columns);
        return;
    }
    std::optional<RowSegment> condition = condition_of(value);
    // Behind what is certainly there, since what separates them depends on the row.
    RowSegments &to = condition ? condition->inner : body_.row;
    if (condition)
        to.push_back({Kind::ampersand});
    else if (!body_.row.empty())
        append_literal(to, "&");
    append_literal(to, name + "=");
    if (is_text) {
        RowSegment text{Kind::encoded};
        text_of(value, text.inner);
        to.push_back(std::move(text));
    } else {
        text(value.is_string() ? value.get<std::string>() : value.dump(), Place::form, to);
    }
    if (condition)
        columns.push_back(std::move(*condition));
}

/// As JSON it is one parameter, in which values are escaped as JSON before they are for the form.
void BodyCompiler::form_array(const Json &array, const std::string &name, RowSegments &columns) {
    if (spec_.format.arrays == BodyFormat::Arrays::json) {
        append_literal(body_.row, (body_.row.empty() ? "" : "&") + name + "=");
        RowSegment text{Kind::encoded};
        json(array, text.inner);
        body_.row.push_back(std::move(text));
        return;
    }
    for (std::size_t i = 0; i < array.size(); i++)
        form(array[i],
             spec_.format.arrays == BodyFormat::Arrays::indexed    ? name_within(name, std::to_string(i))
             : spec_.format.arrays == BodyFormat::Arrays::brackets ? name_within(name, "")
                                                                   : name,
             columns);
}

void BodyCompiler::form_columns(const Json &which, const std::string &name, RowSegments &columns) {
    for (const int column : columns_of(which)) {
        const std::string of_column = name_within(name, field_of(column));
        const ColumnSpec *spec = object_.column_of_field(field_of(column));
        if (spec != nullptr && spec->write_as != nullptr) {
            RowSegment member{Kind::unless_empty}, value{Kind::or_clear, "", column}, text{Kind::encoded};
            member.columns = {column};
            member.inner = {{Kind::ampersand}, {Kind::literal, of_column + "="}};
            column_ = column;
            in_write_as_ = true;
            text_of(*spec->write_as, text.inner);
            in_write_as_ = false;
            column_ = -1;
            value.inner.push_back(std::move(text));
            member.inner.push_back(std::move(value));
            columns.push_back(std::move(member));
        } else if (spec_.format.arrays != BodyFormat::Arrays::json) {
            columns.push_back({Kind::form_members, of_column, column});
        } else {
            columns.push_back({Kind::member, "&" + of_column + "=", column});
        }
    }
}

} // namespace reverse_etl
