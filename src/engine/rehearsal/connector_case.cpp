#include "engine/rehearsal/connector_case.h"

#include "engine/manifest/manifest_node.h"
#include "engine/rehearsal/json_difference.h"
#include "engine/rehearsal/statement_trial.h"
#include "engine/rehearsal/trial.h"
#include "engine/text/lower_case.h"

#include <algorithm>

namespace reverse_etl {

namespace {

/// Ends a case at its first difference.
struct Difference {
    std::string words;
};

[[noreturn]] void differ(const ManifestNode &place, const std::string &found) {
    throw Difference{"\"" + place.pointer() + "\" is " + shown_json(place.value()) + ", but the connector makes " +
                     found};
}

std::string quoted(const std::string &text) {
    return shown_json(Json(text));
}

/// What a JSON text says; any other text stays one.
Json parsed(const std::string &text) {
    Json json = Json::parse(text, nullptr, false);
    return json.is_discarded() ? Json(text) : json;
}

/// Answers as a case says, and compares the requests with what it expects.
class CaseRehearsal : public Rehearsal {
  public:
    CaseRehearsal(std::vector<ManifestNode> exchanges, const std::string &base_url)
        : exchanges_(std::move(exchanges)), base_url_(base_url) {}

    bool shows_credentials() const override { return true; }

    std::optional<Response> exchange(const ShownRequest &request) override {
        if (made_ == exchanges_.size())
            throw NoMoreAnswers();
        const ManifestNode &expected = exchanges_[made_++];
        compare(expected, request);
        if (!expected.has("answer"))
            return std::nullopt;
        return response_of(expected.at("answer"));
    }

    void check_all_were_made() const {
        if (made_ < exchanges_.size())
            throw Difference{"\"" + exchanges_[made_].pointer() + "\" is a request that the connector does not make"};
    }

  private:
    void compare(const ManifestNode &expected, const ShownRequest &request) const {
        if (expected.has("request")) {
            std::string url = request.url;
            if (url.starts_with(base_url_ + "/") || url.starts_with(base_url_ + "?"))
                url.erase(0, base_url_.size());
            const std::string line = request.method + " " + url;
            if (expected.at("request").text() != line)
                differ(expected.at("request"), quoted(line));
        }
        if (expected.has("headers"))
            for (const auto &[name, value] : expected.at("headers").members())
                compare_header(value, name, request.headers);
        if (expected.has("body")) {
            const ManifestNode body = expected.at("body");
            // A text is the body, byte for byte; anything else is what it says.
            const Json found = body.value().is_string() ? Json(request.body) : parsed(request.body);
            if (auto difference = json_difference(body.value(), found, body.pointer()))
                throw Difference{*difference};
        }
    }

    static void compare_header(const ManifestNode &expected, const std::string &name, const Headers &headers) {
        auto found = std::find_if(headers.begin(), headers.end(),
                                  [&](const auto &header) { return lower_case(header.first) == lower_case(name); });
        if (expected.value().is_null() ? found != headers.end() : found == headers.end())
            differ(expected, found == headers.end() ? "no such header" : quoted(found->second));
        if (found != headers.end() && expected.text() != found->second)
            differ(expected, quoted(found->second));
    }

    static Response response_of(const ManifestNode &answer) {
        answer.only({"status", "headers", "body"});
        Response response;
        response.status = answer.has("status") ? answer.at("status").positive_integer() : 200;
        if (answer.has("headers"))
            for (const auto &[name, value] : answer.at("headers").members())
                response.headers.emplace_back(lower_case(name), value.text());
        if (answer.has("body")) {
            const Json &body = answer.at("body").value();
            response.body = body.is_string() ? body.get<std::string>() : body.dump();
        }
        return response;
    }

    const std::vector<ManifestNode> exchanges_;
    const std::string base_url_;
    std::size_t made_ = 0;
};

Settings settings_of(const ManifestNode &node, const char *member) {
    Settings settings;
    if (node.has(member))
        for (const auto &[name, value] : node.at(member).members())
            settings[name] = value.value().is_string() ? value.text() : value.value().dump();
    return settings;
}

Trial trial_of(const ManifestNode &node) {
    Trial trial;
    trial.object = node.at("object").text();
    trial.operation =
        operation_names[node.at("operation").one_of({"create", "update", "upsert", "delete", "lookup", "list"})].second;
    trial.options = settings_of(node, "options");
    if (node.has("credentials"))
        trial.credentials = settings_of(node, "credentials");
    trial.by = node.text("by", "");
    if (node.has("fields"))
        for (const ManifestNode &field : node.at("fields").elements())
            trial.asks.push_back(field.text());
    if (node.has("rows"))
        for (const ManifestNode &row : node.at("rows").elements()) {
            row.members(); // an object
            trial.rows.push_back(row.value());
        }
    return trial;
}

/// Requests and answers in their order: those that are listed, or the only ones.
std::vector<ManifestNode> exchanges_of(const ManifestNode &node) {
    if (!node.has("exchanges"))
        return {node};
    for (const char *member : {"request", "headers", "body", "answer"})
        if (node.has(member))
            node.at(member).fail("stands within \"exchanges\", where there are such");
    std::vector<ManifestNode> exchanges = node.at("exchanges").elements();
    for (const ManifestNode &exchange : exchanges)
        exchange.only({"request", "headers", "body", "answer"});
    return exchanges;
}

/// `expected`: a word, or an object of a word, a reason and an id.
void compare_outcome(const ManifestNode &expected, const TrialOutcome &found) {
    const bool is_word = expected.value().is_string();
    if (!is_word)
        expected.only({"is", "reason", "id"});
    const ManifestNode word = is_word ? expected : expected.at("is");
    word.one_of({"accepted", "rejected", "absent", "unknown", "again", "failed"});
    const bool is_accepted = found.kind == TrialOutcome::Kind::accepted;
    if (word.text() != outcome_name(found.kind))
        differ(word, quoted(outcome_name(found.kind)) +
                         (found.text.empty() || is_accepted ? "" : ", with the reason " + quoted(found.text)));
    for (const char *member : {"reason", "id"})
        if (!is_word && expected.has(member)) {
            const bool has_it = is_accepted == (std::string_view(member) == "id");
            if (!has_it || expected.at(member).text() != found.text)
                differ(expected.at(member), has_it ? quoted(found.text) : "none");
        }
}

void compare_outcomes(const ManifestNode &expected, const TrialResult &result) {
    const bool is_list = expected.value().is_array();
    const std::vector<ManifestNode> of_rows = is_list ? expected.elements() : std::vector<ManifestNode>();
    if (is_list && of_rows.size() != result.rows.size())
        expected.fail("must have an entry for each of the " + std::to_string(result.rows.size()) + " rows");
    for (std::size_t i = 0; i < result.rows.size(); i++)
        compare_outcome(is_list ? of_rows[i] : expected, result.rows[i]);
}

void compare_json(const ManifestNode &node, const char *member, const Json &found) {
    if (node.has(member))
        if (auto difference = json_difference(node.at(member).value(), found, node.at(member).pointer()))
            throw Difference{*difference};
}

/// A case about SQL that runs at a source.
void run_statement_case(const Connector &connector, const ManifestNode &node) {
    node.only({"name", "statement", "parameters", "options", "credentials", "request", "headers", "body", "answer",
               "exchanges", "columns", "result", "fails"});
    StatementTrial trial;
    trial.sql = node.at("statement").text();
    trial.options = settings_of(node, "options");
    if (node.has("credentials"))
        trial.credentials = settings_of(node, "credentials");
    if (node.has("parameters"))
        for (const ManifestNode &parameter : node.at("parameters").elements()) {
            parameter.only({"type", "value"});
            trial.parameters.emplace_back(parameter.at("type").text(), parameter.at("value").text());
        }
    CaseRehearsal rehearsal(exchanges_of(node), connector.account(trial.options).base_url);
    const StatementTrialResult result = run_statement_trial(connector, trial, rehearsal);
    const std::string expected = node.text("fails", "");
    if (result.failure != expected)
        throw Difference{result.failure.empty() ? "the statement does not fail"
                                                : "the statement would fail: " + result.failure};
    rehearsal.check_all_were_made();
    compare_json(node, "columns", result.columns);
    compare_json(node, "result", result.rows);
}

void run_case(const Connector &connector, const ManifestNode &node) {
    if (node.has("statement")) {
        run_statement_case(connector, node);
        return;
    }
    node.only({"name", "object", "operation", "options", "credentials", "rows", "by", "fields", "request", "headers",
               "body", "answer", "exchanges", "outcome", "records", "fails"});
    const Trial trial = trial_of(node);
    CaseRehearsal rehearsal(exchanges_of(node), connector.object(trial.object, trial.options).base_url);
    const TrialResult result = run_trial(connector, trial, rehearsal);
    if (!result.failure.empty() && !node.has("fails") && !node.has("outcome"))
        throw Difference{"the statement would fail: " + result.failure};
    rehearsal.check_all_were_made();
    if (node.has("fails") && node.at("fails").text() != result.failure)
        differ(node.at("fails"), result.failure.empty() ? "no failure" : quoted(result.failure));
    if (node.has("outcome"))
        compare_outcomes(node.at("outcome"), result);
    compare_json(node, "records", Json(result.records));
}

std::string fault_of(const Connector &connector, const ManifestNode &node) {
    try {
        run_case(connector, node);
        return "";
    } catch (const Difference &difference) {
        return difference.words;
    } catch (const ManifestError &error) {
        return "\"" + error.pointer + "\" " + error.what();
    } catch (const SettingError &error) {
        return "\"" + node.pointer() + "\" cannot be tried: " + error.what();
    }
}

} // namespace

std::vector<CaseResult> run_cases(const Connector &connector, const Json &cases) {
    UnsetOptions unset;
    std::vector<CaseResult> results;
    for (const ManifestNode &node : ManifestNode(cases, "", &unset).elements()) {
        const Json &value = node.value();
        const bool is_named = value.is_object() && value.contains("name") && value["name"].is_string();
        results.push_back({is_named ? value["name"].get<std::string>() : "case " + std::to_string(results.size() + 1),
                           fault_of(connector, node)});
    }
    return results;
}

} // namespace reverse_etl
