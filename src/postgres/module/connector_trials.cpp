/// Connectors tried without a network, for those who make them.

#include "engine/manifest/manifest_filling.h"
#include "engine/manifest/manifest_node.h"
#include "engine/rehearsal/connector_case.h"
#include "engine/rehearsal/trial.h"
#include "engine/requests/compiled_operation.h"
#include "postgres/border/border.h"
#include "postgres/border/sql_function.h"
#include "postgres/destinations/connectors.h"
#include "postgres/module/request_rows.h"

extern "C" {
#include "funcapi.h"
}

namespace reverse_etl {

namespace {

/// Takes requests, and answers none.
class Showing : public Rehearsal {
  public:
    std::optional<Response> exchange(const ShownRequest &request) override {
        requests.push_back(request);
        return std::nullopt;
    }
    bool shows_credentials() const override { return true; } // there are stars in their place

    std::vector<ShownRequest> requests;
};

Json json_argument(FunctionCallInfo call, int number, const char *name) {
    try {
        return parse_json(text_argument(call, number), [] { pg_call([] { CHECK_FOR_INTERRUPTS(); }); });
    } catch (const ManifestError &error) {
        throw Error(ERRCODE_INVALID_PARAMETER_VALUE, std::string("invalid ") + name,
                    "\"" + error.pointer + "\" " + error.what() + ".");
    }
}

void put_case(FunctionCallInfo call, const CaseResult &result) {
    pg_call([&] {
        auto *rows = reinterpret_cast<ReturnSetInfo *>(call->resultinfo);
        Datum values[] = {text_datum(to_server_legible(result.name)), BoolGetDatum(result.fault.empty()),
                          text_datum(to_server_legible(result.fault))};
        bool nulls[] = {false, false, result.fault.empty()};
        tuplestore_putvalues(rows->setResult, rows->setDesc, values, nulls);
    });
}

Settings options_of(const Json &options) {
    if (!options.is_object())
        throw Error(ERRCODE_INVALID_PARAMETER_VALUE, "the options must be a JSON object");
    Settings settings;
    for (const auto &[name, value] : options.items())
        settings[name] = value.is_string() ? value.get<std::string>() : value.dump();
    return settings;
}

OperationKind operation_of(const std::string &name) {
    for (const auto &[known, kind] : operation_names)
        if (name == known)
            return kind;
    throw Error(ERRCODE_INVALID_PARAMETER_VALUE, "there is no operation \"" + name + "\"", "",
                "The operations are create, update, upsert, delete, lookup and list.");
}

} // namespace

/// reverse_etl.test_connector(name text, cases json) returns setof (test_case text, passed boolean, fault text)
SQL_FUNCTION(reverse_etl_test_connector) {
    InitMaterializedSRF(fcinfo, 0);
    guard([&] {
        const std::shared_ptr<const Connector> connector = find_connector(text_argument(fcinfo, 0));
        const Json cases = json_argument(fcinfo, 1, "cases");
        if (!cases.is_array())
            throw Error(ERRCODE_INVALID_PARAMETER_VALUE, "invalid cases", "They must be a JSON array.");
        for (const CaseResult &result : run_cases(*connector, cases))
            put_case(fcinfo, result);
    });
    return static_cast<Datum>(0);
}

/// reverse_etl.show_request(manifest json, object text, operation text, "row" json, options json)
SQL_FUNCTION(reverse_etl_show_request) {
    InitMaterializedSRF(fcinfo, 0);
    guard([&] {
        const Connector connector = parse_connector(text_argument(fcinfo, 0));
        Trial trial;
        trial.object = text_argument(fcinfo, 1);
        trial.operation = operation_of(text_argument(fcinfo, 2));
        const Json row = json_argument(fcinfo, 3, "row");
        if (!row.is_object())
            throw Error(ERRCODE_INVALID_PARAMETER_VALUE, "the row must be a JSON object",
                        "Its members are fields of the destination and their values.");
        trial.rows.push_back(row);
        trial.options = options_of(json_argument(fcinfo, 4, "options"));
        Showing showing;
        const TrialResult result = run_trial(connector, trial, showing);
        for (const ShownRequest &request : showing.requests)
            put_request_row(fcinfo, {}, request, "");
        if (showing.requests.empty()) {
            ShownRequest none;
            none.rows.push_back(1);
            const std::string &why = result.rows.front().text;
            put_request_row(fcinfo, {}, none, why.empty() ? names_no_row : why);
        }
    });
    return static_cast<Datum>(0);
}

} // namespace reverse_etl
