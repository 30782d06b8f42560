#include "engine/text/json.h"

#include "connector_fixture.h"
#include "manifest_faults.h"

#include <boost/test/unit_test.hpp>

#include <map>

using namespace reverse_etl;

namespace {

const std::string base =
    R"({"manifest": 1, "name": "base", "title": "Base", "version": "3", "base_url": "https://base.example",
    "auth": {"kind": "none"}, "headers": {"X-One": "1", "X-Two": "2"}, "values": {"encode": "string", "clear": ""},
    "defaults": {"rows": 10, "format": "json"}, "rate_limits": [{"name": "all", "requests": 5, "seconds": 1}],
    "operations": {"create": {"request": "POST /{object}", "body": {"deep": {"a": 1, "$columns": "all"}}}},
    "objects": {"things": {"id": "id", "key": "email", "columns": {"id": "text", "email": "text"},
                           "operations": {"delete": {"request": "DELETE /things/{key}", "rows": 1}}},
                "others": {}}})";

using Manifests = std::map<std::string, std::string>;

Connector parse(const std::string &manifest, const Manifests &others = {{"base", base}}) {
    return Connector::parse(manifest, nullptr, [&](const std::string &name) -> std::optional<std::string> {
        auto found = others.find(name);
        return found == others.end() ? std::nullopt : std::optional(found->second);
    });
}

/// A manifest that extends the base and says this.
std::string extending(const std::string &members, const std::string &name = "mine", const std::string &of = "base") {
    return R"({"manifest": 1, "name": ")" + name + R"(", "extends": ")" + of + "\"" + (members.empty() ? "" : ", ") +
           members + "}";
}

std::string fault_of(const std::string &manifest, const Manifests &others = {{"base", base}}) {
    try {
        parse(manifest, others);
        return "";
    } catch (const ManifestError &error) {
        return text_of(error);
    }
}

} // namespace

BOOST_AUTO_TEST_SUITE(extension)

BOOST_AUTO_TEST_CASE(all_that_is_not_said_is_the_bases) {
    const Connector mine = parse(extending(""));
    BOOST_TEST(mine.name() == "mine");
    BOOST_TEST(mine.title() == "Base");
    const Object things = mine.object("things", {});
    BOOST_TEST(things.connector == "mine");
    BOOST_TEST(things.base_url == "https://base.example");
    BOOST_TEST(things.operations.size() == 2u);
    Json whole = Json::parse(base);
    whole["name"] = "mine";
    BOOST_TEST(Json::parse(mine.manifest()) == whole);
}

BOOST_AUTO_TEST_CASE(parts_are_put_together_member_by_member) {
    const Json whole = Json::parse(parse(extending(R"(
        "title": "Mine", "base_url": "https://mine.example", "headers": {"X-Two": "two", "X-One": null},
        "values": {"clear": null}, "defaults": {"rows": 7}, "rate_limits": [{"name": "all", "requests": 9, "seconds": 1}],
        "operations": {"create": {"body": {"flat": {"$columns": "all"}}}},
        "objects": {"others": null, "more": {"columns": {"x": "text"}},
                    "things": {"columns": {"name": "text"}, "operations": {"delete": {"rows": null}, "list": {"request": "GET /things"}}}})"))
                                       .manifest());
    BOOST_TEST(whole["headers"] == Json::parse(R"({"X-Two": "two"})"));
    BOOST_TEST(whole["values"] == Json::parse(R"({"encode": "string"})"));
    BOOST_TEST(whole["defaults"] == Json::parse(R"({"rows": 7, "format": "json"})"));
    BOOST_TEST(whole["rate_limits"][0]["requests"] == 9);
    // A body is one thing.
    BOOST_TEST(whole["operations"]["create"] ==
               Json::parse(R"({"request": "POST /{object}", "body": {"flat": {"$columns": "all"}}})"));
    BOOST_TEST(!whole["objects"].contains("others"));
    BOOST_TEST(whole["objects"]["more"] == Json::parse(R"({"columns": {"x": "text"}})"));
    BOOST_TEST(whole["objects"]["things"]["columns"] ==
               Json::parse(R"({"id": "text", "email": "text", "name": "text"})"));
    BOOST_TEST(whole["objects"]["things"]["operations"] ==
               Json::parse(R"({"delete": {"request": "DELETE /things/{key}"}, "list": {"request": "GET /things"}})"));
}

BOOST_AUTO_TEST_CASE(what_all_objects_have_an_object_takes_out) {
    const Connector mine = parse(extending(R"("columns": {"at": "timestamptz"},
        "objects": {"things": {"operations": {"create": null}, "columns": {"at": null}}})"));
    const Object things = mine.object("things", {}), others = mine.object("others", {});
    BOOST_TEST(things.operation(OperationKind::create) == nullptr);
    BOOST_TEST(things.operation(OperationKind::remove) != nullptr);
    BOOST_TEST(things.column_of_field("at") == nullptr);
    BOOST_TEST(things.columns.size() == 2u);
    BOOST_TEST(others.operation(OperationKind::create) != nullptr);
    BOOST_TEST(others.column_of_field("at") != nullptr);
    // Who extends it may have it back.
    const Manifests two = {{"base", base}, {"middle", mine.manifest()}};
    const Connector back =
        parse(extending(R"("objects": {"things": {"operations": {"create": {"rows": 3}}}})", "mine", "middle"), two);
    BOOST_TEST(back.object("things", {}).operation(OperationKind::create)->rows == 3);
    BOOST_TEST(fault_of(extending(R"("objects": {"things": {"operations": {"list": null}}})"))
                   .starts_with("/objects/things/operations/list is null"));
}

BOOST_AUTO_TEST_CASE(one_stands_on_another) {
    const Manifests others = {{"base", base},
                              {"middle", extending(R"("title": "Middle", "headers": {"X-One": null})", "middle")}};
    const Json whole =
        Json::parse(parse(extending(R"("headers": {"X-Two": "mine"})", "mine", "middle"), others).manifest());
    BOOST_TEST(whole["title"] == "Middle");
    BOOST_TEST(whole["headers"] == Json::parse(R"({"X-Two": "mine"})"));
    // What the middle one took out is not there to be taken out.
    BOOST_TEST(
        fault_of(extending(R"("headers": {"X-One": null})", "mine", "middle"), others).starts_with("/headers/X-One "));
}

BOOST_AUTO_TEST_CASE(circles_and_depth_are_bounded) {
    const Manifests circle = {
        {"a", extending("", "a", "b")}, {"b", extending("", "b", "c")}, {"c", extending("", "c", "a")}};
    BOOST_TEST(contains(fault_of(circle.at("a"), circle), "/extends goes in a circle: \"a\", \"b\", \"c\", \"a\""));
    // Also one that begins further down
    BOOST_TEST(contains(fault_of(extending("", "mine", "a"), circle), "/extends goes in a circle"));
    Manifests deep = {{"n0", base}};
    for (int i = 1; i <= 9; i++)
        deep["n" + std::to_string(i)] = extending("", "n" + std::to_string(i), "n" + std::to_string(i - 1));
    BOOST_TEST(fault_of(deep.at("n8"), deep) == "");
    BOOST_TEST(contains(fault_of(deep.at("n9"), deep), "/extends goes through more than 8 connectors"));
}

BOOST_AUTO_TEST_CASE(what_comes_of_it_has_to_be_right) {
    BOOST_TEST(fault_of(extending(R"("objects": {"things": {"key": "nothing"}})")).starts_with("/objects/things/key "));
    BOOST_TEST(fault_of(extending(R"("base_url": null)")).find("base_url") != std::string::npos);
    BOOST_TEST(fault_of(extending("", "mine", "nobody")).starts_with("/extends leads to the connector \"nobody\""));
    BOOST_TEST(contains(fault_of(R"({"manifest": 1, "extends": "base"})"), "name"));
    BOOST_TEST(
        fault_of(extending(R"("objects": {"others": {"columns": null}})")).starts_with("/objects/others/columns "));
    BOOST_TEST(contains(fault_of(extending(R"("objects": {"new": {"columns": {"x": null}}})")),
                        "/objects/new/columns/x is null, which takes out"));
    BOOST_TEST(fault(extending("", "mine", "hubspot")) == "");
    // Nobody is there who could be extended.
    BOOST_CHECK_THROW(Connector::parse(extending("")), ManifestError);
}

/// Together they are no larger than one may be.
BOOST_AUTO_TEST_CASE(size_is_bounded) {
    const auto documentation = [](std::size_t bytes) {
        return R"("documentation": ")" + std::string(bytes, 'x') + "\"";
    };
    const std::string large = replaced(base, R"("title": "Base")", R"("title": ")" + std::string(600'000, 't') + "\"");
    BOOST_TEST(fault_of(extending(documentation(300'000)), {{"base", large}}) == "");
    BOOST_TEST(contains(fault_of(extending(documentation(500'000)), {{"base", large}}), "is larger than"));
}

BOOST_AUTO_TEST_SUITE_END()
