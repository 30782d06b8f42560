/// The body by which a list asks for a page.

#include "engine/requests/compiled_operation.h"

#include "engine/requests/body_words.h"
#include "engine/text/json.h"
#include "engine/text/placeholders.h"

namespace reverse_etl {

namespace {

bool names_cursor(const Json &value) {
    return value.is_string() && value.get<std::string>().find("{cursor}") != std::string::npos;
}

/// The name of a member, in which braces are written twice.
std::string name_of(const std::string &written) {
    return substitute(written, [](const std::string &) { return std::nullopt; });
}

/// The body of a list's request with its placeholders filled in. What names the page is left out of the first.
Json filled_for_page(const Json &value, const std::vector<std::string> &fields, const std::string &cursor) {
    if (value == "{fields}")
        return fields;
    if (value.is_string())
        return substitute(value.get<std::string>(), [&](const std::string &name) {
            return name == "cursor" ? std::optional(cursor) : std::nullopt;
        });
    Json filled = value;
    if (value.is_structured())
        filled.clear();
    for (const auto &[name, member] : value.items()) {
        if (value.is_object() && !(cursor.empty() && names_cursor(member)))
            filled[name_of(name)] = filled_for_page(member, fields, cursor);
        if (value.is_array())
            filled.push_back(filled_for_page(member, fields, cursor));
    }
    return filled;
}

std::string form_of(const Json &members) {
    std::string form;
    for (const auto &[name, member] : members.items())
        form += (form.empty() ? "" : "&") + percent_encoded(name) + "=" +
                percent_encoded(member.is_string() ? member.get<std::string>() : member.dump());
    return form;
}

} // namespace

std::string CompiledOperation::page_body(const std::string &cursor) const {
    if (spec_.kind != OperationKind::list || spec_.body == nullptr)
        return "";
    const Json body = filled_for_page(*spec_.body, fields_, cursor);
    const bool is_form = spec_.format.kind == BodyKind::form;
    return is_form ? form_of(body) : body.dump(-1, ' ', false, Json::error_handler_t::replace);
}

} // namespace reverse_etl
