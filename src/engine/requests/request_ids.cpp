#include "engine/requests/request_ids.h"

#include "engine/requests/compiled_operation.h"
#include "engine/requests/row_groups.h"
#include "engine/text/hex.h"
#include "engine/text/hmac.h"
#include "engine/world/random.h"

#include <cstdio>

namespace reverse_etl {

namespace {

std::string id_of(const std::string &identity) {
    return hex(digest(HashAlgorithm::sha256, identity)).substr(0, request_id_mark.size());
}

void replace(std::string &text, std::string_view mark, std::string_view id, std::size_t begin, std::size_t end) {
    for (std::size_t at = text.find(mark, begin); at < end; at = text.find(mark, at + id.size()))
        text.replace(at, mark.size(), id);
}

} // namespace

std::string random_id() {
    const unsigned drawn[] = {Random::draw(), Random::draw(), Random::draw(), Random::draw()};
    char id[33];
    std::snprintf(id, sizeof(id), "%08x%08x%08x%08x", drawn[0], drawn[1], drawn[2], drawn[3]);
    return id;
}

RequestIds::RequestIds(const CompiledOperation &operation, const std::string &scope)
    : operation_(operation), scope_(scope), drawn_(scope.empty() && operation.names_ids() ? random_id() : "") {}

std::string RequestIds::of_request(const Batch &batch) const {
    if (scope_.empty())
        return random_id();
    const OperationSpec &spec = operation_.spec();
    std::string identity = scope_ + '/' + operation_name(spec.kind) + '/' + spec.method + ' ' + operation_.path(batch);
    for (const BatchRow &row : batch.rows())
        identity += '/' + std::to_string(row.number);
    return id_of(identity);
}

/// Whatever rows it travels with, and so whatever the path says of them.
std::string RequestIds::of_entry(std::uint64_t number) const {
    const OperationSpec &spec = operation_.spec();
    return id_of("entry/" + (scope_.empty() ? drawn_ : scope_) + '/' + operation_name(spec.kind) + '/' + spec.method +
                 ' ' + spec.path + '/' + std::to_string(number));
}

void RequestIds::fill_in(Request &request, Batch &batch, const std::string &id, std::string &body) const {
    if (operation_.names_group()) {
        // Behind the ids, whose places in the body are those of the batch.
        fill_in_ids(request, batch, id, body);
        body = request.body;
        fill_in_group(operation_, batch, body);
        request.body = body;
    } else if (operation_.names_ids()) {
        fill_in_ids(request, batch, id, body);
    }
}

void RequestIds::fill_in_ids(Request &request, Batch &batch, const std::string &id, std::string &body) const {
    const std::string first = batch.rows().empty() ? "" : of_entry(batch.rows().front().number);
    const auto fill = [&](std::string &text) {
        replace(text, request_id_mark, id, 0, text.size());
        replace(text, entry_id_mark, first, 0, text.size());
    };
    fill(request.url);
    for (auto &[name, value] : request.headers)
        fill(value);
    if (request.body.find_first_of("\xff\xfe") == request.body.npos)
        return;
    body = request.body;
    replace(body, request_id_mark, id, 0, body.size());
    for (const BatchRow &row : batch.rows())
        replace(body, entry_id_mark, of_entry(row.number), row.begin, row.end);
    request.body = body;
}

} // namespace reverse_etl
