#pragma once

/// Two encodings, two types. A std::string is UTF-8, everywhere: that is what manifests, requests and answers are. What
/// Postgres holds is in the encoding of the database, and is a ServerText. Each is made of the other by name only, at
/// the border.

#include "postgres/postgres.h"

#include <string>
#include <string_view>

extern "C" {
#include "lib/stringinfo.h"
}

namespace reverse_etl {

/// Text in the encoding of the database. It belongs to whom it was taken from, or to a memory context.
class ServerText {
  public:
    ServerText() = default;
    explicit ServerText(const char *text) : ServerText(text, text == nullptr ? 0 : std::string_view(text).size()) {}
    ServerText(const char *text, std::size_t size) : text_(text), size_(size) {}
    explicit ServerText(const NameData &name) : ServerText(name.data) {}
    /// A text, or what is stored as one is.
    explicit ServerText(Datum value);

    bool is_null() const { return text_ == nullptr; }
    std::string_view bytes() const { return {text_, size_}; }
    /// Only of what ends with a zero: all but values as they are stored.
    const char *c_str() const { return text_; }

    /// "" for NULL. Throws an Error where a character has no form in UTF-8.
    std::string utf8() const;
    /// With "?" for such characters: for messages.
    std::string legible() const;

  private:
    const char *text_ = nullptr;
    std::size_t size_ = 0;
};

/// UTF-8 as this database takes it: the same bytes, or new ones in the current memory context. Throws an Error where a
/// character has no form in the database's encoding. May be called inside pg_call.
ServerText to_server(std::string_view utf8);
/// With "?" for such characters: for messages.
ServerText to_server_legible(std::string_view utf8);

/// The text, in UTF-8, with an escape such as "\u20ac" in place of every character that has no form in the database's
/// encoding: it can be stored. Never fails.
std::string storable(const std::string &utf8);

/// A text value of the database. May be called inside pg_call.
Datum text_datum(std::string_view utf8);
Datum text_datum(ServerText text);

/// What a text is in UTF-8: the same bytes, or new ones in the current memory context; where a character has no such
/// form, nothing. Call inside pg_call.
bool find_utf8(std::string_view server, std::string_view &utf8);
/// The same, but throws an Error where a character has no such form.
std::string_view utf8_of(std::string_view server);

/// Looks up how this database's encoding is converted, once a process. Conversions themselves read no catalog, so that
/// they can be had where no transaction is, and after an error; where this was never called, only ASCII can be
/// converted.
void prepare_conversions();

} // namespace reverse_etl
