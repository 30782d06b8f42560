/// Texts with placeholders in them.

#include "engine/requests/body_compiler.h"
#include "engine/requests/body_words.h"

#include "engine/text/json.h"
#include "engine/text/placeholders.h"

namespace reverse_etl {

namespace {

using Kind = RowSegment::Kind;

/// The text of a JSON string's inside.
std::string in_json(std::string_view text) {
    const std::string quoted = json_quoted(text);
    return quoted.substr(1, quoted.size() - 2);
}

} // namespace

void BodyCompiler::text(const std::string &text, Place place, RowSegments &out) {
    bool in_quotes = false;
    for (const TextPart &part : split_placeholders(text)) {
        if (part.is_placeholder) {
            placeholder(part.text, place == Place::escaped && in_quotes ? Place::quoted : place, out);
            continue;
        }
        for (const char c : part.text)
            in_quotes ^= c == '"';
        append_literal(out, place == Place::json_string ? in_json(part.text)
                            : place == Place::form      ? percent_encoded(part.text)
                                                        : part.text);
    }
}

/// A value of the body as plain text: a string as it is, anything else as JSON.
void BodyCompiler::text_of(const Json &value, RowSegments &out) {
    if (value.is_string()) {
        text(value.get<std::string>(), Place::raw, out);
    } else if (value.is_object() && value.contains("$json")) {
        json(value["$json"], out);
    } else if (value.is_object() && value.contains("$base64")) {
        RowSegment bytes{Kind::base64};
        text_of(value["$base64"], bytes.inner);
        out.push_back(std::move(bytes));
    } else {
        json(value, out);
    }
}

void BodyCompiler::placeholder(const std::string &name, Place place, RowSegments &out) {
    if (name == "row_number") {
        out.push_back({Kind::row_number});
        return;
    }
    const bool is_field = name == "key_field" || name == "unique_field";
    if (is_field || name == "column.field" || name == "column.number") {
        const std::string &said = is_field ? key_field_ : name == "column.field" ? field_of(column_) : number_;
        append_literal(out, place == Place::json_string ? in_json(said)
                            : place == Place::form      ? percent_encoded(said)
                                                        : said);
        return;
    }
    if (const std::string_view mark = references_.mark_of(name); !mark.empty()) {
        append_literal(out, mark);
        return;
    }
    if (beside_rows_ && name.starts_with("row.")) {
        append_literal(out, references_.group_mark_of(spec_, name));
        return;
    }
    const int column = name == "column.value" ? column_ : use(name);
    switch (place) {
    case Place::json_string:
        out.push_back({Kind::in_string, "", column});
        break;
    case Place::form:
        out.push_back({Kind::form_value, "", column});
        break;
    case Place::raw:
        out.push_back({Kind::raw, "", column});
        break;
    case Place::escaped:
        out.push_back({Kind::escaped, "", column});
        break;
    case Place::quoted:
        out.push_back({Kind::quoted, "", column});
        break;
    }
}

} // namespace reverse_etl
