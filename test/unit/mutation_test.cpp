// Answers and manifests that are nearly right: whatever comes, each row gets one outcome, and a manifest either works
// or is refused.

#include "engine/catalog/connector_facts.h"
#include "engine/requests/delivery.h"

#include "dispatch_fixture.h"

#include <boost/test/unit_test.hpp>

#include <map>
#include <random>

using namespace reverse_etl;

BOOST_TEST_GLOBAL_FIXTURE(ProcessLikeABackend);

namespace {

constexpr std::chrono::milliseconds time_for_each_test{2000};

class Mutator {
  public:
    /// The text with a few of its bytes changed, left out or repeated.
    std::string bytes(std::string text) {
        for (std::size_t i = 0; i <= pick(3) && !text.empty(); ++i) {
            const std::size_t at = pick(text.size() - 1);
            switch (pick(3)) {
            case 0:
                text[at] = static_cast<char>(pick(255));
                break;
            case 1:
                text.erase(at, 1 + pick(20));
                break;
            case 2:
                text.insert(at, text.substr(at, 1 + pick(20)));
                break;
            default:
                text[at] = "{}[]\",:01e-\\"[pick(11)];
            }
        }
        return text;
    }

    /// The value with a few of its parts changed, left out or exchanged.
    Json parts(Json value) {
        for (std::size_t i = 0; i <= pick(2); ++i) {
            const Json before = value;
            Json &part = any_part(value);
            switch (pick(4)) {
            case 0:
                part = any_scalar();
                break;
            case 1:
                part = Json(any_part(const_cast<Json &>(before)));
                break;
            case 2:
                if (part.is_object() && !part.empty())
                    part.erase(std::next(part.begin(), static_cast<std::ptrdiff_t>(pick(part.size() - 1))).key());
                else if (part.is_array() && !part.empty())
                    part.erase(pick(part.size() - 1));
                break;
            case 3:
                part = Json::array({part, part});
                break;
            default:
                part = Json{{"/a", part}};
            }
        }
        return value;
    }

    /// The value with one of its parts replaced.
    Json with(Json value, Json part) {
        any_part(value) = std::move(part);
        return value;
    }

    std::size_t pick(std::size_t most) { return std::uniform_int_distribution<std::size_t>(0, most)(random_); }

  private:
    Json &any_part(Json &value) {
        Json *part = &value;
        while (part->is_structured() && !part->empty() && pick(4) != 0)
            part = &*std::next(part->begin(), static_cast<std::ptrdiff_t>(pick(part->size() - 1)));
        return *part;
    }

    Json any_scalar() {
        static const std::vector<Json> scalars = {nullptr,
                                                  true,
                                                  false,
                                                  0,
                                                  1,
                                                  -1,
                                                  3,
                                                  1.5,
                                                  1e300,
                                                  18446744073709551615u,
                                                  "",
                                                  "1",
                                                  "3",
                                                  "/",
                                                  "/~2",
                                                  "{",
                                                  "{}",
                                                  "{key}",
                                                  "{keys}",
                                                  "{row.x}",
                                                  "{cursor}",
                                                  "{fields}",
                                                  "{object}",
                                                  "{base_url}",
                                                  "{a}",
                                                  "$rows",
                                                  "all",
                                                  "\r\n",
                                                  "\u00e9",
                                                  Json::object(),
                                                  Json::array(),
                                                  {{"$rows", "{key}"}},
                                                  {{"$columns", "all"}}};
        return scalars[pick(scalars.size() - 1)];
    }

    std::mt19937_64 random_{1};
};

/// Counts the outcomes of each row.
struct Outcomes : OutcomeSink {
    void accepted(std::uint64_t row, const std::string &) override { ++of_row[row]; }
    void rejected(std::uint64_t row, const std::string &, long) override { ++of_row[row]; }
    void absent(std::uint64_t row) override { ++of_row[row]; }
    std::map<std::uint64_t, int> of_row;
};

struct Sample {
    const char *connector, *object, *field;
    OperationKind kind;
    std::string answer;
};

const std::vector<Sample> samples = {{"hubspot", "contacts", "email", OperationKind::upsert,
                                      R"({"status": "COMPLETE", "results": [
            {"id": "11", "objectWriteTraceId": "1", "properties": {"email": "a@x"}, "new": true},
            {"id": "13", "objectWriteTraceId": "3", "properties": {"email": "c@x"}, "new": false}],
         "numErrors": 1, "errors": [{"status": "error", "category": "VALIDATION_ERROR", "message": "no",
                                     "context": {"ids": ["b@x"], "objectWriteTraceId": ["2"]}}]})"},
                                     {"salesforce", "Contact", "Email", OperationKind::create,
                                      R"([{"id": "1", "success": true, "errors": []},
         {"success": false, "errors": [{"statusCode": "UNABLE_TO_LOCK_ROW", "message": "locked", "fields": []}]},
         {"success": false, "errors": [{"statusCode": "ENTITY_IS_DELETED", "message": "gone", "fields": ["Id"]}]}])"}};

const Settings settings_of_samples = {{"instance", "acme"}};

std::vector<Values> rows_of_samples() {
    return {{"a@x"}, {"b@x"}, {"c@x"}};
}

} // namespace

BOOST_AUTO_TEST_CASE(the_outcome_reader_takes_any_answer) {
    Mutator mutate;
    for (const Sample &sample : samples) {
        const BoundOperation bound(built_in_connector(sample.connector), sample.object, sample.kind, {sample.field},
                                   sample.field, settings_of_samples);
        const Batch batch = batch_of(bound.operation, rows_of_samples());
        OutcomeReader reader(bound.operation);
        simdjson::dom::parser parser;
        const Json right = Json::parse(sample.answer);
        const auto deadline = Clock::now() + time_for_each_test / 2;
        for (int i = 0; i < 20000 && Clock::now() < deadline; ++i) {
            Response response;
            response.status = i % 5 == 0 ? 400 : 200;
            response.body = i % 2 == 0 ? mutate.bytes(sample.answer) : mutate.parts(right).dump();
            const Words words;
            Answer answer(response, parser, words);
            if (judge(bound.operation, answer).action == Action::proceed)
                BOOST_REQUIRE_EQUAL(reader.read(batch, answer, true).size(), batch.rows().size());
        }
    }
}

BOOST_AUTO_TEST_CASE(every_row_gets_one_outcome_whatever_is_answered) {
    for (const Sample &sample : samples) {
        Mutator mutate;
        const Json right = Json::parse(sample.answer);
        ScriptedDestination destination(
            [&](const Received &, auto &connection) { connection.answer(200, mutate.parts(right).dump()); });
        Policy policy = quick();
        policy.max_attempts = 3;
        policy.keep_rate_limits = false;
        const auto deadline = Clock::now() + time_for_each_test / 2;
        int finished = 0;
        for (int i = 0; i < 200 && Clock::now() < deadline; ++i) {
            Settings settings = settings_of_samples;
            settings["base_url"] = destination.url();
            Line line(built_in_connector(sample.connector), sample.object, sample.kind, {sample.field}, sample.field,
                      settings, {{"access_token", "t"}}, policy);
            Outcomes outcomes;
            Delivery delivery(line.bound.operation, line.dispatcher, outcomes, true, policy.max_attempts);
            std::vector<Batch> batches;
            batches.push_back(batch_of(line.bound.operation, rows_of_samples()));
            delivery.deliver(std::move(batches));
            BOOST_TEST(outcomes.of_row.size() == 3u);
            for (const auto &[row, count] : outcomes.of_row)
                BOOST_TEST(count == 1, "row " << row << " has " << count << " outcomes");
            ++finished;
        }
        BOOST_TEST(finished > 0);
    }
}

namespace {

void try_out(const std::string &manifest, const Settings &settings) {
    try {
        const Connector connector = Connector::parse(manifest);
        for (const std::string &name : connector.object_names()) {
            const Object object = connector.object(name, settings);
            for (const auto &[kind, spec] : object.operations) {
                const CompiledOperation operation(object, spec, {{"email", true}, {"Id", false}}, 0, {"email"});
                Batch batch = batch_of(operation, {{"a", "b"}});
                operation.url(&batch, "cursor");
                operation.take_unreachable(batch);
                operation.page_body("cursor");
                const OutcomeReader reader(operation);
            }
        }
    } catch (const ManifestError &) {
    } catch (const SettingError &) {
    }
}

} // namespace

BOOST_AUTO_TEST_CASE(a_manifest_works_or_is_refused) {
    Mutator mutate;
    for (const std::string &name : built_in_connectors) {
        const Settings settings = typical_settings(built_in_connector(name));
        const std::string text = built_in_manifest(name);
        const Json right = Json::parse(text);
        const auto deadline = Clock::now() + time_for_each_test / static_cast<int>(built_in_connectors.size());
        for (int i = 0; i < 2000 && Clock::now() < deadline; ++i) {
            const std::string manifest = i % 4 == 0 ? mutate.bytes(text) : mutate.parts(right).dump();
            BOOST_CHECK_NO_THROW(try_out(manifest, settings));
        }
    }
}

BOOST_AUTO_TEST_CASE(options_fit_or_are_refused) {
    // An option wherever a value may stand: no place trusts what is filled in.
    Mutator mutate;
    const char *values[] = {"",
                            "null",
                            "0",
                            "-1",
                            "1e999",
                            "true",
                            "[]",
                            "{}",
                            "[1]",
                            R"({"a": {"b": []}})",
                            "\"x\"",
                            "sha256",
                            "native",
                            "/",
                            "/~",
                            "{key}",
                            "{row.a}",
                            "{x}",
                            "{",
                            "a b",
                            "\xff",
                            "..",
                            "?#",
                            "POST /x",
                            "https://a/b?c#d",
                            R"({"$rows": {"$rows": 1}})",
                            R"({"$columns": "all"})",
                            R"([{"each": "", "row": "position"}])",
                            "1000000001",
                            "18446744073709551615"};
    for (const std::string &name : built_in_connectors) {
        const Json right = Json::parse(built_in_manifest(name));
        const Json options = right.value("options", Json::object());
        const auto deadline = Clock::now() + 2 * time_for_each_test / static_cast<int>(built_in_connectors.size());
        for (int i = 0; i < 2000 && Clock::now() < deadline; ++i) {
            Json manifest = right;
            Settings settings = typical_settings(built_in_connector(name));
            for (const char *type : {"text", "json"}) {
                const std::string option = std::string("odd_") + type;
                manifest["options"][option] = {{"on", "table"}, {"type", type}, {"description", "-"}};
                Json with = mutate.with(manifest, "{" + option + "}");
                if (with.contains("options") && with["options"].is_object())
                    manifest = std::move(with);
                settings[option] = values[mutate.pick(std::size(values) - 1)];
            }
            for (const auto &[option, spec] : options.items())
                if (mutate.pick(3) == 0)
                    settings[option] = values[mutate.pick(std::size(values) - 1)];
            BOOST_CHECK_NO_THROW(try_out(manifest.dump(), settings));
        }
    }
}
