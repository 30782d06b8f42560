// The manifest reader: a manifest works, with any operation of any object, or is refused.
#include "fuzz.h"

#include "engine/requests/outcome_reader.h"

using namespace reverse_etl;

namespace {

void try_object(const Connector &connector, const std::string &name) {
    const Object object = connector.object(name, {{"base_url", "https://api.example.com"}});
    for (const auto &[kind, spec] : object.operations) {
        const CompiledOperation operation(object, spec, {{"email", true}, {"id", false}}, 0, {"email"});
        Batch batch(operation.frame());
        operation.page_body("cursor");
        const OutcomeReader reader(operation);
    }
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t *data, std::size_t size) {
    try {
        const Connector connector =
            Connector::parse(std::string_view(reinterpret_cast<const char *>(data), size), nullptr, fuzz::manifest_of);
        for (const std::string &name : connector.object_names())
            try {
                try_object(connector, name);
            } catch (const SettingError &) {
                // An option without a value, or a column that the operation needs
            }
        connector.check({});
    } catch (const ManifestError &) {
    } catch (const SettingError &) {
    }
    return 0;
}
