#pragma once

#include "engine/requests/rehearsal.h"
#include "postgres/border/border.h"

#include <string>

extern "C" {
#include "fmgr.h"
}

namespace reverse_etl {

/// A row of what shows requests: method, url, headers, body, rows, refusal, and before them the texts of `place`. A
/// request without a method is none, and only its `refusal` counts.
void put_request_row(FunctionCallInfo call, std::initializer_list<std::string> place, const ShownRequest &request,
                     const std::string &refusal);

} // namespace reverse_etl
