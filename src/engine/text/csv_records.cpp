#include "engine/text/csv_records.h"

#include "engine/text/json_text.h"

#include <algorithm>
#include <stdexcept>
#include <vector>

namespace reverse_etl {

namespace {

/// Reads values one after the other.
class CsvReader {
  public:
    explicit CsvReader(std::string_view text) : text_(text) {
        if (text_.starts_with("\xEF\xBB\xBF"))
            text_.remove_prefix(3);
    }

    bool at_end() const { return text_.empty(); }

    /// The values of the next line.
    const std::vector<std::string> &line() {
        values_.clear();
        do
            values_.push_back(value());
        while (takes(','));
        if (takes('\r'))
            takes('\n');
        else if (!takes('\n') && !at_end())
            throw std::runtime_error("a value goes on behind its quotes");
        return values_;
    }

  private:
    bool takes(char sign) {
        const bool is_there = !text_.empty() && text_.front() == sign;
        if (is_there)
            text_.remove_prefix(1);
        return is_there;
    }

    std::string value() {
        std::string value;
        if (!takes('"')) {
            value = text_.substr(0, text_.find_first_of(",\r\n"));
            text_.remove_prefix(value.size());
            return value;
        }
        while (true) {
            const std::size_t quote = text_.find('"');
            if (quote == text_.npos)
                throw std::runtime_error("a quote does not end");
            value += text_.substr(0, quote);
            text_.remove_prefix(quote + 1);
            if (!takes('"'))
                return value;
            value += '"'; // it was written twice
        }
    }

    std::string_view text_;
    std::vector<std::string> values_;
};

} // namespace

std::string json_of_csv(std::string_view text) {
    CsvReader reader(text);
    std::string json = "[";
    if (reader.at_end())
        return "[]";
    const std::vector<std::string> names = reader.line();
    while (!reader.at_end()) {
        const std::vector<std::string> &values = reader.line();
        if (values.size() == 1 && values.front().empty() && names.size() != 1)
            continue; // an empty line
        if (values.size() != names.size())
            throw std::runtime_error("a line has " + std::to_string(values.size()) + " values, and the first has " +
                                     std::to_string(names.size()));
        json += json.size() > 1 ? ",{" : "{";
        for (std::size_t i = 0; i < names.size(); i++) {
            json += i > 0 ? "," : "";
            append_json_string(json, names[i]);
            json += ':';
            append_json_string(json, values[i]);
        }
        json += '}';
    }
    return json + "]";
}

std::string json_of_lines(std::string_view text) {
    std::string json = "[";
    while (!text.empty()) {
        const std::string_view line = text.substr(0, text.find('\n'));
        text.remove_prefix(std::min(text.size(), line.size() + 1));
        if (line.find_first_not_of(" \t\r") == line.npos)
            continue;
        json += json.size() > 1 ? "," : "";
        json += line;
    }
    return json + "]";
}

} // namespace reverse_etl
