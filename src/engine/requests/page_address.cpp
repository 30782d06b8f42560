#include "engine/requests/page_address.h"

#include "engine/http/url_reference.h"

namespace reverse_etl {

std::optional<std::string> page_address(const CompiledOperation &operation, const Dispatcher &dispatcher,
                                        const Job &job, const std::string &reference) {
    const std::string from = job.url.empty() ? operation.url(&job.batch, job.cursor) : job.url;
    const std::optional<std::string> url = resolve_reference(from, reference);
    if (!url)
        return std::nullopt;
    const std::string home = dispatcher.home_address(*url);
    return have_one_origin(home, operation.object().base_url) ? std::optional(home) : std::nullopt;
}

} // namespace reverse_etl
