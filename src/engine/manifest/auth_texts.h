#pragma once

#include "engine/manifest/auth_spec.h"
#include "engine/manifest/manifest_node.h"

#include <functional>
#include <string>
#include <string_view>

namespace reverse_etl {

/// Whether a placeholder stands for something that the engine makes: credentials and options have no dot in their
/// names.
inline bool is_of_engine(std::string_view placeholder) {
    return placeholder.find('.') != placeholder.npos;
}

/// Calls for every string of one kind of auth, however deep it lies; notes are none.
void for_each_text_of_auth(const ManifestNode &auth, const std::function<void(const ManifestNode &)> &text);

/// A template in which options, credentials, and these of the engine's placeholders may stand: as it is written. What
/// it names is added to what the user mapping must hold.
std::string credential_text(const ManifestNode &node, AuthSpec &auth, PlaceholderNames of_engine = {});

/// The same of all strings of a JSON value: its text.
std::string credential_json(const ManifestNode &node, AuthSpec &auth, PlaceholderNames of_engine = {});

} // namespace reverse_etl
