#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "http.h"
#include "store.h"

// Records, as HubSpot finds and shows them.
namespace reverse_etl::sandbox::crm {

std::size_t id_at(std::size_t position);
std::optional<std::size_t> position_of_id(Table &table, std::string_view id);
std::optional<std::size_t> find_record(Table &table, std::string_view property, std::string_view id);

// The value of a unique property as records hold it.
std::string stored_key(std::string_view property, std::string_view value);

// A record as HubSpot answers a write: with the properties that were written. Left open for what the caller adds.
void append_written(std::string &out, std::size_t position, const Table::Record &record, std::string_view properties);

// A record as HubSpot answers a read: the properties asked for, those it does not have as null.
void append_read(std::string &out, std::size_t position, const Table::Record &record,
                 const std::vector<std::string> &properties);

std::vector<std::string> default_properties(std::string_view object);
std::vector<std::string> asked_properties(const Request &request); // or else the default ones

} // namespace reverse_etl::sandbox::crm
