#pragma once

#include "hubspot_inputs.h"
#include "store.h"

// One row of a create, an update or an upsert.
namespace reverse_etl::sandbox::crm {

enum class Write { create, update, upsert };

// Finds the row's record and says what is wrong with the row. Throws Refusal.
void check(Table &table, Write write, std::string_view object, const Inputs &inputs, Input &row);

void apply(Table &table, Write write, const Request &request, const Inputs &inputs, Input &row, bool discard);

} // namespace reverse_etl::sandbox::crm
