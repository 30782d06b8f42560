#include "engine/sources/statement_news.h"

#include <charconv>

namespace reverse_etl {

namespace {

std::int64_t number_at(Answer &answer, const Pointers &at) {
    const auto found = answer.at(at);
    const std::string text = found ? text_of(*found) : "";
    std::int64_t number = -1;
    std::from_chars(text.data(), text.data() + text.size(), number);
    return number;
}

} // namespace

bool tells_of_statement(long status) {
    return status != 401 && status != 403 && status != 429 && status < 500;
}

StatementNews read_news(const StatementSpec &spec, Answer &answer) {
    StatementNews news;
    if (const auto bytes = spec.facts.find("bytes"); bytes != spec.facts.end())
        news.source_bytes = number_at(answer, bytes->second);
    const auto root = answer.at("");
    if (!root || spec.failed_when.empty() || !holds(spec.failed_when, *root))
        return news;
    const std::string reason = answer.words_at(*root, spec.reason);
    news.fault = reason.empty() ? "the statement failed" : reason;
    return news;
}

} // namespace reverse_etl
