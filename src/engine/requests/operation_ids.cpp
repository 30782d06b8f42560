/// What a compiled operation says of the ids of its requests and rows.

#include "engine/requests/compiled_operation.h"
#include "engine/requests/request_ids.h"

namespace reverse_etl {

/// What a read says of an id is left out: one that a write has as well would have the destination answer with what it
/// read.
void CompiledOperation::add_id_headers() {
    if (is_read_only(spec_.kind))
        return;
    for (const auto *own : {&object_.id_headers, &spec_.id_headers})
        for (const auto &[name, value] : *own)
            if (own == &spec_.id_headers || !has_header(spec_.headers, name))
                set_header(headers_, name, expand(compile_url(value, false), nullptr, "", false));
}

/// Whether a placeholder is an id, for which a mark stands until the request is sent.
bool CompiledOperation::is_id(const std::string &placeholder, std::string &mark) {
    const bool is_of_request = placeholder == "request.id", is_of_row = placeholder == "entry.id";
    mark = is_of_request ? request_id_mark : is_of_row ? entry_id_mark : "";
    names_ids_ |= is_of_request || is_of_row;
    names_request_ |= is_of_request;
    return is_of_request || is_of_row;
}

} // namespace reverse_etl
