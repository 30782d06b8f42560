#include "engine/manifest/encoding_reader.h"

#include "engine/text/iso_moment.h"
#include "engine/text/phone_number.h"

#include <optional>
#include <utility>

namespace reverse_etl {

namespace {

using Word = TextStep::Word;

constexpr std::pair<const char *, ValueForm> forms[] = {{"native", ValueForm::native},
                                                        {"string", ValueForm::string},
                                                        {"epoch_s", ValueForm::epoch_s},
                                                        {"epoch_ms", ValueForm::epoch_ms},
                                                        {"semicolon_list", ValueForm::semicolon_list}};

constexpr std::pair<const char *, Word> words[] = {
    {"trim", Word::trim},       {"lower", Word::lower},      {"upper", Word::upper}, {"digits", Word::digits},
    {"sha256", Word::sha256},   {"sha1", Word::sha1},        {"md5", Word::md5},     {"base64", Word::base64},
    {"hex", Word::hex},         {"json", Word::json},        {"odata", Word::odata}, {"soql", Word::soql},
    {"epoch_s", Word::epoch_s}, {"epoch_ms", Word::epoch_ms}};

constexpr std::pair<const char *, Word> words_with_value[] = {{"e164", Word::e164},   {"unless", Word::unless},
                                                              {"date", Word::date},   {"join", Word::join},
                                                              {"split", Word::split}, {"each", Word::each}};

bool is_digest(Word word) {
    return word == Word::sha256 || word == Word::sha1 || word == Word::md5;
}

std::string names_of_words() {
    std::string names;
    for (const auto &[name, word] : words)
        names += (names.empty() ? "\"" : ", \"") + std::string(name) + "\"";
    for (const auto &[name, word] : words_with_value)
        names += ", {\"" + std::string(name) + "\": ...}";
    return names;
}

std::string separator_of(const ManifestNode &node) {
    std::string separator = node.literal();
    if (separator.empty() || separator.size() > 8)
        node.fail("must be what stands between the elements, 1 to 8 bytes");
    return separator;
}

std::vector<TextStep> read_list(const ManifestNode &node);

TextStep read_step_with_value(const ManifestNode &node) {
    const auto members = node.members();
    if (members.size() != 1)
        node.fail("must have one member: the step's word, with its value");
    const auto &[name, value] = members.front();
    for (const auto &[known, word] : words_with_value) {
        if (name != known)
            continue;
        TextStep step{word};
        if (word == Word::e164) {
            step.plan = dialling_plan(value.literal());
            if (step.plan == nullptr)
                value.fail("must be a country, as in \"DE\", whose way of dialling is known here");
        } else if (word == Word::unless) {
            step.pattern = TextPattern::parse(value.text());
            if (!step.pattern)
                value.fail("must be a pattern, as in \"[0-9a-f]{64}\"");
        } else if (word == Word::date) {
            step.argument = value.literal();
            if (!is_date_format(step.argument))
                value.fail("must be made of YYYY, YY, MM, DD, HH, MI, SS and MS, and of signs that are no letters");
        } else if (word == Word::each) {
            step.of_each = read_list(value);
            const TextSteps steps(step.of_each);
            if (steps.takes_list() || steps.gives_json())
                value.fail("must make a text of each element: its steps must not be about lists, nor give a number");
        } else {
            step.argument = separator_of(value);
        }
        return step;
    }
    node.fail("is no step; the steps are " + names_of_words());
}

TextStep read_step(const ManifestNode &node) {
    if (node.value().is_object())
        return read_step_with_value(node);
    if (node.value().is_string())
        for (const auto &[name, word] : words)
            if (node.value() == name)
                return TextStep{word};
    node.fail("is no encoding; those are \"native\", \"string\", \"semicolon_list\" alone, and the steps " +
              names_of_words());
}

/// Whether the step is about a list. What gives one is known from the step before it.
bool wants_list(const TextStep &step) {
    return step.word == Word::join || step.word == Word::each;
}

/// A digest is written in hex, unless the step behind it says how else.
void write_digests(std::vector<TextStep> &steps) {
    for (std::size_t i = 0; i < steps.size(); i++) {
        if (!is_digest(steps[i].word))
            continue;
        const bool is_written =
            i + 1 < steps.size() && (steps[i + 1].word == Word::base64 || steps[i + 1].word == Word::hex);
        if (!is_written)
            steps.insert(steps.begin() + static_cast<std::ptrdiff_t>(i) + 1, TextStep{Word::hex});
    }
}

std::vector<TextStep> read_list(const ManifestNode &node) {
    std::vector<TextStep> steps;
    bool is_list = false, has_unless = false;
    const std::vector<ManifestNode> nodes = node.one_or_many();
    if (nodes.empty() || nodes.size() > 20)
        node.fail("must be a step, or a list of 1 to 20");
    for (const ManifestNode &one : nodes) {
        TextStep step = read_step(one);
        const bool is_first = steps.empty();
        if (wants_list(step) && !is_first && !is_list)
            one.fail("is about a list, and the step before it gives a text");
        if (!wants_list(step) && step.word != Word::json && is_list)
            one.fail(
                "is about a text, and the step before it gives a list: that is what \"join\" and \"each\" are for");
        is_list = step.word == Word::split || step.word == Word::each;
        has_unless |= step.word == Word::unless;
        steps.push_back(std::move(step));
    }
    if (steps.back().word == Word::unless)
        nodes.back().fail("decides about the steps behind it, and there are none");
    if (has_unless && TextSteps(steps).gives_json())
        node.fail("must give a text, since \"unless\" may leave the value as it is");
    write_digests(steps);
    return steps;
}

/// The value that was named by a form's word alone, or by a list of it.
const Json &sole(const Json &value) {
    return value.is_array() && value.size() == 1 ? value[0] : value;
}

} // namespace

TextSteps read_steps(const ManifestNode &node) {
    return TextSteps(read_list(node));
}

ValueEncoding read_encoding(const ManifestNode &node) {
    for (const auto &[name, form] : forms)
        if (sole(node.value()) == name)
            return {form};
    return {ValueForm::native, std::make_shared<const TextSteps>(read_steps(node))};
}

ValueEncoding encoding_of_option(const std::string &text) {
    Json value;
    if (text.starts_with('[') || text.starts_with('{')) {
        value = Json::parse(text, nullptr, false);
        if (value.is_discarded())
            throw ManifestError("", "is not JSON");
    } else if (text.find(',') == text.npos) {
        value = text;
    } else {
        value = Json::array();
        for (std::size_t begin = 0; begin <= text.size();) {
            const std::size_t end = std::min(text.find(',', begin), text.size());
            value.push_back(text.substr(begin, end - begin));
            begin = end + 1;
        }
    }
    return read_encoding(ManifestNode(value, ""));
}

} // namespace reverse_etl
