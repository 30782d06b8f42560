#include "engine/queue/row_identity.h"

#include <algorithm>
#include <vector>

namespace reverse_etl {

namespace {

KeyForm form_of(const KeyForms &forms, const std::string &name) {
    auto found = forms.find(name);
    return found == forms.end() ? KeyForm{} : found->second;
}

} // namespace

std::string identity_of(const JsonRow &row, const KeyForms &forms) {
    std::vector<std::string> members;
    std::string json, text;
    for (std::size_t i = row.of_row(); i < row.names().size(); i++) {
        json.clear();
        text.clear();
        row.json(static_cast<int>(i), json);
        row.text(static_cast<int>(i), text);
        std::string value;
        append_json_in_form(form_of(forms, row.names()[i]), json, text, value);
        members.push_back(row.names()[i] + "=" + std::to_string(value.size()) + ":" + value);
    }
    std::sort(members.begin(), members.end());
    std::string identity;
    for (const std::string &member : members)
        identity += member;
    return identity;
}

std::int64_t hash_of(const std::string &identity) {
    return static_cast<std::int64_t>(std::hash<std::string>()(identity));
}

} // namespace reverse_etl
