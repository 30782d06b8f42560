#include "engine/manifest/job_result_reader.h"

#include "engine/manifest/page_reader.h"
#include "engine/manifest/result_reader.h"
#include "engine/text/headers.h"
#include "engine/text/json.h"
#include "engine/text/lower_case.h"

namespace reverse_etl {

JobResult read_job_result(const ManifestNode &node) {
    node.only({"request", "query", "headers", "errors", "rate_limits", "format", "outcome", "next"});
    node.at("request");
    JobResult result;
    if (node.has("format"))
        result.format = ResultFormat(node.at("format").one_of({"json", "ndjson", "csv"}));
    if (!node.has("next"))
        return result;
    const ManifestNode next = node.at("next");
    if (next.has("header")) {
        next.only({"header"});
        result.cursor_header = lower_case(next.at("header").literal());
        if (!is_token(result.cursor_header))
            next.at("header").fail("is not named as a header may be: letters, digits and \"-\"");
        if (!names_cursor(node))
            next.fail("needs {cursor} in the request, or every page would be the first");
    } else if (!next.has("cursor") && !next.has("url") && !next.has("link")) {
        next.fail(
            "must be {\"cursor\": ...}, {\"url\": ...}, {\"link\": ...} or {\"header\": ...}: the pages of a result "
            "follow by a cursor or an address");
    } else if (result.format != ResultFormat::json) {
        next.fail("must be {\"header\": ...}: a text of lines has no place for a cursor");
    }
    return result;
}

void read_job_outcome(const ManifestNode &node, OperationSpec &spec, bool is_paged) {
    if (node.value().is_string())
        node.fail("must pair entries with rows: the status of an answer says nothing of them");
    for (const ManifestNode &one : node.one_or_many()) {
        if (one.has("others"))
            one.at("others").fail("is a member of the job, since it has several answers");
        const ResultSpec result = read_result(one);
        if (!result.has_entries())
            one.fail("must say \"each\" or \"map\": one answer speaks of many rows");
        if (result.by_position && is_paged)
            one.at("row").fail("must pair entries by number, key or index: a page does not hold all of them");
        if (result.id_header)
            one.at("id").fail("must be a JSON pointer");
        spec.results.push_back(result);
    }
}

} // namespace reverse_etl
