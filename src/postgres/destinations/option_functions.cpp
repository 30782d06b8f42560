/// What SQL asks of options: the validator of CREATE and ALTER, and the list of them.

#include "postgres/border/names.h"
#include "postgres/border/sql_function.h"
#include "postgres/destinations/options.h"
#include "postgres/shared/worker_control.h"

extern "C" {
#include "access/reloptions.h"
#include "catalog/pg_attribute.h"
#include "catalog/pg_foreign_server.h"
#include "catalog/pg_foreign_table.h"
#include "catalog/pg_user_mapping.h"
#include "funcapi.h"
#include "utils/builtins.h"
}

namespace reverse_etl {

/// CREATE FOREIGN DATA WRAPPER ... VALIDATOR: options text[], oid of the catalog they stand in
SQL_FUNCTION(reverse_etl_fdw_validator) {
    guard([&] {
        List *list = pg_call([&] { return untransformRelOptions(PG_GETARG_DATUM(0)); });
        Oid catalog = PG_GETARG_OID(1);
        Settings options;
        ListCell *cell;
        foreach (cell, list) {
            auto *option = static_cast<DefElem *>(lfirst(cell));
            options[ServerText(option->defname).utf8()] = option->arg == nullptr ? "" : option_text(option).utf8();
        }
        // What delivers queued rows goes by the changed options, and tries again where the old ones were at fault.
        if (catalog != AttributeRelationId && wake_worker())
            wake_worker_at_commit();
        if (catalog == ForeignServerRelationId)
            validate_options(options, OptionPlace::server);
        else if (catalog == ForeignTableRelationId)
            validate_options(options, OptionPlace::table);
        else if (catalog == AttributeRelationId)
            validate_options(options, OptionPlace::column);
        else if (catalog == UserMappingRelationId)
            validate_options(options, OptionPlace::user_mapping);
        else if (!options.empty())
            throw Error(ERRCODE_FDW_INVALID_OPTION_NAME, "invalid option \"" + options.begin()->first + "\"", "",
                        "The foreign data wrapper itself has no options.");
    });
    PG_RETURN_VOID();
}

/// reverse_etl.options: every built-in option, where it may stand, and what it means
SQL_FUNCTION(reverse_etl_options) {
    InitMaterializedSRF(fcinfo, 0);
    guard([&] {
        auto *result = reinterpret_cast<ReturnSetInfo *>(fcinfo->resultinfo);
        for (const OptionDescription &option : built_in_options()) {
            std::string places;
            for (auto [place, name] : {std::pair(OptionPlace::server, "server"), std::pair(OptionPlace::table, "table"),
                                       std::pair(OptionPlace::column, "column")})
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
