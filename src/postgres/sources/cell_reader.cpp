#include "postgres/sources/cell_reader.h"

#include "engine/text/json_text.h"
#include "postgres/border/border.h"
#include "postgres/sources/plain_cells.h"

#include <cstring>
#include <utility>

extern "C" {
#include "catalog/pg_type.h"
#include "utils/lsyscache.h"
}

namespace reverse_etl {

std::vector<CellTarget> cells_of(const Destination &destination, const std::vector<AttrNumber> &columns) {
    std::vector<CellTarget> cells;
    for (const AttrNumber attnum : columns) {
        const DestinationColumn *column = destination.column(attnum);
        cells.push_back({column->name, attnum - 1, column->type, column->typmod});
    }
    return cells;
}

CellReader::CellReader(std::string table, const std::vector<CellTarget> &targets, const Words &words,
                       MemoryContext context)
    : table_(std::move(table)), words_(words) {
    for (const CellTarget &target : targets) {
        Column column;
        column.target = target;
        pg_call([&] {
            Oid input;
            getTypeInputInfo(target.type, &input, &column.io_parameter);
            fmgr_info_cxt(input, &column.input, context);
            const Oid type = getBaseType(target.type);
            column.is_json = type == JSONOID || type == JSONBOID;
            column.is_plain = type == target.type && target.typmod == -1;
        });
        columns_.push_back(std::move(column));
    }
}

void CellReader::read(const ResultPage &page, std::size_t row, TupleTableSlot *slot) {
    for (std::size_t i = 0; i < columns_.size(); i++)
        if (columns_[i].is_json) {
            const char *text = page.cell(row, i);
            const bool has_nul = text != nullptr && std::strstr(text, "\\u0000") != nullptr;
            columns_[i].mended = has_nul ? without_nul(text) : "";
        }
    const bool is_utf8 = GetDatabaseEncoding() == PG_UTF8;
    std::size_t at = 0;
    try {
        pg_call([&] {
            for (at = 0; at < columns_.size(); at++) {
                Column &column = columns_[at];
                const char *text = column.mended.empty() ? page.cell(row, at) : column.mended.c_str();
                const int position = column.target.position;
                slot->tts_isnull[position] = text == nullptr;
                if (text == nullptr || (is_utf8 && column.is_plain &&
                                        read_plain_cell(column.target.type, text, slot->tts_values[position])))
                    continue;
                slot->tts_values[position] = input_value(&column.input, is_utf8 ? ServerText(text) : to_server(text),
                                                         column.io_parameter, column.target.typmod);
            }
        });
    } catch (const std::runtime_error &error) {
        throw Error(ERRCODE_FDW_INVALID_DATA_TYPE,
                    "could not read column \"" + columns_[at].target.name + "\" of \"" + table_ + "\" from the source",
                    words_.secrets().hide(error.what()),
                    "Give the column a type that holds what the source answers, such as text.");
    }
}

} // namespace reverse_etl
