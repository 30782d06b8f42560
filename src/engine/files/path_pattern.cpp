#include "engine/files/path_pattern.h"

#include "engine/text/errors.h"
#include "engine/text/url_parts.h"
#include "engine/text/utf8.h"

#include <algorithm>

namespace reverse_etl {

namespace {

/// Apache Hive's name of the partition whose value is NULL (its setting hive.exec.default.partition.name).
constexpr std::string_view hive_null = "__HIVE_DEFAULT_PARTITION__";
constexpr std::size_t most_parts = 64;

std::vector<std::string_view> segments_of(std::string_view name) {
    std::vector<std::string_view> segments;
    for (std::size_t begin = 0; begin <= name.size();) {
        const std::size_t end = std::min(name.find('/', begin), name.size());
        segments.push_back(name.substr(begin, end - begin));
        begin = end + 1;
    }
    return segments;
}

[[noreturn]] void refuse(const std::string &why) {
    throw SettingError("invalid value for option \"files\"",
                       "It names files, as in 'crm/dt={dt}/*.csv.gz': " + why + ".");
}

bool is_hidden(std::string_view segment) {
    return segment.starts_with('.') || segment.starts_with('_');
}

} // namespace

PathPattern::PathPattern(std::string_view written) : written_(written) {
    if (written.empty() || written.starts_with('/') || written.ends_with('/'))
        refuse("a slash stands neither first nor last");
    for (const std::string_view segment : segments_of(written)) {
        if (segment == "." || segment == "..")
            refuse("no part of it is \".\" or \"..\"");
        parts_.push_back(parsed(segment));
    }
    const auto any_folders =
        std::count_if(parts_.begin(), parts_.end(), [](const Part &part) { return part.is_any_folders; });
    if (any_folders > 1)
        refuse("** stands once"); // several could take very many ways through a deep name
    if (parts_.size() > most_parts)
        refuse("it has too many parts");
    if (parts_.back().is_any_folders)
        refuse("** is followed by what the files are called");
}

PathPattern::Part PathPattern::parsed(std::string_view written) {
    Part part;
    part.is_any_folders = written == "**";
    if (part.is_any_folders)
        return part;
    std::string literal;
    for (std::size_t at = 0; at < written.size();) {
        const char sign = written[at];
        if (sign != '*' && sign != '{') {
            literal += sign;
            at++;
            continue;
        }
        if (!part.tokens.empty() && literal.empty())
            refuse("something stands between two wildcards");
        Token token = wildcard(written, at, literal);
        if (!literal.empty())
            part.tokens.push_back({Token::Kind::literal, literal});
        part.tokens.push_back(std::move(token));
        literal.clear();
    }
    if (!literal.empty() || part.tokens.empty())
        part.tokens.push_back({Token::Kind::literal, literal});
    return part;
}

PathPattern::Token PathPattern::wildcard(std::string_view written, std::size_t &at, const std::string &before) {
    if (written[at] == '*') {
        at++;
        return {Token::Kind::any, ""};
    }
    const std::size_t end = written.find('}', at);
    if (end == written.npos || end == at + 1)
        refuse("{ and } stand around a name");
    const std::string name(written.substr(at + 1, end - at - 1));
    if (std::find(names_.begin(), names_.end(), name) != names_.end())
        refuse("{" + name + "} stands once");
    names_.push_back(name);
    at = end + 1;
    return {Token::Kind::value, "", names_.size() - 1, before.ends_with(name + "=")};
}

std::string PathPattern::beginning(std::size_t part) const {
    const std::vector<Token> &tokens = parts_[part].tokens;
    return tokens.empty() || tokens.front().kind != Token::Kind::literal ? "" : tokens.front().text;
}

bool PathPattern::is_literal(std::size_t part) const {
    const std::vector<Token> &tokens = parts_[part].tokens;
    return tokens.size() == 1 && tokens.front().kind == Token::Kind::literal;
}

std::vector<std::size_t> PathPattern::values_of(std::size_t part) const {
    std::vector<std::size_t> values;
    for (const Token &token : parts_[part].tokens)
        if (token.kind == Token::Kind::value)
            values.push_back(token.value);
    return values;
}

/// A wildcard takes as little as it can: between two of them stands a text, which is found where it comes first. Only
/// the last text has its place at the end.
bool PathPattern::matches_part(std::size_t part, std::string_view text, PathValues &values) const {
    values.resize(names_.size());
    const std::vector<Token> &tokens = parts_[part].tokens;
    if (tokens.front().kind != Token::Kind::literal && is_hidden(text))
        return false;
    for (std::size_t i = 0; i < tokens.size(); i++) {
        const Token &token = tokens[i];
        if (token.kind == Token::Kind::literal) {
            if (!text.starts_with(token.text))
                return false;
            text.remove_prefix(token.text.size());
            continue;
        }
        const std::size_t fewest = token.kind == Token::Kind::value ? 1 : 0;
        std::size_t length = text.size();
        if (i + 2 == tokens.size())
            length = text.size() < tokens[i + 1].text.size() || !text.ends_with(tokens[i + 1].text)
                         ? text.npos
                         : text.size() - tokens[i + 1].text.size();
        else if (i + 1 < tokens.size())
            length = text.find(tokens[i + 1].text, fewest);
        if (length == text.npos || length < fewest)
            return false;
        if (token.kind == Token::Kind::value) {
            const std::string_view found = text.substr(0, length);
            if (token.is_hive && found == hive_null)
                values[token.value] = std::nullopt;
            else
                values[token.value] = as_utf8(token.is_hive ? percent_decoded(found) : std::string(found));
        }
        text.remove_prefix(length);
    }
    return text.empty();
}

bool PathPattern::matches_from(std::size_t part, const std::vector<std::string_view> &segments, std::size_t segment,
                               PathValues &values) const {
    for (; part < parts_.size(); part++, segment++) {
        if (parts_[part].is_any_folders) {
            for (std::size_t from = segment; from < segments.size(); from++) {
                if (matches_from(part + 1, segments, from, values))
                    return true;
                if (is_hidden(segments[from]))
                    return false;
            }
            return false;
        }
        if (segment == segments.size() || !matches_part(part, segments[segment], values))
            return false;
    }
    return segment == segments.size();
}

bool PathPattern::matches(std::string_view name, PathValues &values) const {
    return matches_from(0, segments_of(name), 0, values);
}

} // namespace reverse_etl
