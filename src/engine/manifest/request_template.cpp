#include "engine/manifest/request_template.h"

#include "engine/manifest/manifest_filling.h"
#include "engine/manifest/manifest_node.h"
#include "engine/manifest/operation_reader.h"

namespace reverse_etl {

OperationSpec filled_request(const RequestTemplate &request, const Json &written, const std::string &prefix,
                             const RequestValues &values, const RequestValues &paths) {
    ManifestFilling filling;
    for (const auto &[name, value] : values)
        filling.set_text(prefix + name, value);
    for (const auto &[name, value] : paths)
        filling.set_text(prefix + name, value, OptionSpec::Type::path);
    Json filled = written;
    filling.fill_in_operation(filled);
    UnsetOptions none;
    OperationSpec spec = read_operation(ManifestNode(filled, "", &none), request.spec.kind);
    spec.rows = request.spec.rows;
    spec.idempotent = request.spec.idempotent;
    spec.errors = request.spec.errors;
    spec.rate_limits = request.spec.rate_limits;
    // It is about no single row.
    std::erase_if(spec.rate_limits, [](const RateLimitSpec &limit) { return !limit.for_each.empty(); });
    spec.reason = request.spec.reason;
    return spec;
}

} // namespace reverse_etl
