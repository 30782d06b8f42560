#pragma once

#include <string>
#include <string_view>

#include "http.h"

// What HubSpot says when it refuses.
namespace reverse_etl::sandbox::crm {

struct RowError {
    int status = 0; // 0: no error
    std::string_view category;
    std::string message;

    explicit operator bool() const { return status != 0; }
};

// A request that is refused as a whole.
struct Refusal {
    int status;
    std::string category;
    std::string message;
};

void refuse(Answer &answer, int status, std::string_view category, std::string_view message);
void refuse(Answer &answer, const Refusal &refusal);
void refuse(Answer &answer, const RowError &error);
void refuse_unknown(Answer &answer);

Refusal invalid_json(std::string_view what);
Refusal invalid_json(const Request &request, const char *at, std::string_view what);
RowError invalid_property(std::string_view code, std::string_view name, std::string_view message);
RowError already_exists(std::string_view object, std::size_t position);
RowError not_there(std::string_view object);

} // namespace reverse_etl::sandbox::crm
