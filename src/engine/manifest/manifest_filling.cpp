#include "engine/manifest/manifest_filling.h"

#include "engine/manifest/option_reader.h"
#include "engine/text/errors.h"
#include "engine/text/json_pointer.h"
#include "engine/text/json_text.h"

#include <algorithm>
#include <optional>
#include <set>
#include <vector>

#include <simdjson.h>

namespace reverse_etl {

namespace {

constexpr std::size_t most_text_bytes = 1 << 20;
constexpr std::size_t most_filled_bytes = 4 << 20;
/// A value takes some hundred bytes of memory, however short its text is.
constexpr std::size_t most_values = 50000;
/// Of one object: they are looked for one after the other.
constexpr std::size_t most_members = 5000;
/// Nesting without end would overflow the stack of all that walks through it.
constexpr std::size_t deepest = 64;
/// An option's value may name another option, as a default of item_path names path; no deeper.
constexpr int most_options_within = 2;
/// What a value takes at least.
constexpr std::size_t bytes_of_value = 64;

/// Looks at a text before memory is taken for what it holds.
class Bounds : public nlohmann::json_sax<Json> {
  public:
    explicit Bounds(Pause pause) : pause_(pause) {}

    bool null() override { return value(); }
    bool boolean(bool) override { return value(); }
    bool number_integer(number_integer_t) override { return value(); }
    bool number_unsigned(number_unsigned_t) override { return value(); }
    bool number_float(number_float_t, const string_t &) override { return value(); }
    bool string(string_t &) override { return value(); }
    bool binary(binary_t &) override { return value(); }
    bool start_object(std::size_t) override { return start(true); }
    bool start_array(std::size_t) override { return start(false); }
    bool end_object() override { return end(); }
    bool end_array() override { return end(); }
    bool key(string_t &name) override {
        Level &object = around_.back();
        object.name = name;
        if (!object.names.insert(name).second)
            throw ManifestError(pointer(), "stands twice in its object");
        if (object.names.size() > most_members)
            throw ManifestError("", "has an object with more than " + std::to_string(most_members) + " members");
        return true;
    }
    /// Whoever reads it in earnest tells of it.
    bool parse_error(std::size_t, const std::string &, const Json::exception &) override { return false; }

  private:
    /// An object or an array that is open.
    struct Level {
        bool is_object;
        std::set<std::string> names; ///< the members so far
        std::string name;            ///< the last one
        std::size_t elements = 0;
    };

    bool value() {
        if (around_.size() > deepest)
            throw ManifestError("", "is nested too deeply");
        if (++values_ > most_values)
            throw ManifestError("", "holds more than " + std::to_string(most_values) + " values");
        if (pause_ != nullptr && values_ % 1000 == 0)
            pause_();
        if (!around_.empty())
            around_.back().elements++;
        return true;
    }
    bool start(bool is_object) {
        value();
        around_.push_back({is_object, {}, "", 0});
        return true;
    }
    bool end() {
        around_.pop_back();
        return true;
    }
    std::string pointer() const {
        std::string pointer;
        for (const Level &level : around_)
            pointer += "/" + (level.is_object ? pointer_token(level.name) : std::to_string(level.elements - 1));
        return pointer;
    }

    Pause pause_;
    std::vector<Level> around_;
    std::size_t values_ = 0;
};

/// A part that stays as it is.
std::string as_written(const TextPart &part) {
    return part.is_placeholder ? "{" + part.text + "}" : part.text;
}

/// Appends a part of a path; where both bring a slash, one is enough.
void append_to_path(std::string &path, std::string_view more) {
    if (path.ends_with('/') && more.starts_with('/'))
        more.remove_prefix(1);
    path += more;
}

/// A database in SQL_ASCII holds any bytes, and a request is UTF-8.
void check_utf8(const std::string &option, const std::string &text) {
    if (!simdjson::validate_utf8(text))
        throw SettingError("option \"" + option + "\" is not UTF-8");
}

} // namespace

std::size_t bytes_of(const Json &value) {
    if (value.is_string())
        return bytes_of_value + value.get_ref<const std::string &>().size();
    std::size_t bytes = bytes_of_value;
    for (const auto &[name, member] : value.items())
        bytes += value.is_structured() ? name.size() + bytes_of(member) : 0;
    return bytes;
}

void check_manifest_size(std::size_t bytes) {
    if (bytes > most_text_bytes)
        throw ManifestError("", "is larger than " + std::to_string(most_text_bytes) + " bytes");
}

Json parse_json(std::string_view text, Pause pause) {
    check_manifest_size(text.size());
    Bounds bounds(pause);
    Json::sax_parse(text, &bounds);
    try {
        return Json::parse(text);
    } catch (const Json::out_of_range &) {
        throw ManifestError("", "holds a number that is too large");
    }
}

void ManifestFilling::count(std::size_t bytes) {
    bytes_ += bytes;
    if (bytes_ > most_filled_bytes)
        throw ManifestError("", "is larger than " + std::to_string(most_filled_bytes) +
                                    " bytes once its options are filled in");
}

void ManifestFilling::set(const OptionSpec &option, const std::string &text) {
    check_utf8(option.name, text);
    const bool is_json = option.type == OptionSpec::Type::json || option.type == OptionSpec::Type::integer ||
                         option.type == OptionSpec::Type::boolean;
    values_[option.name] = {option.type, text, is_json ? json_of_option(option, text) : Json()};
}

void ManifestFilling::set_text(const std::string &name, const std::string &text, OptionSpec::Type type) {
    check_utf8(name, text);
    values_[name] = {type, text, Json()};
}

const ManifestFilling::Value *ManifestFilling::find(const TextPart &part) const {
    auto found = part.is_placeholder ? values_.find(part.text) : values_.end();
    return found == values_.end() ? nullptr : &found->second;
}

void ManifestFilling::fill_in(Json &manifest) {
    for (auto member = manifest.begin(); member != manifest.end(); ++member) {
        const std::string &name = member.key();
        if (name == "base_url" && member->is_string())
            *member = filled_url(member->get<std::string>());
        else if (name == "auth")
            fill_in_auth(*member);
        else if (name == "defaults" || name == "check")
            fill_in_operation(*member);
        else if (name == "operations" || name == "discover" || name == "statement" || name == "files")
            fill_in_each(*member, &ManifestFilling::fill_in_operation);
        else if (name == "objects")
            fill_in_each(*member, &ManifestFilling::fill_in_object);
        else
            fill_in_value(*member);
    }
}

void ManifestFilling::fill_in_each(Json &members, void (ManifestFilling::*fill)(Json &)) {
    if (!members.is_object())
        fill_in_value(members);
    else
        for (auto &member : members)
            (this->*fill)(member);
}

void ManifestFilling::fill_in_object(Json &object) {
    if (!object.is_object())
        fill_in_value(object);
    else
        for (auto member = object.begin(); member != object.end(); ++member)
            if (member.key() == "operations")
                fill_in_each(*member, &ManifestFilling::fill_in_operation);
            else if (member.key() == "discover")
                fill_in_operation(*member);
            else
                fill_in_value(*member);
}

void ManifestFilling::fill_in_operation(Json &operation) {
    if (!operation.is_object())
        fill_in_value(operation);
    else
        for (auto member = operation.begin(); member != operation.end(); ++member)
            if (member.key() == "request" && member->is_string())
                *member = filled_request(member->get<std::string>());
            else if (member.key() == "job")
                fill_in_job(*member);
            else
                fill_in_value(*member);
}

/// Its members are operations, arrays of them, or values.
void ManifestFilling::fill_in_job(Json &job) {
    if (!job.is_object())
        fill_in_value(job);
    else
        for (auto &member : job) {
            if (!member.is_array())
                fill_in_operation(member);
            else
                for (auto &one : member)
                    fill_in_operation(one);
        }
}

void ManifestFilling::fill_in_auth(Json &auth) {
    if (auth.is_array())
        for (auto &one : auth)
            fill_in_auth(one);
    else if (!auth.is_object())
        fill_in_value(auth);
    else
        for (auto member = auth.begin(); member != auth.end(); ++member)
            if (member.key() == "token_url" && member->is_string())
                *member = filled_url(member->get<std::string>());
            else
                fill_in_value(*member);
}

void ManifestFilling::fill_in_value(Json &value) {
    if (pause_ != nullptr)
        pause_();
    if (value.is_string()) {
        const std::string text = value.get<std::string>();
        const auto sole = sole_placeholder(text);
        const Value *option = sole ? find({true, *sole}) : nullptr;
        if (option != nullptr && option->is_json()) {
            count(bytes_of(option->json));
            value = option->json;
        } else {
            value = filled(text);
        }
    } else if (value.is_structured()) {
        for (auto &member : value)
            fill_in_value(member);
    }
}

/// The text as a template: what an option holds can be no placeholder in it, unless it is a path.
std::string ManifestFilling::filled(const std::string &text, int depth) {
    std::string result;
    for (const TextPart &part : split_as_written(text)) {
        const Value *option = find(part);
        if (option == nullptr) {
            result += as_written(part);
            continue;
        }
        count(option->text.size());
        if (option->type == OptionSpec::Type::path)
            result += depth < most_options_within ? filled(option->text, depth + 1) : option->text;
        else
            result += with_braces_twice(option->text);
    }
    return result;
}

/// A path that is put together from options stays one: a query that an option of type path holds goes behind all of the
/// path, and two parts meet in one slash. Any other option is one segment of it, or a part of one.
std::string ManifestFilling::filled_request(const std::string &text) {
    const std::size_t blank = std::min(text.find(' '), text.size());
    std::string method;
    for (const TextPart &part : split_as_written(text.substr(0, blank)))
        append_in_url(part, method);
    if (blank == text.size())
        return method;
    const Request request = request_of(text.substr(blank + 1), 0);
    return method + " " + (request.query.empty() ? request.path : request.path + "?" + request.query);
}

ManifestFilling::Request ManifestFilling::request_of(const std::string &text, int depth) {
    Request request;
    bool in_query = false;
    for (const TextPart &part : split_as_written(text)) {
        const Value *option = find(part);
        if (option != nullptr && option->type == OptionSpec::Type::path && depth < most_options_within) {
            count(option->text.size());
            const Request piece = request_of(option->text, depth + 1);
            append_to_path(in_query ? request.query : request.path, piece.path);
            if (!piece.query.empty())
                request.query += (request.query.empty() ? "" : "&") + piece.query;
            continue;
        }
        if (option != nullptr || part.is_placeholder || in_query) {
            append_in_url(part, in_query ? request.query : request.path);
            continue;
        }
        const std::size_t mark = part.text.find('?');
        append_to_path(request.path, part.text.substr(0, mark));
        in_query = mark != part.text.npos;
        if (in_query)
            request.query += (request.query.empty() ? "" : "&") + part.text.substr(mark + 1);
    }
    return request;
}

/// One part of a URL: what an option holds stays what it is there, whatever signs are in it.
void ManifestFilling::append_in_url(const TextPart &part, std::string &url) {
    const Value *option = find(part);
    if (option == nullptr) {
        url += as_written(part);
        return;
    }
    count(option->text.size());
    if (option->text.empty() || option->text == "." || option->text == "..")
        throw SettingError("option \"" + part.text + "\" must not be empty, \".\" or \"..\"",
                           "It stands in a path, which would then be another.");
    append_percent_encoded(url, option->text);
}

/// The address of an API. What an option holds may be a host or a label of it, and in the path a part of a segment.
std::string ManifestFilling::filled_url(const std::string &text) {
    std::string url;
    for (const TextPart &part : split_as_written(text)) {
        const Value *option = find(part);
        const std::size_t scheme = url.find("://");
        const bool in_host = scheme != url.npos && url.find('/', scheme + 3) == url.npos;
        if (option == nullptr) {
            url += as_written(part);
        } else if (url.empty() || option->type == OptionSpec::Type::path) {
            count(option->text.size());
            append_to_path(url, with_braces_twice(option->text));
        } else if (in_host) {
            count(option->text.size());
            const char *other_hosts = option->type == OptionSpec::Type::host ? "" : ":";
            if (option->text.empty() || option->text.find_first_of("/?#@\\ {}") != std::string::npos ||
                option->text.find_first_of(other_hosts) != std::string::npos)
                throw SettingError("option \"" + part.text + "\" must be a part of a host's name");
            url += option->text;
        } else {
            append_in_url(part, url);
        }
    }
    return url;
}

} // namespace reverse_etl
