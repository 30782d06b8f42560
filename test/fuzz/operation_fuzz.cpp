// The compiled operation: whatever options and rows hold, a request stays one of the connector's. The input is a case,
// as beside a manifest, that names its connector.
#include "fuzz.h"

#include "engine/manifest/manifest_filling.h"
#include "engine/text/headers.h"

#include <algorithm>

using namespace reverse_etl;

namespace {

class Watching : public Rehearsal {
  public:
    explicit Watching(std::string base_url) : base_url_(std::move(base_url)) {}

    std::optional<Response> exchange(const ShownRequest &request) override {
        fuzz::require(is_token(request.method), "a method is one word", request.method);
        fuzz::require(request.url.starts_with(base_url_), "a request goes to the base URL", request.url);
        const std::string rest = request.url.substr(base_url_.size());
        fuzz::require(rest.empty() || rest[0] == '/' || rest[0] == '?', "a path follows the base URL", request.url);
        const bool is_plain = std::all_of(request.url.begin(), request.url.end(),
                                          [](unsigned char c) { return c > ' ' && c != '#' && c != 127; });
        fuzz::require(is_plain, "a URL has neither blanks nor a fragment", request.url);
        bool is_json = false;
        for (const auto &[name, value] : request.headers) {
            fuzz::require(is_token(name) && !breaks_a_header(value), "a header is one line", name + ": " + value);
            is_json |= name == "Content-Type" && value == "application/json";
        }
        if (is_json)
            fuzz::require(Json::accept(request.body), "a body is JSON", request.body);
        return std::nullopt;
    }

  private:
    const std::string base_url_;
};

Settings settings_of(const Json &object) {
    Settings settings;
    for (const auto &[name, value] : object.items())
        settings[name] = value.is_string() ? value.get<std::string>() : value.dump();
    return settings;
}

std::string text(const Json &object, const char *name) {
    return object.contains(name) && object[name].is_string() ? object[name].get<std::string>() : "";
}

Trial trial_of(const Json &input) {
    Trial trial;
    trial.object = text(input, "object");
    trial.by = text(input, "by");
    for (const auto &[name, kind] : operation_names)
        if (text(input, "operation") == name)
            trial.operation = kind;
    if (input.contains("options") && input["options"].is_object())
        trial.options = settings_of(input["options"]);
    if (input.contains("rows") && input["rows"].is_array())
        for (const Json &row : input["rows"])
            if (row.is_object())
                trial.rows.push_back(row);
    return trial;
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t *data, std::size_t size) {
    try {
        const Json input = parse_json(std::string_view(reinterpret_cast<const char *>(data), size));
        const Connector *connector = input.is_object() ? fuzz::connector_of(text(input, "connector")) : nullptr;
        if (connector == nullptr)
            return 0;
        const Trial trial = trial_of(input);
        Watching watching(connector->object(trial.object, trial.options).base_url);
        run_trial(*connector, trial, watching);
    } catch (const ManifestError &) {
    } catch (const SettingError &) {
    } catch (const Json::exception &) {
        // The input is no JSON
    }
    return 0;
}
