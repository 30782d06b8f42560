#include "engine/text/json.h"

#include "manifest_faults.h"

#include <boost/test/unit_test.hpp>

#include <filesystem>
#include <fstream>

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
        if (entry.path().filename() != "good.json") {
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

BOOST_AUTO_TEST_SUITE_END()
