#pragma once

#include "engine/http/transport.h"
#include "engine/requests/batch.h"

#include <cstdint>
#include <string>
#include <string_view>

namespace reverse_etl {

class CompiledOperation;

/// 32 digits that the system drew: a destination that has seen an id before takes the request for a repeated one, and
/// the ids of all sessions of some days meet there.
std::string random_id();

/// They stand in the texts of a compiled operation where {request.id} and {entry.id} do, until the request is sent:
/// bytes that occur in no UTF-8, so that no value can hold one, and as many as an id has.
inline constexpr std::string_view request_id_mark =
    "\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff"
    "\xff\xff\xff\xff";
inline constexpr std::string_view entry_id_mark =
    "\xfe\xfe\xfe\xfe\xfe\xfe\xfe\xfe\xfe\xfe\xfe\xfe\xfe\xfe\xfe\xfe\xfe\xfe\xfe\xfe\xfe\xfe\xfe\xfe\xfe\xfe\xfe\xfe"
    "\xfe\xfe\xfe\xfe";

/// The ids of an operation's requests and of the rows in them: the same at every attempt, and others for every other
/// operation, method and path.
class RequestIds {
  public:
    /// With a scope, within which the rows' numbers are unique, the ids follow from it: they are the same after a
    /// crash. Without one they are drawn, and those of rows hold for as long as this lives. Both arguments must outlive
    /// it.
    RequestIds(const CompiledOperation &operation, const std::string &scope);

    std::string of_request(const Batch &batch) const;
    std::string of_entry(std::uint64_t number) const;

    /// Writes the ids, and what the rows have in common, into a request that is otherwise complete. A body that names
    /// some is kept in `body`, while the batch keeps the marks, for it may be sent in parts yet.
    void fill_in(Request &request, Batch &batch, const std::string &id, std::string &body) const;

  private:
    void fill_in_ids(Request &request, Batch &batch, const std::string &id, std::string &body) const;

    const CompiledOperation &operation_;
    const std::string &scope_;
    std::string drawn_; ///< in place of a scope
};

} // namespace reverse_etl
