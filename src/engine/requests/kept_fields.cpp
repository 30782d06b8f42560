#include "engine/requests/kept_fields.h"

#include "engine/text/json_text.h"
#include "engine/text/text_between.h"

namespace reverse_etl {

namespace {

constexpr std::size_t most_bytes = 1000;

/// "" where there is none.
std::string value_of(const KeptField &kept, Answer &answer) {
    const auto found = answer.at(kept.at);
    if (!found || found->is_null() || found->is_bool() || found->is_array() || found->is_object())
        return "";
    if (found->is_number() && kept.after.empty() && kept.before.empty())
        return json_of(*found);
    const std::string whole = text_of(*found);
    const auto text = text_between(whole, kept.after, kept.before);
    if (!text || text->empty() || text->size() > most_bytes)
        return "";
    std::string json;
    append_json_string(json, *text);
    return json;
}

} // namespace

std::optional<std::vector<std::string>> kept_fields(const ReactionSpec &reaction, Answer &answer) {
    std::vector<std::string> values;
    for (const KeptField &kept : reaction.keep) {
        values.push_back(value_of(kept, answer));
        if (values.back().empty())
            return std::nullopt;
    }
    return values;
}

} // namespace reverse_etl
