// The outcome reader: every row has one outcome, whatever is answered. The first byte of the input chooses the
// operation, the second the status; what follows is the answer's headers, an empty line, and its body.
#include "fuzz.h"

#include "engine/text/lower_case.h"

using namespace reverse_etl;

namespace {

struct Asked {
    const char *connector, *object;
    OperationKind operation;
    const char *field;
};

constexpr Asked asked[] = {
    {"hubspot", "contacts", OperationKind::upsert, "email"},
    {"salesforce", "Contact", OperationKind::create, "Email"},
    {"slack", "messages", OperationKind::create, "channel"},
    {"http", "endpoint", OperationKind::create, "name"},
    {"hubspot", "contacts", OperationKind::lookup, "email"},
    {"salesforce", "Account", OperationKind::list, "Name"},
    {"slack", "users", OperationKind::list, "id"},
    {"hubspot", "contacts", OperationKind::list, "email"},
    {"hubspot", "contacts", OperationKind::remove, "hs_object_id"},
};

/// Filling options in takes longer than all the rest, and is another target's.
struct Prepared {
    Trial trial;
    Object object;
};

std::vector<Prepared> prepare() {
    std::vector<Prepared> prepared;
    for (const Asked &one : asked) {
        Trial trial;
        trial.operation = one.operation;
        trial.options = {
            {"instance", "acme"},
            {"base_url", "https://api.example.com"},
            {"outcome", R"({"each": "/r", "row": [{"number": "/n"}, {"key": "/k"}], "accepted_when": {"/ok": true}})"}};
        if (std::string_view(one.connector) == "http")
            trial.options["body"] = R"({"$rows": {"n": "{row_number}", "$columns": "all"}})";
        for (const char *value : {"a@x", "b@x", "c@x"})
            trial.rows.push_back({{one.field, value}});
        Object object = fuzz::connector_of(one.connector)->object(one.object, trial.options);
        prepared.push_back({std::move(trial), std::move(object)});
    }
    return prepared;
}

constexpr long statuses[] = {200, 201, 204, 207, 302, 400, 401, 403, 404, 409, 422, 429, 500, 503};

/// Answers always the same.
class Answering : public Rehearsal {
  public:
    explicit Answering(Response response) : response_(std::move(response)) {}
    std::optional<Response> exchange(const ShownRequest &) override {
        if (++answers_ > 20)
            throw NoMoreAnswers();
        return response_;
    }

  private:
    const Response response_;
    int answers_ = 0;
};

Response response_of(long status, std::string_view text) {
    Response response;
    response.status = status;
    while (!text.empty()) {
        const std::size_t end = text.find('\n');
        const std::string_view line = text.substr(0, end);
        text.remove_prefix(end == text.npos ? text.size() : end + 1);
        if (line.empty())
            break;
        const std::size_t colon = line.find(": ");
        if (colon != line.npos)
            response.headers.emplace_back(lower_case(std::string(line.substr(0, colon))), line.substr(colon + 2));
    }
    response.body = text;
    return response;
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t *data, std::size_t size) {
    if (size < 2)
        return 0;
    static const std::vector<Prepared> prepared = prepare();
    const Prepared &one = prepared[data[0] % prepared.size()];
    Answering answering(response_of(statuses[data[1] % std::size(statuses)],
                                    std::string_view(reinterpret_cast<const char *>(data) + 2, size - 2)));
    const TrialResult result = run_trial(one.object, one.trial, answering);
    fuzz::require(result.rows.size() == one.trial.rows.size(), "every row has one outcome",
                  std::to_string(result.rows.size()));
    for (const TrialOutcome &outcome : result.rows)
        fuzz::require(outcome.text.size() <= 4096, "a reason is short", outcome.text);
    return 0;
}
