#pragma once

#include "engine/manifest/connector.h"
#include "engine/rehearsal/trial.h"
#include "engine/text/json.h"

#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <map>
#include <optional>
#include <sstream>
#include <string>

/// What libFuzzer calls, and replay.cpp.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t *data, std::size_t size);

namespace reverse_etl::fuzz {

/// What must hold whatever the input is.
inline void require(bool holds, const char *what, const std::string &found) {
    if (holds)
        return;
    std::fprintf(stderr, "violated: %s: %s\n", what, found.c_str());
    std::abort();
}

/// The manifest of a built-in connector; nothing if there is none of that name.
inline std::optional<std::string> manifest_of(const std::string &name) {
    static const char *names[] = {"http", "hubspot", "salesforce", "slack"};
    for (const char *known : names)
        if (name == known) {
            std::ifstream file(PROJECT_DIR "/connectors/" + name + ".json");
            std::ostringstream text;
            text << file.rdbuf();
            return text.str();
        }
    return std::nullopt;
}

inline const Connector *connector_of(const std::string &name) {
    static std::map<std::string, Connector> known;
    if (auto found = known.find(name); found != known.end())
        return &found->second;
    const std::optional<std::string> manifest = manifest_of(name);
    return manifest ? &known.emplace(name, Connector::parse(*manifest)).first->second : nullptr;
}

} // namespace reverse_etl::fuzz
