#include "manifest_faults.h"

#include "engine/catalog/connector_page.h"
#include "engine/manifest/known_names.h"

#include <boost/test/unit_test.hpp>

using namespace reverse_etl;

namespace {

std::string in_quotation_marks(const std::string &name) {
    return "\"" + name + "\"";
}

std::string joined(const std::vector<std::string> &lines) {
    std::string text;
    for (const std::string &line : lines)
        text += line + "\n";
    return text;
}

std::string text_of(const Page &page) {
    return joined(terminal_lines(page, 40));
}

std::string markdown_of(const Page &page) {
    return joined(markdown_lines(page));
}

std::string page_of(const Connector &connector, const std::optional<Truth> &truth = std::nullopt) {
    return joined(terminal_lines(connector_page(connector, truth, in_quotation_marks), 78));
}

Page with_paragraph(const std::string &text) {
    Page page;
    page.paragraph(text);
    return page;
}

/// How many characters the line's first word begins behind.
std::size_t indent_of(const std::string &line) {
    return std::min(line.find_first_not_of(' '), line.size());
}

} // namespace

BOOST_AUTO_TEST_SUITE(pages)

BOOST_AUTO_TEST_CASE(lines_end_before_the_terminal_does) {
    BOOST_TEST(text_of(with_paragraph("one two three four five six seven eight nine")) ==
               "one two three four five six seven eight\nnine\n");
    // What has no blank is not cut, and a letter is one, however many bytes it has.
    BOOST_TEST(text_of(with_paragraph("see https://acme.example/a/very/long/page/that/is/not/cut.html")) ==
               "see\nhttps://acme.example/a/very/long/page/that/is/not/cut.html\n");
    BOOST_TEST(text_of(with_paragraph("ää ääää ääääää ääääääää ääääääääää ääääääääää")) ==
               "ää ääää ääääää ääääääää ääääääääää\nääääääääää\n");
    BOOST_TEST(text_of(with_paragraph("`code` is code")) == "code is code\n");
}

BOOST_AUTO_TEST_CASE(entries_are_tables_in_markdown) {
    Page page;
    page.entries({"name", "empty", "what"}, {{"`a`", "", "one | two"}, {"`b`", "", ""}});
    BOOST_TEST(text_of(page) == "  a\n      what: one | two\n  b\n");
    BOOST_TEST(markdown_of(page) == "| name | what |\n|---|---|\n| `a` | one \\| two |\n| `b` | |\n");
}

BOOST_AUTO_TEST_CASE(what_a_manifest_says_is_text_in_markdown_too) {
    BOOST_TEST(markdown_of(with_paragraph("<b>*bold*</b> [x](y) a_b _c_ \\")) ==
               "\\<b>\\*bold\\*\\</b> \\[x\\](y) a_b \\_c\\_ \\\\\n");
    BOOST_TEST(markdown_of(with_paragraph("`<b>_` at https://acme.example/a_b_, (https://b.example/x).")) ==
               "`<b>_` at <https://acme.example/a_b_>, (<https://b.example/x>).\n");
    BOOST_TEST(prose(" a\n# b\t\x7f c\r\n") == "a # b c");
    BOOST_TEST(code("a`b\n") == "`a'b`");
}

BOOST_AUTO_TEST_CASE(statements_are_blocks) {
    Page page;
    page.title("T");
    page.heading("H");
    page.statements({"SELECT 1;", "SELECT 2;"});
    BOOST_TEST(text_of(page) == "T\n\nH\n-\n\n  SELECT 1;\n  SELECT 2;\n");
    BOOST_TEST(markdown_of(page) == "# T\n\n## H\n\n```sql\nSELECT 1;\nSELECT 2;\n```\n");
}

BOOST_AUTO_TEST_SUITE_END()

BOOST_AUTO_TEST_SUITE(truth)

BOOST_AUTO_TEST_CASE(is_by_operation) {
    const Truth truth(R"({"things": {"create": {"file": "acme.json"}, "list": {"client": "acme 1"}}})");
    BOOST_TEST(truth.of("things", "create").file == "acme.json");
    BOOST_TEST(truth.of("things", "create").client == "");
    BOOST_TEST(truth.of("things", "list").client == "acme 1");
    BOOST_TEST(truth.of("things", "delete").is_documentation_alone());
    BOOST_TEST(truth.of("others", "create").is_documentation_alone());
    BOOST_TEST(Truth().of("things", "create").is_documentation_alone());
    BOOST_CHECK_THROW(Truth(R"({"things": {"create": {"rumour": "x"}}})"), ManifestError);
    BOOST_CHECK_THROW(Truth(R"({"things": "create"})"), ManifestError);
}

BOOST_AUTO_TEST_CASE(is_shown_with_the_page_where_there_is_nothing_else) {
    const Connector connector = small_connector(
        R"({"create": {"request": "POST /things", "body": {"$columns": "all"}, "note": "https://acme.example/create, read 2026-11-27"},
            "list": {"request": "GET /things", "note": ["https://acme.example/list", {"on": "2026-11-26"}]}})");
    const std::string page = page_of(connector, Truth(R"({"things": {"create": {"file": "acme.json"}}})"));
    BOOST_TEST(contains(page, "  things (create)\n      judged by: the vendor's published file (acme.json)\n"));
    BOOST_TEST(contains(
        page, "  things (list)\n      judged by: documentation alone: https://acme.example/list 2026-11-26\n"));
    // Of a connector of one's own no test has told.
    BOOST_TEST(!contains(page_of(connector), "judged by"));
}

BOOST_AUTO_TEST_SUITE_END()

BOOST_AUTO_TEST_SUITE(pages_of_connectors)

BOOST_AUTO_TEST_CASE(of_all_that_come_along) {
    for (const std::string &name : built_in_connectors) {
        const Connector connector = built_in_connector(name);
        const Page page = connector_page(connector, Truth(), in_quotation_marks);
        for (const std::string &line : terminal_lines(page, 78)) {
            const bool is_one_word = line.find(' ', indent_of(line)) == line.npos;
            BOOST_TEST((line.size() <= 78 || is_one_word || contains(line, "'")), name << ": " << line);
        }
        const std::string text = joined(terminal_lines(page, 78));
        for (const std::string &object : connector.object_names())
            BOOST_TEST(contains(text, "\n  " + object + "\n"), name << ": " << object);
        for (const CredentialSpec &credential : connector.credentials())
            BOOST_TEST(contains(text, "\n  " + credential.name + "\n"), name << ": " << credential.name);
        for (const OptionSpec &option : connector.options())
            BOOST_TEST(contains(text, "\n  " + option.name + "\n"), name << ": " << option.name);
        BOOST_TEST(facts_of(connector, Truth()).category != "", name);
    }
}

BOOST_AUTO_TEST_CASE(values_stay_values) {
    const Connector connector = Connector::parse(R"({
        "manifest": 1, "name": "user", "title": "It's\n# mine", "base_url": "https://{region}.example.com",
        "options": {
            "region": {"on": "server", "type": "label", "required": true, "example": "eu", "description": "where"},
            "list": {"on": "table", "type": "integer", "required": true, "description": "which | list"}
        },
        "credentials": {"api_key": {"description": "key", "example": "it's"}},
        "auth": {"kind": "header", "name": "X-Key", "value": "{api_key}"},
        "objects": {"things": {"columns": {"email": "text"},
                    "operations": {"create": {"request": "POST /lists/{list}/things", "body": {"$columns": "all"}}}}}
    })");
    const std::string page = page_of(connector);
    BOOST_TEST(contains(page, "It's # mine\n"));
    BOOST_TEST(contains(page, "  CREATE SERVER \"user\" FOREIGN DATA WRAPPER reverse_etl\n"
                              "      OPTIONS (connector 'user', region 'eu');\n"));
    BOOST_TEST(contains(page, "      OPTIONS (api_key 'it''s');\n"));
    BOOST_TEST(contains(page, "  list\n      stands on: table\n      default: required\n"));
    BOOST_TEST(contains(page, "  things\n      INSERT: create, one row a request\n      columns: email\n"));
}

BOOST_AUTO_TEST_CASE(what_a_connector_does_not_list_is_described) {
    const ConnectorFacts facts = facts_of(built_in_connector("hubspot"), Truth());
    const auto others = std::find_if(facts.objects.begin(), facts.objects.end(),
                                     [](const Object &object) { return object.name == "*"; });
    BOOST_TEST_REQUIRE((others != facts.objects.end()));
    BOOST_TEST(others->operation(OperationKind::create) != nullptr);
    const std::vector<std::string> all = {"create", "update", "upsert", "delete", "lookup", "list"};
    BOOST_TEST(facts.operation_names() == all, boost::test_tools::per_element());
}

BOOST_AUTO_TEST_CASE(batches_are_those_of_what_is_sent) {
    const auto sizes = [](const char *operations) {
        return facts_of(small_connector(operations), Truth()).batch_sizes();
    };
    BOOST_TEST(sizes(R"({"create": {"request": "POST /things", "body": {"$columns": "all"}}})") == "1 row a request");
    BOOST_TEST(sizes(R"({"create": {"request": "POST /things", "rows": 50, "body": {"$rows": {"$columns": "all"}}},
                         "delete": {"request": "DELETE /things/{key}"}, "list": {"request": "GET /things"}})") ==
               "1 to 50 rows a request");
    BOOST_TEST(sizes(R"({"list": {"request": "GET /things"}})") == "");
    const char *job =
        R"({"upsert": {"request": "PUT /things", "rows": 5, "body": {"$rows": {"$columns": "all"}}, "job": {
        "from": 1000, "rows": 20000, "open": {"request": "POST /jobs", "body": {"rows": {"$rows": {"$columns": "all"}}}, "keep": {"id": "/id"}},
        "poll": {"request": "GET /jobs/{job.id}", "done_when": {"/state": "done"},
                 "outcome": {"each": "/results", "is": "accepted", "row": [{"key": "/id"}]}}}}})";
    BOOST_TEST(sizes(job) == "5 rows a request, 20000 a job");
    BOOST_TEST(contains(page_of(small_connector(job)),
                        "INSERT: upsert by email, 5 rows a request, from 1000 rows on in jobs of"));
}

BOOST_AUTO_TEST_CASE(an_api_of_ones_own_has_no_vendor) {
    BOOST_TEST(facts_of(built_in_connector("http"), Truth()).is_of_user);
    BOOST_TEST(!facts_of(built_in_connector("slack"), Truth()).is_of_user);
    BOOST_TEST(!contains(page_of(built_in_connector("http"), Truth()), "judged by"));
    BOOST_TEST(contains(page_of(built_in_connector("http"), Truth()), "base_url 'https://api.example.com'"));
}

BOOST_AUTO_TEST_SUITE_END()

BOOST_AUTO_TEST_CASE(nearest_names_are_few) {
    const std::vector<std::string> known = {
        "hubspot", "http", "s3", "slack", "meta_audiences", "meta_conversions", "google_ads_audiences"};
    const auto near = [&](const char *written) { return enumerated(nearest_names(written, known), ", "); };
    BOOST_TEST(near("hubsopt") == "hubspot");
    BOOST_TEST(near("HubSpot") == "hubspot");
    BOOST_TEST(near("meta") == "meta_audiences, meta_conversions");
    BOOST_TEST(near("slack_bot") == "slack");
    BOOST_TEST(near("audiences") == "meta_audiences, google_ads_audiences");
    BOOST_TEST(near("s") == "s3");
    BOOST_TEST(near("") == "");
    BOOST_TEST(near("nobody") == "");
    BOOST_TEST(near(std::string(100000, 'x').c_str()) == "");
}
