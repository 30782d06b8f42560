#include "postgres/destinations/record_encoder.h"

#include "engine/text/json_text.h"
#include "postgres/border/border.h"
#include "postgres/values/writers.h"

#include <algorithm>

extern "C" {
#include "utils/lsyscache.h"
}

namespace reverse_etl {

namespace {

/// What Postgres prints, with "?" for what has no form in UTF-8.
std::string printed(Oid type, Datum value) {
    return pg_call([&] { return printed_value(type, value); }).legible();
}

} // namespace

RecordEncoder::RecordEncoder(ColumnEncoders &values, const std::vector<const DestinationColumn *> &columns)
    : values_(values), members_(columns.size()) {
    for (const DestinationColumn *column : columns) {
        Column &added = columns_.emplace_back(Column{"", column->type});
        append_json_string(added.name, column->name);
        added.name += ':';
    }
}

void RecordEncoder::encode(std::size_t begin, std::size_t end, std::string &out, MemoryContext scratch) {
    pg_call([&] {
        MemoryContext caller = MemoryContextSwitchTo(scratch);
        out += '{';
        for (std::size_t i = begin; i < end; i++) {
            if (i > begin)
                out += ',';
            members_[i].first = out.size();
            out += columns_[i].name;
            if (values_.is_null(static_cast<int>(i)))
                out += "null";
            else
                values_.json(static_cast<int>(i), out);
            members_[i].second = out.size();
        }
        out += '}';
        MemoryContextSwitchTo(caller);
        MemoryContextReset(scratch);
    });
}

void RecordEncoder::encode_anyhow(const Datum *values, const bool *nulls, std::size_t begin, std::size_t end,
                                  std::string &out, MemoryContext scratch) {
    values_.set(values, nulls);
    out += '{';
    for (std::size_t i = begin; i < end; i++) {
        if (i > begin)
            out += ',';
        out += columns_[i].name;
        std::size_t before = out.size();
        try {
            if (nulls[i])
                out += "null";
            else
                pg_call([&] {
                    MemoryContext caller = MemoryContextSwitchTo(scratch);
                    values_.json(static_cast<int>(i), out);
                    MemoryContextSwitchTo(caller);
                });
        } catch (const ValueRefused &) {
            out.resize(before);
            append_json_string(out, printed(columns_[i].type, values[i]));
        }
    }
    out += '}';
    pg_call([&] { MemoryContextReset(scratch); });
}

} // namespace reverse_etl
