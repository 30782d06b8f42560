#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

// Small conversions that HTTP and the vendors' formats ask for.
namespace reverse_etl::sandbox {

using Fields = std::map<std::string, std::string, std::less<>>;

std::string percent_decoded(std::string_view text, bool plus_is_space);
Fields form_fields(std::string_view text); // a query string or a form body
std::string_view field(const Fields &fields, std::string_view name, std::string_view otherwise = {});
std::vector<std::string> split(std::string_view text, char separator);
std::string lower(std::string_view text);
bool starts_with_any(std::string_view text, std::initializer_list<std::string_view> prefixes);

void append_number(std::string &out, std::int64_t number);
void append_time(std::string &out, std::int64_t ms); // 2026-01-31T12:00:00.000Z
std::string http_date(std::int64_t ms);              // Sat, 31 Jan 2026 12:00:00 GMT
std::int64_t now_us();
std::string random_uuid();

} // namespace reverse_etl::sandbox
