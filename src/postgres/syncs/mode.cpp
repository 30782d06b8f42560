#include "postgres/syncs/mode.h"

#include "postgres/border/sql_function.h"

#include <algorithm>
#include <iterator>

extern "C" {
#include "access/htup_details.h"
#include "funcapi.h"
}

namespace reverse_etl {

namespace {

struct ModeRow {
    const char *name;
    Mode mode;
    bool sends_new, sends_changed, sends_unchanged, removes, forgets_gone, takes_cursor;
};

/// By the enum.
constexpr ModeRow modes[] = {
    // name, mode, sends new, changed, unchanged, removes, forgets gone, takes cursor
    {"insert", Mode::insert, true, false, false, false, true, true},
    {"update", Mode::update, false, true, false, false, false, false},
    {"upsert", Mode::upsert, true, true, false, false, false, true},
    {"mirror", Mode::mirror, true, true, false, true, false, false},
    {"full", Mode::full, true, true, true, false, false, false},
    {"append", Mode::append, true, false, false, false, false, true},
};

const ModeRow &row_of(Mode mode) {
    return modes[static_cast<int>(mode)];
}

const ModeRow *find(const std::string &name) {
    const ModeRow *row =
        std::find_if(std::begin(modes), std::end(modes), [&](const ModeRow &one) { return name == one.name; });
    return row != std::end(modes) ? row : nullptr;
}

} // namespace

Mode mode_named(const std::string &name) {
    if (const ModeRow *row = find(name))
        return row->mode;
    throw Error(ERRCODE_INVALID_PARAMETER_VALUE, "invalid mode: \"" + name + "\"");
}

bool sends_new(Mode mode) {
    return row_of(mode).sends_new;
}

bool sends_changed(Mode mode) {
    return row_of(mode).sends_changed;
}

bool sends_unchanged(Mode mode) {
    return row_of(mode).sends_unchanged;
}

bool removes(Mode mode) {
    return row_of(mode).removes;
}

bool forgets_gone(Mode mode) {
    return row_of(mode).forgets_gone;
}

bool takes_cursor(Mode mode) {
    return row_of(mode).takes_cursor;
}

/// reverse_etl_internal.sync_mode(mode text): what SQL asks of a mode; NULL if there is no such mode
SQL_FUNCTION(reverse_etl_sync_mode) {
    return guard([&] {
        const ModeRow *row = find(text_argument(fcinfo, 0));
        TupleDesc descriptor = nullptr;
        if (pg_call([&] { return get_call_result_type(fcinfo, nullptr, &descriptor); }) != TYPEFUNC_COMPOSITE)
            throw Error(ERRCODE_FEATURE_NOT_SUPPORTED, "sync_mode returns a record");
        fcinfo->isnull = row == nullptr;
        if (row == nullptr)
            return static_cast<Datum>(0);
        Datum values[] = {BoolGetDatum(row->sends_new), BoolGetDatum(row->sends_changed), BoolGetDatum(row->removes),
                          BoolGetDatum(row->takes_cursor)};
        bool nulls[4] = {};
        return pg_call([&] { return HeapTupleGetDatum(heap_form_tuple(BlessTupleDesc(descriptor), values, nulls)); });
    });
}

} // namespace reverse_etl
