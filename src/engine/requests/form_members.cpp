#include "engine/requests/form_members.h"

#include "engine/text/json.h"
#include "engine/text/json_text.h"

#include <vector>

namespace reverse_etl {

namespace {

/// Writes parameters while the JSON is read.
class Parameters : public nlohmann::json_sax<Json> {
  public:
    Parameters(std::string &out, std::size_t begin, std::string_view name, BodyFormat::Arrays arrays)
        : out_(out), begin_(begin), name_(name), arrays_(arrays) {}

    bool null() override { return parameter(""); }
    bool boolean(bool value) override { return parameter(value ? "true" : "false"); }
    bool number_integer(number_integer_t value) override { return parameter(std::to_string(value)); }
    bool number_unsigned(number_unsigned_t value) override { return parameter(std::to_string(value)); }
    bool number_float(number_float_t, const string_t &written) override { return parameter(written); }
    bool string(string_t &value) override { return parameter(value); }
    bool binary(binary_t &) override { return true; }
    bool start_object(std::size_t) override { return start(false); }
    bool start_array(std::size_t) override { return start(true); }
    bool end_object() override { return end(); }
    bool end_array() override { return end(); }
    bool key(string_t &name) override {
        name_.resize(around_.back().length);
        append_percent_encoded(name_, "[" + name + "]");
        return true;
    }
    bool parse_error(std::size_t, const std::string &, const Json::exception &) override { return false; }

  private:
    /// An object or an array that is open.
    struct Level {
        bool is_array;
        std::size_t length; ///< of its own name
        std::size_t elements = 0;
    };

    void name_element() {
        if (around_.empty() || !around_.back().is_array)
            return;
        name_.resize(around_.back().length);
        const std::size_t index = around_.back().elements++;
        if (arrays_ == BodyFormat::Arrays::indexed)
            append_percent_encoded(name_, "[" + std::to_string(index) + "]");
        else if (arrays_ == BodyFormat::Arrays::brackets)
            append_percent_encoded(name_, "[]");
    }
    bool parameter(std::string_view value) {
        name_element();
        if (out_.size() > begin_)
            out_ += '&';
        out_.append(name_).append("=");
        append_percent_encoded(out_, value);
        return true;
    }
    bool start(bool is_array) {
        name_element();
        around_.push_back({is_array, name_.size()});
        return true;
    }
    bool end() {
        around_.pop_back();
        return true;
    }

    std::string &out_;
    std::size_t begin_;
    std::string name_;
    BodyFormat::Arrays arrays_;
    std::vector<Level> around_;
};

} // namespace

void append_form_members(std::string &out, std::size_t begin, std::string_view name, std::string_view json,
                         BodyFormat::Arrays arrays) {
    Parameters parameters(out, begin, name, arrays);
    Json::sax_parse(json, &parameters);
}

} // namespace reverse_etl
