/// Built with INJECTION_POINTS=yes alone.

#include "postgres/border/injection_point.h"

#include "postgres/border/border.h"

#include <algorithm>
#include <string>

extern "C" {
#include "utils/guc.h"
}

namespace reverse_etl {

namespace {

char *inject_error = nullptr;
int inject_burst_rows = 0;

} // namespace

void define_inject_error() {
    DefineCustomStringVariable("reverse_etl.inject_error", "Makes the named callback fail, for tests.", nullptr,
                               &inject_error, "", PGC_SUSET, GUC_NOT_IN_SAMPLE | GUC_NO_SHOW_ALL, nullptr, nullptr,
                               nullptr);
    DefineCustomIntVariable("reverse_etl.inject_burst_rows", "How many rows of a run leave together, for tests.",
                            nullptr, &inject_burst_rows, 0, 0, 1'000'000, PGC_SUSET,
                            GUC_NOT_IN_SAMPLE | GUC_NO_SHOW_ALL, nullptr, nullptr, nullptr);
}

std::size_t injected_burst_rows(std::size_t most) {
    return inject_burst_rows == 0 ? most : std::min<std::size_t>(most, inject_burst_rows);
}

void injection_point(const char *place) {
    if (inject_error == nullptr || inject_error[0] == '\0')
        return;
    std::string wanted = inject_error;
    if (wanted == place)
        throw Error(ERRCODE_FDW_ERROR, std::string("injected error in ") + place, "injected detail", "injected hint");
    if (wanted == std::string("postgres:") + place)
        pg_call([&] {
            ereport(ERROR, (errcode(ERRCODE_FDW_ERROR), errmsg("injected Postgres error in %s", ServerText(place)),
                            errdetail("injected detail"), errhint("injected hint")));
        });
    if (wanted == std::string("unknown:") + place)
        throw 42;
}

} // namespace reverse_etl
