#include "engine/text/json.h"

#include "manifest_faults.h"

#include <boost/test/unit_test.hpp>

#include <filesystem>
#include <fstream>
#include <sstream>

using namespace reverse_etl;

namespace {

Json read(const std::filesystem::path &path) {
    std::ifstream file(path);
    return Json::parse(file);
}

/// What the files beside "good.json" hold, each about a subject.
Json cases() {
    Json all = {{"right", Json::array()}, {"wrong", Json::array()}};
    for (const auto &entry : std::filesystem::directory_iterator(PROJECT_DIR "/test/manifests"))
        if (entry.is_regular_file() && entry.path().filename() != "good.json") {
            const Json of_file = read(entry.path());
            for (const auto &[judgement, some] : of_file.items())
                all.at(judgement).insert(all.at(judgement).end(), some.begin(), some.end());
        }
    return all;
}

/// The good manifest with what a case sets or removes.
Json manifest_of(const Json &good, const Json &one) {
    Json manifest = good;
    const auto at = [&](const std::string &pointer) { return Json::json_pointer(pointer); };
    if (one.contains("remove")) {
        const Json::json_pointer place = at(one["remove"]);
        manifest[place.parent_pointer()].erase(place.back());
    }
    if (one.contains("set")) {
        for (const auto &[pointer, value] : one["set"].items())
            if (pointer.empty())
                manifest = value;
            else
                manifest[at(pointer)] = value;
    }
    return manifest;
}

std::string text_of_file(const std::filesystem::path &path) {
    std::ostringstream text;
    text << std::ifstream(path).rdbuf();
    return text.str();
}

/// Options as their examples have them, where there is no default.
Settings examples(const Connector &connector) {
    Settings settings;
    for (const OptionSpec &option : connector.options())
        if (!option.fallback)
            settings[option.name] = option.example;
    return settings;
}

/// Compiles an operation for a statement that writes every column it may.
void compile(const Connector &connector, const Object &object, OperationKind kind, const Settings &settings) {
    std::vector<std::string> written;
    for (const ColumnSpec &column : object.columns)
        if (column.is_written_by(kind) && !is_read_only(kind))
            written.push_back(column.field);
    const bool by_key = !object.key.empty() && object.operations.at(kind).by_key;
    const std::string key = !by_key ? object.id : object.key.size() == 1 ? object.key.front() : "";
    BoundOperation(connector, object.name, kind, written, kind == OperationKind::list ? "" : key, settings);
}

std::string fault_of_compiling(const Connector &connector, const Object &object, OperationKind kind,
                               const Settings &settings) {
    try {
        compile(connector, object, kind, settings);
        return "";
    } catch (const SettingError &error) {
        return error.what();
    }
}

} // namespace

BOOST_AUTO_TEST_SUITE(manifest_corpus)

/// The contract tests hold the published schema to the same cases.
BOOST_AUTO_TEST_CASE(is_judged_as_it_says) {
    const Json good = read(PROJECT_DIR "/test/manifests/good.json");
    const Json corpus = cases();
    BOOST_TEST(corpus["right"].size() + corpus["wrong"].size() >= 150u);
    BOOST_TEST(fault(good.dump()) == "");
    for (const Json &right : corpus["right"])
        BOOST_TEST(fault(manifest_of(good, right).dump()) == "", right["why"]);
    for (const Json &wrong : corpus["wrong"]) {
        const std::string found = fault(manifest_of(good, wrong).dump());
        BOOST_TEST(found.starts_with(wrong["pointer"].get<std::string>() + " "),
                   wrong["why"] << ": \"" << found << "\" is not at " << wrong["pointer"]);
    }
}

/// Sketches of vendors show that the language can say their core requests. The table of the docs names each.
BOOST_AUTO_TEST_CASE(says_what_vendors_need) {
    const std::string table = text_of_file(PROJECT_DIR "/docs/connector-language.md");
    std::size_t sketches = 0;
    for (const auto &entry : std::filesystem::directory_iterator(PROJECT_DIR "/test/manifests/vendors")) {
        BOOST_TEST_CONTEXT(entry.path().filename()) {
            ++sketches;
            const std::string text = text_of_file(entry.path());
            BOOST_TEST(fault(text) == "");
            if (!fault(text).empty())
                continue;
            const Connector connector = Connector::parse(text);
            BOOST_TEST(connector.name() == entry.path().stem());
            BOOST_TEST(contains(table, "(../test/manifests/vendors/" + connector.name() + ".json)"));
            const Settings settings = examples(connector);
            for (const std::string &name : connector.object_names()) {
                const Object object = connector.object(name, settings);
                for (const auto &[kind, operation] : object.operations)
                    BOOST_TEST_CONTEXT(operation_name(kind))
                BOOST_TEST(fault_of_compiling(connector, object, kind, settings) == "");
            }
        }
    }
    BOOST_TEST(sketches >= 25u);
}

BOOST_AUTO_TEST_SUITE_END()
