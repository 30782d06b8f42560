#pragma once

#include "engine/manifest/connector.h"
#include "engine/text/json.h"
#include "engine/text/placeholders.h"

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
    explicit ManifestFilling(Pause pause = nullptr) : pause_(pause) {}

    void set(const OptionSpec &option, const std::string &text);
    /// A value that the engine knows by itself.
    void set_text(const std::string &name, const std::string &text, OptionSpec::Type type = OptionSpec::Type::text);

    /// Replaces placeholders that name options by their values, everywhere in a manifest. One that is all there is of a
    /// string becomes the JSON of an option that has one. Whatever a value holds, it is no more than a value where it
    /// stands, unless the option is of a type that is a part of the manifest: json and path. Throws ManifestError,
    /// SettingError.
    void fill_in(Json &manifest);
    /// The same of one operation, or of one request of a job.
    void fill_in_operation(Json &operation);
    /// The same of the address of an API.
    std::string filled_url(const std::string &text);

  private:
    struct Value {
        OptionSpec::Type type;
        std::string text;
        Json json;
        bool is_json() const { return !json.is_null() || type == OptionSpec::Type::json; }
    };
    struct Request {
        std::string path, query;
    };

    const Value *find(const TextPart &part) const;
    void fill_in_each(Json &members, void (ManifestFilling::*fill)(Json &));
    void fill_in_object(Json &object);
    void fill_in_job(Json &job);
    void fill_in_auth(Json &auth);
    void fill_in_value(Json &value);
    std::string filled(const std::string &text, int depth = 0);
    std::string filled_request(const std::string &text);
    Request request_of(const std::string &text, int depth);
    void append_in_url(const TextPart &part, std::string &url);
    void count(std::size_t bytes);

    Pause pause_;
    std::map<std::string, Value> values_; ///< by the option's name
    std::size_t bytes_ = 0;
};

} // namespace reverse_etl
