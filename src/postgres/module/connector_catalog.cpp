/// What people read about connectors.

#include "engine/catalog/connector_facts.h"
#include "engine/catalog/connector_page.h"
#include "engine/text/json.h"
#include "postgres/border/arrays.h"
#include "postgres/border/border.h"
#include "postgres/border/sql_function.h"
#include "postgres/border/sql_text.h"
#include "postgres/destinations/connectors.h"

#include <algorithm>

extern "C" {
#include "funcapi.h"
#include "miscadmin.h"
}

namespace reverse_etl {

namespace {

/// psql puts a blank on both sides of what it shows.
constexpr std::size_t terminal_width = 78;

void pause() {
    pg_call([] { CHECK_FOR_INTERRUPTS(); });
}

/// How many operations passed what; "" where no vendor tells of the API, or no test of the connector.
std::string counted_truth(const ConnectorFacts &facts) {
    const auto count = [&](auto &&is_so) {
        return std::count_if(facts.operations.begin(), facts.operations.end(),
                             [&](const OperationFact &fact) { return is_so(fact.truth); });
    };
    const Json counts = {
        {"operations", facts.operations.size()},
        {"file", count([](const OperationTruth &truth) { return !truth.file.empty(); })},
        {"client", count([](const OperationTruth &truth) { return !truth.client.empty(); })},
        {"documentation", count([](const OperationTruth &truth) { return truth.is_documentation_alone(); })}};
    return counts.dump();
}

/// What the view shows of a connector. What cannot be read any more, since the language has changed, hides no other.
void put_connector(FunctionCallInfo call, const std::string &name) {
    std::string title, category, batches, version, documentation, truth;
    std::vector<std::string> objects, operations, auth;
    try {
        const std::shared_ptr<const Connector> connector = find_connector(name);
        const std::optional<Truth> known = truth_of(name);
        const ConnectorFacts facts = facts_of(*connector, known.value_or(Truth()), pause);
        title = connector->title();
        category = facts.category;
        version = facts.version;
        documentation = facts.documentation;
        for (const Object &object : facts.objects)
            objects.push_back(storable(object.name));
        std::sort(objects.begin(), objects.end());
        operations = facts.operation_names();
        auth = facts.auth;
        batches = facts.batch_sizes();
        if (known && !facts.is_of_user)
            truth = counted_truth(facts);
    } catch (const ManifestError &) {
    } catch (const SettingError &) {
    }
    const Datum arrays[] = {text_array(objects), text_array(operations), text_array(auth)};
    pg_call([&] {
        auto *result = reinterpret_cast<ReturnSetInfo *>(call->resultinfo);
        const auto text = [](const std::string &value) {
            return value.empty() ? static_cast<Datum>(0) : text_datum(to_server_legible(value));
        };
        Datum values[] = {text(name), text(title),   text(category), arrays[0],           arrays[1],
                          arrays[2],  text(batches), text(truth),    text(documentation), text(version)};
        bool nulls[] = {false,           title.empty(), category.empty(),      false,          false, false,
                        batches.empty(), truth.empty(), documentation.empty(), version.empty()};
        tuplestore_putvalues(result->setResult, result->setDesc, values, nulls);
    });
}

} // namespace

/// reverse_etl_internal.all_connectors() returns setof (name text, ...)
SQL_FUNCTION(reverse_etl_all_connectors) {
    InitMaterializedSRF(fcinfo, 0);
    guard([&] {
        for (const std::string &name : connector_names())
            put_connector(fcinfo, name);
    });
    return static_cast<Datum>(0);
}

/// reverse_etl.describe_connector(name text, format text) returns setof text
SQL_FUNCTION(reverse_etl_describe_connector) {
    InitMaterializedSRF(fcinfo, MAT_SRF_USE_EXPECTED_DESC);
    guard([&] {
        const std::string name = text_argument(fcinfo, 0), format = text_argument(fcinfo, 1);
        if (format != "text" && format != "markdown")
            throw Error(ERRCODE_INVALID_PARAMETER_VALUE, "there is no format \"" + format + "\"", "",
                        "The formats are text and markdown.");
        const Page page = connector_page(*find_connector(name), truth_of(name), quoted_name, pause);
        for (const std::string &line : format == "text" ? terminal_lines(page, terminal_width) : markdown_lines(page))
            pg_call([&] {
                auto *result = reinterpret_cast<ReturnSetInfo *>(fcinfo->resultinfo);
                Datum values[] = {text_datum(to_server_legible(line))};
                bool nulls[] = {false};
                tuplestore_putvalues(result->setResult, result->setDesc, values, nulls);
            });
    });
    return static_cast<Datum>(0);
}

/// reverse_etl.show_manifest(name text) returns json
SQL_FUNCTION(reverse_etl_show_manifest) {
    return guard([&] {
        const std::string manifest = manifest_of(text_argument(fcinfo, 0));
        return pg_call([&] { return text_datum(manifest); });
    });
}

} // namespace reverse_etl
