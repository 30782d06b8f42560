#include "postgres/module/request_rows.h"

#include "engine/text/json_text.h"
#include "postgres/border/sql.h"

extern "C" {
#include "funcapi.h"
}

namespace reverse_etl {

namespace {

std::string json_of(const Headers &headers) {
    std::string json = "{";
    for (const auto &[name, value] : headers) {
        json += json.size() == 1 ? "" : ", ";
        append_json_string(json, name);
        json += ": ";
        append_json_string(json, value);
    }
    return json + "}";
}

} // namespace

void put_request_row(FunctionCallInfo call, std::initializer_list<std::string> place, const ShownRequest &request,
                     const std::string &refusal) {
    const std::string headers = json_of(request.headers);
    const std::vector<int64> rows(request.rows.begin(), request.rows.end());
    const bool is_refusal = request.method.empty();
    pg_call([&] {
        auto *result = reinterpret_cast<ReturnSetInfo *>(call->resultinfo);
        Datum values[8];
        bool nulls[8] = {};
        int count = 0;
        for (const std::string &text : place)
            values[count++] = text_datum(to_server_legible(text));
        for (const std::string *text : {&request.method, &request.url, &headers, &request.body}) {
            nulls[count] = is_refusal || (text == &request.body && text->empty());
            values[count] = nulls[count] ? 0 : text_datum(to_server_legible(*text));
            count++;
        }
        values[count++] = sql::int8s(rows).value;
        nulls[count] = !is_refusal;
        values[count] = nulls[count] ? 0 : text_datum(to_server_legible(refusal));
        tuplestore_putvalues(result->setResult, result->setDesc, values, nulls);
    });
}

} // namespace reverse_etl
