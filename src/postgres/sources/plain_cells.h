#pragma once

#include "postgres/border/postgres.h"

namespace reverse_etl {

/// Reads the texts that cells mostly are without the input function of their type, whose result is the same. False for
/// any other text or type: the input function takes, or refuses, those. Call inside pg_call.
///
/// `type`: the column's own, which is no domain and has no precision. `text`: in the server's encoding.
bool read_plain_cell(Oid type, const char *text, Datum &value);

} // namespace reverse_etl
