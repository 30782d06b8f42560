#pragma once

#include "engine/sources/statement_step.h"

#include <memory>

namespace reverse_etl {

/// The request for the rows of a page where the page says that they are, by the "link" that the result must have;
/// nullptr where the page names no address: it has its rows itself. Throws DestinationError for an address at a host
/// that the connector does not allow.
std::unique_ptr<StatementStep> linked_rows(const StatementContext &context, Answer &page);

} // namespace reverse_etl
