#include "engine/catalog/page.h"

#include <algorithm>

namespace reverse_etl {

void Page::entries(std::vector<std::string> titles, std::vector<std::vector<std::string>> rows) {
    parts_.push_back({PagePart::Kind::entries, {}, std::move(titles), std::move(rows)});
}

std::string code(const std::string &name) {
    std::string quoted = prose(name);
    std::replace(quoted.begin(), quoted.end(), '`', '\'');
    return "`" + quoted + "`";
}

std::string prose(const std::string &text) {
    std::string line;
    for (const char sign : text)
        if (static_cast<unsigned char>(sign) > ' ' && sign != '\x7f')
            line += sign;
        else if (!line.empty() && line.back() != ' ')
            line += ' ';
    if (line.ends_with(' '))
        line.pop_back();
    return line;
}

std::string enumerated(const std::vector<std::string> &texts, const char *last) {
    std::string all;
    for (std::size_t i = 0; i < texts.size(); i++)
        all += (i == 0 ? "" : i + 1 == texts.size() ? last : ", ") + texts[i];
    return all;
}

} // namespace reverse_etl
