/// What SQL asks of options: the list of them.

#include "postgres/border/sql_function.h"
#include "postgres/destinations/options.h"

extern "C" {
#include "funcapi.h"
#include "utils/builtins.h"
}

namespace reverse_etl {

/// reverse_etl.options: every built-in option, where it may stand, and what it means
SQL_FUNCTION(reverse_etl_options) {
    InitMaterializedSRF(fcinfo, 0);
    guard([&] {
        auto *result = reinterpret_cast<ReturnSetInfo *>(fcinfo->resultinfo);
        for (const OptionDescription &option : built_in_options()) {
            std::string places;
            for (auto [place, name] :
                 {std::pair(OptionPlace::server, "server"), std::pair(OptionPlace::table, "table"),
                  std::pair(OptionPlace::column, "column"), std::pair(OptionPlace::user_mapping, "user mapping")})
                if ((option.places & static_cast<unsigned>(place)) != 0)
                    places += (places.empty() ? "" : ", ") + std::string(name);
            pg_call([&] {
                Datum values[] = {text_datum(option.name),
                                  text_datum(places),
                                  text_datum(option.type),
                                  option.fallback != nullptr ? text_datum(option.fallback) : 0,
                                  BoolGetDatum(option.superuser_only),
                                  text_datum(option.description)};
                bool nulls[] = {false, false, false, option.fallback == nullptr, false, false};
                tuplestore_putvalues(result->setResult, result->setDesc, values, nulls);
            });
        }
    });
    return static_cast<Datum>(0);
}

} // namespace reverse_etl
