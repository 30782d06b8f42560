#pragma once

#include <cstring>
#include <simdjson.h>
#include <string>
#include <string_view>
#include <utility>

// JSON that is kept as text. Whatever comes from outside passes append_compact once: checked in full, without spaces,
// strings escaped in one way only. From then on rows are compared, merged and cut as slices of text, with no tree.
namespace reverse_etl::sandbox {

// One parser for all bodies: its buffers are reused.
class JsonBody {
  public:
    // `padded` must be followed by simdjson::SIMDJSON_PADDING readable bytes.
    simdjson::ondemand::document parse(std::string_view padded);
    std::string compact(std::string_view padded); // the whole body, checked; "{}" for an empty one

  private:
    simdjson::ondemand::parser parser_;
};

void require_end(simdjson::ondemand::document &document); // after all of it was read
void append_compact(std::string &out, simdjson::ondemand::value value);
void append_name(std::string &out, simdjson::ondemand::field &field); // with its quotes
void append_quoted(std::string &out, std::string_view text);
std::string in_quotes(std::string_view text);

// The text of a compact string without its quotes; any other value as it is written.
inline std::string_view inner(std::string_view raw) {
    return raw.size() >= 2 && raw.front() == '"' ? raw.substr(1, raw.size() - 2) : raw;
}

// The plain text of a compact value, escapes resolved.
std::string plain(std::string_view raw);

// One past the end of the compact value that starts at `begin`.
const char *end_of_value(const char *begin, const char *end);

// visit(name, value) for each member of a compact object, both as written (the name without quotes).
template <class Visit>
void for_each_member(std::string_view object, Visit visit) {
    const char *at = object.data() + 1, *end = object.data() + object.size() - 1;
    while (at < end) {
        const char *name_end = end_of_value(at, end);
        const char *value_end = end_of_value(name_end + 1, end);
        visit(std::string_view(at + 1, name_end - at - 2), std::string_view(name_end + 1, value_end - name_end - 1));
        at = value_end + 1;
    }
}

// visit(value) for each element of a compact array.
template <class Visit>
void for_each_element(std::string_view array, Visit visit) {
    const char *at = array.data() + 1, *end = array.data() + array.size() - 1;
    while (at < end) {
        const char *value_end = end_of_value(at, end);
        visit(std::string_view(at, value_end - at));
        at = value_end + 1;
    }
}

// The value of a member of a compact object as written; empty when there is none.
std::string_view member(std::string_view object, std::string_view name);

// `base` with the members of `changes` set. With drop_empty, members set to null or "" are taken away.
std::string merged(std::string_view base, std::string_view changes, bool drop_empty);

inline bool is_empty_value(std::string_view raw) {
    return raw == "null" || raw == "\"\"";
}

} // namespace reverse_etl::sandbox
