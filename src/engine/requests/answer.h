#pragma once

#include "engine/http/transport.h"
#include "engine/manifest/connector.h"
#include "engine/requests/words.h"

#include <optional>
#include <simdjson.h>
#include <string>
#include <string_view>

namespace reverse_etl {

/// An answer and its JSON, which is parsed when first asked for. simdjson's tape is one flat buffer that the parser
/// keeps from answer to answer: an answer with a result for each row costs no tree for each.
class Answer {
  public:
    /// The parser must not parse anything else while this answer is used. `exact`: numbers keep all their digits, for
    /// values that are read.
    Answer(const Response &response, simdjson::dom::parser &parser, const Words &words, bool exact = false)
        : response_(response), parser_(parser), words_(words), exact_(exact) {}

    const Response &response() const { return response_; }
    bool is_json();
    bool is_success() const { return response_.status >= 200 && response_.status < 300; }
    /// The text or number at a pointer of its body; nothing where neither stands there.
    std::optional<std::string> plain_text_at(const std::string &pointer);
    /// It has no content, and so is no JSON: what was asked for is done, or is not there.
    bool says_nothing() const { return response_.status == 204 || response_.body.empty(); }
    /// Nothing if the body is not JSON or nothing stands there.
    std::optional<simdjson::dom::element> at(const std::string &pointer);
    /// The first of the pointers at which something stands.
    std::optional<simdjson::dom::element> at(const Pointers &pointers);

    /// The destination's words at the first of the pointers where something other than null stands; "" if nowhere.
    std::string words_at(simdjson::dom::element element, const Pointers &pointers) const;
    /// The reason that the element gives, by the destination's words or the manifest's; "" for none. `name`: the
    /// element's in its map.
    std::string reason_at(std::optional<simdjson::dom::element> element, const ReasonSpec &reason,
                          std::string_view name = "") const;
    /// Any of the destination's words.
    const Words &words() const { return words_; }

  private:
    const Response &response_;
    simdjson::dom::parser &parser_;
    const Words &words_;
    const bool exact_;
    bool parsed_ = false;
    simdjson::error_code error_ = simdjson::SUCCESS;
    simdjson::dom::element root_;
};

/// What stands at the pointer under the element; nothing if there is nothing.
std::optional<simdjson::dom::element> at(simdjson::dom::element element, const std::string &pointer);

/// A string's text, a number's digits, the JSON of anything else.
std::string text_of(simdjson::dom::element element);

/// The value as JSON, with all the digits of its numbers.
std::string json_of(simdjson::dom::element element);

/// The text at the first of the pointers where something other than null stands; "" if nowhere.
std::string first_text(simdjson::dom::element element, const Pointers &pointers);

/// What an answer says of the next page: a text, or a number's digits; "" where it is missing, null or empty, nothing
/// where it is something else.
std::optional<std::string> next_of(const std::optional<simdjson::dom::element> &found);

/// Whether the values that the condition asks for stand under the element.
bool holds(const Condition &condition, simdjson::dom::element element);
/// Whether it is only for want of values that the condition does not hold, and not because it asks for them to be
/// there.
bool lacks_what_is_asked(const Condition &condition, simdjson::dom::element element);

} // namespace reverse_etl
