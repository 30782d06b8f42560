#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "hubspot_errors.h"
#include "world.h"

// What a request says.
namespace reverse_etl::sandbox::crm {

struct Input {
    std::string_view id;
    std::string_view id_property; // empty: the record id
    std::string_view trace;
    std::size_t begin = 0, end = 0; // of its properties in Inputs::text, a compact object
    bool has_empty = false;         // a property is null or "", which clears it
    RowError error;
    std::optional<std::size_t> position; // of its record
    bool created = false;
};

struct Inputs {
    std::vector<Input> rows;
    std::string text;
    std::vector<std::string> properties; // batch/read: those asked for
    std::string_view id_property;        // batch/read: one for all inputs

    std::string_view properties_of(const Input &row) const {
        return std::string_view(text).substr(row.begin, row.end - row.begin);
    }
};

// The bodies of a batch and of a single record. They throw Refusal.
void read_inputs(World &world, const Request &request, std::string_view object, Inputs &inputs);
Input read_single(World &world, const Request &request, std::string_view object, Inputs &inputs);

bool is_email(std::string_view text);
RowError invalid_email(std::string_view email);
void lower_in_place(std::string &text, std::size_t begin);

} // namespace reverse_etl::sandbox::crm
