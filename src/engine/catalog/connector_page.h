#pragma once

#include "engine/catalog/connector_facts.h"
#include "engine/catalog/page.h"

#include <functional>
#include <optional>
#include <string>

namespace reverse_etl {

/// A name as it has to stand in a statement.
using QuoteName = std::function<std::string(const std::string &)>;

/// All that somebody has to know who uses a connector for the first time.
/// `truth` is known of those alone that came with the extension.
Page connector_page(const Connector &connector, const std::optional<Truth> &truth, const QuoteName &quoted_name,
                    void (*pause)() = nullptr);

/// What has to be typed to use it; see connector_page().
void add_statements(Page &page, const Connector &connector, const ConnectorFacts &facts, const QuoteName &quoted_name);

/// What it can be told, what it knows, and how fast it goes; see connector_page().
void add_options(Page &page, const Connector &connector);
void add_objects(Page &page, const ConnectorFacts &facts);
void add_limits(Page &page, const ConnectorFacts &facts);

} // namespace reverse_etl
