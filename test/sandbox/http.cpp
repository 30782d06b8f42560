#include "http.h"

#include <strings.h>

namespace reverse_etl::sandbox {

std::string_view Request::header(std::string_view name) const {
    for (const Header &each : headers)
        if (each.name.size() == name.size() && strncasecmp(each.name.data(), name.data(), name.size()) == 0)
            return each.value;
    return {};
}

void Answer::clear() {
    status = 200;
    content_type = "application/json";
    headers.clear();
    body.clear();
}

void Answer::set(int code, std::string_view json) {
    status = code;
    body = json;
}

} // namespace reverse_etl::sandbox
