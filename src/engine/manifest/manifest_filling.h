#pragma once

#include "engine/text/json.h"

#include <cstddef>
#include <map>
#include <string>
#include <string_view>

namespace reverse_etl {

/// Called now and then while a manifest is read, which roles may write as large as they are allowed to; may throw.
using Pause = void (*)();

/// Throws ManifestError if the text of a manifest or an option is too large.
void check_manifest_size(std::size_t bytes);

/// About what a value takes.
std::size_t bytes_of(const Json &value);

/// Parses a manifest or an option: bounded in size, in values, in depth and in members, since users write them. Throws
/// ManifestError, Json::parse_error.
Json parse_json(std::string_view text, Pause pause = nullptr);

/// Fills in options. Filled, a manifest can be larger by far than its text: that is bounded too.
class ManifestFilling {
  public:
    /// The options' values, by name: texts, and those of type json.
    std::map<std::string, std::string> texts;
    std::map<std::string, Json> jsons;

    explicit ManifestFilling(Pause pause = nullptr) : pause_(pause) {}

    /// Replaces placeholders that name options by their values, everywhere in a value. An option of type json that is
    /// all there is of a string becomes its JSON. Throws ManifestError.
    void fill_in(Json &value);

  private:
    struct Request {
        std::string path, query;
    };

    std::string filled(const std::string &text);
    std::string filled_request(const std::string &text);
    Request request_of(const std::string &text, int depth);
    void count(std::size_t bytes);

    Pause pause_;
    std::size_t bytes_ = 0;
};

} // namespace reverse_etl
