#include "soql.h"

#include <stdexcept>

#include "text.h"

namespace reverse_etl::sandbox {

namespace {

struct Token {
    std::string text;
    bool quoted = false;
};

std::vector<Token> tokens_of(std::string_view text) {
    std::vector<Token> tokens;
    for (std::size_t at = 0; at < text.size();) {
        if (text[at] == ' ' || text[at] == '\n' || text[at] == '\t' || text[at] == '\r') {
            ++at;
        } else if (text[at] == '\'') {
            Token token{"", true};
            for (++at; at < text.size() && text[at] != '\''; ++at) {
                if (text[at] == '\\' && at + 1 < text.size())
                    ++at;
                token.text += text[at];
            }
            ++at;
            tokens.push_back(std::move(token));
        } else if (std::string_view("(),=").find(text[at]) != std::string_view::npos) {
            tokens.push_back({std::string(1, text[at++])});
        } else if (text.substr(at, 2) == "!=") {
            tokens.push_back({"!="});
            at += 2;
        } else {
            std::size_t end = std::min(text.find_first_of(" \n\t\r(),=!'", at), text.size());
            tokens.push_back({std::string(text.substr(at, end - at))});
            at = std::max(end, at + 1);
        }
    }
    return tokens;
}

class Parser {
  public:
    explicit Parser(std::string_view text) : tokens_(tokens_of(text)) {}

    Soql parse() {
        Soql query;
        expect("select");
        do
            query.fields.push_back(name());
        while (accept(","));
        expect("from");
        query.object = name();
        if (accept("where"))
            do
                query.conditions.push_back(condition());
            while (accept("and"));
        if (accept("order")) {
            while (at_ < tokens_.size() && lower(tokens_[at_].text) != "limit")
                ++at_;
        }
        if (accept("limit"))
            query.limit = static_cast<std::size_t>(std::atoll(next().text.c_str()));
        if (at_ < tokens_.size())
            fail(tokens_[at_].text);
        return query;
    }

  private:
    [[noreturn]] static void fail(const std::string &token) {
        throw std::invalid_argument("unexpected token: '" + token + "'");
    }

    Token next() {
        if (at_ == tokens_.size())
            fail("<EOF>");
        return tokens_[at_++];
    }

    bool accept(std::string_view word) {
        bool found = at_ < tokens_.size() && !tokens_[at_].quoted && lower(tokens_[at_].text) == word;
        at_ += found;
        return found;
    }

    void expect(std::string_view word) {
        if (!accept(word))
            fail(next().text);
    }

    std::string name() {
        std::string text = next().text;
        if (lower(text) == "count" && accept("(")) {
            expect(")");
            return "COUNT()";
        }
        return text;
    }

    std::string value() {
        Token token = next();
        return !token.quoted && lower(token.text) == "null" ? "" : token.text;
    }

    Soql::Condition condition() {
        Soql::Condition condition{name(), false, {}};
        if (accept("="))
            condition.values = {value()};
        else if (accept("!=")) {
            condition.negated = true;
            condition.values = {value()};
        } else {
            condition.negated = accept("not");
            expect("in");
            expect("(");
            do
                condition.values.push_back(value());
            while (accept(","));
            expect(")");
        }
        return condition;
    }

    std::vector<Token> tokens_;
    std::size_t at_ = 0;
};

} // namespace

Soql parse_soql(std::string_view text) {
    return Parser(text).parse();
}

} // namespace reverse_etl::sandbox
