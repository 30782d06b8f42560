#include "salesforce_ids.h"

namespace reverse_etl::sandbox {

namespace {

constexpr std::string_view base62 = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
constexpr std::string_view instance = "5g0000";
constexpr std::size_t digits = 6;

constexpr std::pair<std::string_view, std::string_view> prefixes[] = {
    {"Contact", "003"}, {"Account", "001"}, {"Lead", "00Q"}, {"Opportunity", "006"}, {"Case", "500"}, {"Task", "00T"},
};

std::string_view prefix_of(std::string_view object) {
    for (auto [name, prefix] : prefixes)
        if (name == object)
            return prefix;
    return "a00"; // custom objects
}

std::string checksum(std::string_view id) {
    std::string letters;
    for (std::size_t chunk = 0; chunk < 3; ++chunk) {
        unsigned capitals = 0;
        for (std::size_t at = 0; at < 5; ++at)
            if (char c = id[chunk * 5 + at]; c >= 'A' && c <= 'Z')
                capitals |= 1U << at;
        letters += "ABCDEFGHIJKLMNOPQRSTUVWXYZ012345"[capitals];
    }
    return letters;
}

} // namespace

std::string salesforce_id(std::string_view object, std::size_t position) {
    std::string id = std::string(prefix_of(object)).append(instance).append(digits, '0');
    for (std::size_t at = id.size(), number = position + 1; number > 0; number /= 62)
        id[--at] = base62[number % 62];
    return id + checksum(id);
}

std::optional<std::size_t> salesforce_position(std::string_view object, std::string_view id) {
    if (id.size() == 18 && checksum(id) != id.substr(15))
        return std::nullopt;
    if ((id.size() != 15 && id.size() != 18) || !id.starts_with(prefix_of(object)) ||
        id.substr(3, instance.size()) != instance)
        return std::nullopt;
    std::size_t number = 0;
    for (char c : id.substr(15 - digits, digits)) {
        if (base62.find(c) == base62.npos)
            return std::nullopt;
        number = number * 62 + base62.find(c);
    }
    return number == 0 ? std::nullopt : std::optional(number - 1);
}

std::string salesforce_object(std::string_view id) {
    for (auto [name, prefix] : prefixes)
        if (id.starts_with(prefix))
            return std::string(name);
    return {};
}

} // namespace reverse_etl::sandbox
