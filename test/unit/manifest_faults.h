#pragma once

#include "connector_fixture.h"

#include <algorithm>
#include <iterator>
#include <optional>
#include <string>

namespace reverse_etl {

inline std::string text_of(const ManifestError &error) {
    return error.pointer + " " + error.what();
}

/// What is wrong with a manifest: the JSON pointer and the message; "" if nothing.
inline std::string fault(const std::string &manifest) {
    try {
        Connector::parse(manifest, nullptr, [](const std::string &name) -> std::optional<std::string> {
            const auto known = std::find(std::begin(built_in_connectors), std::end(built_in_connectors), name);
            return known == std::end(built_in_connectors) ? std::nullopt : std::optional(built_in_manifest(name));
        });
        return "";
    } catch (const ManifestError &error) {
        return text_of(error);
    }
}

inline std::string fault_of_object(const Connector &connector, const std::string &object, const Settings &settings) {
    try {
        connector.object(object, settings);
        return "";
    } catch (const ManifestError &error) {
        return text_of(error);
    } catch (const SettingError &error) {
        return std::string(error.what()) + " " + error.hint;
    }
}

inline std::string replaced(std::string text, const std::string &from, const std::string &to) {
    return text.replace(text.find(from), from.size(), to);
}

inline bool contains(const std::string &text, const std::string &part) {
    return text.find(part) != text.npos;
}

inline const std::string create = R"({"create": {"request": "POST /things", "body": {"$columns": "all"}}})";

} // namespace reverse_etl
