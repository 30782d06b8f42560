#include "engine/queue/row_identity.h"

#include <algorithm>
#include <vector>

namespace reverse_etl {

namespace {

KeyForm form_of(const KeyForms &forms, const std::string &name) {
    auto found = forms.find(name);
    return found == forms.end() ? KeyForm{} : found->second;
}

std::string member_of(const JsonRow &row, const KeyForms &forms, int column) {
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
    std::string member;
    member.reserve(name.size() + value.size() + 8);
    member.append(name).append("=").append(std::to_string(value.size())).append(":").append(value);
    return member;
}

} // namespace

std::string identity_of(const JsonRow &row, const KeyForms &forms) {
    const std::size_t first = row.of_row(), end = row.names().size();
    if (end == first + 1)
        return member_of(row, forms, static_cast<int>(first));
    std::vector<std::string> members;
    for (std::size_t i = first; i < end; i++)
        members.push_back(member_of(row, forms, static_cast<int>(i)));
    std::sort(members.begin(), members.end());
    std::string identity;
    for (const std::string &member : members)
        identity += member;
    return identity;
}

std::uint64_t hash_of(const std::string &identity) {
    return std::hash<std::string>()(identity);
}

} // namespace reverse_etl
