#pragma once

#include <string_view>
#include <vector>

#include "salesforce_rows.h"

// How Salesforce says what became of a request, and shows its records.
namespace reverse_etl::sandbox::sobjects {

void refuse(Answer &answer, int status, std::string_view code, std::string_view message);
void refuse_json(Answer &answer, std::string_view what);
void refuse_row(Answer &answer, const RowError &error);
void refuse_unknown(Answer &answer);
void refuse_size(Answer &answer, std::size_t limit);

void append_result(std::string &out, const Row &row, bool tell_created);
void append_record(std::string &out, const Request &request, std::string_view object, std::size_t position,
                   const Table::Record &record, const std::vector<std::string> *fields); // nullptr: all

} // namespace reverse_etl::sandbox::sobjects
