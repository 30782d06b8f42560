#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "http.h"
#include "world.h"

// One row of a write, and the record it is about.
namespace reverse_etl::sandbox::sobjects {

struct RowError {
    std::string code; // empty: no error
    std::string message;
    std::vector<std::string> fields;

    explicit operator bool() const { return !code.empty(); }
};

struct Row {
    std::string fields; // a compact object without attributes and Id
    std::string object;
    std::string id;
    RowError error;
    std::optional<std::size_t> position;
    bool created = false;
};

Row read_row(std::string_view record, std::string_view object);
void check(Row &row); // notes what is wrong with it
void apply(World &world, Row &row, std::int64_t now);

std::vector<std::string> required_fields(std::string_view object);

Table &table_of(World &world, std::string_view object);

// The record an id names, or why there is none.
std::optional<std::size_t> find_by_id(World &world, std::string_view object, std::string_view id, RowError &error);
std::optional<std::size_t> find_by_field(World &world, std::string_view object, std::string_view name,
                                         std::string_view value);

} // namespace reverse_etl::sandbox::sobjects
