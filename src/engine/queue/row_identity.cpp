#include "engine/queue/row_identity.h"

#include <algorithm>
#include <vector>

namespace reverse_etl {

namespace {

KeyForm form_of(const KeyForms &forms, const std::string &name) {
    auto found = forms.find(name);
    return found == forms.end() ? KeyForm{} : found->second;
}

void append_member(const JsonRow &row, const KeyForms &forms, int column, std::string &out) {
    const std::string &name = row.names()[column];
    const KeyForm form = form_of(forms, name);
    const std::string_view json = row.json(column);
    std::string text, in_form;
    std::string_view value;
    if (form.is_exact() && json.front() == '"' && json.find('\\') == std::string_view::npos) {
        value = json.substr(1, json.size() - 2);
    } else {
        row.text(column, text);
        append_json_in_form(form, json, text, in_form);
        value = in_form;
    }
    out.append(name).append("=").append(std::to_string(value.size())).append(":").append(value);
}

} // namespace

void write_identity(const JsonRow &row, const KeyForms &forms, std::string &identity) {
    identity.clear();
    const std::size_t first = row.of_row(), end = row.names().size();
    if (end == first + 1) {
        append_member(row, forms, static_cast<int>(first), identity);
        return;
    }
    std::vector<std::string> members(end - first);
    for (std::size_t i = first; i < end; i++)
        append_member(row, forms, static_cast<int>(i), members[i - first]);
    std::sort(members.begin(), members.end());
    for (const std::string &member : members)
        identity += member;
}

std::uint64_t hash_of(const std::string &identity) {
    return std::hash<std::string>()(identity);
}

} // namespace reverse_etl
