#include "engine/text/json.h"

#include "manifest_faults.h"

#include <boost/test/unit_test.hpp>

using namespace reverse_etl;

namespace {

Json corpus() {
    std::ifstream file(PROJECT_DIR "/test/manifests/corpus.json");
    return Json::parse(file);
}

/// The good manifest with what a case sets or removes.
Json manifest_of(const Json &good, const Json &one) {
    Json manifest = good;
    const auto at = [&](const std::string &pointer) { return Json::json_pointer(pointer); };
    if (one.contains("remove")) {
        const Json::json_pointer place = at(one["remove"]);
        manifest[place.parent_pointer()].erase(place.back());
    }
    if (one.contains("set"))
        for (const auto &[pointer, value] : one["set"].items())
            if (pointer.empty())
                manifest = value;
            else
                manifest[at(pointer)] = value;
    return manifest;
}

} // namespace

BOOST_AUTO_TEST_SUITE(manifest_corpus)

/// The contract tests hold the published schema to the same cases.
BOOST_AUTO_TEST_CASE(is_judged_as_it_says) {
    const Json cases = corpus();
    BOOST_TEST(cases["right"].size() + cases["wrong"].size() >= 150u);
    BOOST_TEST(fault(cases["good"].dump()) == "");
    for (const Json &right : cases["right"])
        BOOST_TEST(fault(manifest_of(cases["good"], right).dump()) == "", right["why"]);
    for (const Json &wrong : cases["wrong"]) {
        const std::string found = fault(manifest_of(cases["good"], wrong).dump());
        BOOST_TEST(found.starts_with(wrong["pointer"].get<std::string>() + " "),
                   wrong["why"] << ": \"" << found << "\" is not at " << wrong["pointer"]);
    }
}

BOOST_AUTO_TEST_SUITE_END()
