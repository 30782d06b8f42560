#include "engine/manifest/manifest_filling.h"

#include "engine/text/errors.h"
#include "engine/text/placeholders.h"

#include <optional>
#include <vector>

namespace reverse_etl {

namespace {

constexpr std::size_t most_text_bytes = 1 << 20;
constexpr std::size_t most_filled_bytes = 4 << 20;
/// A value takes some hundred bytes of memory, however short its text is.
constexpr std::size_t most_values = 50000;
/// Of one object: they are looked for one after the other.
constexpr std::size_t most_members = 5000;
/// Nesting without end would overflow the stack of all that walks through it.
constexpr int deepest = 64;
/// An option's value may name another option, as a default of item_path names path; no deeper.
constexpr int most_options_within = 2;
/// What a value takes at least.
constexpr std::size_t bytes_of_value = 64;

/// Looks at a text before memory is taken for what it holds.
class Bounds : public nlohmann::json_sax<Json> {
  public:
    explicit Bounds(Pause pause) : pause_(pause), members_(deepest + 2) {}

    bool null() override { return value(); }
    bool boolean(bool) override { return value(); }
    bool number_integer(number_integer_t) override { return value(); }
    bool number_unsigned(number_unsigned_t) override { return value(); }
    bool number_float(number_float_t, const string_t &) override { return value(); }
    bool string(string_t &) override { return value(); }
    bool binary(binary_t &) override { return value(); }
    bool start_object(std::size_t) override { return start(); }
    bool start_array(std::size_t) override { return start(); }
    bool end_object() override { return end(); }
    bool end_array() override { return end(); }
    bool key(string_t &) override {
        if (++members_[depth_] > most_members)
            throw ManifestError("", "has an object with more than " + std::to_string(most_members) + " members");
        return true;
    }
    /// Whoever reads it in earnest tells of it.
    bool parse_error(std::size_t, const std::string &, const Json::exception &) override { return false; }

  private:
    bool value() {
        if (depth_ > deepest)
            throw ManifestError("", "is nested too deeply");
        if (++values_ > most_values)
            throw ManifestError("", "holds more than " + std::to_string(most_values) + " values");
        if (pause_ != nullptr && values_ % 1000 == 0)
            pause_();
        return true;
    }
    bool start() {
        value();
        members_[++depth_] = 0;
        return true;
    }
    bool end() {
        depth_--;
        return true;
    }

    Pause pause_;
    std::vector<std::size_t> members_; ///< of the objects around, by their depth
    std::size_t values_ = 0;
    int depth_ = 0;
};

/// Appends a part of a path; where both bring a slash, one is enough.
void append_to_path(std::string &path, std::string_view more) {
    if (path.ends_with('/') && more.starts_with('/'))
        more.remove_prefix(1);
    path += more;
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

void ManifestFilling::fill_in(Json &value) {
    if (pause_ != nullptr)
        pause_();
    if (value.is_string()) {
        const std::string text = value.get<std::string>();
        if (auto sole = sole_placeholder(text))
            if (auto json = jsons.find(*sole); json != jsons.end()) {
                count(bytes_of(json->second));
                value = json->second;
                return;
            }
        value = filled(text);
    } else if (value.is_object()) {
        for (auto member = value.begin(); member != value.end(); ++member)
            if (member.key() == "request" && member->is_string())
                *member = filled_request(member->get<std::string>());
            else
                fill_in(*member);
    } else if (value.is_array()) {
        for (auto &element : value)
            fill_in(element);
    }
}

std::string ManifestFilling::filled(const std::string &text) {
    std::string result = text;
    for (int depth = 0; depth < most_options_within; depth++)
        result = substitute(result, [&](const std::string &name) -> std::optional<std::string> {
            auto found = texts.find(name);
            if (found == texts.end())
                return std::nullopt;
            count(found->second.size());
            return found->second;
        });
    return result;
}

/// A path that is put together from options stays one: a query that an option holds goes behind all of the path, and
/// two parts meet in one slash.
std::string ManifestFilling::filled_request(const std::string &text) {
    const Request request = request_of(text, 0);
    return request.query.empty() ? request.path : request.path + "?" + request.query;
}

ManifestFilling::Request ManifestFilling::request_of(const std::string &text, int depth) {
    Request request;
    bool in_query = false;
    for (const TextPart &part : split_placeholders(text)) {
        auto option = part.is_placeholder ? texts.find(part.text) : texts.end();
        if (option != texts.end() && depth < most_options_within) {
            count(option->second.size());
            const Request piece = request_of(option->second, depth + 1);
            append_to_path(in_query ? request.query : request.path, piece.path);
            if (!piece.query.empty())
                request.query += (request.query.empty() ? "" : "&") + piece.query;
            continue;
        }
        const std::string literal = part.is_placeholder ? "{" + part.text + "}" : part.text;
        const std::size_t mark = in_query ? 0 : literal.find('?');
        if (in_query) {
            request.query += literal;
        } else {
            append_to_path(request.path, literal.substr(0, mark));
            in_query = mark != literal.npos;
            if (in_query)
                request.query += (request.query.empty() ? "" : "&") + literal.substr(mark + 1);
        }
    }
    return request;
}

} // namespace reverse_etl
