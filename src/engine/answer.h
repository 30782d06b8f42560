#pragma once

#include "engine/connector.h"
#include "engine/transport.h"

#include <optional>
#include <simdjson.h>
#include <string>

namespace reverse_etl {

/// An answer and its JSON, which is parsed when first asked for. simdjson's tape is one flat buffer that the parser
/// keeps from answer to answer: an answer with a result for each row costs no tree for each.
class Answer {
  public:
    /// The parser must not parse anything else while this answer is used.
    Answer(const Response &response, simdjson::dom::parser &parser) : response_(response), parser_(parser) {}

    const Response &response() const { return response_; }
    bool is_json();
    /// Nothing if the body is not JSON or nothing stands there.
    std::optional<simdjson::dom::element> at(const std::string &pointer);

  private:
    const Response &response_;
    simdjson::dom::parser &parser_;
    bool parsed_ = false;
    simdjson::error_code error_ = simdjson::SUCCESS;
    simdjson::dom::element root_;
};

/// What stands at the pointer under the element; nothing if there is nothing.
std::optional<simdjson::dom::element> at(simdjson::dom::element element, const std::string &pointer);

/// A string's text, a number's digits, the JSON of anything else.
std::string text_of(simdjson::dom::element element);

/// The text at the first of the pointers where something other than null stands; "" if nowhere.
std::string first_text(simdjson::dom::element element, const Pointers &pointers);

/// The same where it is the reason of a failure, which is for people: of a long one the beginning.
std::string reason_at(simdjson::dom::element element, const Pointers &pointers);

/// At most so many bytes of a text in UTF-8, cut between characters.
std::string beginning(std::string text, std::size_t most_bytes);

/// Whether the values that the condition asks for stand under the element.
bool holds(const Condition &condition, simdjson::dom::element element);

} // namespace reverse_etl
