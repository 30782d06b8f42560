#include "engine/text/text_steps.h"

#include "engine/text/base64.h"
#include "engine/text/hex.h"
#include "engine/text/hmac.h"
#include "engine/text/iso_moment.h"
#include "engine/text/json_text.h"
#include "engine/text/letter_case.h"
#include "engine/text/phone_number.h"
#include "engine/text/value_refused.h"

#include <simdjson.h>
#include <string_view>

namespace reverse_etl {

namespace {

using Word = TextStep::Word;

std::string run(const std::vector<TextStep> &steps, std::string text);

std::string as_json(std::string_view text) {
    std::string json;
    append_json_string(json, text);
    return json;
}

bool is_list_word(Word word) {
    return word == Word::join || word == Word::each;
}

/// Calls `take` with the text of each element of a JSON array that is not null, and with whether it is a null.
template <typename Take>
void for_each_element(const std::string &json, Take take) {
    const simdjson::padded_string padded(json);
    simdjson::ondemand::parser parser;
    try {
        simdjson::ondemand::document document = parser.iterate(padded);
        for (simdjson::ondemand::value element : document.get_array()) {
            switch (element.type().value()) {
            case simdjson::ondemand::json_type::null:
                take(std::string(), true);
                break;
            case simdjson::ondemand::json_type::string:
                take(std::string(std::string_view(element.get_string())), false);
                break;
            case simdjson::ondemand::json_type::array:
            case simdjson::ondemand::json_type::object:
                throw ValueRefused("an element of the list is no text and no number");
            default: {
                const std::string_view token = element.raw_json_token();
                take(std::string(token.substr(0, token.find_last_not_of(" \t\r\n") + 1)), false);
            }
            }
        }
    } catch (const simdjson::simdjson_error &) {
        throw ValueRefused("the value is no list");
    }
}

std::string joined(const std::string &list, const std::string &separator) {
    std::string text;
    bool is_first = true;
    for_each_element(list, [&](const std::string &element, bool is_null) {
        if (is_null)
            return;
        if (element.find(separator) != element.npos)
            throw ValueRefused("array element contains \"" + separator +
                               "\", which separates the elements of the list");
        text += (is_first ? "" : separator) + element;
        is_first = false;
    });
    return text;
}

std::string split(std::string_view text, const std::string &separator) {
    std::string list = "[";
    while (!text.empty()) {
        const std::size_t end = text.find(separator);
        list += (list.size() > 1 ? "," : "") + as_json(text.substr(0, end));
        text = end == text.npos ? "" : text.substr(end + separator.size());
    }
    return list + "]";
}

std::string with_each(const std::string &list, const std::vector<TextStep> &steps) {
    std::string result = "[";
    for_each_element(list, [&](const std::string &element, bool is_null) {
        result += result.size() > 1 ? "," : "";
        result += is_null ? "null" : as_json(run(steps, element));
    });
    return result + "]";
}

Moment moment_of(const std::string &text) {
    const std::optional<Moment> moment = iso_moment(text);
    if (!moment)
        throw ValueRefused("the value is no date or moment as ISO 8601 writes it");
    return *moment;
}

/// A string literal's inside: a backslash before what would end it, or be none of its characters.
std::string soql_text(std::string_view text) {
    std::string result;
    for (const char c : text) {
        constexpr std::string_view signs = "\n\r\t\b\f\"'\\", letters = "nrtbf\"'\\";
        const std::size_t sign = signs.find(c);
        if (sign == signs.npos)
            result += c;
        else
            result.append(1, '\\').append(1, letters[sign]);
    }
    return result;
}

/// A quote is written twice.
std::string odata_text(std::string_view text) {
    std::string result;
    for (const char c : text)
        result.append(c == '\'' ? 2 : 1, c);
    return result;
}

std::string only_digits(std::string_view text) {
    std::string digits;
    for (const char c : text)
        if (c >= '0' && c <= '9')
            digits += c;
    return digits;
}

std::string e164_of(const std::string &text, const DiallingPlan &plan) {
    const std::optional<std::string> number = e164_number(text, plan);
    if (!number)
        throw ValueRefused("the value is no telephone number");
    return *number;
}

std::string in_letters(std::string_view text, void (*append)(std::string &, std::string_view)) {
    std::string result;
    append(result, text);
    return result;
}

std::string done(const TextStep &step, const std::string &text, bool is_first, bool is_list) {
    switch (step.word) {
    case Word::trim:
        return std::string(without_blanks(text));
    case Word::lower:
        return in_letters(text, append_lower_letters);
    case Word::upper:
        return in_letters(text, append_upper_letters);
    case Word::digits:
        return only_digits(text);
    case Word::e164:
        return e164_of(text, *step.plan);
    case Word::date:
        return in_date_format(moment_of(text), step.argument);
    case Word::epoch_s:
        return std::to_string(std::chrono::floor<std::chrono::seconds>(moment_of(text)).time_since_epoch().count());
    case Word::epoch_ms:
        return std::to_string(moment_of(text).time_since_epoch().count());
    case Word::sha256:
        return digest(HashAlgorithm::sha256, text);
    case Word::sha1:
        return digest(HashAlgorithm::sha1, text);
    case Word::md5:
        return digest(HashAlgorithm::md5, text);
    case Word::base64:
        return base64(text);
    case Word::hex:
        return hex(text);
    case Word::json: // the first step gets the value as JSON, and a list is JSON
        return is_first || is_list ? text : as_json(text);
    case Word::join:
        return joined(text, step.argument);
    case Word::split:
        return split(text, step.argument);
    case Word::each:
        return with_each(text, step.of_each);
    case Word::odata:
        return odata_text(text);
    case Word::soql:
        return soql_text(text);
    case Word::unless:
        break; // decides only whether others are done
    }
    return text;
}

std::string run(const std::vector<TextStep> &steps, std::string text) {
    for (std::size_t i = 0; i < steps.size(); i++) {
        if (steps[i].word == Word::unless && steps[i].pattern->matches(text))
            break;
        const bool is_list = i > 0 && (steps[i - 1].word == Word::split || steps[i - 1].word == Word::each);
        text = done(steps[i], text, i == 0, is_list);
    }
    return text;
}

} // namespace

bool TextSteps::takes_json() const {
    return steps_.front().word == Word::json || takes_list();
}

bool TextSteps::takes_list() const {
    return is_list_word(steps_.front().word);
}

bool TextSteps::takes_moment() const {
    const Word word = steps_.front().word;
    return word == Word::date || word == Word::epoch_s || word == Word::epoch_ms;
}

bool TextSteps::gives_number() const {
    return steps_.back().word == Word::epoch_s || steps_.back().word == Word::epoch_ms;
}

bool TextSteps::gives_list() const {
    return steps_.back().word == Word::split || steps_.back().word == Word::each;
}

void TextSteps::apply(std::string &out, std::size_t begin) const {
    out.replace(begin, out.npos, run(steps_, out.substr(begin)));
}

} // namespace reverse_etl
